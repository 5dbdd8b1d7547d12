"""The resamples and exchanges of one set of examples, drawn once and shared by all metrics and variants.

The methods are those of `core.stats`; here the statistics of all metrics and variants stand side by side as columns, so that
weights and masks are multiplied once. That is what makes a whole comparison take a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.draws import Draws, Scheme
from core.metrics.metric import Metric, Resampling
from core.stats.arrays import values_of, weighted_sums
from core.stats.blocks import block_length
from core.stats.influence import normal_p
from core.stats.resampling import bootstrap_sums

LARGE = 5_000
"""Above so many examples intervals come from influence functions."""
ORDERED_WEIGHTS = 20_000_000
"""Weights that an ordered metric is given for one array at the most, as long as that leaves `LEAST_DRAWS`."""
LEAST_DRAWS = 1_000
_TIE = 1e-9
"""Relative; as in `core.stats.paired`."""


@dataclass(frozen=True)
class Masked:
    """The statistics of one variant, and the examples that take part."""

    array: np.ndarray
    """(n, k)."""
    mask: np.ndarray
    """bool (n,)."""

    @property
    def summed(self) -> np.ndarray:
        """The statistics with the rows of all other examples zero, so that they add nothing, float64 (n, k)."""
        return self.array * self.mask[:, None]


@dataclass(frozen=True)
class BootstrapJob:
    """Values to be resampled: the metric's value of each of the arrays."""

    metric: Metric
    arrays: Sequence[Masked]
    resampling: Resampling = "examples"


@dataclass(frozen=True)
class SwapJob:
    """Differences to be tested: the metric's value of ``others[i]`` minus that of ``references[i]``."""

    metric: Metric
    references: Sequence[Masked]
    others: Sequence[Masked]
    """Each with the same mask as its reference."""
    resampling: Resampling = "examples"


