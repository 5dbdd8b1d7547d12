"""A clock that is set back: no run is at work for ever, nothing is left for less than no time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.jobs import progress as progress_module
from core.jobs.progress import Progress
from core.jobs.status import AHEAD_SECONDS, RunStatus, folder_status, write_status
from tests.worker_double import sleeping_worker


def stamped(folder: Path, updated: float, pid: int | None) -> None:
    """Write the status of a worker at work, with a heartbeat of that moment."""
    write_status(folder, RunStatus("running", pid=pid))
    path = folder / "status.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"updated": updated}))


def test_a_dead_worker_whose_heartbeat_lies_in_the_future_is_interrupted(tmp_path: Path) -> None:
    now = 1_000_000.0
    stamped(tmp_path, now + 3600, pid=None)
    assert (found := folder_status(tmp_path, now)) is not None
    assert found.state == "interrupted"
    assert "resume goes on from there" in found.message


def test_a_worker_that_lives_is_at_work_whatever_the_clock_says(tmp_path: Path) -> None:
    with sleeping_worker(tmp_path.name) as process:
        for ahead in (3600.0, -3600.0):
            stamped(tmp_path, 1_000_000 + ahead, process.pid)
            assert (found := folder_status(tmp_path, 1_000_000)) is not None
            assert found.state == "running"


def test_the_clock_of_another_machine_may_go_a_little_fast(tmp_path: Path) -> None:
    stamped(tmp_path, 1_000_000 + AHEAD_SECONDS - 1, pid=None)
    assert (found := folder_status(tmp_path, 1_000_000)) is not None
    assert found.state == "running"


def test_rate_and_time_left_do_not_turn_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_000_000, 0, -3600))
    ticks = iter(range(100))

    class Clock:
        time = staticmethod(lambda: float(next(moments)))
        monotonic = staticmethod(lambda: float(next(ticks)))

    monkeypatch.setattr(progress_module, "time", Clock)
    progress = Progress(tmp_path, 10)
    try:
        progress.expect(100)
        rates, left = [], []
        for _ in range(4):
            progress.advance(1, tokens=40)  # more than was expected in all
            rates.append(progress.status.tokens_per_second)
            left.append(progress.status.seconds_left)
    finally:
        progress.stop()
    assert rates == [None, 40.0, 40.0, 40.0]
    assert left == [None, 0.5, 0.0, 0.0]
