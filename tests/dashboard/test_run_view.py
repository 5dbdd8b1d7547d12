"""The Run page: the face of every state of a run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import InputError
from core.jobs.status import RunStatus, read_status, write_status
from core.store import Run, write_json
from dashboard.parts.progress import progress_text
from tests.dashboard.pages import shown
from tests.dashboard.run_page import labels, run_page
from tests.synthetic import make_run, make_workspace
from tests.worker_double import sleeping_worker


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "workspace", n=6, runs=False)


def test_a_running_run_shows_done_rate_time_left_and_cancel(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "live", n=6, state="running", parts_done=0.5)
    with sleeping_worker("live") as worker:
        write_status(run.folder, RunStatus(
            "running", done=120, total=480, reused=12, seconds_left=240, tokens_per_second=148.2, pid=worker.pid,
            message="Evaluating <b>all-r8</b>", warnings=("Out of memory: the batch was halved.",),
        ))  # fmt: skip
        app = run_page(monkeypatch, workspace)
        page = shown(app)
        assert "120 of 480 answers · 12 of them found in the cache · 148 tokens/s · about 4 min 0 s left" in page
        assert "Evaluating &lt;b&gt;all-r8&lt;/b&gt;" in page
        assert "Out of memory: the batch was halved." in page
        next(button for button in app.button if button.label == "Cancel").click().run()
        assert worker.wait(timeout=20) != 0
    assert read_status(run).state == "cancelled"
    assert "Resume" in labels(app)
    assert "120 of 480 answers are done and kept" in shown(app)


def _places(app: AppTest, key: str) -> list[str]:
    """Return the kind of element in each place of a container, ``empty`` for places that are kept."""
    found: list[list[str]] = []

    def walk(block: Any) -> None:
        for child in block.children.values():
            if key in (getattr(child.proto, "id", "") or ""):
                found.append([part.type for part in child.children.values()])
            if hasattr(child, "children"):
                walk(child)

    walk(app.main)
    assert len(found) == 1, found
    return found[0]


def test_what_is_not_called_for_leaves_its_place_empty(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "live", n=6, state="running", parts_done=0.5)
    app = run_page(monkeypatch, workspace)
    asked, body = _places(app, "what-to-run"), _places(app, "run-body-live")
    assert "the machine is busy" in shown(app) and body.count("empty") == 1
    write_status(run.folder, RunStatus("finished", done=12, total=12))
    app.run()
    assert "the machine is busy" not in shown(app)
    for before, after in ((asked, _places(app, "what-to-run")), (body, _places(app, "run-body-live"))):
        assert len(before) == len(after) and after.count("empty") > before.count("empty")


def test_when_one_run_ends_and_another_begins_the_whole_page_is_drawn_again(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    make_run(workspace / "runs" / "second", n=6, state="running", parts_done=0.5)
    script = """
import streamlit as st
from dashboard.views.run import _list_of_runs
st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
_list_of_runs(frozenset({"first"}) if st.session_state["drawn"] == 1 else frozenset({"second"}))
"""
    monkeypatch.setenv("LORASCOPE_WORKSPACE", str(workspace))
    app = AppTest.from_string(script, default_timeout=20).run()
    assert not app.exception and app.session_state["drawn"] == 2


def test_what_is_not_known_yet_is_said_to_be_unknown() -> None:
    assert (
        progress_text(RunStatus("running", done=0, total=10))
        == "0 of 10 answers · rate not known yet · time left not known yet"
    )
    assert progress_text(RunStatus("loading")) == ""


def test_a_failed_run_shows_cause_what_is_kept_and_the_log(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make_run(workspace / "runs" / "failed", n=6, state="failed", parts_done=0.5)
    app = run_page(monkeypatch, workspace)
    page = shown(app)
    assert "The disk is full: evidence.parquet could not be written." in page
    assert "are done and kept" in page
    assert any("No space left on device" in code.value for code in app.code)
    assert "Resume" in labels(app)


def test_a_worker_that_stopped_without_a_word_is_interrupted_and_can_be_resumed(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    run = make_run(workspace / "runs" / "killed", n=6, state="running", parts_done=0.5)
    content = json.loads((run.folder / "status.json").read_text())
    write_json(run.folder / "status.json", content | {"updated": time.time() - 600})
    resumed: list[str] = []

    def start(run: Run) -> int:
        resumed.append(run.id)
        write_status(run.folder, RunStatus("queued", message="Starting the worker"))
        return 1

    monkeypatch.setattr("core.jobs.launch.start", start)
    app = run_page(monkeypatch, workspace)
    assert "Interrupted" in shown(app)
    next(button for button in app.button if button.label == "Resume").click().run()
    assert resumed == ["killed"]
    assert "Cancel" in labels(app)


def test_a_resume_that_is_refused_says_why(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make_run(workspace / "runs" / "stopped", n=4, state="cancelled", parts_done=0.5)

    def start(run: Run) -> int:
        raise InputError("a worker is at this run already")

    monkeypatch.setattr("core.jobs.launch.start", start)
    app = run_page(monkeypatch, workspace)
    next(button for button in app.button if button.label == "Resume").click().run()
    assert "a worker is at this run already" in shown(app)


def test_a_finished_run_shows_its_pre_flight(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make_run(workspace / "runs" / "done", n=4)
    app = run_page(monkeypatch, workspace)
    page = shown(app)
    assert "1 finished run. Nothing is running." in page
    assert [expander.label for expander in app.expander] == ["Pre-flight of 3 adapters: 1 remark"]
    assert "qv-r2 moves the next-token distribution very little" in page
    assert "Cancel" not in labels(app)
    assert "Resume" not in labels(app)


def test_an_adapter_that_the_pre_flight_refused_is_shown_open(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "wrong", n=4, state="failed", parts_done=0.0)
    finding = {"level": "error", "code": "base", "sentence": "qv-r8 was made for another base."}
    write_json(run.folder / "preflight.json", {"variants": {"qv-r8": {"ok": False, "findings": [finding]}}})
    app = run_page(monkeypatch, workspace)
    assert "qv-r8 was made for another base." in shown(app)
    assert next(each for each in app.expander if each.label.startswith("Pre-flight")).proto.expanded


def test_runs_are_newest_first_and_paged(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    for number in range(14):
        run = make_run(workspace / "runs" / f"run-{number:02d}", n=2, tasks=("category",))
        spec = json.loads((run.folder / "spec.json").read_text())
        write_json(run.folder / "spec.json", spec | {"created": f"2026-11-{number + 1:02d}T10:00:00Z"})
    page = shown(run_page(monkeypatch, workspace))
    assert page.index("run-13") < page.index("run-12") < page.index("run-02")
    assert "run-01" not in page


def test_a_broken_run_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    (workspace / "runs" / "odd").mkdir(parents=True)
    (workspace / "runs" / "odd" / "spec.json").write_text("{")
    page = shown(run_page(monkeypatch, workspace))
    assert "odd cannot be read" in page
