"""The swap tests of many metrics and variants on one set of examples, `core.stats.swap_test` of each pair.

Recomputing a corpus value or an area for ten thousand exchanges costs far more than drawing them, and almost all of it is spent on
exchanges that no one doubts. With the sign s_i = 1 for an example that stays and -1 for one that is exchanged, the
difference after an exchange is an odd function of the signs: its terms of second order cancel, and it is the sum of s_i t_i but for
terms of third order (t_i: the example's influence midway between the two variants). For means and for ROC-AUC that sum is exact.

So all exchanges are judged by one product of the signs with the terms. How far such a sum lies off is measured on the first
`CALIBRATED` exchanges, growing with the third power for larger ones (and on the observed difference itself where so few examples
differ that exchanges repeat it); every exchange that comes nearer to what was observed than `SLACK` times that is recomputed in
full. What is counted are the same exchanges as in the plain test, so that p keeps its level, but for a few in ten
thousand whose sum lies off farther than any that was measured. A metric whose terms are unknown is recomputed throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from core.draw_jobs import Masked, SwapJob, weighted
from core.draws import Draws, Scheme
from core.metrics.metric import Metric
from core.stats.arrays import values_of, weighted_sums
from core.stats.influence import normal_p, value_gradient
from core.stats.sequential import SequentialCounts

CALIBRATED = 128
SLACK = 2.0
"""How many times farther off than what was measured a sum is taken to lie."""
FEW_DIFFER = 24
"""Units up to which an exchange may leave the observed difference as it is, or turn just its sign."""
TIE = 1e-9
"""Relative; as in `core.stats.paired`."""


class _Pairs(Protocol):
    """The pairs of one job."""

    observed: np.ndarray
    """(2, pairs): the values of the references and of the others."""
    terms: np.ndarray
    """(units, pairs); NaN where they are not known."""
    differing: np.ndarray
    """int (pairs,): units in which the two differ at all."""

    def after(self, masks: np.ndarray, pair: slice) -> np.ndarray:
        """Return the differences after each exchange, (rows of masks, pairs)."""
        ...


def swap_p(draws: Draws, scheme: Scheme, jobs: Sequence[SwapJob]) -> list[np.ndarray]:
    """Return the p-values of each job's differences, (differences,).

    Args:
        draws: of the examples; says how many exchanges are made.
        scheme: what is exchanged as a whole, the same for all jobs.
        jobs: any metrics.
    """
    if not jobs:
        return []
    codes = draws.unit_codes(scheme)
    pairs: list[_Pairs] = [(_Orders if job.metric.ordered else _Sums)(job, codes) for job in jobs]
    places = [(one, slice(i, i + 1)) for one in pairs for i in range(one.terms.shape[1])]
    terms = np.concatenate([one.terms for one in pairs], axis=1)
    value_a, value_b = np.concatenate([one.observed for one in pairs], axis=1)
    # What has no value cannot be told from anything.
    has_values = np.isfinite(value_a) & np.isfinite(value_b)
    counts, judge = SequentialCounts(len(places), draws.trials, draws.enough), None
    for masks in draws.mask_blocks(scheme, draws.trials, terms.shape[1]):
        if judge is None:
            judge = _Judge(terms, value_a, value_b, masks[:CALIBRATED], pairs)
        chosen = counts.open[has_values[counts.open]]
        if not len(chosen):
            break
        sizes = np.abs(terms.T[chosen].astype(np.float32) @ _signs(masks, np.float32).T)
        for pair, size in zip(chosen.tolist(), sizes, strict=True):
            one, place = places[pair]
            counts.add(pair, _extreme(one, place, masks, judge.told(pair, size), float(judge.least[pair])))
    p = np.where(has_values, counts.p(), 1.0)
    return np.split(p, np.cumsum([one.terms.shape[1] for one in pairs])[:-1])


def _signs(masks: np.ndarray, kind: type[np.floating]) -> np.ndarray:
    """Return 1 for each unit that stays and -1 for each that is exchanged."""
    signs = masks.astype(kind)
    signs *= -2
    signs += 1
    return signs


class _Judge:
    """Tells of the sum of each exchange whether its difference is at least as large as what was observed."""

    def __init__(
        self, terms: np.ndarray, value_a: np.ndarray, value_b: np.ndarray, masks: np.ndarray, pairs: Sequence[_Pairs]
    ) -> None:
        """Take the terms (units, pairs) and the observed values, and measure how far the sums of ``masks`` lie off."""
        exact = np.concatenate([one.after(masks, slice(None)) for one in pairs], axis=1)
        sums = _signs(masks, np.float64) @ terms
        few = np.concatenate([one.differing for one in pairs]) <= FEW_DIFFER
        self._scale = np.abs(sums).max(axis=0)
        with np.errstate(invalid="ignore"):
            off = np.abs(exact - sums).max(axis=0)
            self._off = np.where(few, np.maximum(off, np.abs(value_b - value_a - terms.sum(axis=0))), off)
            self.observed = np.abs(value_b - value_a)
            self.least = self.observed - TIE * np.maximum(np.abs(value_a), np.abs(value_b))
            # Signs and terms are multiplied in single precision.
            self._rounding = 2 * (self.observed - self.least) + 1e-6 * np.abs(terms).sum(axis=0)

    def told(self, pair: int, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which exchanges are as extreme for certain and which are not, both bool; neither where that is not known."""
        observed, scale = float(self.observed[pair]), float(self._scale[pair])
        beyond = max(1.0, min(observed, float(size.max())) / scale) if scale else 1.0
        edge = SLACK * self._off[pair] * beyond**3 + self._rounding[pair]
        return size > observed + edge, size < observed - edge


