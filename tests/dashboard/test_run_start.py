"""The Run page before a run: what is preset, what stands in the way, what a start makes, and how a workspace is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.jobs.status import RunStatus, write_status
from core.store import Run
from core.workspace import load_workspace
from dashboard.parts.progress import rough_duration
from tests.dashboard.pages import shown
from tests.dashboard.run_page import labels, run_page
from tests.synthetic import make_run, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "workspace", n=6, runs=False)


def test_without_a_run_everything_is_preset_and_the_time_is_honestly_unknown(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = run_page(monkeypatch, workspace)
    page = shown(app)
    assert "No run yet" in page
    assert app.multiselect(key="run-adapters").value == ["qv-r8", "all-r8", "qv-r2"]
    assert app.multiselect(key="run-tasks").value == ["category", "urgency", "tags", "help", "reply", "general"]
    assert app.number_input(key="run-limit").value is None
    assert "not known: no finished run here to go by" in page
    assert "Start the run" in labels(app)


def test_an_estimate_goes_by_the_newest_finished_run(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    make_run(workspace / "runs" / "before", n=6)
    app = run_page(monkeypatch, workspace)
    whole = shown(app)
    assert "going by the newest finished run" in whole
    app.multiselect(key="run-tasks").set_value([]).run()
    assert "Choose at least one task." in shown(app)
    assert next(button for button in app.button if button.label == "Start the run").disabled


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (42.3, "42.3 s"), (199.0, "3 min 20 s"), (3633.0, "1 h 0 min")]
)
def test_a_guess_is_not_given_to_the_second(seconds: float, text: str) -> None:
    assert rough_duration(seconds) == text


def test_adapters_are_judged_before_anything_runs(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    page = shown(run_page(monkeypatch, workspace))
    assert "models.adapters.qv-r8.path: found no folder" in page
    folder = workspace / "adapters" / "qv-r8"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.bin").write_bytes(b"a pickle")
    page = shown(run_page(monkeypatch, workspace))
    assert "models.adapters.qv-r8.path" not in page
    assert "models.adapters.all-r8.path: found no folder" in page


def test_what_stands_in_the_way_of_a_start_is_said_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = run_page(monkeypatch, workspace)
    next(button for button in app.button if button.label == "Start the run").click().run()
    assert 'role="alert"' in shown(app)
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
    app = run_page(monkeypatch, workspace)
    app.multiselect(key="run-adapters").set_value(["qv-r2"]).run()
    app.multiselect(key="run-tasks").set_value(["category"]).run()
    app.number_input(key="run-limit").set_value(3).run()
    app.checkbox(key="run-probe").uncheck().run()
    next(button for button in app.button if button.label == "Start the run").click().run()
    assert "It goes on when this tab is closed." in shown(app)
    (run,) = started
    assert list(run.spec.models.adapters) == ["qv-r2"]
    assert list(run.spec.tasks) == ["category"]
    assert (run.spec.limit, len(run.examples), run.spec.settings.probe) == (3, 3, False)
    assert next(button for button in app.button if button.label == "Start the run").disabled


def test_a_single_copied_run_can_be_looked_at_but_not_run(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, tmp_path: Path
) -> None:
    make_run(tmp_path / "copied", n=2)
    app = run_page(monkeypatch, tmp_path / "copied")
    assert "new runs need its workspace" in shown(app)
    assert "Start the run" not in labels(app)


def test_a_faulty_workspace_file_is_shown_as_it_is_said(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    (workspace / "workspace.yaml").write_text("models: {base: {path: x}}\ndatasets: {}\ntaks: {}\n")
    page = shown(run_page(monkeypatch, workspace))
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
    app = run_page(monkeypatch, folder)
    look = next(button for button in app.button if button.label == "Look")
    app.text_input(key="new-base").set_value(str(tmp_path / "base"))
    app.text_input(key="new-adapters").set_value(str(tmp_path / "outputs"))
    look.click().run()
    assert "Still missing: data." in shown(app)
    app.text_input(key="new-data").set_value(str(tmp_path / "nothing.jsonl"))
    next(button for button in app.button if button.label == "Look").click().run()
    assert "nothing.jsonl" in shown(app)
    app.text_input(key="new-data").set_value(str(tmp_path / "held.jsonl"))
    next(button for button in app.button if button.label == "Look").click().run()
    assert "<b>1 adapter</b>: first" in shown(app)
    assert not folder.exists()
    next(button for button in app.button if button.label == "Write workspace.yaml").click().run()
    assert "What to run" in shown(app)
    assert list(load_workspace(folder).spec.models.adapters) == ["first"]


def test_a_served_variant_is_offered_under_its_name_and_said_to_be_served(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    path = workspace / "workspace.yaml"
    served = "models:\n  servers: {s: {url: 'http://127.0.0.1:9/v1'}}\n  served: {gpt: {server: s, model: gpt-x}}\n"
    path.write_text(path.read_text().replace("models:\n", served, 1))
    chosen = run_page(monkeypatch, workspace).multiselect(key="run-adapters")
    assert chosen.value == ["qv-r8", "all-r8", "qv-r2", "gpt"]
    assert chosen.options == ["qv-r8", "all-r8", "qv-r2", "gpt (served)"]
