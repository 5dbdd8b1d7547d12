from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core import prepare_statistics as module
from core.derived import StatisticsReader
from core.diagnostics import kept as kept_module
from core.diagnostics.kept import kept_answers
from core.metrics.registry import get_metric
from core.prepare_statistics import Share, missing_shares, prepare_statistics
from core.store import Run
from tests.synthetic import VARIANTS, make_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path / "made", n=12, tasks=("category", "reply"))


def kept(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.folder / "derived" / "statistics").glob("*.npz")}


def kept_by(run: Run, workers: int) -> None:
    """Make the statistics by so many processes, and check what was told and kept."""
    told: list[tuple[int, int]] = []
    total = sum(len(task.metrics) for task in run.spec.tasks.values()) * len(VARIANTS)
    assert prepare_statistics(run, lambda done, of: told.append((done, of)), workers) == total
    assert len(kept(run)) == total
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert prepare_statistics(run) == 0
    reader = StatisticsReader(run)
    assert reader.read("reply", get_metric("rouge_l"), "qv-r8").array.shape == (12, 2)


def test_all_statistics_are_made_and_kept_and_processes_make_what_one_makes(run: Run, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other" / "made", n=12, tasks=("category", "reply"))
    kept_by(run, workers=1)
    kept_by(other, workers=3)
    for task, metric in (("category", "f1_macro"), ("reply", "bleu"), ("reply", "perplexity")):
        one, two = (StatisticsReader(some).read(task, get_metric(metric), "all-r8") for some in (run, other))
        assert (one.array == two.array).all()
        assert one.reasons == two.reasons


def test_only_what_is_missing_is_made(run: Run) -> None:
    prepare_statistics(run, workers=1)
    gone = next((run.folder / "derived" / "statistics").glob("reply-bleu-qv-r8-*.npz"))
    gone.unlink()
    assert missing_shares(StatisticsReader(run)) == [Share("reply", "qv-r8", ("bleu",))]
    assert prepare_statistics(run, workers=4) == 1
    assert gone.is_file()


def test_small_work_is_done_in_this_process(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_child", lambda run: pytest.fail("a process was started"))
    assert prepare_statistics(run) > 0


def test_a_failing_metric_leaves_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, observations: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(type(get_metric("bleu")), "statistics", fail)
    prepare_statistics(run, workers=1)
    assert {name.split("-")[1] for name in kept(run)} >= {"rouge_l", "exact_match", "accuracy"}
    assert not any(name.startswith("reply-bleu") for name in kept(run))


def test_nothing_is_made_for_a_run_that_goes_on_or_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = make_run(tmp_path / "going", n=6, tasks=("category",), state="running", parts_done=0.5)
    assert prepare_statistics(going) == 0
    finished = make_run(tmp_path / "finished", n=6, tasks=("category",))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert prepare_statistics(finished) == 0
    assert not (finished.folder / "derived").exists()


class _LeftError(Exception):
    pass


def test_processes_end_when_whoever_waits_for_them_leaves(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    children = []

    def stuck(_: Run) -> subprocess.Popen[str]:
        command = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
        children.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return children[-1]

    def leave(done: int, total: int) -> None:
        raise _LeftError

    monkeypatch.setattr(module, "_child", stuck)
    with pytest.raises(_LeftError):
        prepare_statistics(run, leave, workers=2)
    assert [child.poll() for child in children] == [-9, -9]


def test_no_more_processes_are_started_than_memory_suffices_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def child(some: Run, start: Any = module._child) -> subprocess.Popen[str]:
        started.append(1)
        return start(some)

    monkeypatch.setattr(module, "_child", child)
    monkeypatch.setattr(module, "MOST_BYTES", module.EXAMPLE_BYTES * 18)
    assert prepare_statistics(run, workers=4) == len(kept(run)) > 0
    assert started == [1]


def test_answers_of_many_examples_are_kept_with_their_statistics(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_statistics(run, workers=1)
    assert not (run.folder / "derived" / "answers").exists()
    shutil.rmtree(run.folder / "derived")
    monkeypatch.setattr(module, "MANY_EXAMPLES", 11)
    prepare_statistics(run, workers=1)
    assert len(list((run.folder / "derived" / "answers").glob("category-*.npz"))) == len(VARIANTS)
    reader = StatisticsReader(run)
    fresh = kept_answers(run, "category", "qv-r8", None)
    monkeypatch.setattr(kept_module, "observations", lambda *_: pytest.fail("the evidence was read again"))
    assert kept_answers(run, "category", "qv-r8", reader.evidence_hash) == fresh
