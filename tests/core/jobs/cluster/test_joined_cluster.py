"""A run on a cluster that is there already, found (``auto``) or at an address, where one is given; else it is said that none is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace

pytestmark = [pytest.mark.model, pytest.mark.slow]
ADDRESSES = os.environ.get("LORASCOPE_RAY_ADDRESSES", "").split()
"""For instance ``auto 10.0.0.7:6379``, after ``ray start --head --port 6379 --num-cpus 2`` on this machine."""


@pytest.mark.skipif(not ADDRESSES, reason="no cluster to join is given in LORASCOPE_RAY_ADDRESSES")
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_evidence_is_the_one_without_ray(workspace: Path, finished: Run, address: str) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole", settings={"threads": 1}))
    assert worker.main(["evaluate", f"--ray={address}", "--workers=2", str(run.folder)]) == 0
    status = read_status(run)
    assert (status.state, status.error, status.done, status.reused) == ("finished", None, status.total, 0)
    assert (run.folder / "evidence.parquet").read_bytes() == (finished.folder / "evidence.parquet").read_bytes()
