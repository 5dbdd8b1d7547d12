from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import kept_statistics
from core.derived import StatisticsReader, averaged_within, example_scores, statistics_for
from core.errors import InputError
from core.kept_statistics import load_statistics, narrowed, save_statistics
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.registry import get_metric
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
    kind = type(get_metric("exact_match"))
    original = kind.statistics

    def statistics(self: Metric, observed: Observations) -> Statistics:
        made.append(1)
        return original(self, observed)

    monkeypatch.setattr(kind, "statistics", statistics)
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
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert statistics_for(run, "t", "exact_match", "lora").array.tolist() == [[1, 1], [1, 1], [0, 1], [0, 0]]
    assert len(counted) == 2
    statistics_for(run, "t", "exact_match", "lora")
    assert len(counted) == 2


def test_a_flipped_byte_is_noticed_or_does_not_matter(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 300, (40, 3)).astype(float)
    kept = Statistics(array, np.arange(40) % 9 == 0, tuple("x" if i % 9 == 0 else None for i in range(40)), "s", ("a",))
    path = tmp_path / "kept.npz"
    save_statistics(path, kept)
    whole, noticed = path.read_bytes(), 0
    for position in range(0, len(whole), 5):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 255]) + whole[position + 1 :])
        found = load_statistics(path)
        noticed += found is None
        assert found is None or (found.array == array).all()
        assert found is None or (found.reasons, found.signature, found.labels) == (kept.reasons, "s", ("a",))
    assert noticed > len(whole) / 5 / 2


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ([0, 255], "uint8"), ([0, 256], "uint16"), ([0, 70_000], "uint32"), ([-1, 0.5], "float32"), ([0.1, 1], "float64"),
        ([2.0**40, 1], "float32"), ([2.0**40 + 1, 1], "float64"), ([1e300, 1], "float64"), ([-np.inf, 1], "float64"),
    ],
)  # fmt: skip
def test_kept_in_the_narrowest_type_that_loses_nothing(numbers: list[float], kind: str) -> None:
    array = np.array([numbers])
    assert narrowed(array).dtype == kind
    assert (narrowed(array) == array).all()


def test_several_samples_of_an_example_are_averaged_within_it() -> None:
    array = np.array([[1.0, 1], [0, 1], [0, 0], [1, 1], [0, 0], [0, 0]])
    missing = np.array([False, False, True, False, True, True])
    some = Statistics(array, missing, (None, None, "cut", None, "first", "second"), "s")
    found = averaged_within(some, ["a", "a", "b", "b", "c", "c"])
    assert found.array.tolist() == [[0.5, 1], [1, 1], [0, 0]]
    assert found.missing.tolist() == [False, False, True]
    assert found.reasons == (None, None, "first")
    assert averaged_within(some, list("abcdef")) is some


def test_statistics_that_are_no_numbers_are_missing_with_the_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.array([[1, 1], [np.nan, 1], [np.inf, 1], [0, 0]])
    missing, reasons = np.array([False, False, False, True]), (None, None, None, "out of memory")
    made = Statistics(array, missing, reasons, "s")
    monkeypatch.setattr(type(get_metric("exact_match")), "statistics", lambda self, observed: made)
    found = statistics_for(run, "t", "exact_match", "lora")
    assert found.array.tolist() == [[1, 1], [0, 0], [0, 0], [0, 0]]
    assert found.reasons == (
        None,
        "its statistics are not finite numbers",
        "its statistics are not finite numbers",
        "out of memory",
    )


def test_a_reader_that_holds_statistics_reads_them_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, metric = StatisticsReader(run, in_memory=True), get_metric("exact_match")
    first = reader.read("t", metric, "lora")
    monkeypatch.setattr("core.derived.load_statistics", lambda path: pytest.fail("read again"))
    again = reader.read("t", metric, "lora")
    assert again.array.dtype == np.float64
    assert again.array.tolist() == first.array.tolist()


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
    monkeypatch.setattr(type(get_metric("exact_match")), "version", 2)
    statistics_for(run, "t", "exact_match", "lora")
    assert len(counted) == 2


def test_a_folder_that_cannot_be_written_is_read_all_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(kept_statistics, "write_atomically", refuse)
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
