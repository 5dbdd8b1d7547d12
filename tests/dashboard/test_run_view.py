"""The Run page: what can be started, and the face of every state of a run."""

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
from core.workspace import load_workspace
from dashboard.parts.progress import progress_text, rough_duration
from tests.synthetic import make_run, make_workspace
from tests.worker_double import sleeping_worker

SCRIPT = "from dashboard.views.run import show\nshow()"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "workspace", n=6, runs=False)


def _app(monkeypatch: pytest.MonkeyPatch, folder: Path) -> AppTest:
    monkeypatch.setenv("LORASCOPE_WORKSPACE", str(folder))
    return AppTest.from_string(SCRIPT, default_timeout=20).run()


def _html(app: AppTest) -> str:
    assert not app.exception, app.exception
    return "\n".join(element.proto.body for element in app.get("html"))


def _labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_without_a_run_everything_is_preset_and_the_time_is_honestly_unknown(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _app(monkeypatch, workspace)
    page = _html(app)
    assert "No run yet" in page
    assert app.multiselect(key="run-adapters").value == ["qv-r8", "all-r8", "qv-r2"]
    assert app.multiselect(key="run-tasks").value == ["category", "urgency", "tags", "help", "reply", "general"]
    assert app.number_input(key="run-limit").value is None
    assert "not known: no finished run here to go by" in page
    assert "Start the run" in _labels(app)


def test_an_estimate_goes_by_the_newest_finished_run(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make_run(workspace / "runs" / "before", n=6)
    app = _app(monkeypatch, workspace)
    whole = _html(app)
    assert "going by the newest finished run" in whole
    app.multiselect(key="run-tasks").set_value([]).run()
    assert "Choose at least one task." in _html(app)
    assert next(button for button in app.button if button.label == "Start the run").disabled


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (42.3, "42.3 s"), (199.0, "3 min 20 s"), (3633.0, "1 h 0 min")]
)
def test_a_guess_is_not_given_to_the_second(seconds: float, text: str) -> None:
    assert rough_duration(seconds) == text


