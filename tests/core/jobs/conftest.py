"""A tiny workspace, and a run of it that nobody disturbed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.jobs import worker
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
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


def evidence(run: Run) -> list[dict]:
    return pq.read_table(run.folder / "evidence.parquet").to_pylist()
