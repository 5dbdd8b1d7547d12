"""Intervals of strengths, and ranks, by resampling the items that were rated; the raters are taken as fixed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike

from core.row_blocks import row_blocks
from core.stats.arrays import share
from core.stats.clusters import cluster_codes
from core.stats.preference.comparisons import Comparisons, Design, comparisons, design, turn
from core.stats.preference.fitting import fit_batch
from core.stats.preference.model import BradleyTerry, anchor_of, fit_comparisons
from core.stats.resampling import Interval, bootstrap_sums, bootstrap_weights


@dataclass(frozen=True)
class Rank:
    """Where a variant stands, 1 being the most preferred."""

    rank: int
    """By strength; equal strengths share the better rank."""
    best: int
    """One more than the number of variants that are surely better, all pairs looked at together."""
    worst: int


@dataclass(frozen=True, eq=False)
class PreferenceIntervals:
    """Strengths with intervals; those are empty or None where ``fit.reason`` says why, or where ``strengths`` have no bounds."""

    fit: BradleyTerry
    strengths: tuple[Interval, ...]
    """One a variant."""
    position: Interval | None
    ranks: tuple[Rank, ...]
    """One a variant. The ranks of all variants lie within best and worst together with the probability ``level``."""
    difference_low: np.ndarray | None
    """float64 (variants, variants), of strengths[row] - strengths[column]: simultaneous over all pairs."""
    difference_high: np.ndarray | None
    level: float


def preference_intervals(
    left: Iterable[str],
    right: Iterable[str],
    counts: ArrayLike,
    items: Iterable[Hashable | None],
    *,
    variants: Sequence[str] | None = None,
    position: bool = False,
    resamples: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> PreferenceIntervals:
    """Fit strengths as `bradley_terry` and give their intervals by a cluster bootstrap over items.

    Args:
        left: (rows,) the variant on the left.
        right: (rows,) the variant on the right.
        counts: (rows, 2), (rows, 3) or (rows, 4), as in `bradley_terry`.
        items: (rows,) the item that was rated; all its rows are drawn together. None is an item of its own.
        variants: all of them, in the order wanted.
        position: whether to estimate what standing on the left is worth.
        resamples: of the items.
        seed: of the resamples.
        level: of the intervals.

    Returns:
        Percentile intervals of strengths and position; simultaneous intervals of all differences, and ranks from them. No
        bounds where more resamples than one tail holds have no finite estimate: the interval would leave out its own end.

    Raises:
        ValueError: as `bradley_terry`; or items is not of length rows, or level is not between 0 and 1.

    Source: Davison & Hinkley (1997), s. 3.8 and 5.2; simultaneous differences by the largest studentised deviation, and ranks from them:
    Klein, Wright & Wieczorek (2020), Mogstad, Romano, Shaikh & Wilhelm (2024).
    """
    level = share(level, "level")
    rated = comparisons(left, right, counts, variants)
    pairs = design(rated, position)
    codes, n_items = cluster_codes(items, len(rated.counts))
    fit = fit_comparisons(rated, pairs)
    if fit.strengths is None:
        return PreferenceIntervals(fit, (), None, (), None, None, level)
    if n_items < 2:
        return _without_bounds(fit, level, 0, "none: one item alone shows no uncertainty")
    weights = bootstrap_weights(n_items, resamples, seed)
    start = np.concatenate(
        [fit.strengths, [] if fit.position is None else [fit.position], [log(fit.tie_parameter or 1.0)]]
    )
    drawn = _resampled(rated, pairs, codes, start, weights)
    return _with_bounds(fit, drawn, n_items, level)


def _with_bounds(fit: BradleyTerry, drawn: np.ndarray, n_items: int, level: float) -> PreferenceIntervals:
    """Return the intervals that the drawn parameters give, (resamples, parameters); none where they give no bounds."""
    assert fit.strengths is not None
    tail = (1 - level) / 2
    defined = drawn[np.isfinite(drawn[:, 0])]
    n_undefined = len(drawn) - len(defined)
    if n_undefined > tail * len(drawn):
        why = f"none: {n_undefined:,} of {len(drawn):,} resamples have no finite estimate; more ratings are needed"
        return _without_bounds(fit, level, n_undefined, why)
    if np.any(defined.std(axis=0) < 1e-6):
        return _without_bounds(fit, level, n_undefined, "none: the items show no differences to resample")
    method = f"cluster bootstrap ({len(drawn):,} resamples, {n_items:,} items)"
    # The (resamples + 1) tail-th of the ordered values, so that few resamples do not narrow the interval.
    bounds = np.quantile(defined, [tail, 1 - tail], axis=0, method="weibull")
    intervals = [Interval(float(low), float(high), n_undefined, method) for low, high in bounds.T]
    size = len(fit.variants)
    low, high = _simultaneous(fit.strengths, defined[:, :size], level)
    return PreferenceIntervals(
        fit, tuple(intervals[:size]), None if fit.position is None else intervals[size],
        _ranks(fit.strengths, low, high), low, high, level,
    )  # fmt: skip


def _resampled(
    rated: Comparisons, pairs: Design, codes: np.ndarray, start: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the parameters in each resample of items, (resamples, parameters); NaN where there is no finite estimate."""
    cells = len(pairs.matrix) * 3
    by_item = np.zeros((weights.shape[1], len(pairs.matrix), 3))
    np.add.at(by_item, (codes, pairs.row_of), turn(rated.counts, pairs.flipped))
    by_item = by_item.reshape(-1, cells)
    anchor = anchor_of(rated, pairs)
    parts = []
    for rows in row_blocks(len(weights), weights.shape[1] + cells):
        counts = bootstrap_sums(by_item, weights[rows]).reshape(-1, len(pairs.matrix), 3)
        found = fit_batch(pairs.matrix, counts, anchor, start, last_step=1e-5)
        parts.append(np.where(found.found[:, None], found.parameters, np.nan))
    return np.concatenate(parts)


def _simultaneous(strengths: np.ndarray, drawn: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of all differences, both (variants, variants)."""
    above, below = np.triu_indices(len(strengths), 1)
    gaps = strengths[above] - strengths[below]
    deviations = drawn[:, above] - drawn[:, below] - gaps
    errors = np.sqrt(np.mean(deviations**2, axis=0))
    reach = np.quantile(np.abs(deviations / errors).max(axis=1), level) * errors
    low, high = np.zeros((2, len(strengths), len(strengths)))
    low[above, below], high[above, below] = gaps - reach, gaps + reach
    low[below, above], high[below, above] = -gaps - reach, -gaps + reach
    return low, high


def _ranks(strengths: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[Rank, ...]:
    surely_worse, surely_better = (low > 0).sum(axis=1), (high < 0).sum(axis=1)
    return tuple(
        Rank(int(np.sum(strengths > strength + 1e-9)) + 1, int(better) + 1, len(strengths) - int(worse))
        for strength, better, worse in zip(strengths, surely_better, surely_worse, strict=True)
    )


def _without_bounds(fit: BradleyTerry, level: float, n_undefined: int, why: str) -> PreferenceIntervals:
    unknown = Interval(None, None, n_undefined, why)
    position = None if fit.position is None else unknown
    return PreferenceIntervals(fit, (unknown,) * len(fit.variants), position, (), None, None, level)
