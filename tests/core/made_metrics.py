"""Metrics made for tests of the comparison: each shows one thing that a metric may ask of it."""

from __future__ import annotations

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics


def statistics(
    array: np.ndarray, signature: str = "made", missing: np.ndarray | None = None, labels: tuple[str, ...] = ()
):
    gone = np.zeros(len(array), dtype=bool) if missing is None else missing
    kept = np.where(gone[:, None], 0.0, np.asarray(array, dtype=np.float64))
    return Statistics(kept, gone, tuple("absent" if one else None for one in gone), signature, labels)


class Made(Metric):
    """What all of them share: statistics are given, never read out of observations."""

    name = label = "made"
    family = "made"
    kinds = frozenset({"classification"})
    unit = "number"
    bounds = (None, None)
    undefined = "nothing to rank"

    def statistics(self, observations: Observations) -> Statistics:
        raise NotImplementedError


class Mean(Made):
    """(x, 1)."""

    test = "mean"

    def value(self, sums: np.ndarray) -> np.ndarray:
        return sums[..., 0] / sums[..., 1]


class Ratio(Mean):
    """(x, length): a value of the corpus."""

    test = "corpus"


class Auc(Made):
    """(score, positive): the share of pairs of a positive and a negative that are in order, ties half."""

    name = label = "auc"
    ordered = True
    bounds = (0.0, 1.0)

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        kernel = _kernel(array)
        ups, downs = weights * (array[:, 1] == 1), weights * (array[:, 1] == 0)
        return np.einsum("di,ij,dj->d", ups, kernel, downs, optimize=True) / (ups.sum(1) * downs.sum(1))


class SmoothAuc(Auc):
    """The same, with its influences."""

    def influence(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        up, down = weights * (array[:, 1] == 1), weights * (array[:, 1] == 0)
        kernel = _kernel(array)
        value = float(up @ kernel @ down) / (up.sum() * down.sum())
        from_up, from_down = kernel @ down / down.sum() - value, up @ kernel / up.sum() - value
        return np.where(array[:, 1] == 1, from_up / up.sum(), from_down / down.sum())


class TimeMean(Mean):
    """A mean over time."""

    resampling = "blocks"


class Path(Made):
    """Depends on the order of the examples: no interval."""

    ordered = True
    resampling = "none"
    no_interval = "it depends on the whole path"

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.cumsum(weights * array[:, 0], axis=1).max(axis=1)


def _kernel(array: np.ndarray) -> np.ndarray:
    difference = array[:, None, 0] - array[None, :, 0]
    return (difference > 0) + 0.5 * (difference == 0)
