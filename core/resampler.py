"""The resamples and exchanges of one set of examples, drawn once and shared by all metrics and variants.

The methods are those of `core.stats`; here the statistics of all metrics and variants stand side by side as columns, so that
weights and masks are multiplied once. That is what makes a whole comparison take a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np

from core.draw_jobs import BootstrapJob, Masked, SwapJob, weighted
from core.draws import Draws, Scheme
from core.exchanges import spread_p, swap_p
from core.stats.arrays import values_of
from core.stats.blocks import block_length
from core.stats.resampling import bootstrap_sums

__all__ = ["LARGE", "LEAST_DRAWS", "BootstrapJob", "Masked", "Resampler", "SwapJob", "mean_block", "weighted"]

LARGE = 5_000
"""Above so many examples intervals come from influence functions."""
ORDERED_WEIGHTS = 20_000_000
"""Weights that an ordered metric is given for one array at the most, as long as that leaves `LEAST_DRAWS`."""
LEAST_DRAWS = 1_000


class Resampler(Draws):
    """Resampled values and tests of many metrics and variants on one set of examples; the draws are shared."""

    def __init__(
        self, n: int, groups: Sequence[str | None] | None, *, seed: int, resamples: int, trials: int,
        enough: int | None = None,
    ) -> None:  # fmt: skip
        """Remember what to draw, see `core.draws.Draws`."""
        super().__init__(n, groups, seed=seed, resamples=resamples, trials=trials, enough=enough)
        self._within: dict[bytes, Resampler] = {}

    def within(self, mask: np.ndarray) -> Resampler:
        """Return a resampler of the examples in ``mask`` alone; the same one for the same mask."""
        key = np.packbits(mask).tobytes()
        if key not in self._within:
            groups = None if self.groups is None else [g for g, there in zip(self.groups, mask, strict=True) if there]
            self._within[key] = Resampler(
                int(mask.sum()),
                groups,
                seed=self.seed,
                resamples=self.resamples,
                trials=self.trials,
                enough=self.enough,
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
        # Many metrics are values of the same statistics (macro F1 and Matthews' correlation): those are summed once.
        distinct: dict[bytes, np.ndarray] = {}
        keys = {i: [_identity(masked, distinct) for masked in jobs[i].arrays] for i in chosen}
        columns = np.concatenate(list(distinct.values()), axis=1)
        widths = [array.shape[1] for array in distinct.values()]
        starts = dict(zip(distinct, np.cumsum([0, *widths[:-1]]).tolist(), strict=True))
        for weights in self.weight_blocks(scheme, self.draws(jobs[chosen[0]]), columns.shape[1]):
            sums = bootstrap_sums(columns, weights)
            for i in chosen:
                k = jobs[i].arrays[0].array.shape[1]
                part = np.stack([sums[:, starts[key] : starts[key] + k] for key in keys[i]], axis=1)
                yield values_of(jobs[i].metric.value, part), i

    def _resampled_orders(
        self, scheme: Scheme, jobs: Sequence[BootstrapJob], chosen: Sequence[int]
    ) -> Iterator[tuple[np.ndarray, int]]:
        if not chosen:
            return
        for weights in self.weight_blocks(scheme, self.draws(jobs[chosen[0]]), 4 * self.n):
            for i in chosen:
                arrays = [weighted(jobs[i].metric, m.array[m.mask], weights[:, m.mask]) for m in jobs[i].arrays]
                yield np.stack(arrays, axis=1), i

    def swap(self, jobs: Sequence[SwapJob]) -> list[np.ndarray]:
        """Return the p-value of each job's differences, (differences,): `core.stats.swap_test` of each pair.

        NaN where the difference of an ordered metric of many examples has no spread that a p could be told from.
        """
        p: list[np.ndarray] = [np.empty(0) for _ in jobs]
        plain: dict[Scheme, list[int]] = {}
        for i, job in enumerate(jobs):
            if job.metric.ordered and any(int(one.mask.sum()) > LARGE for one in job.references):
                p[i] = spread_p(self, job, min(self.trials, LEAST_DRAWS))
            else:
                plain.setdefault(self.scheme(job.resampling), []).append(i)
        for scheme, chosen in plain.items():
            for i, found in zip(chosen, swap_p(self, scheme, [jobs[i] for i in chosen]), strict=True):
                p[i] = found
        return p


def mean_block(resampler: Resampler) -> int:
    """Return the mean length of the blocks that a resampler draws of a time series."""
    return block_length(resampler.n)


def _identity(masked: Masked, known: dict[bytes, np.ndarray]) -> bytes:
    """Return what tells whether summed statistics are the same as others, and remember them."""
    summed = masked.summed
    key = str(summed.shape).encode() + blake2b(summed.tobytes(), digest_size=16).digest()
    known.setdefault(key, summed)
    return key
