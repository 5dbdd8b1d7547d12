import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from core.stats import pair_ordering, wilson_interval

SIGNS = st.lists(st.tuples(st.integers(-2, 2), st.integers(-1, 1)), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9))
def test_tau_over_all_pairs_is_kendalls(scores):
    """Where every pair among some answers was rated, it is scipy's tau-b of the answers."""
    metric, human = np.array(scores, dtype=float).T
    pairs = np.array(list(combinations(range(len(scores)), 2)))
    found = pair_ordering(*(x[pairs[:, 0]] - x[pairs[:, 1]] for x in (metric, human)), resamples=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = kendalltau(metric, human).statistic
    if np.isnan(expected):
        assert found.tau is None
        assert "ties all pairs" in found.reason or "tied all pairs" in found.reason
    else:
        assert found.tau == pytest.approx(expected)


@given(SIGNS)
def test_accuracy_is_over_the_pairs_that_both_order(pairs):
    metric, human = np.array(pairs).T
    found = pair_ordering(metric, human, resamples=20)
    both = (metric != 0) & (human != 0)
    assert (found.n, found.n_decisive, found.n_ordered) == (len(pairs), (human != 0).sum(), both.sum())
    if not both.any():
        assert (found.accuracy, found.accuracy_interval) == (None, None)
        return
    right = int((np.sign(metric) == human)[both].sum())
    assert found.accuracy == pytest.approx(right / both.sum())
    bounds = (found.accuracy_interval.low, found.accuracy_interval.high)
    assert bounds == pytest.approx(wilson_interval(right, int(both.sum())))


@given(SIGNS)
def test_swapping_all_pairs_changes_nothing_and_turning_the_metric_turns_tau(pairs):
    metric, human = np.array(pairs).T
    one, swapped = pair_ordering(metric, human, resamples=30), pair_ordering(-metric, -human, resamples=30)
    assert one == swapped
    turned = pair_ordering(-metric, human, resamples=30)
    if one.tau is not None:
        assert turned.tau == pytest.approx(-one.tau)


def test_pairs_of_one_item_widen_the_intervals():
    generator = np.random.default_rng(1)
    human = generator.choice([-1, 1], size=60)
    metric = np.where(generator.random(60) < 0.7, human, -human)
    alone = pair_ordering(metric, human)
    tripled = pair_ordering(np.repeat(metric, 3), np.repeat(human, 3), items=np.repeat(np.arange(60), 3))
    assert (tripled.accuracy, tripled.tau) == pytest.approx((alone.accuracy, alone.tau))
    width = tripled.accuracy_interval.high - tripled.accuracy_interval.low
    assert width == pytest.approx(alone.accuracy_interval.high - alone.accuracy_interval.low, rel=0.15)
    assert "cluster" in tripled.accuracy_interval.method
    tau_width = tripled.tau_interval.high - tripled.tau_interval.low
    assert tau_width == pytest.approx(alone.tau_interval.high - alone.tau_interval.low, rel=0.15)


def test_interval_of_tau_covers_the_truth():
    generator = np.random.default_rng(2)
    covered = 0
    for number in range(400):
        human = generator.choice([-1, 0, 1], p=[0.4, 0.2, 0.4], size=80)
        metric = np.where(generator.random(80) < 0.75, 1, -1) * np.where(human == 0, 1, human)
        # 80 % of the pairs are decided, and agree in sign by 0.75 - 0.25: 0.8 x 0.5 / sqrt(1 x 0.8).
        interval = pair_ordering(metric, human, resamples=300, seed=number).tau_interval
        covered += interval.low <= 0.4 / np.sqrt(0.8) <= interval.high
    assert 0.91 <= covered / 400 <= 0.98


def test_a_metric_that_is_always_right_has_a_lower_bound():
    found = pair_ordering([1, 2, 3, 1], [1, 1, 1, 1], items=["x", "x", "y", "z"])
    assert found.accuracy == 1
    assert (found.accuracy_interval.low, found.accuracy_interval.high) == wilson_interval(3, 3)
    wrong = pair_ordering([-1, -2, -3, -1], [1, 1, 1, 1], items=["x", "x", "y", "z"])
    assert (wrong.accuracy_interval.low, wrong.accuracy_interval.high) == wilson_interval(0, 3)


def test_missing_values_are_left_out_and_counted():
    found = pair_ordering([1, np.nan, -1, None, 1], [1, 1, 1, 1, np.nan], items=["a", "b", "c", "d", "e"])
    assert (found.n, found.n_missing, found.accuracy) == (2, 3, 0.5)


@pytest.mark.parametrize(
    ("metric", "verdicts", "reason"),
    [
        ([], [], "no pair has both a verdict and a value of the metric"),
        ([np.nan], [1], "no pair has both a verdict and a value of the metric"),
        ([0, 0], [1, -1], "the metric ties all pairs"),
        ([1, -1], [0, 0], "the raters tied all pairs"),
    ],
)
def test_what_has_no_tau_is_said(metric, verdicts, reason):
    found = pair_ordering(metric, verdicts)
    assert (found.tau, found.tau_interval, found.accuracy) == (None, None, None)
    assert found.reason == f"undefined: {reason}"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, 2], [1]), {}, "same pairs; found 2 and 1"),
        (([[1]], [1]), {}, "metric_differences must be one-dimensional"),
        (([1], [[1]]), {}, "verdicts must be one-dimensional"),
        (([np.inf], [1]), {}, "metric_differences hold infinity"),
        (([1, 2], [1, 1]), {"items": ["x"]}, "one cluster for each"),
        (([1, 2], [1, 1]), {"level": 95}, "level"),
    ],
)
def test_bad_input(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        pair_ordering(*arguments, **options)
