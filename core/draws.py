"""What is drawn for one set of examples: how often each is in a resample, and which are exchanged in a trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from core.metrics.metric import Resampling
from core.row_blocks import row_blocks
from core.stats.blocks import block_codes, stationary_bootstrap_weights
from core.stats.clusters import cluster_codes
from core.stats.paired import swap_masks
from core.stats.resampling import bootstrap_weights

KEPT_BYTES = 1 << 27
"""Weights or masks up to this size are drawn whole and kept; larger ones are drawn block by block."""

LOOKS = (1_000, 4_000)
"""Exchanges after which it is seen which tests need no more of them."""

Scheme = Literal["examples", "clusters", "blocks"]
"""What is drawn or exchanged as a whole."""


class Draws:
    """Weights and masks of one ordered set of examples."""

    def __init__(
        self, n: int, groups: Sequence[str | None] | None, *, seed: int, resamples: int, trials: int,
        enough: int | None = None,
    ) -> None:  # fmt: skip
        """Remember what to draw; nothing is drawn before it is needed.

        Args:
            n: examples.
            groups: (n,) names of clusters, resampled and exchanged as wholes; None where examples are independent.
            seed: of both draws.
            resamples: of the bootstrap.
            trials: of the swap test.
            enough: exchanges as extreme as what was observed after which a swap test stops, see `core.stats.sequential`;
                None: it makes all trials.
        """
        self.n, self.groups, self.seed, self.resamples, self.trials = n, groups, seed, resamples, trials
        self.enough = enough
        self.codes = np.arange(n) if groups is None else cluster_codes(groups, n)[0]

    def scheme(self, resampling: Resampling) -> Scheme:
        """Return what is kept together: clusters come before blocks of neighbours."""
        return "clusters" if self.groups is not None else "blocks" if resampling == "blocks" else "examples"

    def codes_of(self, resampling: Resampling) -> np.ndarray:
        """Return the number of the unit that each example belongs to when examples are exchanged, int (n,)."""
        return block_codes(self.n) if self.n and self.scheme(resampling) == "blocks" else self.codes

    def units(self, mask: np.ndarray) -> int:
        """Return how many clusters (examples, where they are independent) the examples in ``mask`` belong to."""
        return int(np.count_nonzero(mask)) if self.groups is None else len(np.unique(self.codes[mask]))

    @cached_property
    def _kept(self) -> dict[tuple[str, Scheme], np.ndarray]:
        return {}

    def unit_codes(self, scheme: Scheme) -> np.ndarray:
        """Return the number of each example's unit, int (n,)."""
        return self.codes_of("blocks" if scheme == "blocks" else "examples")

    def _weights(self, scheme: Scheme, rows: int, seed: int) -> np.ndarray:
        if scheme == "blocks":
            return stationary_bootstrap_weights(self.n, rows, seed)
        return bootstrap_weights(self.n, rows, seed, self.groups)

    def weight_blocks(self, scheme: Scheme, draws: int, columns: int) -> Iterator[np.ndarray]:
        """Yield how often each example is in each resample, (rows, n), until there are ``draws`` rows.

        Args:
            scheme: what is drawn as a whole.
            draws: how many resamples, at most those of the whole.
            columns: numbers that a row is turned into; blocks are cut so that they stay small.
        """
        if 4 * self.n * self.resamples <= KEPT_BYTES:
            if ("weights", scheme) not in self._kept:
                self._kept["weights", scheme] = self._weights(scheme, self.resamples, self.seed)
            yield from (self._kept["weights", scheme][rows] for rows in row_blocks(draws, columns))
        else:
            for seed, rows in self._seeded(draws, 4 * self.n):
                yield self._weights(scheme, rows, seed)

    def mask_blocks(self, scheme: Scheme, trials: int, columns: int) -> Iterator[np.ndarray]:
        """Yield which units are exchanged, bool (rows, units)."""
        units = int(self.unit_codes(scheme).max()) + 1
        if units * self.trials <= KEPT_BYTES:
            if ("masks", scheme) not in self._kept:
                self._kept["masks", scheme] = swap_masks(units, self.trials, self.seed)
            blocks = row_blocks(trials, max(columns, units))
            if self.enough is not None:
                blocks = [part for block in blocks for part in _looks(block)]
            yield from (self._kept["masks", scheme][rows] for rows in blocks)
        else:
            # 8 bytes an entry: the product needs the masks as float64.
            for seed, rows in self._seeded(trials, 8 * max(units, columns)):
                yield swap_masks(units, rows, seed)

    def _seeded(self, rows: int, row_bytes: int) -> Iterator[tuple[int, int]]:
        """Yield a seed of its own and the number of rows for each block of draws that is not kept."""
        blocks = np.array_split(np.arange(rows), max(1, -(-rows * row_bytes // KEPT_BYTES)))
        seeds = np.random.SeedSequence(self.seed).generate_state(len(blocks), np.uint64)
        return ((int(seed), len(block)) for seed, block in zip(seeds, blocks, strict=True) if len(block))


def _looks(block: slice) -> Iterator[slice]:
    cuts = [block.start, *(at for at in LOOKS if block.start < at < block.stop), block.stop]
    return (slice(start, stop) for start, stop in pairwise(cuts))
