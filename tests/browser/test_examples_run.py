"""The Examples and Run pages in a real browser."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.feedback import read_feedback
from core.jobs.status import RunStatus, read_status, write_status
from core.records import Generation
from core.store import Run, create_run, evidence_table, write_table
from core.workspace import load_workspace
from tests.browser.conftest import PATIENCE, Server, expect, served, settled
from tests.synthetic import HOSTILE, make_run, make_workspace
from tests.worker_double import sleeping_worker

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


def _open(page: Any, address: str) -> None:
    page.goto(address)
    settled(page)


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never came about: {what}")
        time.sleep(0.1)


def _current(page: Any) -> str:
    return page.locator(".row[aria-current=true]").get_attribute("data-id")


def _shows(locator: Any, text: str) -> None:
    """Wait until an element holds exactly this text."""
    try:
        _until(lambda: locator.count() == 1 and locator.text_content() == text, "the text")
    except AssertionError:
        assert locator.text_content() == text
        raise


def _reference(server: Server, task: str, example_id: str) -> str:
    run = load_workspace(server.workspace).runs()[0]
    return next(str(example.reference) for example in run.examples if (example.task, example.id) == (task, example_id))


def _output(page: Any, variant: str) -> Any:
    return page.locator(f".st-key-output-{variant} .text")


def test_a_click_opens_an_example_and_its_link_opens_it_again(page: Any, full: Server) -> None:
    _open(page, f"{full.address}/examples?task=reply&metric=rouge_l")
    wanted = page.locator(".row").nth(7).get_attribute("data-id")
    page.locator(".row").nth(7).click()
    page.wait_for_url(f"**example={wanted}**")
    page.locator(f".ls-opened b:text-is('{wanted}')").wait_for()
    _until(lambda: _current(page) == wanted, "the row that is marked as open")
    _shows(page.locator(".st-key-card-reference .text"), _reference(full, "reply", wanted))
    _open(page, page.url)
    page.locator(f".ls-opened b:text-is('{wanted}')").wait_for()
    _shows(page.locator(".st-key-card-reference .text"), _reference(full, "reply", wanted))
    expect(page.locator(".st-key-examples-metric input")).to_have_value("ROUGE-L ↑")


def test_keys_walk_the_list(page: Any, full: Server) -> None:
    _open(page, f"{full.address}/examples?task=reply&sort=dataset")
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
    _open(page, f"{full.address}/examples?task=category")
    pill = page.locator(".st-key-examples-outcome").get_by_text("▲ fixed")
    count = int(pill.text_content().split()[-1])
    pill.click()
    page.get_by_text(f"The {count} examples listed").wait_for()
    page.wait_for_url("**outcome=fixed**")
    _until(lambda: page.locator(".row").count() == count, "as many rows as were counted")
    assert set(page.locator(".row .difference").all_text_contents()) == {"fixed"}


def test_search_finds_words_of_outputs(page: Any, full: Server) -> None:
    _open(page, f"{full.address}/examples?task=reply")
    page.get_by_placeholder("Search prompt").fill("<script>ALERT")
    page.keyboard.press("Enter")
    page.get_by_text("The 1 example listed").wait_for()
    _until(lambda: page.locator(".row").count() == 1, "one row")
    _shows(_output(page, "qv-r8"), "<script>alert(1)</script>")


def test_a_long_list_is_paged_and_a_link_turns_to_its_page(page: Any, full: Server) -> None:
    _open(page, f"{full.address}/examples?task=reply&sort=dataset&example=eval-055")
    _until(lambda: _current(page) == "eval-055", "the row that is marked as open")
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
    _open(page, f"{hostile.address}/examples?task=reply&example=eval-{place + 1:03d}")
    output = _output(page, "qv-r8")
    wanted = NASTY[place]
    if len(wanted) > 20_000:
        _shows(output, wanted[:20_000])
        page.get_by_role("button", name=f"Show all {len(wanted):,} characters").click()
    _shows(output, wanted)
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
    _open(page, f"{full.address}/examples?task=reply&example=eval-020&marking=both")
    output = _output(page, "all-r8")
    output.locator("ins").first.wait_for()
    assert output.locator("del").count() > 0
    expect(_output(page, "baseline").locator("ins, del")).to_have_count(0)
    kept = output.evaluate(
        "node => [...node.childNodes].filter(n => n.nodeName !== 'DEL').map(n => n.textContent).join('')"
    )
    _open(page, f"{full.address}/examples?task=reply&example=eval-020&marking=off")
    _shows(_output(page, "all-r8"), kept)


def test_the_gain_strip_is_the_reference_and_tells_its_numbers(page: Any, full: Server) -> None:
    _open(page, f"{full.address}/examples?task=general&example=general-03")
    strip = page.locator(".st-key-gain-all-r8")
    strip.locator(".piece").first.wait_for()
    _shows(strip.locator(".text"), _reference(full, "general", "general-03"))
    piece = strip.locator(".piece").nth(3)
    piece.hover()
    tip = strip.locator(".tip").text_content()
    assert f"{abs(float(piece.get_attribute('data-nats'))):.2f} nats" in tip
    assert "baseline" in tip


def test_thumb_and_note_are_on_disk_and_there_after_a_reload(page: Any, full: Server) -> None:
    _open(page, f"{full.address}/examples?task=reply&example=eval-011")
    run = load_workspace(full.workspace).runs()[0]
    pane = page.locator(".st-key-pane-qv-r8")
    pane.get_by_role("button", name="thumb_down").or_(
        pane.locator("[data-testid=stFeedback] button").nth(1)
    ).first.click()
    _until(lambda: read_feedback(run).of("reply", "eval-011", "qv-r8").thumb == "down", "the thumb on disk")
    pane.get_by_placeholder("Note, kept with the run").fill("says <b>nothing</b> about the order")
    page.keyboard.press("Tab")
    _until(
        lambda: read_feedback(run).of("reply", "eval-011", "qv-r8").note == "says <b>nothing</b> about the order",
        "the note on disk",
    )
    _open(page, page.url)
    field = page.locator(".st-key-pane-qv-r8").get_by_placeholder("Note, kept with the run")
    field.wait_for()
    expect(field).to_have_value("says <b>nothing</b> about the order")
    page.locator(".st-key-pane-qv-r8").get_by_text("Saved").wait_for()
    page.locator(".row[data-id=eval-011] .noted").wait_for(state="attached")


def _chips(page: Any) -> list[str]:
    return page.locator(".ls-chip").all_text_contents()


@dataclass(frozen=True)
class _Live:
    """A dashboard over one run that seems to be going on."""

    address: str
    run: Run
    worker: subprocess.Popen[bytes]

    def says(self, **status: Any) -> None:
        """Write a status as the worker would."""
        write_status(self.run.folder, RunStatus(**{"state": "running", "pid": self.worker.pid} | status))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[_Live]:
    workspace = make_workspace(tmp_path / "workspace", n=6, runs=False)
    run = make_run(workspace / "runs" / "live", n=6, state="running", parts_done=0.5)
    with sleeping_worker("live") as worker, served(workspace) as server:
        going_on = _Live(server.address, run, worker)
        going_on.says(done=10, total=100)
        yield going_on


def test_progress_moves_by_itself_and_a_cancel_is_seen_in_a_second_tab(page: Any, live: _Live) -> None:
    _open(page, f"{live.address}/run")
    page.locator(".ls-chip", has_text="Running").wait_for()
    live.says(done=77, total=100, tokens_per_second=150, seconds_left=30, message="On reply")
    page.get_by_text("77 of 100 answers · 150 tokens/s · about 30 s left").wait_for()
    second = page.context.new_page()
    _open(second, f"{live.address}/run")
    second.get_by_text("On reply").wait_for()
    page.get_by_role("button", name="Cancel").click()
    _until(lambda: read_status(live.run).state == "cancelled", "the cancelled run")
    assert live.worker.wait(timeout=20) != 0
    page.get_by_role("button", name="Resume").wait_for()
    second.get_by_role("button", name="Resume").wait_for()
    assert _chips(page) == ["Cancelled"]
    second.get_by_text("77 of 100 answers are done and kept").wait_for()


def test_when_the_run_ends_the_page_says_so_by_itself(page: Any, live: _Live) -> None:
    _open(page, f"{live.address}/run")
    page.get_by_text("It goes on when this tab is closed.").wait_for()
    live.says(state="finished", done=100, total=100, message="Finished")
    page.get_by_text("1 finished run. Nothing is running.").wait_for()


def test_results_opens_its_own_run(page: Any, tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "workspace", n=6, runs=False)
    for name, day in (("older", "01"), ("newer", "02")):
        run = make_run(workspace / "runs" / name, n=6, tasks=("category",))
        spec = json.loads((run.folder / "spec.json").read_text())
        (run.folder / "spec.json").write_text(json.dumps(spec | {"created": f"2026-11-{day}T10:00:00Z"}))
    with served(workspace) as server:
        _open(page, f"{server.address}/run")
        page.locator(".st-key-results-older button").click()
        page.locator(".card").first.wait_for()
        page.get_by_text("run older").wait_for()
        page.wait_for_url("**run=older**")
        expect(page.locator(".st-key-run input")).to_have_value("older")
        page.get_by_role("link", name="Compare").click()
        page.locator("table.wide").first.wait_for()
        page.get_by_text("run older").wait_for()


def test_nothing_of_a_running_run_stays_when_it_has_ended(page: Any, live: _Live) -> None:
    _open(page, f"{live.address}/run")
    page.get_by_text("the machine is busy").wait_for()
    live.says(state="finished", done=100, total=100, message="Finished")
    page.get_by_text("1 finished run. Nothing is running.").wait_for()
    settled(page)
    expect(page.get_by_text("the machine is busy")).to_have_count(0)
    expect(page.locator("[data-testid=stProgress]")).to_have_count(0)
    assert _chips(page) == ["Finished"]
    page.get_by_role("button", name="Results").wait_for()


def test_the_list_and_the_gain_strip_can_be_taken_away(page: Any, full: Server) -> None:
    _open(page, f"{full.address}/examples?task=general&metric=perplexity&example=general-03")
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


def test_a_start_that_cannot_be_says_why(page: Any, without_runs: Server) -> None:
    _open(page, f"{without_runs.address}/run")
    page.get_by_role("button", name="Start the run").click()
    page.get_by_role("alert").wait_for()
    assert load_workspace(without_runs.workspace).runs() == []


@pytest.mark.model
def test_a_real_run_is_started_watched_to_its_end_and_looked_at(page: Any, tmp_path: Path) -> None:
    from tests.tiny import make_workspace as make_tiny_workspace

    workspace = make_tiny_workspace(tmp_path / "workspace", n=8, adapters=1)
    with served(workspace) as server:
        _open(page, f"{server.address}/run")
        page.get_by_text("fits the base").wait_for()
        page.get_by_role("button", name="Start the run").click()
        page.get_by_text("It goes on when this tab is closed.").wait_for()
        page.get_by_text("1 finished run. Nothing is running.").wait_for(timeout=180_000)
        (run,) = load_workspace(workspace).runs()
        assert read_status(run).state == "finished"
        _open(page, f"{server.address}/examples?task=reply&example=e03")
        stored = run.evidence(columns=["text"], task="reply", variant="lora-0", example_id="e03", kind="generation")
        _shows(_output(page, "lora-0"), stored["text"][0].as_py())


def test_a_workspace_is_made_in_the_page(page: Any, tmp_path: Path) -> None:
    for folder in ("base", "outputs/first"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "base" / "config.json").write_text("{}")
    (tmp_path / "outputs" / "first" / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4}')
    (tmp_path / "outputs" / "first" / "adapter_model.safetensors").write_bytes(b"x")
    rows = [{"prompt": f"question {k}", "completion": f"answer {k}"} for k in range(3)]
    (tmp_path / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with served(tmp_path / "new") as server:
        _open(page, f"{server.address}/run")
        for label, value in (
            ("Base model", "base"),
            ("Folder with adapters", "outputs"),
            ("Data to evaluate on", "held.jsonl"),
        ):
            page.get_by_role("textbox", name=label).fill(str(tmp_path / value))
        page.get_by_role("button", name="Look").click()
        page.get_by_role("button", name="Write workspace.yaml").click()
        page.get_by_role("button", name="Start the run").wait_for()
    assert list(load_workspace(tmp_path / "new").spec.models.adapters) == ["first"]
