"""One metric over all variants on the same examples, and the resampling of many such panels at once.

The methods are those of `core.stats`; here the statistics of all metrics and variants stand side by side as columns, so that
the weights and masks of a dataset are drawn once and multiplied once. That is what makes a whole comparison take a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.metrics.metric import Metric, Statistics
from core.stats.arrays import ValueFunction, row_blocks, values_of
from core.stats.clusters import cluster_codes
from core.stats.paired import swap_masks
from core.stats.resampling import bootstrap_sums, bootstrap_weights

KEPT_BYTES = 1 << 27
"""Weights or masks up to this size are drawn whole and kept; larger ones are drawn block by block."""
_TIE = 1e-9
"""Relative; as in `core.stats.paired`."""


@dataclass(frozen=True)
class Panel:
    """The statistics of one metric for every variant, over the same n examples in the same order."""

    metric: Metric
    statistics: Mapping[str, Statistics]
    """Columns aligned (see `aligned`)."""
    inside: np.ndarray
    """bool (n,): the examples that this panel is about (all, or those of one language)."""

    def present(self, variant: str) -> np.ndarray:
        """Return which of its examples have a value, bool (n,)."""
        return self.inside & ~self.statistics[variant].missing

    def masked(self, variant: str, mask: np.ndarray) -> np.ndarray:
        """Return a variant's statistics with the rows outside ``mask`` zero, so that they add nothing, float64 (n, k)."""
        return self.statistics[variant].array * mask[:, None]


@dataclass(frozen=True)
class BootstrapJob:
    """Values to be resampled: ``value`` of each array's sums."""

    value: ValueFunction
    arrays: Sequence[np.ndarray]
    """Each (n, k)."""


@dataclass(frozen=True)
class SwapJob:
    """Differences to be tested: ``value`` of ``others[i]`` minus that of ``references[i]``."""

    value: ValueFunction
    references: Sequence[np.ndarray]
    others: Sequence[np.ndarray]
    """Each (n, k), zero in the same rows as its reference."""


