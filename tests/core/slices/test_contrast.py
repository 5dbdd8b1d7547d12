"""The contrast against closed forms, an outside referee and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from core.contrasts import Measured
from core.estimators import Setting
from core.metrics.metric import Metric, Statistics
from core.panels import Panel
from core.resampler import Resampler
from core.results import Difference
from core.slice_measures import measure_slices
from core.slices.contrast import contrast
from core.stats.rates import paired_difference_interval
from tests.core.made_metrics import Auc, Mean, Path, Ratio, statistics


def drawn(n: int, groups: list[str] | None = None) -> Resampler:
    return Resampler(n, groups, seed=1, resamples=200, trials=200)


def found(metric: Metric, base: Statistics, other: Statistics, inside: np.ndarray, groups: list[str] | None = None):
    n = len(inside)
    panel = Panel(metric, {"base": base, "other": other}, np.ones(n, dtype=bool))
    sides: dict[str, list[Measured]] = measure_slices(
        [panel], "base", {"in": inside, "out": ~inside}, drawn(n, groups), 0.95
    )
    within, rest = (sides[name][0].differences["other"] for name in ("in", "out"))
    return contrast(Setting(panel, "base", drawn(n, groups), 0.95), "other", inside, within, rest), within, rest


def means(values: np.ndarray, missing: np.ndarray | None = None) -> Statistics:
    return statistics(np.column_stack([values, np.ones(len(values))]), missing=missing)


def test_means_agree_with_a_regression_on_the_slice() -> None:
    rng = np.random.default_rng(3)
    n, inside = 600, rng.random(600) < 0.3
    base, gain = rng.normal(size=n), rng.normal(0.2, 1, n) + 0.25 * inside
    one, _, _ = found(Mean(), means(base), means(base + gain), inside)
    fitted = sm.OLS(gain, sm.add_constant(inside.astype(float))).fit(cov_type="HC2")
    assert one.difference.difference == pytest.approx(fitted.params[1])
    low, high = fitted.conf_int()[1]
    assert one.difference.low == pytest.approx(low, abs=0.004) and one.difference.high == pytest.approx(high, abs=0.004)
    assert one.difference.p == pytest.approx(fitted.pvalues[1], rel=0.1)


def test_the_interval_is_zou_and_donners_of_two_tango_intervals() -> None:
    rng = np.random.default_rng(4)
    n, inside = 200, np.arange(200) < 60
    base, other = (means((rng.random(n) < share).astype(float)) for share in (0.5, 0.7))
    metric = Mean()
    metric.test = "rate"
    one, within, rest = found(metric, base, other, inside)
    tango = []
    for side in (inside, ~inside):
        a, b = base.array[side, 0] > 0, other.array[side, 0] > 0
        tango.append(
            paired_difference_interval(
                int((a & b).sum()), int((b & ~a).sum()), int((a & ~b).sum()), int((~a & ~b).sum())
            )
        )
    (l1, u1), (l2, u2) = tango
    d1, d2 = within.difference, rest.difference
    assert d1 is not None and d2 is not None
    assert one.difference.low == pytest.approx(d1 - d2 - np.hypot(d1 - l1, u2 - d2))
    assert one.difference.high == pytest.approx(d1 - d2 + np.hypot(u1 - d1, d2 - l2))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_p_is_below_the_level_exactly_where_zero_is_left_out_and_sides_are_opposite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, inside = 80, rng.permutation(80) < 30
    base = (rng.random(n) < 0.5).astype(float)
    other = np.where(inside & (rng.random(n) < 0.4), 1.0, (rng.random(n) < 0.5).astype(float))
    here, _, _ = found(Mean(), means(base), means(other), inside)
    there, _, _ = found(Mean(), means(base), means(other), ~inside)
    one, opposite = here.difference, there.difference
    assert one.low is not None and one.high is not None and one.p is not None and one.difference is not None
    assert (one.p < 0.05) == (one.low > 0 or one.high < 0)
    assert (opposite.difference, opposite.low, opposite.high) == pytest.approx((-one.difference, -one.high, -one.low))
    assert opposite.p == pytest.approx(one.p)


def test_no_difference_between_the_sides_is_rejected_no_more_often_than_the_level_allows() -> None:
    rng, rejected = np.random.default_rng(6), 0
    inside, trials = np.arange(60) < 20, 1_000
    for _ in range(trials):
        base = (rng.random(60) < 0.6).astype(float)
        other = (rng.random(60) < 0.7).astype(float)
        gap = other - base
        tables = [((g > 0).sum(), (g < 0).sum(), len(g)) for g in (gap[inside], gap[~inside])]
        sides = []
        for up, down, n in tables:
            low, high = paired_difference_interval(0, int(up), int(down), int(n - up - down))
            sides.append(Difference((up - down) / n, low, high, None, None, int(n), "unclear", None, ""))
        panel = Panel(Mean(), {"base": means(base), "other": means(other)}, np.ones(60, dtype=bool))
        one = contrast(Setting(panel, "base", drawn(60), 0.95), "other", inside, *sides)
        rejected += one.difference.p is not None and one.difference.p < 0.05
    assert rejected / trials <= 0.065


def test_clusters_on_both_sides_are_summed_by_cluster() -> None:
    rng = np.random.default_rng(7)
    groups = [f"g{i // 4}" for i in range(240)]
    shared = np.repeat(rng.normal(size=60), 4)
    gain, inside = shared + 0.1 * rng.normal(size=240), np.arange(240) % 4 < 2
    one, _, _ = found(Mean(), means(np.zeros(240)), means(gain), inside, groups)
    # Half of each cluster lies inside: what a cluster shares cancels, as in a paired test of its two halves.
    halves = np.array([gain[i : i + 2].mean() - gain[i + 2 : i + 4].mean() for i in range(0, 240, 4)])
    error = halves.std(ddof=1) / np.sqrt(60)
    assert one.difference.difference == pytest.approx(halves.mean())
    assert one.error == pytest.approx(error, rel=1e-6)
    assert one.difference.high == pytest.approx(halves.mean() + student.ppf(0.975, 59) * error, rel=1e-6)
    assert one.difference.p == pytest.approx(2 * student.sf(abs(halves.mean()) / error, 59), rel=1e-6)
    assert "60 clusters" in one.difference.method


def test_clusters_that_lie_on_one_side_are_combined_like_independent_ones() -> None:
    rng = np.random.default_rng(8)
    groups = [f"g{i // 4}" for i in range(240)]
    inside = np.arange(240) < 120
    one, within, rest = found(Ratio(), *(means(rng.normal(size=240)) for _ in range(2)), inside, groups)
    assert (
        within.high is not None
        and rest.low is not None
        and within.difference is not None
        and rest.difference is not None
    )
    up, down = within.high - within.difference, rest.difference - rest.low
    assert one.difference.high == pytest.approx(within.difference - rest.difference + np.hypot(up, down))
    assert "MOVER" in one.difference.method


def test_a_side_without_value_or_with_few_examples_gives_no_p_and_says_why() -> None:
    rng = np.random.default_rng(9)
    base, other = (means(rng.normal(size=100)) for _ in range(2))
    few, _, _ = found(Mean(), base, other, np.arange(100) < 9)
    assert few.difference.p is None and few.difference.reason == "too few examples inside (n = 9, at least 15)"
    many, _, _ = found(Mean(), base, other, np.arange(100) < 90)
    assert (
        many.difference.reason == "too few examples outside (n = 10, at least 15)" and many.difference.low is not None
    )
    gone = means(np.zeros(100), missing=np.arange(100) >= 50)
    lacking, _, _ = found(Mean(), base, gone, np.arange(100) < 50)
    assert (
        lacking.difference.difference is None
        and lacking.difference.reason == "in the rest: no example has a value for both"
    )
    assert lacking.difference.verdict == "none"


def test_differences_without_spread_have_no_p_rather_than_a_certain_one() -> None:
    inside = np.arange(80) < 40
    one, _, _ = found(Mean(), means(np.zeros(80)), means(np.where(inside, 1.0, 0.0)), inside)
    assert one.difference.difference == 1.0 and one.difference.p is None
    assert one.difference.method == "none: the differences have no spread"


def test_a_metric_without_interval_has_no_contrast_interval() -> None:
    rng = np.random.default_rng(10)
    base, other = (statistics(rng.normal(size=(80, 1))) for _ in range(2))
    one, _, _ = found(Path(), base, other, np.arange(80) < 40)
    assert one.difference.low is None and one.difference.p is None and "whole path" in one.difference.method


def test_an_ordered_metric_without_influences_is_combined_from_its_resamples() -> None:
    rng = np.random.default_rng(11)
    positive = (np.arange(120) % 2).astype(float)
    base, other = (statistics(np.column_stack([rng.normal(size=120) + gain * positive, positive])) for gain in (0, 1))
    one, _, _ = found(Auc(), base, other, np.arange(120) < 60)
    assert one.difference.p is not None and one.difference.low is not None
    crossing, _, _ = found(Auc(), base, other, np.arange(120) % 3 > 0, [f"g{i // 6}" for i in range(120)])
    assert crossing.difference.p is None and "not known" in crossing.difference.method
