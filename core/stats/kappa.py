"""Agreement beyond chance from counts: Cohen's kappa of two raters' table, Fleiss' kappa of any fixed number of raters.

Where ratings are missing, or the number of raters differs from unit to unit, use `core.stats.agreement`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from core.stats.agreement import NO_PAIRS, NO_VARIATION, Agreement, with_width
from core.stats.arrays import counts_array, share
from core.stats.resampling import bootstrap_interval, cluster_bootstrap_interval


@dataclass(frozen=True)
class CohenKappa:
    """Cohen's kappa of two raters."""

    value: float | None
    """None where it is not defined; ``reason`` then says why."""
    standard_error: float | None
    """Of large samples. None, as ``low`` and ``high``, where it is 0 (at perfect agreement, say): that is no certainty."""
    low: float | None
    high: float | None
    n: int
    """Units that both rated."""
    reason: str | None


def cohen_kappa(
    table: ArrayLike, weights: Literal["linear", "quadratic"] | None = None, *, level: float = 0.95
) -> CohenKappa:
    """Return how far two raters agree beyond chance.

    Args:
        table: (categories, categories) of counts: how many units the first rater put in the row's category and the second
            in the column's. With weights the categories stand in their order.
        weights: None counts every disagreement alike, ``linear`` by its distance, ``quadratic`` by the distance squared.
        level: of the interval.

    Returns:
        The value, its large-sample standard error and interval (cut at -1 and 1); the value is None with a reason where both
        raters used one and the same category throughout, or the table is empty.

    Raises:
        ValueError: the table is not square, holds something other than counts, or weights are unknown.

    Source: Cohen (1960, 1968); standard error: Fleiss, Cohen & Everitt (1969), the one not under the null. Equal to
    statsmodels' ``cohens_kappa``.
    """
    counts = counts_array(table, "table")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"table must be square, the same categories for both raters; found the shape {counts.shape}")
    if weights not in (None, "linear", "quadratic"):
        raise ValueError(f"weights must be None, 'linear' or 'quadratic'; found {weights!r}")
    reach = -float(ndtri((1 - share(level, "level")) / 2))
    n = int(counts.sum())
    if n == 0:
        return CohenKappa(None, None, None, None, 0, NO_PAIRS)
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    agreement = _agreement_weights(len(counts), weights)
    if counts.max() == n and np.trace(counts) == n:
        return CohenKappa(None, None, None, None, n, NO_VARIATION)
    observed, expected = float(np.sum(agreement * shares)), float(rows @ agreement @ columns)
    value = (observed - expected) / (1 - expected)
    of_margins = (agreement @ columns)[:, None] + (rows @ agreement)[None, :]
    second_moment = float(np.sum(shares * (agreement - of_margins * (1 - value)) ** 2))
    variance = (second_moment - (value - expected * (1 - value)) ** 2) / (n * (1 - expected) ** 2)
    # Rounding leaves some 1e-17 of a variance that is 0.
    if variance <= 1e-14 / n:
        return CohenKappa(value, None, None, None, n, None)
    error = sqrt(variance)
    return CohenKappa(value, error, max(-1.0, value - reach * error), min(1.0, value + reach * error), n, None)


def fleiss_kappa(
    counts: ArrayLike,
    *,
    interval: float | None = None,
    groups: Iterable[Hashable | None] | None = None,
    resamples: int = 2_000,
    seed: int = 0,
) -> Agreement:
    """Return how far any fixed number of raters agree beyond chance on categories.

    Args:
        counts: (units, categories): how many raters put the unit in the category; each row sums to the number of raters.
        interval: the level of a bootstrap interval over units, such as 0.95; None for no interval.
        groups: (units,) names of clusters, which are then resampled as wholes; None as a name is a cluster of its own.
        resamples: of the units, for the interval; those without variation are left out and counted.
        seed: of the resamples.

    Returns:
        The value; None with "undefined: no variation" where only one category was used.

    Raises:
        ValueError: counts have another shape or are none, rows sum to different numbers, or a unit has fewer than two raters.

    Source: Fleiss (1971). Equal to statsmodels' ``fleiss_kappa``.
    """
    table = counts_array(counts, "counts")
    if table.ndim != 2:
        raise ValueError(f"counts must have the shape (units, categories); found the shape {table.shape}")
    if not table.size:
        return Agreement(None, NO_PAIRS, 0, 0, 0)
    raters = table.sum(axis=1)
    if raters.min() != raters.max():
        raise ValueError(
            f"Fleiss' kappa needs the same number of raters for every unit; found {raters.min():.0f} to {raters.max():.0f}. "
            "Use Krippendorff's alpha, which allows missing ratings."
        )
    if raters[0] < 2:
        raise ValueError(f"agreement needs at least 2 raters a unit; found {raters[0]:.0f}")
    equal_pairs = np.sum(table * (table - 1), axis=1) / (raters * (raters - 1))
    statistics = np.column_stack([equal_pairs, np.ones(len(table)), table])
    size = (len(table), 0, int(table.sum()))
    value = float(_fleiss(statistics.sum(axis=0)))
    if np.isnan(value):
        return Agreement(None, NO_VARIATION, *size)
    if interval is None:
        return Agreement(value, None, *size)
    options = {"resamples": resamples, "seed": seed, "level": interval}
    if groups is None:
        bounds = bootstrap_interval(statistics, _fleiss, **options)
    else:
        bounds = cluster_bootstrap_interval(statistics, _fleiss, groups, **options)
    return Agreement(value, None, *size, with_width(bounds))


def _agreement_weights(categories: int, weights: Literal["linear", "quadratic"] | None) -> np.ndarray:
    """Return how much each cell counts as agreement, 0 to 1, (categories, categories)."""
    if weights is None:
        return np.eye(categories)
    positions = np.arange(categories)
    distance = np.abs(positions[:, None] - positions) / max(1, categories - 1)
    return 1 - (distance if weights == "linear" else distance**2)


def _fleiss(sums: np.ndarray) -> np.ndarray:
    """Return kappa from sums of (share of equal pairs, 1, counts of each category), (..., 2 + categories)."""
    used = sums[..., 2:]
    shares = used / used.sum(axis=-1, keepdims=True)
    by_chance = np.sum(shares**2, axis=-1)
    one_alone = (used > 0).sum(axis=-1) < 2
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (sums[..., 0] / sums[..., 1] - by_chance) / (1 - by_chance)
    return np.where(one_alone, np.nan, value)
