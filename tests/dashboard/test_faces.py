"""What a page says when it has nothing, not everything, or something broken to show; and how one run leads to its results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.jobs.status import RunStatus, write_status
from core.store import Run, write_json
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_run, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "workspace", n=16, runs=False)


def _created(run: Run, moment: str) -> None:
    spec = json.loads((run.folder / "spec.json").read_text())
    write_json(run.folder / "spec.json", spec | {"created": moment})


def test_results_opens_its_own_run_and_not_the_one_in_the_bar(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    older = make_run(workspace / "runs" / "older", n=16, tasks=("category",), variants=("baseline", "old-adapter"))
    newer = make_run(workspace / "runs" / "newer", n=16, tasks=("category",), variants=("baseline", "new-adapter"))
    _created(older, "2026-11-01T10:00:00Z")
    _created(newer, "2026-11-02T10:00:00Z")
    app = opened(monkeypatch, workspace, "run", reference="new-adapter")
    assert app.selectbox(key="run").value == "newer"
    app.button(key="results-older").click().run()
    page = shown(app)
    assert app.selectbox(key="run").value == "older" and app.selectbox(key="reference").value == "baseline"
    assert "run older" in page and "run newer" not in page


@pytest.mark.parametrize("name", ["overview", "compare"])
def test_no_evidence_yet_is_said_instead_of_tables_of_nothing(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, name: str
) -> None:
    run = make_run(workspace / "runs" / "young", n=16, tasks=("category",), state="queued", parts_done=0.0)
    assert "No result yet" in shown(opened(monkeypatch, workspace, name))
    write_status(run.folder, RunStatus("failed", error="The base could not be loaded."))
    page = shown(opened(monkeypatch, workspace, name))
    assert "holds no evidence" in page
    assert "The base could not be loaded.\nNothing was computed yet." in page and "0 of 0" not in page


def test_an_empty_slice_is_called_that(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "half", n=16, tasks=("category", "general"), state="running", parts_done=0.0)
    part = run.examples[-1].tags[0] if run.examples[-1].tags else "language=zh"
    assert f"No example of the slice {part} has a value" in shown(
        opened(monkeypatch, workspace, "overview", slice=part)
    )


@pytest.mark.parametrize("name", ["overview", "compare", "examples"])
def test_a_damaged_file_is_a_face_with_what_to_do(monkeypatch: pytest.MonkeyPatch, workspace: Path, name: str) -> None:
    run = make_run(workspace / "runs" / "damaged", n=16, tasks=("category",))
    (run.folder / "examples.parquet").write_bytes(b"not a table at all")
    page = shown(opened(monkeypatch, workspace, name))
    assert page.count("This cannot be shown") == 1
    assert "Restore it from a copy of the run, or choose another run." in page


def test_beside_a_damaged_run_another_can_be_started(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "damaged", n=16, tasks=("category",))
    (run.folder / "examples.parquet").write_bytes(b"not a table at all")
    app = opened(monkeypatch, workspace, "run")
    assert "This cannot be shown" in shown(app)
    assert "Start the run" in [button.label for button in app.button]


def test_what_the_code_calls_an_error_of_the_user_is_shown_as_it_is_said(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    run = make_run(workspace / "runs" / "one", n=16, tasks=("category",))
    (run.folder / "probe.json").write_text("{")
    page = shown(opened(monkeypatch, workspace, "overview"))
    assert "This cannot be shown" in page and "probe.json: not valid JSON" in page


TIMES = ("ms a token", "s an answer, median")


def _costs(app: Any) -> list[str]:
    return list(app.selectbox(key="cost").options)


def test_only_known_costs_are_offered_and_the_others_are_said_by_cause(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    run = make_run(workspace / "runs" / "one", n=16, tasks=("category",))
    app = opened(monkeypatch, workspace, "overview")
    assert _costs(app) == [*TIMES, "MB of weights", "MB of peak memory"] and "not known" not in shown(app)
    probe = json.loads((run.folder / "probe.json").read_text())
    for repeat in probe["repeats"]:
        repeat["peak_bytes"] = None
    write_json(run.folder / "probe.json", probe)
    app = opened(monkeypatch, workspace, "overview")
    assert _costs(app) == [*TIMES, "MB of weights"] and "Peak memory is not known" in shown(app)
    (run.folder / "probe.json").unlink()
    app = opened(monkeypatch, workspace, "overview")
    assert _costs(app) == ["MB of weights"] and "has no measurement yet" in shown(app)
    (run.folder / "preflight.json").unlink()
    app = opened(monkeypatch, workspace, "overview")
    assert _costs(app) == [] and "the run has no pre-flight" in shown(app)


def test_a_probe_that_was_switched_off_is_the_cause(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = make_run(workspace / "runs" / "one", n=16, tasks=("category",))
    (run.folder / "probe.json").unlink()
    spec = json.loads((run.folder / "spec.json").read_text())
    spec["settings"]["probe"] = False
    write_json(run.folder / "spec.json", spec)
    assert "its probe of speed was switched off" in shown(opened(monkeypatch, workspace, "overview"))


def test_one_language_leads_to_its_examples_and_exports_its_row(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    from core.compare import compare
    from dashboard import state
    from dashboard.parts.compare_scene import examples_link

    run = make_run(workspace / "runs" / "one", n=60, tasks=("reply",))
    row = next(row for row in compare(run).rows if row.language == "zh")
    tables: dict[str, pd.DataFrame] = {}
    monkeypatch.setattr(
        "dashboard.parts.compare_metrics.chart",
        lambda figure, name, stem, data, **_: tables.update({name: data()}) or [],
    )
    shown(opened(monkeypatch, workspace, "compare", metric=row.key))
    assert set(tables["metric"].language) == {"zh"} and set(tables["metric"].metric) == {row.metric}
    chosen = state.Selection(None, run, "baseline", None)  # type: ignore[arg-type]
    link = examples_link(chosen, row, "qv-r8")
    assert link["tags"] == "language=zh" and "tags" not in examples_link(chosen, replace(row, language=None), "qv-r8")
    app = opened(monkeypatch, workspace, "examples", **link)
    assert f"The {row.values['qv-r8'].n} examples listed" in shown(app)
