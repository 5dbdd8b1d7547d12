"""How often each of n units is drawn in n draws with replacement, for many resamples at once.

Counts of n draws are those of a Poisson number of draws and of the draws that are then missing. The first part needs no index:
independent Poisson counts with a mean a little below 1 are made of 16 random bits each, and add up to nearly n. The few
draws that are missing are made one by one. That is exact, and about three times as fast as counting n indices.
"""

from __future__ import annotations

from math import exp, factorial, sqrt

import numpy as np

_WORDS = 2**16
_TERMS = 25
"""Poisson counts up to here: with a mean of at most 1 larger ones have a probability below 1e-25."""
_MARGIN = 3.0
"""Standard deviations that the expected number of Poisson draws stays below n; each costs about 2 % of the time at n = 3,000."""


class Multinomial:
    """Counts of n draws with replacement from n units, all equally likely."""

    def __init__(self, units: int) -> None:
        """Find the bounds that turn 16 random bits into a Poisson count.

        Args:
            units: n, how many there are to draw from, and how many draws a resample has.
        """
        self.units = units
        self._mean = max(0.0, 1 - _MARGIN / sqrt(units))
        chances = _WORDS * np.array([exp(-self._mean) * self._mean**k / factorial(k) for k in range(_TERMS)])
        whole = np.floor(chances)
        bounds = np.cumsum(whole).astype(np.intp)
        # What 16 bits cannot tell: words from here on say "one of the remainders", drawn in double precision (Marsaglia, 1963).
        self._known = int(bounds[-1])
        self._bounds = np.unique(bounds[bounds < self._known]).astype(np.uint16)
        remainders = np.cumsum(chances - whole)
        self._remainders = remainders / (remainders[-1] or 1.0)

    def draw(self, counts: np.ndarray, seed: np.random.SeedSequence) -> None:
        """Fill an array with counts.

        Args:
            counts: float32 (rows, units), contiguous; each row comes to sum to n. With the same seed fewer rows are the first of more.
            seed: the same one gives the same counts.

        Source: given their sum, independent Poisson counts are multinomial, and n draws are any t of them and the n - t others
        (Johnson, Kotz & Balakrishnan (1997), Discrete Multivariate Distributions, s. 35.1).
        """
        # A stream for each kind of draw, so that a row does not depend on how many rows follow.
        words, remainders, single = (np.random.Generator(np.random.PCG64(seed).jumped(jump)) for jump in range(3))
        flat = counts.reshape(-1)
        if self._mean > 0:
            self._poisson(flat, words, remainders)
            # A product, since it takes a third of the time of a sum; whole numbers are exact in it up to 2^24.
            missing = (self.units - counts @ np.ones(self.units, dtype=np.float32)).astype(np.intp)
            # More than n cannot be mended by adding: such a row, one in a thousand, is drawn singly as a whole.
            excess = missing < 0
            counts[excess], missing[excess] = 0, self.units
        else:
            counts[:], missing = 0, np.full(len(counts), self.units)
        dtype = np.uint16 if self.units <= 2**16 else np.uint32
        drawn = single.integers(0, self.units, size=int(missing.sum()), dtype=dtype)
        np.add.at(flat, drawn + np.repeat(np.arange(len(counts)) * self.units, missing), np.float32(1))

    def _poisson(self, flat: np.ndarray, words: np.random.Generator, remainders: np.random.Generator) -> None:
        drawn = words.integers(0, 2**64, size=-(-len(flat) // 4), dtype=np.uint64).view(np.uint16)[: len(flat)]
        # Comparing with each bound is faster than looking up in a table: many words at once fit into a processor's register.
        above, sums = np.empty(len(flat), dtype=bool), np.zeros(len(flat), dtype=np.uint8)
        for bound in self._bounds:
            np.greater_equal(drawn, bound, out=above)
            np.add(sums, above.view(np.uint8), out=sums)
        flat[:] = sums
        left = np.flatnonzero(drawn >= self._known)
        flat[left] = np.searchsorted(self._remainders, remainders.random(len(left)), side="right")
