"""Monte-Carlo tests that stop early, once it is plain that what was observed is nothing special.

Besag and Clifford (1991), "Sequential Monte Carlo p-values", Biometrika 78(2), 301-304: random trials are made until ``enough`` of
them were as extreme as what was observed, or until none are left. The p-value keeps its level exactly, and its relative error is about
1 / sqrt(enough) wherever trials were spared; small p-values, of which much depends, are told from all trials.
"""

from __future__ import annotations

import numpy as np


class SequentialCounts:
    """Counts extreme trials of many tests, block by block, and says which of them need no further trial."""

    def __init__(self, tests: int, trials: int, enough: int | None = None) -> None:
        """Count nothing yet.

        Args:
            tests: how many are counted side by side.
            trials: how many each makes at the most.
            enough: extreme trials after which a test stops; None: all trials are made.
        """
        self._trials, self._enough = trials, enough
        self._made, self._extreme = np.zeros(tests, dtype=int), np.zeros(tests, dtype=int)
        self._stopped_at = np.zeros(tests, dtype=int)

    @property
    def open(self) -> np.ndarray:
        """The tests that go on, int (tests,)."""
        return np.flatnonzero(self._stopped_at == 0)

    def add(self, test: int, extreme: np.ndarray) -> None:
        """Take the next trials of a test in their order: whether each was at least as extreme as what was observed, bool."""
        n = int(np.count_nonzero(extreme))
        if self._enough is not None and self._extreme[test] + n >= self._enough:
            last = np.flatnonzero(extreme)[self._enough - self._extreme[test] - 1]
            self._stopped_at[test] = self._made[test] + last + 1
        self._extreme[test] += n
        self._made[test] += len(extreme)

    def p(self) -> np.ndarray:
        """Return the p-values, (tests,): ``enough`` / the trials it took, and (1 + extreme) / (1 + trials) where it never came to that."""
        whole = (1 + self._extreme) / (1 + self._trials)
        return np.where(self._stopped_at > 0, (self._enough or 0) / np.maximum(self._stopped_at, 1), whole)