class Resampler:
    """The resamples and exchanges of one ordered set of examples, shared by everything that is computed on it."""

    def __init__(self, n: int, groups: Sequence[str | None] | None, *, seed: int, resamples: int, trials: int) -> None:
        """Remember what to draw; nothing is drawn before it is needed.

        Args:
            n: examples.
            groups: (n,) names of clusters, resampled and exchanged as wholes; None where examples are independent.
            seed: of both draws.
            resamples: of the bootstrap.
            trials: of the swap test.
        """
        self.n, self.groups, self.seed, self.resamples, self.trials = n, groups, seed, resamples, trials
        self.codes = np.arange(n) if groups is None else cluster_codes(groups, n)[0]

    def units(self, mask: np.ndarray) -> int:
        """Return how many clusters (examples, where they are independent) the examples in ``mask`` belong to."""
        return len(np.unique(self.codes[mask]))

    def bootstrap(self, jobs: Sequence[BootstrapJob]) -> list[np.ndarray]:
        """Return the resampled values of each job, (resamples, arrays)."""
        if not jobs:
            return []
        columns = np.concatenate([array for job in jobs for array in job.arrays], axis=1)
        found: list[list[np.ndarray]] = [[] for _ in jobs]
        for weights in self._weight_blocks(columns.shape[1]):
            sums = bootstrap_sums(columns, weights)
            start = 0
            for job, values in zip(jobs, found, strict=True):
                part, start = _cut(sums, start, job.arrays)
                values.append(values_of(job.value, part))
        return [np.concatenate(values) for values in found]

    def swap(self, jobs: Sequence[SwapJob]) -> list[np.ndarray]:
        """Return the p-value of each job's differences, (differences,): `core.stats.swap_test` of each pair."""
        if not jobs:
            return []
        pairs = [list(zip(job.references, job.others, strict=True)) for job in jobs]
        gaps = np.concatenate([other - reference for some in pairs for reference, other in some], axis=1)
        # Lengths of references, counts of examples and the like are the same for both: nothing moves there.
        differs = gaps.any(axis=0)
        totals = [
            (np.stack([a.sum(axis=0) for a, _ in some]), np.stack([b.sum(axis=0) for _, b in some])) for some in pairs
        ]
        observed = [
            (values_of(job.value, a), values_of(job.value, b)) for job, (a, b) in zip(jobs, totals, strict=True)
        ]
        extreme = [np.zeros(len(some)) for some in pairs]
        for masks in self._mask_blocks(2 * gaps.shape[1]):
            moved = np.zeros((len(masks), gaps.shape[1]))
            moved[:, differs] = masks.astype(np.float64) @ gaps[:, differs]
            start = 0
            for job, (a, b), (value_a, value_b), counts in zip(jobs, totals, observed, extreme, strict=True):
                part, start = _cut(moved, start, job.references)
                with np.errstate(invalid="ignore"):
                    differences = np.abs(values_of(job.value, b - part) - values_of(job.value, a + part))
                    tolerance = _TIE * np.maximum(np.abs(value_a), np.abs(value_b))
                    # A trial without a value counts as extreme, so that p errs on the careful side.
                    counts += (~(differences < np.abs(value_b - value_a) - tolerance)).sum(axis=0)
        return [(1 + counts) / (1 + self.trials) for counts in extreme]

    @cached_property
    def _weights(self) -> np.ndarray:
        return bootstrap_weights(self.n, self.resamples, self.seed, self.groups)

    @cached_property
    def _masks(self) -> np.ndarray:
        return swap_masks(self.n, self.trials, self.seed, self.groups)

    def _weight_blocks(self, columns: int) -> Iterator[np.ndarray]:
        if 4 * self.n * self.resamples <= KEPT_BYTES:
            yield from (self._weights[rows] for rows in row_blocks(self.resamples, columns))
        else:
            for seed, rows in self._seeded(self.resamples, 4):
                yield bootstrap_weights(self.n, rows, seed, self.groups)

    def _mask_blocks(self, columns: int) -> Iterator[np.ndarray]:
        if self.n * self.trials <= KEPT_BYTES:
            yield from (self._masks[rows] for rows in row_blocks(self.trials, max(columns, self.n)))
        else:
            # 8 bytes an entry: the product needs the masks as float64.
            for seed, rows in self._seeded(self.trials, 8):
                yield swap_masks(self.n, rows, seed, self.groups)

    def _seeded(self, rows: int, width: int) -> Iterator[tuple[int, int]]:
        """Yield a seed of its own and the number of rows for each block of draws that is not kept."""
        blocks = np.array_split(np.arange(rows), max(1, -(-rows * self.n * width // KEPT_BYTES)))
        seeds = np.random.SeedSequence(self.seed).generate_state(len(blocks), np.uint64)
        return ((int(seed), len(block)) for seed, block in zip(seeds, blocks, strict=True) if len(block))


def aligned(statistics: Mapping[str, Statistics]) -> dict[str, Statistics]:
    """Return statistics of several variants with the same columns.

    A variant may answer with a label that no other has: columns named by labels are brought into one order, and those that
    a variant lacks are zero.
    """
    labels = tuple(dict.fromkeys(label for some in statistics.values() for label in some.labels))
    if not labels or all(some.labels == labels for some in statistics.values()):
        return dict(statistics)
    return {variant: _with_labels(some, labels) for variant, some in statistics.items()}


def _with_labels(statistics: Statistics, labels: tuple[str, ...]) -> Statistics:
    n = len(statistics.array)
    width = statistics.array.shape[1] // max(1, len(statistics.labels)) or 1
    blocks = statistics.array.reshape(n, len(statistics.labels), width)
    spread = np.zeros((n, len(labels), width))
    for position, label in enumerate(statistics.labels):
        spread[:, labels.index(label)] = blocks[:, position]
    return replace(statistics, array=spread.reshape(n, -1), labels=labels)


def _cut(sums: np.ndarray, start: int, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """Return the columns of one job as (rows, arrays, k), and where the next job's start."""
    k = arrays[0].shape[1]
    stop = start + k * len(arrays)
    return sums[:, start:stop].reshape(len(sums), len(arrays), k), stop
