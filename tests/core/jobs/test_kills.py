"""A worker that is killed at any moment loses nothing that it had finished, and its run ends with the same bits."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.jobs.status import read_status
from core.store import Run
from tests.core.jobs.conftest import copied
from tests.core.jobs.killing import run_worker

KILLS = 20
SEED = 20261123


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
    for name in ("evidence.parquet", "examples.parquet", "preflight.json"):
        assert (run.folder / name).read_bytes() == (expected.folder / name).read_bytes(), name
    assert not (run.folder / "parts").exists()
