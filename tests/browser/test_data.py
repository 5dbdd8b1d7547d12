"""The Data page in a real browser: dropped files, every shipped broken file, hostile texts, work that is stopped, what is taken away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.data.inspect.headline import headline
from core.data.inspect.repair import repair
from core.data.inspect.scan import scan
from core.errors import InputError
from tests.browser.conftest import CUT_OFF, ROOT, Server, expect, fresh_tab, keep_picture, served, settled
from tests.browser.data_page import SEGMENT_KEYS, asked, cells, drop, fine, opened, segment
from tests.dashboard.data_pages import HOSTILE, chat, data_workspace, write_rows

pytestmark = pytest.mark.browser

BROKEN = sorted(path for path in (ROOT / "sample_data" / "broken").iterdir() if path.is_file())
LONG = "The quick brown fox jumps over the lazy dog while the old clock strikes twelve times tonight"

TRAIN = [
    chat("What does a lamp cost?", "Nine."), chat(LONG, "Yes."), chat("What does a lamp cost?", "Ten."),
    {"messages": [{"role": "user", "content": "x"}, {"role": "assisiant", "content": "y"}]}, chat("".join(HOSTILE), HOSTILE[0]),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard over a workspace with one training file, its cache in a folder of its own."""
    folder = tmp_path_factory.mktemp("data")
    evaluation = [
        {"id": "e-1", "ticket": LONG, "category": "yes"},
        {"id": "e-2", "ticket": "Is it open on the other side of town?"},
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LORASCOPE_CACHE", str(folder / "cache"))
        with served(data_workspace(folder / "workspace", TRAIN, evaluation)) as found:
            yield found


@pytest.fixture(scope="module")
def tab(window: Any, server: Server) -> Iterator[Any]:
    """One tab for all broken files: each is dropped where the last one stands."""
    with fresh_tab(window) as page:
        yield opened(page, server)


@pytest.mark.parametrize("path", BROKEN, ids=[path.name for path in BROKEN])
def test_every_shipped_broken_file_is_answered(tab: Any, path: Path) -> None:
    page = tab
    if asked(page, "show") == "rows":
        segment(page, "Faults")
        page.locator('table[aria-label="faults"]').wait_for()
    drop(page, path)
    try:
        expected = scan(path)
    except InputError as error:
        face = page.locator(".ls-face", has_text="This file cannot be read")
        face.wait_for()
        expect(face).to_contain_text(str(error).replace(str(path), path.name), use_inner_text=True)
        fine(page)
        return
    said = headline(expected).replace("`", "")
    page.locator("[data-name=headline]", has_text=said).wait_for()
    assert expected.fault_total > 0
    found = cells(page, "faults")
    assert len(found) == min(expected.fault_total, 50)
    assert [row[0].partition(":")[0] for row in found] == [str(fault.line) for fault in expected.faults[:50]]
    assert [row[1] for row in found] == [fault.code for fault in expected.faults[:50]]
    fine(page)
    page.locator('table[aria-label="faults"] tbody tr').first.click()
    page.locator("[data-name=row-count]").wait_for()
    assert asked(page, "show") == "rows" and asked(page, "line") == str(expected.faults[0].line)
    page.locator(".st-key-data-open-row", has_text=expected.faults[0].code).wait_for()
    fine(page)


@pytest.mark.parametrize("name", ["roles.jsonl", "preference.jsonl"])
def test_every_segment_opens_over_a_broken_file(server: Server, page: Any, name: str) -> None:
    opened(page, server)
    drop(page, ROOT / "sample_data" / "broken" / name)
    for title, sign in (
        ("Shape", ".js-plotly-plot"), ("Look", ".ls-advice"), ("Duplicates and leakage", "[data-name=duplicates]"),
        ("Quality", "[data-name=quality]"), ("Compare", "[data-testid=stSelectbox]"), ("Rows", "[data-name=row-count]"),
        ("Faults", "table"),
    ):  # fmt: skip
        segment(page, title)
        page.locator(f".st-key-data-{SEGMENT_KEYS[title]} {sign}").first.wait_for()
        settled(page)
        fine(page)


def test_a_link_shows_the_same_again(server: Server, page: Any) -> None:
    opened(page, server, "show=rows")
    box = page.get_by_placeholder("Search all text")
    box.fill("LAMP")
    box.press("Enter")
    page.locator("[data-name=row-count]", has_text="2 of 5 rows").wait_for()
    page.locator('table[aria-label="rows"] tbody tr').nth(1).click()
    page.locator(".ls-opened", has_text="Line 3").wait_for()
    address = page.url
    assert [asked(page, name) for name in ("show", "find", "line")] == ["rows", "LAMP", "3"]
    page.goto("about:blank")
    page.goto(address)
    page.locator(".ls-opened", has_text="Line 3").wait_for()
    assert [row[0] for row in cells(page, "rows")] == ["1", "3"]
    expect(page.locator('table[aria-label="rows"] tr[aria-current=true]')).to_have_attribute("data-id", "3")


def test_hostile_texts_are_shown_as_they_are_and_do_nothing(server: Server, page: Any) -> None:
    reached: list[str] = []
    page.on("request", lambda request: reached.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    opened(page, server, "show=rows&line=5")
    turns = page.locator(".st-key-data-row-turn-0 .text")
    turns.wait_for()
    assert turns.evaluate("e => e.textContent") == "".join(HOSTILE)
    assert cells(page, "rows")[4][3:] == ["".join(HOSTILE), HOSTILE[0]]
    segment(page, "Look")
    strip = page.locator(".st-key-data-tokens .text")
    strip.wait_for()
    words = strip.evaluate("e => [...e.querySelectorAll('.token')].map(t => [...t.childNodes].filter(n => n.className !== 'line-end')"
                           ".map(n => n.textContent).join('')).join('')")  # fmt: skip
    assert words == f"<|im_start|>user\n{''.join(HOSTILE)}<|im_end|>\n<|im_start|>assistant\n{HOSTILE[0]}<|im_end|>\n"
    for title in ("Shape", "Duplicates and leakage", "Quality", "Compare"):
        segment(page, title)
        page.locator(f".st-key-data-{SEGMENT_KEYS[title]}").wait_for()
        settled(page)
        fine(page)
    assert not [url for url in reached if "x.png" in url], "no image of a text was fetched"


def test_a_long_line_and_a_hostile_name_can_be_dropped(server: Server, page: Any) -> None:
    opened(page, server)
    row = json.dumps(chat("x" * 200_000, "</script><b>done</b>")) + "\n"
    name = ":red[x] $y$ <b>.jsonl"
    drop(page, {"name": name, "mimeType": "application/jsonl", "buffer": row.encode()})
    page.locator("[data-name=headline]", has_text="1 row of conversational SFT").wait_for()
    assert (
        f"dropped: {name}"
        in page.locator(".st-key-data-file").inner_text() + page.locator(".st-key-data-file input").input_value()
    )
    segment(page, "Rows")
    text = page.locator(".st-key-data-row-turn-0 .text")
    text.wait_for()
    page.get_by_role("button", name="Show all 200,000 characters").click()
    assert text.evaluate("e => e.textContent.length") == 200_000
    assert page.locator(".st-key-data-row-turn-1 .text").evaluate("e => e.textContent") == "</script><b>done</b>"
    segment(page, "Look")
    page.locator(".st-key-data-tokens .edge", has_text="what follows is cut off").wait_for()
    fine(page)


def test_two_files_dropped_at_once_are_told_apart_and_compared(server: Server, page: Any) -> None:
    opened(page, server, "show=compare")
    folder = ROOT / "sample_data" / "broken"
    drop(page, folder / "roles.jsonl", folder / "order.jsonl")
    note = page.locator(".ls-note", has_text="2 files were dropped at once")
    note.wait_for()
    expect(note).to_contain_text("roles.jsonl is shown; order.jsonl stands beside it", use_inner_text=True)
    page.locator("[data-name=compared]").wait_for()
    assert cells(page, "what differs")[0][0] == "Length in tokens, middle row"
    fine(page)


def test_the_repaired_copy_is_what_a_repair_writes_and_the_file_stays(
    server: Server, page: Any, tmp_path: Path
) -> None:
    source = server.workspace / "data" / "d.train.jsonl"
    before = source.read_bytes()
    opened(page, server, "show=faults")
    with page.expect_download() as found:
        page.get_by_role("button", name="Download the repaired copy").click()
    assert found.value.suggested_filename == "d.repaired.jsonl"
    repair(source, tmp_path / "expected.jsonl")
    assert Path(found.value.path()).read_bytes() == (tmp_path / "expected.jsonl").read_bytes()
    assert source.read_bytes() == before and cells(page, "repairs")[0][1] == "unknown-role"


def test_faults_and_ids_to_leave_out_can_be_taken_away(server: Server, page: Any) -> None:
    opened(page, server, "show=faults")
    page.locator(".st-key-menu-faults button").first.click()
    with page.expect_download() as found:
        page.get_by_role("button", name="CSV of the faults").click()
    (row,) = csv.DictReader(io.StringIO(Path(found.value.path()).read_text(encoding="utf-8-sig")))
    assert (row["line"], row["code"], row["repair"]) == ("4", "unknown-role", "write 'assistant'")
    opened(page, server, "show=overlap")
    page.locator('table[aria-label="leaked rows"]').wait_for()
    with page.expect_download() as found:
        page.get_by_role("button", name="Ids to leave out (1)").click()
    assert Path(found.value.path()).read_text() == "e-1\n"
    marked = page.locator(".st-key-data-leaked-training ins")
    assert marked.evaluate("e => e.textContent") == LONG


def test_a_group_opens_and_leads_to_its_rows(server: Server, page: Any) -> None:
    opened(page, server, "show=overlap")
    page.get_by_text("2 rows with one input and 2 different answers").click()
    assert [row[0] for row in cells(page, "conflict-0")] == ["1", "3"]
    page.locator(".st-key-data-conflict-0-rows button").click()
    page.locator("[data-name=row-count]", has_text="2 of 5 rows").wait_for()
    assert asked(page, "lines") == "1,3"


def test_look_is_stepped_through_with_keys_and_says_what_a_token_is(server: Server, page: Any) -> None:
    opened(page, server, "show=look&max_length=20")
    strip = page.locator(".st-key-data-tokens .text")
    strip.locator(".token.special").first.wait_for()
    expect(page.locator(".st-key-data-tokens .edge")).to_have_text(
        "max_length 20: what follows is cut off", use_inner_text=True
    )
    strip.locator(".token").nth(2).hover()
    tip = page.locator(".st-key-data-tokens .tip")
    tip.wait_for()
    expect(tip).to_contain_text("token 3 of", use_inner_text=True)
    expect(tip).to_contain_text("template", use_inner_text=True)
    page.locator("body").press("j")
    page.wait_for_function("() => new URLSearchParams(location.search).get('line') === '2'")
    page.locator(".st-key-data-tokens .text", has_text="quick").wait_for()


def test_long_work_shows_how_far_it_is_can_be_stopped_and_goes_on(server: Server, page: Any, tmp_path: Path) -> None:
    rows = [chat(f"{LONG} {number} {LONG}", f"{LONG} {number}") for number in range(60_000)]
    opened(page, server)
    drop(page, write_rows(tmp_path / "large.jsonl", rows))
    page.locator("[data-name=headline]", has_text="60,000 rows of conversational SFT (messages), no faults").wait_for()
    segment(page, "Quality")
    main = page.locator("[data-testid=stMain]")
    working = main.locator(".st-key-working-looking-for-odd-rows")
    working.locator(".ls-foot", has_text="of 60,000 rows").wait_for()
    expect(working).to_contain_text("left", use_inner_text=True)
    main.get_by_role("button", name="Stop").click()
    page.get_by_text("Looking for odd rows was stopped; nothing of it is kept.").wait_for()
    main.get_by_role("button", name="Go on").wait_for()
    segment(page, "Faults")
    page.get_by_text("All of 60,000 rows hold to what TRL takes.").wait_for()
    segment(page, "Quality")
    main.get_by_role("button", name="Go on").click()
    # All rows are looked at, beside whatever else is running.
    page.locator("[data-name=quality]").wait_for(timeout=240_000)


def test_other_pages_keep_their_run_and_this_one_its_choices(full: Server, page: Any) -> None:
    page.goto(f"{full.address}/?reference=qv-r2")
    page.locator(".card").first.wait_for()
    page.get_by_role("link", name="Data", exact=True).click()
    page.locator("[data-name=headline]").wait_for()
    expect(page.locator(".st-key-top-bar")).to_have_count(0)
    segment(page, "Quality")
    page.locator("[data-name=quality]").wait_for()
    page.get_by_role("link", name="Overview").click()
    page.wait_for_url("**/*reference=qv-r2*")
    page.locator(".card").first.wait_for()
    page.get_by_role("link", name="Data", exact=True).click()
    page.wait_for_url("**/*show=quality*")
    page.locator("[data-name=quality]").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (1440, "light")])
def test_nothing_is_cut_off_at_a_laptops_width(sample: Server, page: Any, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(color_scheme=scheme)
    for name in SEGMENT_KEYS.values():
        opened(page, sample, f"show={name}")
        page.locator(f".st-key-data-{name}").wait_for()
        settled(page)
        fine(page)
        assert page.locator(".stMain button p, .stMain label p, .stMain .ls-lead").evaluate_all(CUT_OFF) == []
        keep_picture(page, f"data-{name}-{width}-{scheme}.png")
