"""Bootstrap by one product of a weights matrix with per-example statistics.

The weights are drawn once for a dataset and shared by all metrics and variants, so that paired differences and composites
come from the same resamples. Given no weights, the intervals draw and use them block by block: memory then stays at some
tens of MB for any number of examples. `bootstrap_weights` itself holds 4 x resamples x n bytes (6.4 MB at 10,000 x 160,
200 MB at 10,000 x 5,000, 4 GB at 10,000 x 100,000), plus the same tens of MB while drawing.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.row_blocks import row_blocks
from core.stats.arrays import (
    ValueFunction,
    count_of,
    paired_statistics,
    statistics_array,
    values_of,
    weighted_sums,
)  # fmt: skip
from core.stats.clusters import cluster_codes, require_constant_within
from core.stats.multinomial import Multinomial
from core.stats.percentiles import percentile_interval


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float | None
    """None, as ``high``, where no interval can be made; ``method`` then says why."""
    high: float | None
    n_undefined: int
    """Resamples whose value was undefined (a class was missing, say); they are left out."""
    method: str


def bootstrap_weights(
    n: int, resamples: int = 10_000, seed: int = 0, groups: Iterable[Hashable | None] | None = None
) -> np.ndarray:
    """Draw how often each example is in each resample.

    Args:
        n: examples.
        resamples: how many resamples; those of a smaller number are the first of a larger one.
        seed: the same seed gives the same weights.
        groups: (n,) names of clusters; whole clusters are then drawn, as many as there are, and an example's weight is
            its cluster's count. None as a name is a cluster of its own.

    Returns:
        float32 (resamples, n), whole numbers. Rows sum to n, by cluster only on average.

    Raises:
        ValueError: n or resamples is below 1, or groups is not of length n.

    Source: Efron & Tibshirani (1993), ch. 6; by cluster Davison & Hinkley (1997), s. 3.8.
    """
    codes = None if groups is None else cluster_codes(groups, count_of(n, "n"))[0]
    weights = np.empty((count_of(resamples, "resamples"), count_of(n, "n")), dtype=np.float32)
    counted = _counted(n, codes)
    seeds = _block_seeds(n, resamples, seed)

    def fill(rows: slice, block_seed: np.random.SeedSequence) -> None:
        if codes is None:
            counted.draw(weights[rows], block_seed)
        else:
            weights[rows] = _drawn(counted, rows.stop - rows.start, block_seed, codes)

    # Drawing and counting go on outside the interpreter's lock.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        list(threads.map(fill, *zip(*seeds, strict=True)))
    return weights


def bootstrap_sums(statistics: ArrayLike, weights: np.ndarray) -> np.ndarray:
    """Return the sums of statistics in each resample, in float64.

    Several metrics and variants cost least when their statistics are put side by side as columns of one call.

    Args:
        statistics: (n, k).
        weights: (resamples, n), from `bootstrap_weights`.

    Returns:
        float64 (resamples, k).

    Raises:
        ValueError: statistics are unfit, or weights are not of the shape (resamples, n).
    """
    array = statistics_array(statistics)
    _require_weights(weights, len(array))
    sums, ones = np.empty((len(weights), array.shape[1])), np.ones(len(array), dtype=weights.dtype)
    for rows in row_blocks(len(weights), len(array)):
        sums[rows] = weighted_sums(weights[rows], array, float((weights[rows] @ ones).max()))
    return sums


def bootstrap_values(statistics: ArrayLike, value: ValueFunction, weights: np.ndarray) -> np.ndarray:
    """Return the value in each resample.

    Args:
        statistics: (n, k).
        value: from sums (..., k) to values (...), NaN where undefined.
        weights: (resamples, n).

    Returns:
        float64 (resamples,).

    Raises:
        ValueError: as `bootstrap_sums`, or value gives another shape.
    """
    return values_of(value, bootstrap_sums(statistics, weights))


def bootstrap_interval(
    statistics: ArrayLike,
    value: ValueFunction,
    *,
    weights: np.ndarray | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the bootstrap percentile interval of a value of summed statistics.

    Args:
        statistics: (n, k), one row an example.
        value: from sums (..., k) to values (...), NaN where undefined.
        weights: (resamples, n) drawn before; ``resamples`` and ``seed`` are then not used.
        resamples: how many to draw.
        seed: of the draw.
        level: of the interval.

    Returns:
        The interval; without bounds where one example is all there is, since resampling it can show no uncertainty.

    Raises:
        ValueError: statistics are empty, hold NaN, or do not fit the weights; or level is not between 0 and 1.
    """
    return _interval((statistics_array(statistics),), value, None, weights, resamples, seed, level)


