"""What is handed to the draws of one set of examples: values to be resampled, and differences to be tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.metrics.metric import Metric, Resampling


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


def weighted(metric: Metric, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return an ordered metric's value under each row of weights, (draws,), without warnings about undefined ones."""
    with np.errstate(all="ignore"):
        return np.asarray(metric.weighted_values(array, weights), dtype=np.float64)