def _extreme(
    pairs: _Pairs, place: slice, masks: np.ndarray, told: tuple[np.ndarray, np.ndarray], least: float
) -> np.ndarray:
    """Return whether each exchange differs at least as much as what was observed, bool (rows of masks,)."""
    extreme, below = told
    rows = np.flatnonzero(~(extreme | below))
    if len(rows):
        exact = pairs.after(masks if len(rows) == len(masks) else masks[rows], place)[:, 0]
        # A trial without a value counts as extreme, so that p errs on the careful side.
        extreme[rows] = ~(np.abs(exact) < least)
    return extreme


class _Sums:
    """Values of sums."""

    def __init__(self, job: SwapJob, codes: np.ndarray) -> None:
        self._value = job.metric.value
        references, others = (np.stack([one.summed for one in some], axis=1) for some in (job.references, job.others))
        self._totals = np.stack([references.sum(axis=0), others.sum(axis=0)])
        self._gaps = _by_unit(others - references, codes)
        self.observed = values_of(self._value, self._totals)
        sizes = (np.abs(references).sum(axis=0) + np.abs(others).sum(axis=0)) / 2
        with np.errstate(all="ignore"):
            self.terms = np.einsum(
                "upk,pk->up", self._gaps, value_gradient(self._totals.mean(axis=0), sizes, self._value)
            )
        # Lengths of references, counts of examples and the like are the same for both: nothing moves there.
        self._differs: np.ndarray = np.count_nonzero(self._gaps, axis=0) > 0
        self.differing = np.count_nonzero(self._gaps.any(axis=2), axis=0)

    def after(self, masks: np.ndarray, pair: slice) -> np.ndarray:
        """See `_Pairs.after`."""
        gaps, differs, (a, b) = self._gaps[:, pair], self._differs[pair], self._totals[:, pair]
        moved = np.zeros((len(masks), *differs.shape))
        moved[:, differs] = weighted_sums(masks, gaps[:, differs], len(gaps))
        with np.errstate(invalid="ignore"):
            return values_of(self._value, b - moved) - values_of(self._value, a + moved)