class Resampler(Draws):
    """Resampled values and tests of many metrics and variants on one set of examples; the draws are shared."""

    def __init__(self, n: int, groups: Sequence[str | None] | None, *, seed: int, resamples: int, trials: int) -> None:
        """Remember what to draw, see `core.draws.Draws`."""
        super().__init__(n, groups, seed=seed, resamples=resamples, trials=trials)
        self._within: dict[bytes, Resampler] = {}

    def within(self, mask: np.ndarray) -> Resampler:
        """Return a resampler of the examples in ``mask`` alone; the same one for the same mask."""
        key = np.packbits(mask).tobytes()
        if key not in self._within:
            groups = None if self.groups is None else [g for g, there in zip(self.groups, mask, strict=True) if there]
            self._within[key] = Resampler(
                int(mask.sum()), groups, seed=self.seed, resamples=self.resamples, trials=self.trials
            )
        return self._within[key]

    def draws(self, job: BootstrapJob) -> int:
        """Return how many resamples a job gets: fewer for ordered metrics of thousands of examples, and long time series."""
        if job.metric.ordered:
            return max(min(LEAST_DRAWS, self.resamples), min(self.resamples, ORDERED_WEIGHTS // max(1, self.n)))
        few = self.n > LARGE and self.scheme(job.resampling) == "blocks"
        return min(LEAST_DRAWS, self.resamples) if few else self.resamples

    def bootstrap(self, jobs: Sequence[BootstrapJob]) -> list[np.ndarray]:
        """Return the resampled values of each job, (draws, arrays)."""
        found: list[list[np.ndarray]] = [[] for _ in jobs]
        schemes: list[Scheme] = [self.scheme(job.resampling) for job in jobs]
        for scheme in dict.fromkeys(schemes):
            chosen = [index for index, job in enumerate(jobs) if self.scheme(job.resampling) == scheme]
            sums = [i for i in chosen if not jobs[i].metric.ordered]
            for values, i in self._resampled_sums(scheme, jobs, sums):
                found[i].append(values)
            for values, i in self._resampled_orders(scheme, jobs, [i for i in chosen if i not in sums]):
                found[i].append(values)
        return [np.concatenate(values) for values in found]

    def _resampled_sums(
        self, scheme: Scheme, jobs: Sequence[BootstrapJob], chosen: Sequence[int]
    ) -> Iterator[tuple[np.ndarray, int]]:
        if not chosen:
            return
        columns = np.concatenate([masked.summed for i in chosen for masked in jobs[i].arrays], axis=1)
        for weights in self.weight_blocks(scheme, self.draws(jobs[chosen[0]]), columns.shape[1]):
            sums, start = bootstrap_sums(columns, weights), 0
            for i in chosen:
                part, start = _cut(sums, start, jobs[i].arrays)
                yield values_of(jobs[i].metric.value, part), i

    def _resampled_orders(
        self, scheme: Scheme, jobs: Sequence[BootstrapJob], chosen: Sequence[int]
    ) -> Iterator[tuple[np.ndarray, int]]:
        if not chosen:
            return
        for weights in self.weight_blocks(scheme, self.draws(jobs[chosen[0]]), 4 * self.n):
            weights = weights.astype(np.float64)
            for i in chosen:
                arrays = [weighted(jobs[i].metric, m.array[m.mask], weights[:, m.mask]) for m in jobs[i].arrays]
                yield np.stack(arrays, axis=1), i

    def swap(self, jobs: Sequence[SwapJob]) -> list[np.ndarray]:
        """Return the p-value of each job's differences, (differences,): `core.stats.swap_test` of each pair.

        NaN where the difference of an ordered metric of many examples has no spread that a p could be told from.
        """
        p: list[np.ndarray] = [np.empty(0) for _ in jobs]
        schemes: list[Scheme] = [self.scheme(job.resampling) for job in jobs]
        for scheme in dict.fromkeys(schemes):
            chosen = [
                i for i, job in enumerate(jobs) if self.scheme(job.resampling) == scheme and not job.metric.ordered
            ]
            for i, found in zip(chosen, self._swap_sums(scheme, [jobs[i] for i in chosen]), strict=True):
                p[i] = found
        for i, job in enumerate(jobs):
            if job.metric.ordered:
                pairs = zip(job.references, job.others, strict=True)
                p[i] = np.array([self._swap_ordered(job, a, b) for a, b in pairs])
        return p

    def _swap_sums(self, scheme: Scheme, jobs: Sequence[SwapJob]) -> list[np.ndarray]:
        if not jobs:
            return []
        pairs = [
            [(a.summed, b.summed) for a, b in zip(job.references, job.others, strict=True)] for job in jobs
        ]  # fmt: skip
        gaps = self._by_unit(
            scheme, np.concatenate([other - reference for some in pairs for reference, other in some], axis=1)
        )
        # Lengths of references, counts of examples and the like are the same for both: nothing moves there.
        differs = gaps.any(axis=0)
        totals = [
            (np.stack([a.sum(axis=0) for a, _ in some]), np.stack([b.sum(axis=0) for _, b in some])) for some in pairs
        ]
        observed = [
            (values_of(job.metric.value, a), values_of(job.metric.value, b))
            for job, (a, b) in zip(jobs, totals, strict=True)
        ]
        extreme = [np.zeros(len(some)) for some in pairs]
        for masks in self.mask_blocks(scheme, self.trials, 2 * gaps.shape[1]):
            moved = np.zeros((len(masks), gaps.shape[1]))
            moved[:, differs] = weighted_sums(masks, gaps[:, differs], len(gaps))
            start = 0
            for job, (a, b), (value_a, value_b), counts in zip(jobs, totals, observed, extreme, strict=True):
                part, start = _cut(moved, start, job.references)
                with np.errstate(invalid="ignore"):
                    trials = values_of(job.metric.value, b - part) - values_of(job.metric.value, a + part)
                counts += _extreme(trials, value_a, value_b).sum(axis=0)
        return [(1 + counts) / (1 + self.trials) for counts in extreme]

    def _swap_ordered(self, job: SwapJob, reference: Masked, other: Masked) -> float:
        """Exchange by weights: both variants' rows stand below each other, and a side is made of the rows that it got."""
        metric, mask = job.metric, reference.mask
        stacked = np.concatenate([reference.array[mask], other.array[mask]])
        ones, zeros = np.ones((1, int(mask.sum()))), np.zeros((1, int(mask.sum())))
        value_a, value_b = weighted(metric, stacked, np.block([[ones, zeros], [zeros, ones]]))
        many = int(mask.sum()) > LARGE
        trials = min(self.trials, LEAST_DRAWS) if many else self.trials
        codes = self.codes_of(job.resampling)[mask]
        drawn = np.empty(0)
        for masks in self.mask_blocks(self.scheme(job.resampling), trials, 4 * self.n):
            moved = masks[:, codes].astype(np.float64)
            first = weighted(metric, stacked, np.concatenate([1 - moved, moved], axis=1))
            second = weighted(metric, stacked, np.concatenate([moved, 1 - moved], axis=1))
            with np.errstate(invalid="ignore"):
                drawn = np.concatenate([drawn, second - first])
        if many:
            # The spread of a thousand exchanges tells more than how many of them reach the difference.
            p = normal_p(float(value_b - value_a), float(np.sqrt(np.mean(drawn[np.isfinite(drawn)] ** 2))))
            return np.nan if p is None else p
        return float((1 + _extreme(drawn, value_a, value_b).sum()) / (1 + trials))

    def _by_unit(self, scheme: Scheme, gaps: np.ndarray) -> np.ndarray:
        """Return the sums over each unit that is exchanged as a whole, (units, columns)."""
        if scheme == "examples":
            return gaps
        codes = self.unit_codes(scheme)
        return np.column_stack([np.bincount(codes, weights=column) for column in gaps.T])


def weighted(metric: Metric, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return an ordered metric's value under each row of weights, (draws,), without warnings about undefined ones."""
    with np.errstate(all="ignore"):
        return np.asarray(metric.weighted_values(array, weights), dtype=np.float64)


def mean_block(resampler: Resampler) -> int:
    """Return the mean length of the blocks that a resampler draws of a time series."""
    return block_length(resampler.n)


def _extreme(trials: np.ndarray, value_a: np.ndarray, value_b: np.ndarray) -> np.ndarray:
    """Return which trials differ at least as much as what was observed, bool (trials, ...)."""
    with np.errstate(invalid="ignore"):
        tolerance = _TIE * np.maximum(np.abs(value_a), np.abs(value_b))
        # A trial without a value counts as extreme, so that p errs on the careful side.
        return ~(np.abs(trials) < np.abs(value_b - value_a) - tolerance)


def _cut(sums: np.ndarray, start: int, arrays: Sequence[Masked]) -> tuple[np.ndarray, int]:
    """Return the columns of one job as (rows, arrays, k), and where the next job's start."""
    k = arrays[0].array.shape[1]
    stop = start + k * len(arrays)
    return sums[:, start:stop].reshape(len(sums), len(arrays), k), stop
