"""Overview and Compare in a real browser: what they say, where they lead, what they export, and their other faces."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.compare import compare
from core.notation import value_texts
from core.store import Run, write_json
from tests.browser.conftest import CUT_OFF, Server, expect, keep_picture, served, settled
from tests.synthetic import make_run, make_workspace

pytestmark = pytest.mark.browser


def opened(page: Any, address: str) -> Any:
    page.goto(address)
    settled(page)
    return page


def asked(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def run_of(server: Server) -> Run:
    return Run(next(path for path in (server.workspace / "runs").iterdir() if path.is_dir()))


def test_overview_says_for_each_adapter_what_the_comparison_says(full: Server, page: Any) -> None:
    opened(page, full.address)
    cards = page.locator(".card")
    cards.first.wait_for()
    expect(cards).to_have_count(3)
    assert sorted(text.split()[0] for text in cards.all_inner_texts()) == ["all-r8", "qv-r2", "qv-r8"]
    card = page.locator(".card", has_text="qv-r8").inner_text()
    assert "better than the baseline on" in card and "0.92 MB" in card
    expect(page.locator(".card", has_text="qv-r2")).to_contain_text("Pre-flight: qv-r2 moves", use_inner_text=True)
    marks = page.locator("table.matrix td.mark").all_inner_texts()
    comparison = compare(run_of(full))
    verdicts = [found.verdict for row in comparison.rows if not row.language for found in row.differences.values()]
    assert [{"▲": "better", "▼": "worse", "?": "unclear", "≈": "same", "–": "none"}[mark] for mark in marks] == verdicts


def test_a_mark_leads_to_its_metric_and_keeps_the_reference(full: Server, page: Any) -> None:
    opened(page, f"{full.address}/?reference=qv-r2")
    page.locator('table.matrix a[href*="rouge_l"][href*="all-r8"]').click()
    page.locator("tr.chosen", has_text="ROUGE-L").wait_for()
    where = asked(page)
    assert urlsplit(page.url).path == "/compare"
    assert where["metric"] == ["reply/rouge_l"] and where["variant"] == ["all-r8"] and where["reference"] == ["qv-r2"]
    expect(page.locator("table.wide thead th").nth(1)).to_have_text("qv-r2", use_inner_text=True)


def test_compare_shows_the_numbers_of_the_comparison(full: Server, page: Any) -> None:
    opened(page, f"{full.address}/compare")
    line = page.locator("table.wide tr", has_text="Accuracy").first
    line.wait_for()
    row = compare(run_of(full)).row("category/accuracy")
    for name in ("baseline", "qv-r8"):
        number, interval = value_texts(row.values[name], row.unit)
        expect(line).to_contain_text(f"{number} {interval}", use_inner_text=True)
    tip = line.locator("td").nth(1).locator("a").get_attribute("title")
    assert "n = 60" in tip and row.values["qv-r8"].signature in tip and "adjusted" in tip


def test_languages_unfold_under_their_metric(full: Server, page: Any) -> None:
    opened(page, f"{full.address}/compare")
    page.locator("table.wide").first.wait_for()
    expect(page.locator("tr.language")).to_have_count(0)
    page.get_by_text("Languages apart").click()
    page.locator("tr.language").first.wait_for()
    assert "zh" in page.locator("tr.language").all_inner_texts()[-1]
    assert asked(page)["languages"] == ["true"]


def test_a_slice_is_kept_in_the_url_and_changes_the_numbers(full: Server, page: Any) -> None:
    opened(page, f"{full.address}/compare?slice=language%3Dzh")
    line = page.locator("table.wide tr", has_text="Accuracy").first
    line.wait_for()
    row = compare(run_of(full), where=lambda example: example.language == "zh").row("category/accuracy")
    assert row.values["qv-r8"].n == 6
    number, interval = value_texts(row.values["qv-r8"], row.unit)
    expect(line).to_contain_text(f"{number} {interval}", use_inner_text=True)
    page.get_by_role("link", name="Overview").click()
    page.locator(".card").first.wait_for()
    page.wait_for_function("location.search.includes('slice')")


def test_a_click_on_the_picture_opens_the_example(full: Server, page: Any) -> None:
    opened(page, f"{full.address}/compare?metric=reply/rouge_l&variant=all-r8")
    point = page.locator(".st-key-figure-examples .scatterlayer .trace").nth(1).locator("path.point").nth(3)
    point.wait_for()
    point.click(force=True)
    page.wait_for_url(re.compile("/examples"))
    where = asked(page)
    assert where["task"] == ["reply"] and where["variant"] == ["all-r8"] and where["example"][0].startswith("eval-")
    page.get_by_role("link", name="Compare").click()
    page.locator("table.wide").first.wait_for()
    settled(page)
    assert urlsplit(page.url).path == "/compare", "an old click must not lead away again"


def test_a_click_on_a_count_opens_those_examples(full: Server, page: Any) -> None:
    opened(page, f"{full.address}/compare?metric=category/accuracy&variant=qv-r8")
    field = page.locator(".st-key-figure-examples .scatterlayer .trace", has_text="fixed").locator("path.point")
    field.wait_for(state="attached")
    field.click(force=True)
    page.wait_for_url(re.compile("/examples"))
    assert asked(page)["outcome"] == ["fixed"] and asked(page)["task"] == ["category"]


def test_the_menu_gives_csv_and_pictures(full: Server, page: Any) -> None:
    opened(page, f"{full.address}/compare")
    menu = page.locator(".st-key-menu-differences")
    menu.get_by_role("button").click()
    with page.expect_download() as found:
        page.get_by_text("CSV of the data").click()
    rows = list(csv.DictReader(io.StringIO(Path(found.value.path()).read_text(encoding="utf-8-sig"))))
    comparison = compare(run_of(full))
    wanted = comparison.row("category/accuracy").values["qv-r8"].value
    got = next(row for row in rows if row["metric"] == "accuracy" and row["variant"] == "qv-r8")
    assert float(got["value"]) == wanted
    assert found.value.suggested_filename == f"{comparison.run_id}-differences.csv"
    starts = {"PNG 2×": b"\x89PNG", "PDF": b"%PDF", "SVG": b"<svg", "HTML": b"<"}
    for label, start in starts.items():
        with page.expect_download() as found:
            page.get_by_role("button", name=label, exact=True).click()
        assert Path(found.value.path()).read_bytes().startswith(start), label


@pytest.mark.parametrize("path", ["", "compare"])
def test_without_a_run_the_page_says_the_next_step(without_runs: Server, page: Any, path: str) -> None:
    opened(page, f"{without_runs.address}/{path}")
    page.get_by_text("No run yet").wait_for()
    page.get_by_role("link", name="Start a run").wait_for()


@contextmanager
def beating(file: Path) -> Iterator[None]:
    """Keep a run alive, as its worker would: with a heartbeat every second."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(1.0):
            status = json.loads(file.read_text())
            write_json(file, status | {"updated": time.time()})

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs that go on, that failed, that are of a newer version, and one whose names are hostile."""
    workspace = make_workspace(tmp_path_factory.mktemp("troubled") / "workspace", n=20, runs=False)
    make_run(workspace / "runs" / "failed", n=20, state="failed", parts_done=0.5)
    newer = make_run(workspace / "runs" / "newer", n=4)
    content = json.loads((newer.folder / "spec.json").read_text())
    (newer.folder / "spec.json").write_text(json.dumps(content | {"format_version": 99}))
    running = make_run(workspace / "runs" / "running", n=20, state="running", parts_done=0.5)
    with beating(running.folder / "status.json"), served(workspace) as server:
        yield server


def test_a_run_that_goes_on_shows_progress_and_what_is_there(troubled: Server, page: Any) -> None:
    opened(page, f"{troubled.address}/compare?run=running")
    page.get_by_text("tokens/s").wait_for()
    expect(page.locator("[data-testid=stMain]")).to_contain_text("Evaluating all-r8 on reply", use_inner_text=True)
    page.locator("table.wide").first.wait_for()


def test_a_failed_run_says_why_and_keeps_its_log_folded(troubled: Server, page: Any) -> None:
    opened(page, f"{troubled.address}/?run=failed")
    page.get_by_text("The disk is full").wait_for()
    log = page.get_by_text("No space left on device")
    expect(log).to_be_hidden()
    page.get_by_text("Last lines of the log").click()
    log.wait_for()
    page.locator(".card").first.wait_for()


def test_a_run_of_a_newer_version_is_answered_with_a_sentence(troubled: Server, page: Any) -> None:
    opened(page, f"{troubled.address}/?run=newer")
    page.get_by_text("pip install -U lorascope").first.wait_for()


def test_hostile_findings_are_shown_as_they_are(troubled: Server, page: Any) -> None:
    sentence = '<img src=x onerror="document.title=1"> $x^2$ :red[x] **bold**'
    run = troubled.workspace / "runs" / "failed"
    findings = [{"level": "warning", "code": "x", "sentence": sentence}]
    (run / "preflight.json").write_text(json.dumps({"variants": {"qv-r8": {"ok": True, "findings": findings}}}))
    opened(page, f"{troubled.address}/?run=failed")
    page.locator(".warn").first.wait_for()
    expect(page.locator(".warn").first).to_have_text(f"Pre-flight: {sentence}", use_inner_text=True)
    expect(page.locator(".card img")).to_have_count(0)
    assert page.title() != "1"


def test_no_workspace_says_how_to_make_one(tmp_path: Path, page: Any) -> None:
    (tmp_path / "empty").mkdir()
    with served(tmp_path / "empty") as server:
        opened(page, server.address)
        page.get_by_text("lorascope init").wait_for()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_nothing_is_cut_off_at_the_side(full: Server, page: Any, mode: str) -> None:
    page.emulate_media(color_scheme=mode)
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url) if _is_foreign(request.url) else None)
    for path, sign in (("", ".card"), ("compare", "table.wide"), ("run", ".ls-run"), ("examples?task=reply", ".row")):
        for width in (1280, 1440):
            page.set_viewport_size({"width": width, "height": 1000})
            opened(page, f"{full.address}/{path}").locator(sign).first.wait_for()
            _fits(page, path.partition("?")[0] or "overview", f"{mode}-{width}")
    assert not foreign, "the pages ask nothing of other machines"


def _fits(page: Any, name: str, look: str) -> None:
    if name in ("overview", "compare"):
        page.locator(".js-plotly-plot").first.wait_for()
        paper = page.locator(".js-plotly-plot .main-svg").first.evaluate("e => e.style.background")
        around = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
        assert paper == around, "the picture's paper is the page's"
    settled(page)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth"), name
    assert page.locator("button p, .ls-chip").evaluate_all(CUT_OFF) == [], name
    keep_picture(page, f"{name}-{look}.png")


def _is_foreign(address: str) -> bool:
    return urlsplit(address).hostname not in (None, "127.0.0.1")


def test_the_copied_folder_of_a_run_is_enough(full: Server, tmp_path: Path, page: Any) -> None:
    copy = tmp_path / "elsewhere" / "copied-run"
    shutil.copytree(run_of(full).folder, copy)
    with served(copy) as server:
        opened(page, server.address).locator(".card").first.wait_for()
        expect(page.locator(".card")).to_have_count(3)
