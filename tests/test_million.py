"""The benchmark of a very large run works on a small one, and its steps find what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.million import STEPS, measured
from benchmarks.million_run import write_run
from core.store import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_run(tmp_path_factory.mktemp("runs") / "made", 120, 3, ("exact_match", "token_f1"))


def test_every_step_does_what_it_measures(run: Run) -> None:
    parts = run.evidence()
    told = {name: step(run) for name, (_, step) in STEPS.items()}
    assert run.evidence().num_rows == parts.num_rows == 120 * 2 * 3
    assert not (run.folder / "parts").exists()
    assert told["opening"] == "3 variants, 120 examples"
    assert told["statistics"] == f"{4 * 3} made"
    # By language too: one row of each text metric for all, and one for each of two languages.
    assert told["comparison"] == told["again"] == told["slice"]
    assert told["example"] == "e00000060: True, 3 variants"
    assert told["labels"] == "3 variants"


def test_a_step_is_measured_in_a_process_of_its_own(run: Run) -> None:
    found = measured("opening", run.folder)
    assert found.told == "3 variants, 120 examples"
    assert found.seconds > 0
    assert found.peak_bytes > 10_000_000


def test_the_same_run_is_made_again(run: Run, tmp_path: Path) -> None:
    other = write_run(tmp_path / "made", 120, 3, ("exact_match", "token_f1"))
    other.compact()
    Run(run.folder).compact()
    assert Run(run.folder).evidence().equals(other.evidence())
    assert Run(run.folder).examples == other.examples
