"""A cluster that is not needed is not started, and one that cannot be joined fails the run with a sentence."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from core.jobs import worker
from core.jobs.cluster.computer import RayCluster
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace

pytestmark = pytest.mark.model


def test_where_everything_is_in_the_cache_no_cluster_is_joined(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: RayCluster) -> None:
        raise AssertionError("the cluster was asked")

    monkeypatch.setattr(RayCluster, "_connected", never)
    folder = Path(shutil.copytree(finished.folder.parent.parent, tmp_path / "w"))
    run = prepare_run(load_workspace(folder), Choice(name="again"))
    assert worker.main(["evaluate", "--ray=local", "--workers=2", str(run.folder)]) == 0
    assert read_status(run).reused == read_status(run).total
    assert (run.folder / "evidence.parquet").read_bytes() == (finished.folder / "evidence.parquet").read_bytes()


def test_a_cluster_that_does_not_answer_fails_the_run_which_goes_on_later(workspace: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    run = prepare_run(load_workspace(workspace), Choice(name="unreached", adapters=(), tasks=("colour",), limit=2))
    assert worker.main(["evaluate", f"--ray={address}", str(run.folder)]) == 2
    assert f"--ray {address}: nothing answers there" in (read_status(run).error or "")
    assert worker.main(["evaluate", str(run.folder)]) == 0