def test_adapters_are_judged_before_anything_runs(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    page = _html(_app(monkeypatch, workspace))
    assert "models.adapters.qv-r8.path: found no folder" in page
    folder = workspace / "adapters" / "qv-r8"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.bin").write_bytes(b"a pickle")
    page = _html(_app(monkeypatch, workspace))
    assert "models.adapters.qv-r8.path" not in page
    assert "models.adapters.all-r8.path: found no folder" in page


def test_what_stands_in_the_way_of_a_start_is_said_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = _app(monkeypatch, workspace)
    next(button for button in app.button if button.label == "Start the run").click().run()
    assert 'role="alert"' in _html(app)
    assert load_workspace(workspace).runs() == []


def test_a_start_makes_the_run_that_was_chosen(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    started: list[Run] = []
    monkeypatch.setattr("core.prepare.check_models", lambda workspace, models: None)
    monkeypatch.setattr("core.prepare.check_workspace_heads", lambda *_: None)

    def start(run: Run) -> int:
        started.append(run)
        write_status(run.folder, RunStatus("queued", message="Starting the worker"))
        return 1

    monkeypatch.setattr("core.jobs.launch.start", start)
    app = _app(monkeypatch, workspace)
    app.multiselect(key="run-adapters").set_value(["qv-r2"]).run()
    app.multiselect(key="run-tasks").set_value(["category"]).run()
    app.number_input(key="run-limit").set_value(3).run()
    app.checkbox(key="run-probe").uncheck().run()
    next(button for button in app.button if button.label == "Start the run").click().run()
    assert "It goes on when this tab is closed." in _html(app)
    (run,) = started
    assert list(run.spec.models.adapters) == ["qv-r2"]
    assert list(run.spec.tasks) == ["category"]
    assert (run.spec.limit, len(run.examples), run.spec.settings.probe) == (3, 3, False)
    assert next(button for button in app.button if button.label == "Start the run").disabled


def test_a_running_run_shows_done_rate_time_left_and_cancel(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "live", n=6, state="running", parts_done=0.5)
    with sleeping_worker("live") as worker:
        write_status(run.folder, RunStatus(
            "running", done=120, total=480, reused=12, seconds_left=240, tokens_per_second=148.2, pid=worker.pid,
            message="Evaluating <b>all-r8</b>", warnings=("Out of memory: the batch was halved.",),
        ))  # fmt: skip
        app = _app(monkeypatch, workspace)
        page = _html(app)
        assert "120 of 480 answers · 12 of them found in the cache · 148 tokens/s · about 4 min 0 s left" in page
        assert "Evaluating &lt;b&gt;all-r8&lt;/b&gt;" in page
        assert "Out of memory: the batch was halved." in page
        next(button for button in app.button if button.label == "Cancel").click().run()
        assert worker.wait(timeout=20) != 0
    assert read_status(run).state == "cancelled"
    assert "Resume" in _labels(app)
    assert "120 of 480 answers are done and kept" in _html(app)


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
    app = _app(monkeypatch, workspace)
    asked, body = _places(app, "what-to-run"), _places(app, "run-body-live")
    assert "the machine is busy" in _html(app) and body.count("empty") == 1
    write_status(run.folder, RunStatus("finished", done=12, total=12))
    app.run()
    assert "the machine is busy" not in _html(app)
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
    app = _app(monkeypatch, workspace)
    page = _html(app)
    assert "The disk is full: evidence.parquet could not be written." in page
    assert "are done and kept" in page
    assert any("No space left on device" in code.value for code in app.code)
    assert "Resume" in _labels(app)


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
    app = _app(monkeypatch, workspace)
    assert "Interrupted" in _html(app)
    next(button for button in app.button if button.label == "Resume").click().run()
    assert resumed == ["killed"]
    assert "Cancel" in _labels(app)


def test_a_resume_that_is_refused_says_why(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make_run(workspace / "runs" / "stopped", n=4, state="cancelled", parts_done=0.5)

    def start(run: Run) -> int:
        raise InputError("a worker is at this run already")

    monkeypatch.setattr("core.jobs.launch.start", start)
    app = _app(monkeypatch, workspace)
    next(button for button in app.button if button.label == "Resume").click().run()
    assert "a worker is at this run already" in _html(app)


def test_a_finished_run_shows_its_pre_flight(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make_run(workspace / "runs" / "done", n=4)
    app = _app(monkeypatch, workspace)
    page = _html(app)
    assert "1 finished run. Nothing is running." in page
    assert [expander.label for expander in app.expander] == ["Pre-flight of 3 adapters: 1 remark"]
    assert "qv-r2 moves the next-token distribution very little" in page
    assert "Cancel" not in _labels(app)
    assert "Resume" not in _labels(app)


def test_an_adapter_that_the_pre_flight_refused_is_shown_open(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "wrong", n=4, state="failed", parts_done=0.0)
    finding = {"level": "error", "code": "base", "sentence": "qv-r8 was made for another base."}
    write_json(run.folder / "preflight.json", {"variants": {"qv-r8": {"ok": False, "findings": [finding]}}})
    app = _app(monkeypatch, workspace)
    assert "qv-r8 was made for another base." in _html(app)
    assert next(each for each in app.expander if each.label.startswith("Pre-flight")).proto.expanded


def test_runs_are_newest_first_and_paged(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    for number in range(14):
        run = make_run(workspace / "runs" / f"run-{number:02d}", n=2, tasks=("category",))
        spec = json.loads((run.folder / "spec.json").read_text())
        write_json(run.folder / "spec.json", spec | {"created": f"2026-11-{number + 1:02d}T10:00:00Z"})
    page = _html(_app(monkeypatch, workspace))
    assert page.index("run-13") < page.index("run-12") < page.index("run-02")
    assert "run-01" not in page


def test_a_broken_run_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    (workspace / "runs" / "odd").mkdir(parents=True)
    (workspace / "runs" / "odd" / "spec.json").write_text("{")
    page = _html(_app(monkeypatch, workspace))
    assert "odd cannot be read" in page


def test_a_single_copied_run_can_be_looked_at_but_not_run(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, tmp_path: Path
) -> None:
    make_run(tmp_path / "copied", n=2)
    app = _app(monkeypatch, tmp_path / "copied")
    assert "new runs need its workspace" in _html(app)
    assert "Start the run" not in _labels(app)


def test_a_faulty_workspace_file_is_shown_as_it_is_said(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    (workspace / "workspace.yaml").write_text("models: {base: {path: x}}\ndatasets: {}\ntaks: {}\n")
    page = _html(_app(monkeypatch, workspace))
    assert "This workspace cannot be opened" in page
    assert "taks" in page


def _adapter(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4}')
    (folder / "adapter_model.safetensors").write_bytes(b"x")


def test_a_workspace_is_made_in_the_page_and_shown_before_it_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}")
    _adapter(tmp_path / "outputs" / "first")
    rows = [{"prompt": f"question {k}", "completion": f"answer {k}"} for k in range(3)]
    (tmp_path / "held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    app = _app(monkeypatch, folder)
    look = next(button for button in app.button if button.label == "Look")
    app.text_input(key="new-base").set_value(str(tmp_path / "base"))
    app.text_input(key="new-adapters").set_value(str(tmp_path / "outputs"))
    look.click().run()
    assert "Still missing: data." in _html(app)
    app.text_input(key="new-data").set_value(str(tmp_path / "nothing.jsonl"))
    next(button for button in app.button if button.label == "Look").click().run()
    assert "nothing.jsonl" in _html(app)
    app.text_input(key="new-data").set_value(str(tmp_path / "held.jsonl"))
    next(button for button in app.button if button.label == "Look").click().run()
    assert "<b>1 adapter</b>: first" in _html(app)
    assert not folder.exists()
    next(button for button in app.button if button.label == "Write workspace.yaml").click().run()
    assert "What to run" in _html(app)
    assert list(load_workspace(folder).spec.models.adapters) == ["first"]


def test_a_served_variant_is_offered_under_its_name_and_said_to_be_served(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    path = workspace / "workspace.yaml"
    served = "models:\n  servers: {s: {url: 'http://127.0.0.1:9/v1'}}\n  served: {gpt: {server: s, model: gpt-x}}\n"
    path.write_text(path.read_text().replace("models:\n", served, 1))
    chosen = _app(monkeypatch, workspace).multiselect(key="run-adapters")
    assert chosen.value == ["qv-r8", "all-r8", "qv-r2", "gpt"]
    assert chosen.options == ["qv-r8", "all-r8", "qv-r2", "gpt (served)"]
