"""The Examples page in a real browser."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.feedback import read_feedback
from core.jobs.status import RunStatus, write_status
from core.records import Generation
from core.store import create_run, evidence_table, write_table
from core.workspace import load_workspace
from tests.browser.conftest import Server, expect, served
from tests.browser.waiting import open_page, output_of, shows, until
from tests.synthetic import HOSTILE, make_run, make_workspace

pytestmark = pytest.mark.browser

NASTY = (
    *HOSTILE,
    "carriage\rreturn\r\nand line",
    "nul \x00 escape \x1b[31m bell \x07",
    "  leading, trailing  \n\n\ttab ",
    "\ufeffbom nbsp\xa0soft\xadhyphen \u2066isolated\u2069 \u2028 separator",
    "👩‍👩‍👧 family and 🇩🇪 flag",
    "&lt;not an entity&gt; &amp; &#36;",
    "x" * 200_000,
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A run in which every output of ``qv-r8`` is something that a careless page would interpret."""
    workspace = make_workspace(tmp_path_factory.mktemp("hostile") / "workspace", n=20, runs=False)
    model = make_run(workspace / "model", n=20, tasks=("reply",))
    run = create_run(workspace / "runs" / "hostile", model.spec.model_copy(update={"id": "hostile"}))
    run.write_examples(model.examples)
    rows = []
    for place, example in enumerate(model.examples):
        for variant in model.spec.models.variants:
            text = NASTY[place % len(NASTY)] if variant == "qv-r8" else "plain words"
            rows.append(_generation(example.id, variant, text))
    write_table(run.folder / "evidence.parquet", evidence_table(rows))
    write_status(run.folder, RunStatus("finished"))
    shutil.rmtree(model.folder)
    with served(workspace) as server:
        yield server


def _generation(example_id: str, variant: str, text: str) -> Any:
    from core.records import Evidence

    return Evidence("reply", variant, example_id, generation=Generation(text, "eos", 4, (1, 2), (0.0, 0.0)))


def _current(page: Any) -> str:
    return page.locator(".row[aria-current=true]").get_attribute("data-id")


def _reference(server: Server, task: str, example_id: str) -> str:
    run = load_workspace(server.workspace).runs()[0]
    return next(str(example.reference) for example in run.examples if (example.task, example.id) == (task, example_id))


