"""The first look at a large run: said, with progress and a way to stop, and not again once its statistics are kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.derived import StatisticsReader
from core.prepare_statistics import prepare_statistics, work_left
from core.store import Run
from dashboard import cache
from dashboard.parts import first_look
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "ws", n=12)


@pytest.fixture
def run(workspace: Path) -> Run:
    return Run(next(path.parent for path in (workspace / "runs").glob("*/evidence.parquet")))


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every run be a large one, without starting processes for it; return where each computation is counted."""
    made: list[int] = []

    def prepared(run: Run, told: Any, workers: int, reader: StatisticsReader) -> int:
        made.append(prepare_statistics(run, told, 1, reader))
        return made[-1]

    monkeypatch.setattr(first_look, "prepare_statistics", prepared)
    return made


def test_much_work_is_done_before_the_page_and_once(workspace: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made = in_this_process(monkeypatch)
    left = work_left(StatisticsReader(run))
    assert left == sum(
        len(task.metrics) * len(StatisticsReader(run).index(name).ids) * len(run.spec.models.variants)
        for name, task in run.spec.tasks.items()
    )
    monkeypatch.setattr(first_look, "WORTH_SAYING", left)
    for page in ("examples", "overview"):
        assert "The first look at this run" not in shown(opened(monkeypatch, workspace, page))
    assert len(made) == 1
    assert work_left(StatisticsReader(run)) == 0


def test_little_work_is_done_by_the_page_as_ever(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = in_this_process(monkeypatch)
    assert "Sorted by metrics better" in shown(opened(monkeypatch, workspace, "overview"))
    assert made == []


def test_what_was_stopped_says_so_and_goes_on_when_it_is_asked_to(
    workspace: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = in_this_process(monkeypatch)
    app = opened(monkeypatch, workspace, "compare")
    shutil.rmtree(run.folder / "derived")
    os.utime(run.folder / "evidence.parquet", (1, 2_000_000_000))  # another run than the one that was looked at
    monkeypatch.setattr(first_look, "WORTH_SAYING", 1)
    key = ("first look", str(run.folder), cache.evidence_state(run), "baseline")
    app.session_state["stopped-Computing the metrics"] = key
    told = shown(app.run())
    assert "The first look at this run computes" in told
    assert f"lorascope compare {run.folder}" in told
    assert "Computing the metrics was stopped; what is done is kept." in told
    assert "Every metric, every variant" not in {one.value.strip("# ") for one in app.markdown}
    assert made == []
    app.button(key="go-on-Computing the metrics").click().run()
    assert "was stopped" not in shown(app)
    assert "Every metric, every variant" in {one.value.strip("# ") for one in app.markdown}
    assert len(made) == 1
