"""The Run page in a real browser: progress that moves by itself, a cancel, a start, a workspace made in the page."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.jobs.status import RunStatus, read_status, write_status
from core.store import Run
from core.workspace import load_workspace
from tests.browser.conftest import Server, expect, served, settled
from tests.browser.waiting import open_page, output_of, shows, until
from tests.synthetic import make_run, make_workspace
from tests.worker_double import sleeping_worker

pytestmark = pytest.mark.browser


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
    open_page(page, f"{live.address}/run")
    page.locator(".ls-chip", has_text="Running").wait_for()
    live.says(done=77, total=100, tokens_per_second=150, seconds_left=30, message="On reply")
    page.get_by_text("77 of 100 answers · 150 tokens/s · about 30 s left").wait_for()
    second = page.context.new_page()
    open_page(second, f"{live.address}/run")
    second.get_by_text("On reply").wait_for()
    page.get_by_role("button", name="Cancel").click()
    until(lambda: read_status(live.run).state == "cancelled", "the cancelled run")
    assert live.worker.wait(timeout=20) != 0
    page.get_by_role("button", name="Resume").wait_for()
    second.get_by_role("button", name="Resume").wait_for()
    assert _chips(page) == ["Cancelled"]
    second.get_by_text("77 of 100 answers are done and kept").wait_for()


def test_when_the_run_ends_the_page_says_so_by_itself(page: Any, live: _Live) -> None:
    open_page(page, f"{live.address}/run")
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
        open_page(page, f"{server.address}/run")
        page.locator(".st-key-results-older button").click()
        page.locator(".card").first.wait_for()
        page.get_by_text("run older").wait_for()
        page.wait_for_url("**run=older**")
        expect(page.locator(".st-key-run input")).to_have_value("older")
        page.get_by_role("link", name="Compare").click()
        page.locator("table.wide").first.wait_for()
        page.get_by_text("run older").wait_for()


def test_nothing_of_a_running_run_stays_when_it_has_ended(page: Any, live: _Live) -> None:
    open_page(page, f"{live.address}/run")
    page.get_by_text("the machine is busy").wait_for()
    live.says(state="finished", done=100, total=100, message="Finished")
    page.get_by_text("1 finished run. Nothing is running.").wait_for()
    settled(page)
    expect(page.get_by_text("the machine is busy")).to_have_count(0)
    expect(page.locator("[data-testid=stProgress]")).to_have_count(0)
    assert _chips(page) == ["Finished"]
    page.get_by_role("button", name="Results").wait_for()


def test_a_start_that_cannot_be_says_why(page: Any, without_runs: Server) -> None:
    open_page(page, f"{without_runs.address}/run")
    page.get_by_role("button", name="Start the run").click()
    page.get_by_role("alert").wait_for()
    assert load_workspace(without_runs.workspace).runs() == []


@pytest.mark.model
def test_a_real_run_is_started_watched_to_its_end_and_looked_at(page: Any, tmp_path: Path) -> None:
    from tests.tiny import make_workspace as make_tiny_workspace

    workspace = make_tiny_workspace(tmp_path / "workspace", n=8, adapters=1)
    with served(workspace) as server:
        open_page(page, f"{server.address}/run")
        page.get_by_text("fits the base").wait_for()
        page.get_by_role("button", name="Start the run").click()
        page.get_by_text("It goes on when this tab is closed.").wait_for()
        page.get_by_text("1 finished run. Nothing is running.").wait_for(timeout=180_000)
        (run,) = load_workspace(workspace).runs()
        assert read_status(run).state == "finished"
        open_page(page, f"{server.address}/examples?task=reply&example=e03")
        stored = run.evidence(columns=["text"], task="reply", variant="lora-0", example_id="e03", kind="generation")
        shows(output_of(page, "lora-0"), stored["text"][0].as_py())


def test_a_workspace_is_made_in_the_page(page: Any, tmp_path: Path) -> None:
    for folder in ("base", "outputs/first"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "base" / "config.json").write_text("{}")
    (tmp_path / "outputs" / "first" / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4}')
    (tmp_path / "outputs" / "first" / "adapter_model.safetensors").write_bytes(b"x")
    rows = [{"prompt": f"question {k}", "completion": f"answer {k}"} for k in range(3)]
    (tmp_path / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with served(tmp_path / "new") as server:
        open_page(page, f"{server.address}/run")
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


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 22, 28)")])
def test_what_is_filled_with_colour_can_be_read(page: Any, full: Server, scheme: str, paper: str) -> None:
    page.emulate_media(color_scheme=scheme)
    open_page(page, f"{full.address}/run")
    expect(page.get_by_role("button", name="Start the run")).to_have_css("color", paper)
    chips = page.get_by_test_id("stMultiSelect").locator("[data-tag] > span")
    expect(chips.first).to_have_css("color", paper)
    page.emulate_media(color_scheme="light")
