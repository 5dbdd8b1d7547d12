"""Statistics of a run with the very same evidence are taken over, those of any other run are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core import prepare_statistics as module
from core.derived import StatisticsReader
from core.prepare_statistics import Share, missing_shares, prepare_statistics
from core.same_evidence import take_over_statistics
from core.store import Run
from tests.synthetic import make_run


def kept(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.folder / "derived" / "statistics").glob("*.npz")}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = make_run(tmp_path_factory.mktemp("runs") / "first", n=6, tasks=("category",))
    assert prepare_statistics(run, workers=1) > 0
    return run


@pytest.fixture
def runs(prepared: Run, tmp_path: Path) -> tuple[Run, Run]:
    """A run whose statistics are kept, and beside it another of the same evidence without any."""
    first, second = (Run(Path(shutil.copytree(prepared.folder, tmp_path / name))) for name in ("first", "second"))
    shutil.rmtree(second.folder / "derived")
    return first, second


def test_nothing_is_computed_twice(runs: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_reader: StatisticsReader, share: Share) -> None:
        raise AssertionError(f"{share} is made again")

    monkeypatch.setattr(module, "make_share", never)
    first, second = runs
    assert prepare_statistics(second, workers=1) == 0
    assert kept(second) == kept(first) != {}
    assert missing_shares(StatisticsReader(second)) == []


def test_what_is_missing_there_is_made_here(runs: tuple[Run, Run]) -> None:
    first, second = runs
    gone = sorted((first.folder / "derived" / "statistics").glob("*.npz"))[0]
    expected = kept(first)
    gone.unlink()
    assert prepare_statistics(second, workers=1) == 1
    assert kept(second).keys() == expected.keys()


def test_other_evidence_is_not_taken_for_the_same(runs: tuple[Run, Run], tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", n=6, seed=1, tasks=("category",))
    reader = StatisticsReader(other)
    wanted = [tmp_path / "other" / "derived" / "statistics" / name for name in ("a.npz", "b.npz")]
    assert take_over_statistics(other, wanted) == 0
    assert sum(len(share.metrics) for share in missing_shares(reader)) == prepare_statistics(other, workers=1) > 0
    assert not kept(other).keys() & kept(runs[0]).keys()


def test_a_folder_that_is_no_run_is_passed_over(runs: tuple[Run, Run]) -> None:
    first, second = runs
    (second.folder.parent / "aaa").write_text("a file")
    (second.folder.parent / "aab" / "derived").mkdir(parents=True)
    wanted = [second.folder / "derived" / "statistics" / name for name in kept(first)]
    assert take_over_statistics(second, wanted) == len(wanted) > 0
