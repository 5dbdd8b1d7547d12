"""A tiny workspace, and a run of it that nobody disturbed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.jobs import worker
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core import own_runs
from tests.core.jobs.killing import run_worker
from tests.tiny import make_workspace


@pytest.fixture(scope="package")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny workspace; tests copy it, since a workspace's cache would let one test find what another computed."""
    return make_workspace(tmp_path_factory.mktemp("workspace"), n=16)


@pytest.fixture
def workspace(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "w"))


@pytest.fixture(scope="package")
def finished(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nobody disturbed."""
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("finished") / "w"))
    run = prepare_run(load_workspace(folder), Choice(name="whole"))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    return Run(run.folder)


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of a user's own where nothing is trusted yet, and modules that are as before when the test ends."""
    monkeypatch.setenv("LORASCOPE_CONFIG", str(tmp_path / "config"))
    with own_runs.clean_imports():
        yield


@pytest.fixture(scope="package")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run of several parts of every kind that is not begun yet."""
    folder = make_workspace(tmp_path_factory.mktemp("small"), n=4, adapters=1)
    path = folder / "workspace.yaml"
    path.write_text(
        path.read_text()
        .replace("max_new_tokens: 8", "max_new_tokens: 3")
        .replace("batch_tokens: 256", "batch_tokens: 64")
    )
    prepare_run(load_workspace(folder), Choice(name="run", tasks=("colour", "reply")))
    return folder


@pytest.fixture(scope="package")
def whole(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, int]:
    """The run that nobody disturbed, and how many calls its worker made."""
    run = copied(small, tmp_path_factory.mktemp("whole"))
    code, calls = run_worker(run.folder, counted=True)
    assert code == 0
    assert calls is not None
    return run, calls


def copied(workspace: Path, folder: Path) -> Run:
    """Return the run in a copy of its workspace: in one workspace the cache would find what was computed before."""
    return Run(Path(shutil.copytree(workspace, folder / "w")) / "runs" / "run")


def evidence(run: Run) -> list[dict]:
    return pq.read_table(run.folder / "evidence.parquet").to_pylist()
