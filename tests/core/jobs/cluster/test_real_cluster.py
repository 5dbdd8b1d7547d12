"""Real clusters: the evidence is the one without Ray, bit for bit, whoever is killed, and with whatever number of workers."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.cluster import ClusterChoice
from core.jobs import launch, worker
from core.jobs import evaluate as job
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run, write_table
from core.workspace import load_workspace

pytestmark = [pytest.mark.model, pytest.mark.slow]
PATIENCE = 150.0


def until(fulfilled: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fulfilled():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def remote_workers() -> list[psutil.Process]:
    """The processes of workers of any cluster that belongs to this test's process."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::RemoteWorker"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def parts_of(run: Run) -> set[Path]:
    return set(run.folder.glob("parts/*/*.parquet"))


def loaded(run: Run) -> bool:
    return read_status(run).state in ("preflight", "running")


def same_bits(run: Run, other: Run) -> bool:
    return (run.folder / "evidence.parquet").read_bytes() == (other.folder / "evidence.parquet").read_bytes()


def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    workspace: Path, finished: Run, cluster_address: str, tmp_path: Path
) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole"))
    launch.start(run, ClusterChoice(cluster_address, 2))
    until(lambda: len(remote_workers()) == 2 and loaded(run) and all(p.memory_info().rss > 3e8 for p in remote_workers()))
    stopped = remote_workers()[0]
    stopped.send_signal(signal.SIGSTOP)
    until(lambda: len(parts_of(run)) >= 3)
    stopped.kill()
    until(lambda: not read_status(run).active)
    status = read_status(run)
    assert (status.state, status.error, status.done, status.reused) == ("finished", None, status.total, 0)
    assert any("of the cluster died" in sentence and "is done again" in sentence for sentence in status.warnings)
    assert same_bits(run, finished)
    until(lambda: not remote_workers())
