"""Whether an automatic metric orders pairs of answers as the raters do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.stats.arrays import ValueFunction, share
from core.stats.clusters import cluster_codes
from core.stats.rates import wilson_interval
from core.stats.resampling import Interval, bootstrap_interval, cluster_bootstrap_interval


@dataclass(frozen=True)
class PairOrdering:
    """How far a metric's order of pairs is that of the raters."""

    accuracy: float | None
    """Share of the pairs that both order (``n_ordered``) in which they order alike; None without any."""
    accuracy_interval: Interval | None
    """Wilson's; by cluster where pairs share an item."""
    tau: float | None
    """Kendall's tau-b over the rated pairs, -1 to 1; ties of either count. None where one of them only ties."""
    tau_interval: Interval | None
    reason: str | None
    """Why ``tau`` is not defined."""
    n: int
    """Pairs with a verdict and a value of the metric."""
    n_decisive: int
    """Of those, pairs that the raters decided."""
    n_ordered: int
    """Of those, pairs that the metric decides as well."""
    n_missing: int
    """Pairs left out because the metric has no value, or the raters gave no verdict."""


def pair_ordering(
    metric_differences: ArrayLike,
    verdicts: ArrayLike,
    *,
    items: Iterable[Hashable | None] | None = None,
    resamples: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> PairOrdering:
    """Compare the order that a metric gives to pairs of answers with the raters' order.

    Tau is the sum of products of both signs (-1, 0, 1) over the root of the product of their sums of squares, over the pairs that were
    rated. Where all pairs among some answers were rated it is Kendall's tau-b of the answers.

    Args:
        metric_differences: (n,) the metric of the left answer less that of the right one, higher being better; NaN (or None) where it
            has no value.
        verdicts: (n,) above 0 where the raters prefer left, below 0 where they prefer right, 0 for a tie; NaN for none.
        items: (n,) the item of each pair: intervals are then by cluster. None as a name is an item of its own.
        resamples: for the bootstrap intervals.
        seed: of the resamples.
        level: of the intervals.

    Raises:
        ValueError: lengths differ, something is infinite, or level is not between 0 and 1.

    Source: Kendall (1945), the general coefficient of s. 1.9 of his Rank Correlation Methods; on rated pairs alone: Macháček & Bojar
    (2014), with ties as in tau-b.
    """
    metric, human = _signs(metric_differences, "metric_differences"), _signs(verdicts, "verdicts")
    if metric.shape != human.shape:
        raise ValueError(
            f"metric_differences and verdicts must be of the same pairs; found {len(metric)} and {len(human)}"
        )
    codes = None if items is None else cluster_codes(items, len(metric))[0]
    known = np.isfinite(metric) & np.isfinite(human)
    metric, human = metric[known], human[known]
    groups = None if codes is None else codes[known]
    decisive, ordered = human != 0, (metric != 0) & (human != 0)
    statistics = np.column_stack([metric * human, metric**2, human**2])
    drawing = _Drawing(groups, resamples, seed, share(level, "level"))
    accuracy, accuracy_interval = _accuracy(statistics, ordered, drawing)
    reason = _why_no_tau(metric, human)
    return PairOrdering(
        accuracy=accuracy,
        accuracy_interval=accuracy_interval,
        tau=float(_tau(statistics.sum(axis=0))) if reason is None else None,
        tau_interval=drawing.interval(statistics, _tau) if reason is None else None,
        reason=reason,
        n=len(metric),
        n_decisive=int(decisive.sum()),
        n_ordered=int(ordered.sum()),
        n_missing=int((~known).sum()),
    )


@dataclass(frozen=True)
class _Drawing:
    """How resamples are drawn."""

    groups: np.ndarray | None
    resamples: int
    seed: int
    level: float

    def interval(self, statistics: np.ndarray, value: ValueFunction) -> Interval:
        settings = {"resamples": self.resamples, "seed": self.seed, "level": self.level}
        if self.groups is None:
            return bootstrap_interval(statistics, value, **settings)
        return cluster_bootstrap_interval(statistics, value, self.groups, **settings)


def _accuracy(statistics: np.ndarray, ordered: np.ndarray, drawing: _Drawing) -> tuple[float | None, Interval | None]:
    n = int(ordered.sum())
    if n == 0:
        return None, None
    alike = statistics[:, 0] > 0
    right = int(alike[ordered].sum())
    shares_items = drawing.groups is not None and len(np.unique(drawing.groups[ordered])) < n
    # All right or all wrong, resamples would have no spread.
    if shares_items and 0 < right < n:
        return right / n, drawing.interval(np.column_stack([alike, ordered]), _share)
    units = len(np.unique(drawing.groups[ordered])) if drawing.groups is not None else n
    low, high = wilson_interval(units if right == n else 0 if right == 0 else right, units, drawing.level)
    return right / n, Interval(low, high, 0, "Wilson" if units == n else "Wilson, over items")


def _why_no_tau(metric: np.ndarray, human: np.ndarray) -> str | None:
    if not len(metric):
        return "undefined: no pair has both a verdict and a value of the metric"
    if not human.any():
        return "undefined: the raters tied all pairs"
    return None if metric.any() else "undefined: the metric ties all pairs"


def _share(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def _tau(sums: np.ndarray) -> np.ndarray:
    """Return tau from sums of (product of signs, squared sign of the metric, squared sign of the raters)."""
    return sums[..., 0] / np.sqrt(sums[..., 1] * sums[..., 2])


def _signs(numbers: ArrayLike, name: str) -> np.ndarray:
    """Return -1, 0 or 1 of each number, NaN where it is missing."""
    array = np.asarray(numbers, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, one number a pair; found the shape {array.shape}")
    if np.isinf(array).any():
        raise ValueError(f"{name} hold infinity; leave such pairs out, or give NaN")
    return np.sign(array)
