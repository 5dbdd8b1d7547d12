"""A composite as a metric: closed forms, order, missing parts, influences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from core.composite.metric import CompositeMetric, ScaledMetric, side_by_side
from core.metrics.metric import Metric, Statistics
from core.metrics.registry import get_metric
from core.stats.influence import influence_values
from tests.core.made_metrics import Auc, Mean, Ratio, SmoothAuc, statistics

N = 60


def part(metric: Metric, weight: float, worst: float, best: float, key: str = "t/m") -> ScaledMetric:
    return ScaledMetric(key, metric, weight, worst, best, 2)


def two(seed: int = 0, second: Metric | None = None) -> tuple[CompositeMetric, Statistics, np.ndarray, np.ndarray]:
    """A mean over the first 40 examples, and another metric over the last 40: 20 are of both."""
    rng = np.random.default_rng(seed)
    first = np.column_stack([rng.random(40), np.ones(40)])
    last = np.column_stack([rng.normal(size=40), np.arange(40) % 2])
    if second is None:
        last = np.column_stack([rng.gamma(2, 20, 40), rng.integers(5, 15, 40)])
    parts = [part(Mean(), 3, 0, 1, "a/mean"), part(second or Ratio(), 1, 20, 2, "b/other")]
    rows = [np.arange(40), np.arange(20, 60)]
    return (
        CompositeMetric("desk", parts),
        side_by_side(parts, [statistics(first), statistics(last)], N, rows),
        first,
        last,
    )


def test_the_value_is_the_weighted_mean_of_scaled_values() -> None:
    metric, made, first, last = two()
    ratio = last[:, 0].sum() / last[:, 1].sum()
    expected = (3 * first[:, 0].mean() + (20 - ratio) / 18) / 4
    assert float(metric.value(made.array.sum(axis=0))) == pytest.approx(expected)
    assert metric.part_values(made.array) == pytest.approx({"a/mean": first[:, 0].mean(), "b/other": ratio})


def test_beyond_its_scale_a_metric_counts_as_its_end() -> None:
    scaled = part(Mean(), 1, 50, 5).scaled(np.array([60.0, 50, 27.5, 5, 1, np.inf, np.nan]))
    np.testing.assert_allclose(scaled, [0, 0, 0.5, 1, 1, 0, np.nan])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_sums_weights_and_repeated_examples_say_the_same(seed: int) -> None:
    metric, made, *_ = two(seed)
    weights = np.random.default_rng(seed).integers(0, 4, (3, N)).astype(float)
    by_sums = metric.value(weights @ made.array)
    np.testing.assert_allclose(metric.weighted_values(made.array, weights), by_sums)
    repeated = np.repeat(made.array, weights[0].astype(int), axis=0)
    np.testing.assert_allclose(metric.value(repeated.sum(axis=0)), by_sums[0])


def test_a_part_that_needs_order_is_ranked_over_its_own_examples_alone() -> None:
    metric, made, first, last = two(3, Auc())
    assert metric.ordered
    auc = roc_auc_score(last[:, 1], last[:, 0])
    expected = (3 * first[:, 0].mean() + (20 - auc) / 18) / 4
    assert metric.weighted_values(made.array, np.ones((1, N)))[0] == pytest.approx(expected, abs=0.06)
    whole = CompositeMetric("desk", [part(Mean(), 3, 0, 1), part(Auc(), 1, 0, 1)])
    assert whole.weighted_values(made.array, np.ones((1, N)))[0] == pytest.approx((3 * first[:, 0].mean() + auc) / 4)
    with pytest.raises(TypeError):
        whole.value(made.array.sum(axis=0))


def test_influences_are_the_derivatives_by_the_examples_weights() -> None:
    summed, made, *_ = two(5)
    np.testing.assert_allclose(
        summed.influence(made.array, np.ones(N)), influence_values(made.array, summed.value), atol=1e-8
    )
    parts = [part(Mean(), 3, 0, 1), part(SmoothAuc(), 1, 0, 1)]
    ordered, made = CompositeMetric("desk", parts), two(5, Auc())[1]
    found, step = ordered.influence(made.array, np.ones(N)), 1e-5
    assert found is not None
    moved = np.ones((N, N)) + step * np.eye(N)
    base = ordered.weighted_values(made.array, np.ones((1, N)))[0]
    np.testing.assert_allclose(found, (ordered.weighted_values(made.array, moved) - base) / step, atol=1e-6)
    none = CompositeMetric("desk", [part(Mean(), 3, 0, 1), part(Auc(), 1, 0, 1)])
    assert none.influence(made.array, np.ones(N)) is None


def test_beyond_the_scale_an_example_moves_nothing() -> None:
    rng = np.random.default_rng(1)
    made = statistics(np.column_stack([5 + rng.random(30), np.ones(30)]))
    parts = [part(Mean(), 1, 0, 1)]
    composed = CompositeMetric("desk", parts)
    array = side_by_side(parts, [made], 30, [np.arange(30)]).array
    assert float(composed.value(array.sum(axis=0))) == 1.0
    assert not np.any(composed.influence(array, np.ones(30)))


def test_a_row_is_missing_where_no_part_has_it() -> None:
    gone = np.arange(4) < 2
    parts = [part(Mean(), 1, 0, 1), part(Mean(), 1, 0, 1)]
    ones = np.ones((4, 2))
    made = side_by_side(
        parts, [statistics(ones, missing=gone), statistics(ones[:2])], 5, [np.arange(4), np.array([1, 4])]
    )
    assert made.missing.tolist() == [True, False, False, False, False]
    assert made.reasons == ("absent", None, None, None, None)
    assert made.array[1].tolist() == [0, 0, 0, 1, 1, 1], "the second part has it"


def test_a_part_without_examples_leaves_the_composite_without_value() -> None:
    parts = [part(Mean(), 1, 0, 1), part(Mean(), 1, 0, 1)]
    nothing = statistics(np.ones((3, 2)), missing=np.ones(3, dtype=bool))
    made = side_by_side(parts, [statistics(np.ones((3, 2))), nothing], 3, [np.arange(3)] * 2)
    assert np.isnan(CompositeMetric("desk", parts).value(made.array.sum(axis=0)))


def test_parts_that_are_computed_differently_are_never_differenced() -> None:
    parts = [part(Mean(), 1, 0, 1, "a/x"), part(Mean(), 1, 0, 1, "b/y")]
    ones, rows = np.ones((3, 2)), [np.arange(3)] * 2
    mine = side_by_side(parts, [statistics(ones, "one"), statistics(ones, "two")], 3, rows)
    theirs = side_by_side(parts, [statistics(ones, "one"), statistics(ones, "three")], 3, rows)
    metric = CompositeMetric("desk", parts)
    assert metric.incomparable(mine, mine) is None
    told = metric.incomparable(mine, theirs)
    assert told is not None and told.startswith("b/y: the two are computed differently")
    assert "weight:1" in mine.signature and "scale:0 to 1" in mine.signature and "a/x" in mine.signature


def test_perplexities_of_other_tokens_are_never_differenced_inside_a_composite_either() -> None:
    parts = [part(get_metric("perplexity"), 1, 50, 5)]
    rows = [np.arange(2)]
    mine, theirs = (side_by_side(parts, [statistics(np.array([[9.0, 3], [8, tokens]]))], 2, rows) for tokens in (4, 5))
    told = CompositeMetric("desk", parts).incomparable(mine, theirs)
    assert told is not None and "different tokens" in told
