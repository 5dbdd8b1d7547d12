from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import derived
from core.derived import example_scores, statistics_for
from core.errors import InputError
from core.metrics.generation import ExactMatch
from core.store import Run
from tests.core import mini


@pytest.fixture
def run(tmp_path: Path) -> Run:
    examples = [mini.example("t", number, "a b", ()) for number in range(4)]
    said = {"baseline": ["a b", "x", "a", ""], "lora": ["a b", "a b", "a"]}
    evidence = [mini.said("t", name, number, text) for name, texts in said.items() for number, text in enumerate(texts)]
    evidence.append(mini.failed("t", "lora", 3))
    return mini.write(
        tmp_path / "mini", mini.spec({"t": mini.task("generation", metrics=["exact_match"])}), examples, evidence
    )


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever statistics are made from evidence."""
    made: list[int] = []
    original = ExactMatch.statistics

    def statistics(self: ExactMatch, observed: object) -> object:
        made.append(1)
        return original(self, observed)  # type: ignore[arg-type]

    monkeypatch.setattr(ExactMatch, "statistics", statistics)
    return made


def kept_files(run: Run) -> list[Path]:
    return sorted((run.folder / "derived").rglob("*.npz"))


def test_statistics_are_made_once_and_kept(run: Run, counted: list[int]) -> None:
    first = statistics_for(run, "t", "exact_match", "lora")
    again = statistics_for(Run(run.folder), "t", "exact_match", "lora")
    assert len(counted) == 1
    assert first.array.tolist() == again.array.tolist() == [[1, 1], [1, 1], [0, 1], [0, 0]]
    assert again.missing.tolist() == [False, False, False, True]
    assert (again.reasons, again.signature, again.labels) == (first.reasons, first.signature, first.labels)
    assert again.reasons[3] == "out of memory"


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_a_damaged_file_is_made_again(run: Run, counted: list[int], damage: bytes | None) -> None:
    statistics_for(run, "t", "exact_match", "lora")
    (path,) = kept_files(run)
    whole = path.read_bytes()
    middle = len(whole) // 3
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :] if damage is None else damage)
    assert statistics_for(run, "t", "exact_match", "lora").array.tolist() == [[1, 1], [1, 1], [0, 1], [0, 0]]
    assert len(counted) == 2
    statistics_for(run, "t", "exact_match", "lora")
    assert len(counted) == 2


def test_other_evidence_has_statistics_of_its_own(run: Run, counted: list[int], tmp_path: Path) -> None:
    statistics_for(run, "t", "exact_match", "lora")
    (kept,) = kept_files(run)
    evidence = [mini.said("t", "lora", number, "wrong") for number in range(4)]
    other = mini.write(tmp_path / "other", run.spec, run.examples, evidence)
    (other.folder / "derived" / "statistics").mkdir(parents=True)
    (other.folder / "derived" / "statistics" / kept.name).write_bytes(kept.read_bytes())
    assert statistics_for(other, "t", "exact_match", "lora").array.tolist() == [[0, 1]] * 4
    assert len(counted) == 2


def test_another_version_of_the_metric_is_made_again(
    run: Run, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics_for(run, "t", "exact_match", "lora")
    monkeypatch.setattr(ExactMatch, "version", 2)
    statistics_for(run, "t", "exact_match", "lora")
    assert len(counted) == 2


def test_a_folder_that_cannot_be_written_is_read_all_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(derived, "write_atomically", refuse)
    assert statistics_for(run, "t", "exact_match", "lora").array.sum() == 5
    assert kept_files(run) == []


def test_nothing_is_kept_of_a_run_that_goes_on(tmp_path: Path) -> None:
    examples = [mini.example("t", 0, "a", ())]
    spec = mini.spec({"t": mini.task("generation", metrics=["exact_match"])})
    run = mini.write(tmp_path / "mini", spec, examples, [mini.said("t", "lora", 0, "a")], finished=False)
    assert statistics_for(run, "t", "exact_match", "lora").array.tolist() == [[1, 1]]
    assert kept_files(run) == []


def test_example_scores_are_by_example_and_variant(run: Run) -> None:
    scores = example_scores(run, "t", "exact_match")
    assert list(scores.columns) == ["baseline", "lora"]
    assert scores.index.tolist() == ["e000", "e001", "e002", "e003"]
    assert scores.index.name == "example_id"
    assert scores["baseline"].tolist() == [1, 0, 0, 0]
    assert scores["lora"].tolist()[:3] == [1, 1, 0]
    assert np.isnan(scores.loc["e003", "lora"])


def test_unknown_names_are_refused(run: Run) -> None:
    with pytest.raises(InputError, match="did you mean 'exact_match'"):
        statistics_for(run, "t", "exact_mach", "lora")
    with pytest.raises(InputError, match="no variant"):
        statistics_for(run, "t", "exact_match", "nobody")
    with pytest.raises(InputError, match="no task"):
        statistics_for(run, "u", "exact_match", "lora")
