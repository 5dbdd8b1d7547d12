"""Spearman's rank correlation, which needs the order of the examples: its ranks are made anew under every weighting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.metrics.regression import ONE_NUMBER, RegressionMetric
from core.row_blocks import row_blocks


class Spearman(RegressionMetric):
    """The correlation of the ranks of predictions and references, ties at their mean rank; ``scipy.stats.spearmanr``.

    Statistics: (prediction, reference).
    """

    name, label = "spearman", "Spearman's ρ"
    higher_is_better = True
    ordered = True
    bounds = (-1.0, 1.0)
    undefined = ONE_NUMBER
    details = "|ties:mean rank"

    def rows(self, predictions: np.ndarray, references: np.ndarray, centre: float) -> np.ndarray:
        """Return (prediction, reference), (n, 2)."""
        return np.stack([predictions, references], axis=1)

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the correlation under each row of weights, (draws,); NaN where one of the two does not vary."""
        first, second = _Groups.of(array[:, 0]), _Groups.of(array[:, 1])
        found = np.full(len(weights), np.nan)
        for draws in row_blocks(len(weights), 6 * len(array)):
            block = np.asarray(weights[draws], dtype=np.float64)
            (x, x_squares), (y, y_squares) = first.ranks(block), second.ranks(block)
            with np.errstate(all="ignore"):
                product = np.einsum("ij,ij,ij->i", block, x[:, first.group], y[:, second.group])
                varies = (x_squares > 0) & (y_squares > 0)
                correlation = product / (np.sqrt(x_squares) * np.sqrt(y_squares))
            found[draws] = np.where(varies, np.clip(correlation, -1.0, 1.0), np.nan)
        return found

    def influence(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """Return the derivative of the correlation by each example's weight, (n,); None where it is undefined.

        A centred rank is half the sum of sign(x_i - x_j) over the others: linear in the weights, so that the chain rule
        needs sorted sums alone.
        """
        weights = np.asarray(weights, dtype=np.float64)
        first, second = _Groups.of(array[:, 0]), _Groups.of(array[:, 1])
        (x_ranks, x_squares), (y_ranks, y_squares) = first.ranks(weights[None]), second.ranks(weights[None])
        if not (x_squares[0] > 0 and y_squares[0] > 0):
            return None
        x, y = x_ranks[0, first.group], y_ranks[0, second.group]
        by_product = x * y + first.half_signs(weights * y) + second.half_signs(weights * x)
        by_x = x**2 + 2 * first.half_signs(weights * x)
        by_y = y**2 + 2 * second.half_signs(weights * y)
        scale = np.sqrt(x_squares[0] * y_squares[0])
        correlation = float((weights * x * y).sum()) / scale
        return by_product / scale - correlation / 2 * (by_x / x_squares[0] + by_y / y_squares[0])


@dataclass(frozen=True)
class _Groups:
    """The examples in the order of one variable, equal values as groups."""

    order: np.ndarray
    starts: np.ndarray
    """Where each group starts in ``order``."""
    group: np.ndarray
    """(n,): the group of each example."""

    @classmethod
    def of(cls, values: np.ndarray) -> _Groups:
        order = np.argsort(values, kind="stable")
        new = np.diff(values[order], prepend=np.nan) != 0
        group = np.empty(len(values), dtype=np.int64)
        group[order] = np.cumsum(new) - 1
        return cls(order, np.flatnonzero(new), group)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sums (draws, groups) of values (draws, n)."""
        return np.add.reduceat(values[:, self.order], self.starts, axis=1) if len(self.order) else values[:, :0]

    def ranks(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean rank of each group less the mean of all, (draws, groups), and the sums of their squares, (draws,)."""
        sizes = self.sums(weights)
        upto = np.cumsum(sizes, axis=1)
        ranks = upto - sizes / 2 - sizes.sum(axis=1, keepdims=True) / 2
        return ranks, (sizes * ranks**2).sum(axis=1)

    def half_signs(self, values: np.ndarray) -> np.ndarray:
        """Return for each example k half the sum of values_i sign(x_i - x_k), (n,)."""
        sums = self.sums(values[None])[0]
        upto = np.cumsum(sums)
        return ((sums.sum() - upto) - (upto - sums))[self.group] / 2
