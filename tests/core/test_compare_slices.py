"""A slice of a comparison: the same intervals and tests as of a whole run, made of fewer draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.compare import compare
from core.derived import StatisticsReader
from core.measuring import MIN_TRIALS, SLICE_ENOUGH, SLICE_RESAMPLES
from core.metrics.registry import get_metric
from core.records import BASELINE, Example
from core.results import Comparison
from core.stats.paired import swap_test
from core.stats.resampling import bootstrap_difference_interval, bootstrap_interval
from core.store import Run
from tests.synthetic import make_run

ADAPTER = "qv-r8"


def english(example: Example) -> bool:
    return example.language == "en"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("runs") / "made", n=60, variants=(BASELINE, ADAPTER, "all-r8"))


@pytest.fixture(scope="module")
def found(run: Run) -> Comparison:
    return compare(run, where=english, reader=StatisticsReader(run, in_memory=True))


def test_a_slice_is_what_more_draws_would_give(run: Run, found: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.compare.SLICE_RESAMPLES", 20 * SLICE_RESAMPLES)
    monkeypatch.setattr("core.compare.MIN_TRIALS", 4 * MIN_TRIALS)
    general = compare(run, where=english)
    compared = 0
    for fast, slow in zip(found.rows, general.rows, strict=True):
        assert fast.key == slow.key
        for one, two in zip(
            [*fast.values.values(), *fast.differences.values()],
            [*slow.values.values(), *slow.differences.values()],
            strict=True,
        ):
            assert (one.n, one.reason, one.low is None) == (two.n, two.reason, two.low is None)
            if one.low is None or two.low is None:
                continue
            assert one.high is not None
            assert two.high is not None
            # The 2.5 % quantile of a thousand draws has a standard error of 2 % of the width.
            near = 0.1 * (two.high - two.low) + 1e-9
            assert (one.low, one.high) == pytest.approx((two.low, two.high), abs=near)
            compared += one.high > one.low
        for variant, one in fast.differences.items():
            two = slow.differences[variant]
            assert one.difference == two.difference
            if one.p is not None and two.p is not None:
                assert one.p == pytest.approx(two.p, abs=5 * two.p * np.sqrt((1 - two.p) / SLICE_ENOUGH) + 2e-4)
    assert compared > 40


@pytest.mark.parametrize("key", ["category/f1_macro", "reply/bleu", "reply/perplexity"])
def test_a_slice_by_hand(run: Run, found: Comparison, key: str) -> None:
    task, _, name = key.partition("/")
    reader, metric = StatisticsReader(run), get_metric(name)
    inside = np.array([english(example) for example in reader.examples(task)])
    base, other = (reader.read(task, metric, variant) for variant in (BASELINE, ADAPTER))
    assert base.labels == other.labels
    a, b = base.array[inside], other.array[inside]
    row, difference = found.row(key), found.row(key).differences[ADAPTER]
    seed = run.spec.settings.seed
    assert row.values[ADAPTER].value == pytest.approx(float(metric.value(b.sum(axis=0))))
    alone = bootstrap_interval(b, metric.value, resamples=SLICE_RESAMPLES, seed=seed)
    assert (row.values[ADAPTER].low, row.values[ADAPTER].high) == pytest.approx((alone.low, alone.high))
    apart = bootstrap_difference_interval(a, b, metric.value, resamples=SLICE_RESAMPLES, seed=seed)
    assert (difference.low, difference.high) == pytest.approx((apart.low, apart.high))
    tested = swap_test(a, b, metric.value, trials=MIN_TRIALS, seed=seed)
    # Once a hundred exchanges are as extreme the test stops: p is off by a tenth of itself, as a rule.
    off = 4 * tested.p * np.sqrt((1 - tested.p) / SLICE_ENOUGH) if tested.p > SLICE_ENOUGH / MIN_TRIALS else 0.0
    assert difference.p == pytest.approx(tested.p, abs=off + 2 / MIN_TRIALS)
    assert difference.n == int(inside.sum())
    assert difference.method == (
        "swap test (up to 10,000 draws, fewer where 100 are as extreme), bootstrap (1,000 resamples)"
    )


def test_a_slice_without_examples_says_so(run: Run) -> None:
    empty = compare(run, where=lambda example: False)
    assert {value.reason for row in empty.rows for value in row.values.values()} == {"no example is left by the filter"}
    assert all(difference.p is None for row in empty.rows for difference in row.differences.values())


def test_what_is_measured_of_whole_variants_is_made_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = StatisticsReader(run, in_memory=True)
    first = compare(run, where=english, reader=reader)
    monkeypatch.setattr("core.compare.efficiency_rows", lambda *_, **__: ())
    assert compare(run, where=english, reader=reader).efficiency is first.efficiency
    assert compare(run, where=english, reader=StatisticsReader(run)).efficiency == ()
    assert first.efficiency


def test_a_slice_keeps_the_path_of_its_kept_statistics(tmp_path: Path) -> None:
    """A slice is never kept as the comparison of all examples."""
    made = make_run(tmp_path / "made", n=20, variants=(BASELINE, ADAPTER), tasks=("reply",))
    sliced = compare(made, where=english)
    assert not list((made.folder / "derived").glob("comparison-*.json"))
    assert compare(made).row("reply/bleu").values[BASELINE].n > sliced.row("reply/bleu").values[BASELINE].n
