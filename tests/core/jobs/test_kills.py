"""A worker that is killed at any moment loses nothing that it had finished, and its run ends with the same bits."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.jobs.killing import run_worker
from tests.tiny import make_workspace

KILLS = 20
SEED = 20261123


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run of several parts of every kind that is not begun yet."""
    folder = make_workspace(tmp_path_factory.mktemp("small"), n=5, adapters=1)
    path = folder / "workspace.yaml"
    path.write_text(path.read_text().replace("max_new_tokens: 8", "max_new_tokens: 3").replace("batch_tokens: 256", "batch_tokens: 64"))
    prepare_run(load_workspace(folder), Choice(name="run", tasks=("colour", "marks", "reply")))
    return folder


@pytest.fixture(scope="module")
def whole(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, int]:
    """The run that nobody disturbed, and how many calls its worker made."""
    run = copied(small, tmp_path_factory.mktemp("whole"))
    code, calls = run_worker(run.folder)
    assert code == 0
    assert calls is not None
    return run, calls


def copied(workspace: Path, folder: Path) -> Run:
    """Return the run in a copy of its workspace: in one workspace the cache would find what was computed before."""
    return Run(Path(shutil.copytree(workspace, folder / "w")) / "runs" / "run")


def moments(calls: int) -> list[int]:
    drawn = random.Random(SEED)
    return sorted(drawn.randrange(1, calls) for _ in range(KILLS))


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment_and_resumed_it_ends_with_the_same_bytes(
    small: Path, whole: tuple[Run, int], tmp_path: Path, number: int
) -> None:
    expected, calls = whole
    moment = moments(calls)[number]
    print(f"seed {SEED}: killed at call {moment:,} of {calls:,}")
    run = copied(small, tmp_path)
    assert run_worker(run.folder, moment) == (-9, None)
    assert read_status(run, now=2e10).state in ("interrupted", "finished")
    assert run_worker(run.folder)[0] == 0
    assert read_status(run).state == "finished"
    for name in ("evidence.parquet", "examples.parquet", "environment.json", "preflight.json"):
        assert (run.folder / name).read_bytes() == (expected.folder / name).read_bytes(), name
    assert not (run.folder / "parts").exists()
