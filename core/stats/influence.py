"""Intervals and tests from influence functions, for many examples: no resample is drawn.

The influence of an example is the derivative of the value by the example's weight. With thousands of examples the value is
as good as linear in the weights, so that its spread over resamples is the spread of the influences (the infinitesimal
jackknife). With few clusters the same spread, used with Student's t, keeps the level that a bootstrap does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtrit

from core.row_blocks import row_blocks
from core.stats.arrays import ValueFunction, paired_statistics, share, statistics_array, values_of
from core.stats.clusters import cluster_codes
from core.stats.paired import TestResult, swap_test
from core.stats.resampling import Interval

DRAWN_UP_TO = 1_000
"""Differing examples (clusters) up to which `large_swap_test` draws; with so many more the normal is exact enough."""

_STEP = float(np.finfo(np.float64).eps ** (1 / 3))
"""Of a central difference, relative to the size of what is moved: where rounding and curvature err alike."""


def value_gradient(sums: np.ndarray, sizes: np.ndarray, value: ValueFunction) -> np.ndarray:
    """Return the derivatives of a value by each of the sums, by central differences.

    Args:
        sums: float64 (..., k).
        sizes: (..., k), the sum of the absolute statistics: the steps are relative to it. A column of size 0 has no
            influence, and its derivative is 0.
        value: from sums (..., k) to values (...).

    Returns:
        float64 (..., k); NaN where the value is undefined beside the sums.
    """
    k = sums.shape[-1]
    gradient = np.zeros(sums.shape)
    lead = int(np.prod(sums.shape[:-1], dtype=np.int64))
    for columns in row_blocks(k, k * max(1, lead)):
        moves = np.zeros((*sums.shape[:-1], columns.stop - columns.start, k))
        index = np.arange(columns.start, columns.stop)
        moves[..., index - columns.start, index] = _STEP * sizes[..., columns]
        rise = values_of(value, sums[..., None, :] + moves) - values_of(value, sums[..., None, :] - moves)
        with np.errstate(all="ignore"):
            gradient[..., columns] = np.where(sizes[..., columns] > 0, rise / (2 * _STEP * sizes[..., columns]), 0.0)
    return gradient


def influence_values(statistics: ArrayLike, value: ValueFunction) -> np.ndarray:
    """Return each example's influence on the value: its derivative by the example's weight, at weights of 1.

    Args:
        statistics: (n, k).
        value: from sums (..., k) to values (...); smooth where it is taken.

    Returns:
        float64 (n,). For a mean (x_i - mean) / n. NaN where the value is undefined.

    Raises:
        ValueError: statistics are not (n, k), empty, or hold NaN.

    Source: Hampel (1974); Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 21.
    """
    array = statistics_array(statistics)
    ones = np.ones(len(array))  # a product of these takes a fraction of the time of a sum over rows
    return array @ value_gradient(ones @ array, ones @ np.abs(array), value)


def influence_error(influence: np.ndarray, codes: np.ndarray | None = None) -> tuple[float, int]:
    """Return the standard error that influences (of a value or a difference) tell, and over how many units.

    Args:
        influence: (n,).
        codes: (n,) the number of each example's cluster, whose examples are drawn together; None where independent.

    Returns:
        sqrt(G / (G - 1) * sum of squared deviations of the units' influences), and G. For a mean this is the
        ``clustered_small_sample`` of `core.stats.cluster_standard_error`. NaN for fewer than 2 units.
    """
    if codes is not None:
        numbers, inverse = np.unique(codes, return_inverse=True)
        influence = np.bincount(inverse, weights=influence, minlength=len(numbers))
    units = len(influence)
    if units < 2:
        return float("nan"), units
    apart = influence - influence.mean()
    return float(np.sqrt(units / (units - 1) * (apart @ apart))), units


def t_reach(units: int, level: float) -> float:
    """Return Student's quantile that an interval of this level reaches to either side, with units - 1 degrees of freedom."""
    return float(stdtrit(units - 1, (1 + share(level, "level")) / 2))


def influence_interval(
    statistics: ArrayLike, value: ValueFunction, *, groups: Iterable[Hashable | None] | None = None, level: float = 0.95
) -> Interval:
    """Return the interval value +- t * standard error, from influences.

    Args:
        statistics: (n, k).
        value: from sums (..., k) to values (...).
        groups: (n,) names of clusters; None as a name is a cluster of its own.
        level: of the interval.

    Returns:
        The interval; without bounds where there is a single example (cluster), or the value is undefined.

    Raises:
        ValueError: statistics are unfit, groups is not of length n, or level is not between 0 and 1.

    Source: as `influence_values`; t on G - 1 degrees of freedom: Cameron & Miller (2015), s. VI.
    """
    array = statistics_array(statistics)
    centre = float(values_of(value, array.sum(axis=0)))
    return _around(centre, influence_values(array, value), groups, level)


def influence_difference_interval(
    statistics_a: ArrayLike,
    statistics_b: ArrayLike,
    value: ValueFunction,
    *,
    groups: Iterable[Hashable | None] | None = None,
    level: float = 0.95,
) -> Interval:
    """Return the paired interval of value(b) - value(a), from the differences of the influences.

    Args:
        statistics_a: (n, k) of the reference variant.
        statistics_b: (n, k) of the other one, the same examples in the same order.
        value: as in `influence_interval`.
        groups: (n,) names of clusters.
        level: of the interval.

    Raises:
        ValueError: as `influence_interval`, or the two shapes differ.
    """
    a, b = paired_statistics(statistics_a, statistics_b)
    value_a, value_b = (float(values_of(value, some.sum(axis=0))) for some in (a, b))
    return _around(value_b - value_a, influence_values(b, value) - influence_values(a, value), groups, level)


def large_swap_test(
    statistics_a: ArrayLike,
    statistics_b: ArrayLike,
    value: ValueFunction,
    *,
    trials: int = 10_000,
    seed: int = 0,
    groups: Iterable[Hashable | None] | None = None,
) -> TestResult:
    """Return what `core.stats.swap_test` finds, for many examples, without drawing where many of them differ.

    Only examples that differ can move anything. Up to `DRAWN_UP_TO` of them are exchanged by draws; with more, the difference
    after an exchange is as good as a sum of independent terms with random signs, the terms being the gap of each example
    along the value's gradient midway between the two variants: it is normal, with the sum of their squares as variance.

    Args:
        statistics_a: (n, k) of the reference variant.
        statistics_b: (n, k) of the other one.
        value: from sums (..., k) to values (...).
        trials: how many to draw where they are drawn.
        seed: of the draw.
        groups: (n,) names of clusters, exchanged as wholes; None as a name is a cluster of its own.

    Raises:
        ValueError: the shapes differ, something is empty or NaN, or groups is not of length n.

    Source: the swap test's permutation distribution by the central limit theorem (Hoeffding, 1951); the terms of second
    order cancel, since an exchange moves the two variants' sums by the same amount in opposite directions.
    """
    a, b = paired_statistics(statistics_a, statistics_b)
    codes, n_units = (np.arange(len(a)), len(a)) if groups is None else cluster_codes(groups, len(a))
    gaps = b - a
    if groups is not None:
        gaps = np.column_stack([np.bincount(codes, weights=gap, minlength=n_units) for gap in gaps.T])
    differs = np.abs(gaps) @ np.ones(gaps.shape[1]) > 0
    clusters = "" if groups is None else f", {n_units:,} clusters"
    if int(differs.sum()) <= DRAWN_UP_TO:
        total = a.sum(axis=0)
        moving = gaps[differs] if differs.any() else gaps[:1]
        found = swap_test(np.zeros_like(moving), moving, lambda sums: value(sums + total), trials=trials, seed=seed)
        name = "swap test" if groups is None else "cluster swap test"
        method = f"{name} ({trials:,} draws{clusters})"
        return TestResult(found.statistic, found.p, found.trials, method, found.n_undefined)
    method = f"{'' if groups is None else 'cluster '}swap test (normal approximation{clusters})"
    ones = np.ones(len(a))
    sums = np.stack([ones @ a, ones @ b])
    first, second = (float(one) for one in values_of(value, sums))
    difference = second - first
    if not np.isfinite(difference):
        return TestResult(None, None, 0, method)
    sizes = (ones @ np.abs(a) + ones @ np.abs(b)) / 2
    terms = gaps @ value_gradient(sums.mean(axis=0), sizes, value)
    return TestResult(difference, normal_p(difference, float(np.sqrt(terms @ terms))), 0, method)


def normal_p(difference: float, error: float) -> float | None:
    """Return the two-sided p of a difference with this standard error; None where the error is unknown."""
    if not np.isfinite(error):
        return None
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * ndtr(-abs(difference) / error))


def _around(centre: float, influence: np.ndarray, groups: Iterable[Hashable | None] | None, level: float) -> Interval:
    codes = None if groups is None else cluster_codes(groups, len(influence))[0]
    error, units = influence_error(influence, codes)
    reach = t_reach(units, level) if units > 1 else share(level, "level")
    unit = "example" if groups is None else "cluster"
    if units < 2:
        return Interval(None, None, 0, f"none: one {unit} alone shows no uncertainty")
    if not (np.isfinite(centre) and np.isfinite(error)):
        return Interval(None, None, 0, "none: the value is undefined")
    method = f"influence functions ({units:,} {unit}s, Student's t)"
    return Interval(centre - reach * error, centre + reach * error, 0, method)
