"""How far raters agree on the same units: raw agreement and Krippendorff's alpha, missing ratings allowed.

A unit is what is rated: an item, an answer or a pair of answers. For two raters' table and for complete counts see
`core.stats.kappa`. What cannot be computed has the value None and a reason, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from core.row_blocks import row_blocks
from core.stats.arrays import share
from core.stats.clusters import cluster_codes
from core.stats.rates import wilson_interval
from core.stats.resampling import (
    Interval,
    bootstrap_interval,
    bootstrap_weights,
    cluster_bootstrap_interval,
    percentile_interval,
)

MeasurementLevel = Literal["nominal", "ordinal", "interval", "ratio"]

NO_VARIATION = "undefined: no variation"
NO_PAIRS = "undefined: no unit has two ratings"


@dataclass(frozen=True)
class Agreement:
    """One measure of agreement."""

    value: float | None
    """None where it is not defined; ``reason`` then says why."""
    reason: str | None
    n_units: int
    """Units with at least two ratings: only those can show agreement."""
    n_unpaired: int
    """Units left out because they have one rating or none."""
    n_ratings: int
    """Ratings on the units that count."""
    interval: Interval | None = None
    """None where none was asked for, or where the value itself is not defined."""


def krippendorff_alpha(
    ratings: ArrayLike,
    level: MeasurementLevel,
    *,
    interval: float | None = None,
    groups: Iterable[Hashable | None] | None = None,
    resamples: int = 2_000,
    seed: int = 0,
) -> Agreement:
    """Return Krippendorff's alpha: 1 is perfect agreement, 0 what chance would give, below 0 is systematic disagreement.

    Args:
        ratings: (raters, units) of numbers, NaN (or None) where a rater did not rate a unit. Nominal categories are numbered.
        level: how two ratings differ: ``nominal`` (equal or not), ``ordinal`` (by rank), ``interval`` (by distance) or
            ``ratio`` (by distance relative to their sum).
        interval: the level of a bootstrap interval over units, such as 0.95; None for no interval.
        groups: (units,) names of clusters, which are then resampled as wholes; None as a name is a cluster of its own.
        resamples: of the units, for the interval; those without variation are left out and counted.
        seed: of the resamples.

    Returns:
        The value; None with "undefined: no variation" where all ratings on paired units are equal.

    Raises:
        ValueError: ratings have another shape or hold infinity, a rating is negative at the level ``ratio``, or the level is
            unknown.

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; the bootstrap over units, with the expected
    disagreement recomputed in each resample: Zapf, Castell, Morawietz & Karch (2016).
    """
    if level not in get_args(MeasurementLevel):
        raise ValueError(f"level must be one of {', '.join(get_args(MeasurementLevel))}; found {level!r}")
    table = _ratings(ratings)
    if level == "ratio" and np.nanmin(table, initial=0) < 0:
        raise ValueError(f"the level 'ratio' needs ratings of at least 0; found {np.nanmin(table)}")
    paired, n_unpaired = _paired(table)
    size = (paired.shape[1], n_unpaired, int(np.isfinite(paired).sum()))
    if not paired.shape[1]:
        return Agreement(None, NO_PAIRS, *size)
    value = float(_alphas(paired, level, np.ones((1, paired.shape[1])))[0])
    if np.isnan(value):
        return Agreement(None, NO_VARIATION, *size)
    if interval is None:
        return Agreement(value, None, *size)
    kept = _groups_of_paired(groups, table)
    if kept is not None and len(set(kept)) < 2:
        return Agreement(value, None, *size, Interval(None, None, 0, "none: one cluster alone shows no uncertainty"))
    draws = _alphas(paired, level, bootstrap_weights(paired.shape[1], resamples, seed, kept))
    low, high, n_undefined = percentile_interval(draws, interval)
    over = "units" if kept is None else f"{len(set(kept)):,} clusters of units"
    method = f"bootstrap over {over} ({resamples:,} resamples)"
    return Agreement(value, None, *size, with_width(Interval(low, high, n_undefined, method)))


def raw_agreement(
    ratings: ArrayLike,
    *,
    level: float = 0.95,
    groups: Iterable[Hashable | None] | None = None,
    resamples: int = 2_000,
    seed: int = 0,
) -> Agreement:
    """Return the share of pairs of ratings on the same unit that are equal; chance is not taken off.

    Args:
        ratings: (raters, units) of numbers, NaN (or None) where a rater did not rate a unit.
        level: of the interval: Wilson's where no unit has more than one pair, else a bootstrap over units; where all pairs
            agree, or none, Wilson's over units, since a bootstrap would have no width.
        groups: (units,) names of clusters: they are then what Wilson's interval counts and what is resampled.
        resamples: for the bootstrap.
        seed: of the resamples.

    Returns:
        The value, 0 to 1; None where no unit has two ratings.

    Raises:
        ValueError: ratings have another shape or hold infinity, or level is not between 0 and 1.
    """
    share(level, "level")
    table = _ratings(ratings)
    paired, n_unpaired = _paired(table)
    kept = _groups_of_paired(groups, table)
    n_units, n_ratings = paired.shape[1], int(np.isfinite(paired).sum())
    if not n_units:
        return Agreement(None, NO_PAIRS, 0, n_unpaired, 0)
    rated = np.isfinite(paired).sum(axis=0)
    pairs = rated * (rated - 1) / 2
    equal = pairs - _pairwise_sum(paired, "nominal")
    statistics = np.column_stack([equal, pairs])
    value = float(equal.sum() / pairs.sum())
    n_clusters = n_units if kept is None else len(set(kept))
    if value in (0.0, 1.0) or (pairs.max() == 1 and n_clusters == n_units):
        low, high = wilson_interval(round(value * n_clusters), n_clusters, level)
        interval = Interval(low, high, 0, "Wilson, over units" if kept is None else "Wilson, over clusters of units")
    elif kept is not None:
        interval = cluster_bootstrap_interval(
            statistics, lambda sums: sums[..., 0] / sums[..., 1], kept, resamples=resamples, seed=seed, level=level
        )
    else:
        interval = bootstrap_interval(
            statistics, lambda sums: sums[..., 0] / sums[..., 1], resamples=resamples, seed=seed, level=level
        )
    return Agreement(value, None, n_units, n_unpaired, n_ratings, interval)


def with_width(interval: Interval) -> Interval:
    """Return the interval, or one without bounds where all resamples gave the same value: that is no certainty."""
    if interval.low is None or interval.high is None or interval.low < interval.high:
        return interval
    return Interval(None, None, interval.n_undefined, "none: the units show no differences in agreement to resample")


def _alphas(ratings: np.ndarray, level: MeasurementLevel, weights: np.ndarray) -> np.ndarray:
    """Return alpha for each row of weights of the units, (draws,); NaN without variation."""
    present = np.isfinite(ratings)
    values, codes = np.unique(ratings[present], return_inverse=True)
    units = np.nonzero(present)[1]
    # How often each unit was given each value: sparse, since distances may take as many values as there are ratings.
    from scipy.sparse import csr_array  # scipy.sparse is slow to import, and every page imports this file

    unit_counts = csr_array((np.ones(len(codes)), (units, codes)), shape=(ratings.shape[1], len(values)))
    rated = present.sum(axis=0)
    fixed = None if level == "ordinal" else 2 * _pairwise_sum(ratings, level) / (rated - 1)
    alphas = np.empty(len(weights))
    for rows in row_blocks(len(weights), max(len(codes), len(values))):
        drawn = weights[rows].astype(np.float64)
        counts = np.ascontiguousarray((unit_counts.T @ drawn.T).T)
        ranks = np.cumsum(counts, axis=1) - counts / 2
        observed = drawn @ fixed if fixed is not None else _rank_disagreement(ranks[:, codes], units, rated, drawn)
        expected = _expected(counts, ranks if fixed is None else values, level)
        varied = (counts > 0).sum(axis=1) > 1
        with np.errstate(invalid="ignore", divide="ignore"):
            alphas[rows] = np.where(varied, 1 - (counts.sum(axis=1) - 1) * observed / expected, np.nan)
    return alphas


def _rank_disagreement(ranks: np.ndarray, units: np.ndarray, rated: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the observed disagreement by rank of each draw; ranks are (draws, ratings) and change with the draw."""
    from scipy.sparse import csr_array

    membership = csr_array((np.ones(len(units)), (units, np.arange(len(units)))), shape=(len(rated), len(units)))
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    sums, squares = (membership @ centred.T).T, (membership @ (centred**2).T).T
    return np.sum(weights * 2 * (rated * squares - sums**2) / (rated - 1), axis=1)