def cluster_bootstrap_interval(
    statistics: ArrayLike,
    value: ValueFunction,
    groups: Iterable[Hashable | None],
    *,
    weights: np.ndarray | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the same as `bootstrap_interval`, resampling whole clusters.

    Args:
        statistics: (n, k).
        value: as in `bootstrap_interval`.
        groups: (n,) names of clusters; None is a cluster of its own.
        weights: drawn before by these clusters.
        resamples: how many to draw.
        seed: of the draw.
        level: of the interval. With few clusters (under about 20) it covers less often than it says.

    Raises:
        ValueError: as `bootstrap_interval`; groups is not of length n; or weights differ within a cluster.
    """
    return _interval((statistics_array(statistics),), value, groups, weights, resamples, seed, level)


def bootstrap_difference_interval(
    statistics_a: ArrayLike,
    statistics_b: ArrayLike,
    value: ValueFunction,
    *,
    groups: Iterable[Hashable | None] | None = None,
    weights: np.ndarray | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the paired bootstrap interval of value(b) - value(a): both variants in the same resamples.

    Args:
        statistics_a: (n, k) of the reference variant.
        statistics_b: (n, k) of the other one, the same examples in the same order.
        value: as in `bootstrap_interval`.
        groups: (n,) names of clusters, to resample whole clusters.
        weights: drawn before (by these clusters).
        resamples: how many to draw.
        seed: of the draw.
        level: of the interval.

    Raises:
        ValueError: as `cluster_bootstrap_interval`, or the two shapes differ.
    """
    a, b = paired_statistics(statistics_a, statistics_b)
    return _interval((a, b), value, groups, weights, resamples, seed, level)


def _interval(
    arrays: Sequence[np.ndarray],
    value: ValueFunction,
    groups: Iterable[Hashable | None] | None,
    weights: np.ndarray | None,
    resamples: int,
    seed: int,
    level: float,
) -> Interval:
    n, k = arrays[0].shape
    codes, n_units = (None, n) if groups is None else cluster_codes(groups, n)
    if weights is not None:
        _require_weights(weights, n)
        if codes is not None:
            require_constant_within(weights, codes, "weights")
    draws = count_of(resamples, "resamples") if weights is None else len(weights)
    if n_units == 1:
        return Interval(
            None, None, 0, f"none: one {'example' if codes is None else 'cluster'} alone shows no uncertainty"
        )
    # Columns side by side: one product for both variants.
    columns = np.concatenate(arrays, axis=1)
    values = [
        values_of(value, sums.reshape(len(sums), len(arrays), k))
        for sums in (bootstrap_sums(columns, b) for b in _given_or_drawn(weights, n, draws, seed, codes))
    ]
    both = np.concatenate(values)
    with np.errstate(invalid="ignore"):
        low, high, n_undefined = percentile_interval(
            both[:, -1] - both[:, 0] if len(arrays) == 2 else both[:, 0], level
        )
    if low is None:
        return Interval(None, None, n_undefined, "none: the value is undefined in every resample")
    drawn = f"{draws:,} resamples"
    method = f"bootstrap ({drawn})" if codes is None else f"cluster bootstrap ({drawn}, {n_units:,} clusters)"
    return Interval(low, high, n_undefined, method)


def _given_or_drawn(
    weights: np.ndarray | None, n: int, draws: int, seed: int, codes: np.ndarray | None
) -> Iterable[np.ndarray]:
    return _weight_blocks(n, draws, seed, codes) if weights is None else (weights,)


def _weight_blocks(n: int, resamples: int, seed: int, codes: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield the rows of `bootstrap_weights` in blocks, float32 (rows, n)."""
    counted = _counted(n, codes)
    for rows, block_seed in _block_seeds(n, resamples, seed):
        yield _drawn(counted, rows.stop - rows.start, block_seed, codes)


def _counted(n: int, codes: np.ndarray | None) -> Multinomial:
    return Multinomial(n if codes is None else int(codes.max()) + 1)


def _block_seeds(n: int, resamples: int, seed: int) -> list[tuple[slice, np.random.SeedSequence]]:
    """Return the rows of each block and the seed that it is drawn with; which rows go together depends on n alone."""
    # A fifth of the customary block stays within the processor's cache.
    blocks = row_blocks(resamples, 5 * n)
    return list(zip(blocks, np.random.SeedSequence(seed).spawn(len(blocks)), strict=True))


def _drawn(counted: Multinomial, rows: int, seed: np.random.SeedSequence, codes: np.ndarray | None) -> np.ndarray:
    counts = np.empty((rows, counted.units), dtype=np.float32)
    counted.draw(counts, seed)
    return counts if codes is None else counts[:, codes]


def _require_weights(weights: np.ndarray, n: int) -> None:
    if weights.ndim != 2 or weights.shape[1] != n or len(weights) == 0:
        raise ValueError(f"weights must have the shape (resamples, {n}), a column an example; found {weights.shape}")