def test_a_click_opens_an_example_and_its_link_opens_it_again(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=reply&metric=rouge_l")
    wanted = page.locator(".row").nth(7).get_attribute("data-id")
    page.locator(".row").nth(7).click()
    page.wait_for_url(f"**example={wanted}**")
    page.locator(f".ls-opened b:text-is('{wanted}')").wait_for()
    until(lambda: _current(page) == wanted, "the row that is marked as open")
    shows(page.locator(".st-key-card-reference .text"), _reference(full, "reply", wanted))
    open_page(page, page.url)
    page.locator(f".ls-opened b:text-is('{wanted}')").wait_for()
    shows(page.locator(".st-key-card-reference .text"), _reference(full, "reply", wanted))
    expect(page.locator(".st-key-examples-metric input")).to_have_value("ROUGE-L ↑")


def test_keys_walk_the_list(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=reply&sort=dataset")
    page.locator(".ls-opened b:text-is('eval-001')").wait_for()
    page.locator(".row[aria-current=true]").wait_for()
    page.get_by_role("button", name="Next Shortcut J").wait_for()
    page.keyboard.press("j")
    page.locator(".ls-opened b:text-is('eval-002')").wait_for()
    page.keyboard.press("j")
    page.locator(".ls-opened b:text-is('eval-003')").wait_for()
    page.keyboard.press("k")
    page.locator(".ls-opened b:text-is('eval-002')").wait_for()


def test_the_filter_fixed_leaves_what_it_counts(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=category")
    pill = page.locator(".st-key-examples-outcome").get_by_text("▲ fixed")
    count = int(pill.text_content().split()[-1])
    pill.click()
    page.get_by_text(f"The {count} examples listed").wait_for()
    page.wait_for_url("**outcome=fixed**")
    until(lambda: page.locator(".row").count() == count, "as many rows as were counted")
    assert set(page.locator(".row .difference").all_text_contents()) == {"fixed"}


def test_search_finds_words_of_outputs(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=reply")
    page.get_by_placeholder("Search prompt").fill("<script>ALERT")
    page.keyboard.press("Enter")
    page.get_by_text("The 1 example listed").wait_for()
    until(lambda: page.locator(".row").count() == 1, "one row")
    shows(output_of(page, "qv-r8"), "<script>alert(1)</script>")


def test_a_long_list_is_paged_and_a_link_turns_to_its_page(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=reply&sort=dataset&example=eval-055")
    until(lambda: _current(page) == "eval-055", "the row that is marked as open")
    expect(page.locator(".row")).to_have_count(10)
    page.locator("[data-testid=stPagination]").get_by_text("1", exact=True).click()
    page.locator(".row[data-id=eval-001]").wait_for()
    expect(page.locator(".row")).to_have_count(50)
    page.locator(".ls-opened b:text-is('eval-055')").wait_for()


@pytest.mark.parametrize("place", range(len(NASTY)))
def test_output_is_shown_to_the_last_character(page: Any, hostile: Server, place: int) -> None:
    alerts: list[str] = []
    requests: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    open_page(page, f"{hostile.address}/examples?task=reply&example=eval-{place + 1:03d}")
    output = output_of(page, "qv-r8")
    wanted = NASTY[place]
    if len(wanted) > 20_000:
        shows(output, wanted[:20_000])
        page.get_by_role("button", name=f"Show all {len(wanted):,} characters").click()
    shows(output, wanted)
    assert alerts == []
    assert [
        url
        for url in requests
        if not url.startswith((hostile.address, hostile.address.replace("http", "ws"), "data:", "blob:"))
    ] == []
    box, pane = output.bounding_box(), page.locator(".st-key-pane-qv-r8").bounding_box()
    assert box["x"] >= pane["x"]
    assert box["x"] + box["width"] <= pane["x"] + pane["width"]


def test_added_and_dropped_words_are_marked(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=reply&example=eval-020&marking=both")
    output = output_of(page, "all-r8")
    output.locator("ins").first.wait_for()
    assert output.locator("del").count() > 0
    expect(output_of(page, "baseline").locator("ins, del")).to_have_count(0)
    kept = output.evaluate(
        "node => [...node.childNodes].filter(n => n.nodeName !== 'DEL').map(n => n.textContent).join('')"
    )
    open_page(page, f"{full.address}/examples?task=reply&example=eval-020&marking=off")
    shows(output_of(page, "all-r8"), kept)


def test_the_gain_strip_is_the_reference_and_tells_its_numbers(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=general&example=general-03")
    strip = page.locator(".st-key-gain-all-r8")
    strip.locator(".piece").first.wait_for()
    shows(strip.locator(".text"), _reference(full, "general", "general-03"))
    piece = strip.locator(".piece").nth(3)
    piece.hover()
    tip = strip.locator(".tip").text_content()
    assert f"{abs(float(piece.get_attribute('data-nats'))):.2f} nats" in tip
    assert "baseline" in tip


def test_thumb_and_note_are_on_disk_and_there_after_a_reload(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=reply&example=eval-011")
    run = load_workspace(full.workspace).runs()[0]
    pane = page.locator(".st-key-pane-qv-r8")
    pane.get_by_role("button", name="thumb_down").or_(
        pane.locator("[data-testid=stFeedback] button").nth(1)
    ).first.click()
    until(lambda: read_feedback(run).of("reply", "eval-011", "qv-r8").thumb == "down", "the thumb on disk")
    pane.get_by_placeholder("Note, kept with the run").fill("says <b>nothing</b> about the order")
    page.keyboard.press("Tab")
    until(
        lambda: read_feedback(run).of("reply", "eval-011", "qv-r8").note == "says <b>nothing</b> about the order",
        "the note on disk",
    )
    open_page(page, page.url)
    field = page.locator(".st-key-pane-qv-r8").get_by_placeholder("Note, kept with the run")
    field.wait_for()
    expect(field).to_have_value("says <b>nothing</b> about the order")
    page.locator(".st-key-pane-qv-r8").get_by_text("Saved").wait_for()
    page.locator(".row[data-id=eval-011] .noted").wait_for(state="attached")


def test_the_list_and_the_gain_strip_can_be_taken_away(page: Any, full: Server) -> None:
    open_page(page, f"{full.address}/examples?task=general&metric=perplexity&example=general-03")
    page.locator(".piece").first.wait_for()
    page.locator(".st-key-menu-examples").get_by_role("button").click()
    with page.expect_download() as found:
        page.get_by_text("CSV of the list").click()
    rows = list(csv.DictReader(io.StringIO(Path(found.value.path()).read_text(encoding="utf-8-sig"))))
    assert [row["example_id"] for row in rows] == page.locator(".row").evaluate_all("all => all.map(e => e.dataset.id)")
    assert {"score of baseline", "score of qv-r8", "difference", "outcome", "tags"} <= set(rows[0])
    for label, start in {"PNG 2×": b"\x89PNG", "SVG": b"<svg", "HTML": b"<"}.items():
        with page.expect_download() as found:
            page.get_by_role("button", name=label, exact=True).click()
        assert Path(found.value.path()).read_bytes().startswith(start), label
        assert "gain-general-03" in found.value.suggested_filename