def _expected(counts: np.ndarray, positions: np.ndarray, level: MeasurementLevel) -> np.ndarray:
    """Return the sum over all pairs of values of count x count x difference, for each row of counts (draws, values)."""
    total = counts.sum(axis=1)
    if level == "nominal":
        return total**2 - np.sum(counts**2, axis=1)
    if level == "ratio":
        disagreement = np.zeros(len(counts))
        for rows in row_blocks(len(positions), len(positions)):
            differences = _difference(positions[rows], positions[:, None], level)
            disagreement += np.sum(counts[:, rows] * (counts @ differences), axis=1)
        return disagreement
    mean = np.sum(counts * positions, axis=1, keepdims=True) / total[:, None]
    return 2 * total * np.sum(counts * (positions - mean) ** 2, axis=1)


def _pairwise_sum(ratings: np.ndarray, level: MeasurementLevel) -> np.ndarray:
    """Return the sum over the pairs of raters of how much they differ on each unit, (units,); a missing rating adds none."""
    total = np.zeros(ratings.shape[1])
    for one, other in combinations(ratings, 2):
        both = np.isfinite(one) & np.isfinite(other)
        total[both] += _difference(one[both], other[both], level)
    return total


def _difference(a: np.ndarray, b: np.ndarray, level: MeasurementLevel) -> np.ndarray:
    if level == "nominal":
        return (a != b).astype(np.float64)
    if level == "interval":
        return (a - b) ** 2
    both = a + b
    return ((a - b) / np.where(both == 0, 1.0, both)) ** 2


def _ratings(ratings: ArrayLike) -> np.ndarray:
    try:
        table = np.asarray(ratings, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"ratings must be numbers of the shape (raters, units), NaN where missing: {error}") from error
    if table.ndim != 2:
        raise ValueError(f"ratings must have the shape (raters, units); found the shape {table.shape}")
    if np.isinf(table).any():
        raise ValueError("ratings hold infinity; a missing rating is NaN")
    return table


def _groups_of_paired(groups: Iterable[Hashable | None] | None, table: np.ndarray) -> list[int] | None:
    """Return the number of the cluster of each unit with two ratings; None where each unit is one of its own."""
    if groups is None:
        return None
    codes, n_clusters = cluster_codes(groups, table.shape[1])
    return None if n_clusters == table.shape[1] else codes[np.isfinite(table).sum(axis=0) >= 2].tolist()


def _paired(table: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the units with at least two ratings, and how many have fewer."""
    enough = np.isfinite(table).sum(axis=0) >= 2
    return table[:, enough], int((~enough).sum())
