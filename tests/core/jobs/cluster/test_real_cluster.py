"""Real clusters: the evidence is the one without Ray, bit for bit, whoever is killed and whatever it is resumed with."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.cluster import ClusterChoice
from core.jobs import evaluate as job
from core.jobs import launch, worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run, write_table
from core.workspace import load_workspace

pytestmark = [pytest.mark.model, pytest.mark.slow]
PATIENCE = 600.0
STARTED_BYTES, LOADED_BYTES = 220_000_000, 320_000_000
"""A worker is larger once it imports torch, and once it has."""


def until(fulfilled: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fulfilled():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def below(pid: int | None, name: str = "") -> list[psutil.Process]:
    """The processes that belong to a run's process and whose title begins with a name."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        try:
            if " ".join(process.cmdline()).startswith(name):
                found.append(process)
        except psutil.Error:
            continue
    return found


def imports_torch(process: psutil.Process) -> bool:
    return process.memory_info().rss > STARTED_BYTES


def is_idle(process: psutil.Process) -> bool:
    """Whether a worker waits for work: it sleeps at every look (who only waits for a processor does not)."""
    if process.memory_info().rss < LOADED_BYTES:
        return False
    for _ in range(15):
        if process.status() != psutil.STATUS_SLEEPING:
            return False
        time.sleep(0.05)
    return True


def parts_of(run: Run) -> set[Path]:
    return set(run.folder.glob("parts/*/*.parquet"))


@pytest.fixture(autouse=True)
def nothing_is_left_behind(workspace: Path) -> Iterator[None]:
    yield
    for run in load_workspace(workspace).runs():
        launch.cancel(run)


def ended(run: Run) -> bool:
    return not launch.worker_is_alive(run)


def same_bits(run: Run, other: Run) -> bool:
    return (run.folder / "evidence.parquet").read_bytes() == (other.folder / "evidence.parquet").read_bytes()


def test_a_worker_that_is_killed_loses_and_doubles_nothing(workspace: Path, finished: Run) -> None:
    # Checked before, so that no worker is asked anything before both have parts.
    checked = finished.folder.parent.parent / ".lorascope" / "preflight"
    shutil.copytree(checked, workspace / ".lorascope" / "preflight")
    run = prepare_run(load_workspace(workspace), Choice(name="whole", settings={"threads": 1}))
    pid = launch.start(run, ClusterChoice("local", 2))
    until(lambda: [imports_torch(one) for one in below(pid, "ray::RemoteWorker")] == [True, True] or ended(run))
    driver = psutil.Process(pid)
    driver.suspend()  # until both have loaded: so few parts would be done by whoever is ready first
    one, other = below(pid, "ray::RemoteWorker")
    until(lambda: is_idle(one) and is_idle(other))
    other.suspend()
    driver.resume()
    until(lambda: len(parts_of(run)) >= 3 or ended(run))
    others = below(pid)
    other.kill()  # with parts in its hands, which nobody else has
    until(lambda: ended(run))
    status = read_status(run)
    assert (status.state, status.error, status.done, status.reused) == ("finished", None, status.total, 0)
    assert any("of the cluster died" in sentence for sentence in status.warnings)
    assert same_bits(run, finished)
    until(lambda: not [one for one in others if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])


def test_begun_without_ray_cancelled_with_it_and_ended_without_it_is_the_same_run(
    workspace: Path, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole"))

    def full_after_one(path: Path, table: object) -> None:
        if parts_of(run):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_table(path, table)

    with monkeypatch.context() as patched:
        patched.setattr(job, "write_table", full_after_one)
        assert worker.main(["evaluate", str(run.folder)]) == 1
    pid = launch.start(run, ClusterChoice("local", 1))
    until(lambda: len(parts_of(run)) >= 3 or ended(run))
    family = below(pid)
    launch.cancel(run)
    until(lambda: ended(run))
    assert read_status(run).state == "cancelled"
    assert 3 <= len(parts_of(run)) < 30
    until(lambda: not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    again = Run(shutil.copytree(run.folder, workspace / "runs" / "again"))
    assert worker.main(["evaluate", str(again.folder)]) == 0
    assert read_status(again).reused >= 3
    assert same_bits(again, finished)