class _Orders:
    """Values that need the order of the examples: exchanged by weights.

    Both variants' rows stand below each other, and a side is made of the rows that it got.
    """

    def __init__(self, job: SwapJob, codes: np.ndarray) -> None:
        self._metric = job.metric
        chosen = [one.mask for one in job.references]
        self._codes = [codes[mask] for mask in chosen]
        self._stacked = [stacked_rows(a, b) for a, b in zip(job.references, job.others, strict=True)]
        self.observed = np.stack([side_values(job.metric, rows) for rows in self._stacked], axis=1)
        units = int(codes.max(initial=-1)) + 1
        self.terms = np.stack([self._terms(i, units) for i in range(len(chosen))], axis=1)
        self.differing = np.array([self._count(i) for i in range(len(chosen))])

    def _count(self, index: int) -> int:
        upper, lower = np.split(self._stacked[index], 2)
        differs: np.ndarray = np.count_nonzero(upper != lower, axis=1) > 0
        return len(np.unique(self._codes[index][differs]))

    def _terms(self, index: int, units: int) -> np.ndarray:
        rows = self._stacked[index]
        with np.errstate(all="ignore"):
            influence = self._metric.influence(rows, np.ones(len(rows)))
        if influence is None:
            return np.full(units, np.nan)
        # Half of each row is on either side before the exchange: at half the weight the influence is twice as large.
        with np.errstate(invalid="ignore"):
            mine = 2 * (influence[len(rows) // 2 :] - influence[: len(rows) // 2])
        return np.bincount(self._codes[index], weights=mine, minlength=units)

    def after(self, masks: np.ndarray, pair: slice) -> np.ndarray:
        """See `_Pairs.after`."""
        pairs = range(len(self._stacked))[pair]
        return np.stack(
            [swapped_orders(self._metric, self._stacked[i], masks[:, self._codes[i]]) for i in pairs], axis=1
        )


def stacked_rows(reference: Masked, other: Masked) -> np.ndarray:
    """Return the statistics of the reference's examples and below them the other's, (2 x examples in the mask, k)."""
    return np.concatenate([reference.array[reference.mask], other.array[reference.mask]])


def side_values(metric: Metric, stacked: np.ndarray) -> np.ndarray:
    """Return an ordered metric's value of the upper and of the lower half of the rows, (2,)."""
    upper = (np.arange(len(stacked)) < len(stacked) // 2).astype(np.float64)
    return weighted(metric, stacked, np.stack([upper, 1 - upper]))


def swapped_orders(metric: Metric, stacked: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return the difference after each exchange, (rows of masks,); ``masks`` is bool (rows, examples)."""
    moved = masks.astype(np.float32)
    first = weighted(metric, stacked, np.concatenate([1 - moved, moved], axis=1))
    second = weighted(metric, stacked, np.concatenate([moved, 1 - moved], axis=1))
    with np.errstate(invalid="ignore"):
        return second - first


def spread_p(draws: Draws, job: SwapJob, trials: int) -> np.ndarray:
    """Return the p-values of an ordered metric's differences by the normal, with the spread of a few exchanges.

    The spread of a thousand exchanges tells more than how many of them reach the difference.

    Returns:
        (differences,); NaN where a difference has no spread that a p could be told from.
    """
    codes, found = draws.codes_of(job.resampling), []
    for reference, other in zip(job.references, job.others, strict=True):
        stacked = stacked_rows(reference, other)
        value_a, value_b = side_values(job.metric, stacked)
        blocks = draws.mask_blocks(draws.scheme(job.resampling), trials, 4 * draws.n)
        drawn = np.concatenate([swapped_orders(job.metric, stacked, m[:, codes[reference.mask]]) for m in blocks])
        p = normal_p(float(value_b - value_a), float(np.sqrt(np.mean(drawn[np.isfinite(drawn)] ** 2))))
        found.append(np.nan if p is None else p)
    return np.array(found)


def _by_unit(gaps: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the sums over each unit that is exchanged as a whole, (units, pairs, k)."""
    if np.array_equal(codes, np.arange(len(codes))):
        return gaps
    flat = gaps.reshape(len(gaps), -1)
    sums = np.column_stack([np.bincount(codes, weights=column) for column in flat.T])
    return sums.reshape(len(sums), *gaps.shape[1:])
