"""A classifier's answers, kept: equal to what the evidence says, and made again for anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.derived import StatisticsReader
from core.diagnostics.answers import read_answers
from core.diagnostics.kept import TaskAnswers, kept_answers
from core.predict import observations
from core.records import BASELINE
from core.store import Run
from tests.core.mini import chosen, example, failed, spec, task, write

LABELS = ("yes", "no", "maybe")


def _run(folder: Path, *, finished: bool = True) -> Run:
    evidence = [chosen("c", variant, i, LABELS[i % 3]) for variant in (BASELINE, "lora") for i in range(9)]
    evidence[-1] = failed("c", "lora", 8)
    examples = [example("c", number, LABELS[number % 2]) for number in range(9)]
    return write(folder / "run", spec({"c": task(metrics=["accuracy"])}), examples, evidence, finished)


def _files(run: Run) -> list[Path]:
    return sorted((run.folder / "derived").glob("answers/*.npz"))


def test_kept_answers_are_those_of_the_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _run(tmp_path)
    evidence_hash = StatisticsReader(run).evidence_hash
    first = kept_answers(run, "c", "lora", evidence_hash)
    observed = observations(run, "c", "lora")
    assert first.answers == read_answers(observed) and first.predictions == tuple(observed.predictions)
    assert first.predictions[8] is None and first.answers.answers[8] is None
    assert first.labels == LABELS and set(first.scored) == set(LABELS)
    assert len(_files(run)) == 1

    def fail(*_: object) -> TaskAnswers:
        raise AssertionError("read from the evidence again")

    monkeypatch.setattr("core.diagnostics.kept.observations", fail)
    assert kept_answers(Run(run.folder), "c", "lora", evidence_hash) == first


def test_other_evidence_and_other_variants_have_files_of_their_own(tmp_path: Path) -> None:
    run = _run(tmp_path)
    for evidence_hash in ("a", "b"):
        for variant in (BASELINE, "lora"):
            kept_answers(run, "c", variant, evidence_hash)
    assert len(_files(run)) == 4


def test_nothing_is_kept_of_a_run_that_goes_on(tmp_path: Path) -> None:
    run = _run(tmp_path, finished=False)
    assert kept_answers(run, "c", BASELINE, None).predictions[0] == "yes"
    assert not _files(run)


@pytest.mark.parametrize("content", [b"damaged", b""])
def test_a_damaged_file_is_made_again(tmp_path: Path, content: bytes) -> None:
    run = _run(tmp_path)
    first = kept_answers(run, "c", BASELINE, "hash")
    _files(run)[0].write_bytes(content)
    assert kept_answers(run, "c", BASELINE, "hash") == first
