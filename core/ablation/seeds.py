"""Differences between choices rather than between adapters: seeds as a random effect, examples paired.

Trained again with another seed, an adapter is another model. A statement about a choice has to hold for other seeds too, so the
spread between seeds belongs into its standard error beside that of the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

LEAST_SEEDS = 3
"""Below so many seeds a level, nothing is said about a factor, and no interval is drawn over seeds."""


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of configurations' means; every field has the shape of the simulations (none: a scalar array)."""

    estimate: np.ndarray
    error: np.ndarray
    """Standard error over seeds and examples."""
    degrees: np.ndarray
    """Satterthwaite's."""
    p: np.ndarray
    """Two-sided, of the sum being 0; 1 where neither seeds nor examples move it and it is 0."""

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper end of an interval of this level, 0 to 1."""
        reach = stdtrit(self.degrees, 0.5 + level / 2) * self.error
        return self.estimate - reach, self.estimate + reach


def shared_variance(covariance: np.ndarray, groups: Sequence[Sequence[int]], weights: Sequence[float]) -> np.ndarray:
    """Return the variance over examples of a weighted sum of configurations' means, without what is each seed's own.

    An example that all seeds of a configuration find hard moves their mean and not their spread; what examples do to single seeds is
    in the spread between seeds already, and would be counted twice.

    Args:
        covariance: (..., variants, variants) of the variants' values over resampled examples.
        groups: the variants of each configuration, by their numbers; one variant is its own mean.
        weights: (configurations,).

    Returns:
        (...,), never below 0.
    """
    total = np.zeros(covariance.shape[:-2])
    for one, w in zip(groups, weights, strict=True):
        for other, v in zip(groups, weights, strict=True):
            block = covariance[..., np.asarray(one)[:, None], np.asarray(other)]
            if one is other and len(one) > 1:
                k = len(one)
                mean = (block.sum(axis=(-2, -1)) - np.trace(block, axis1=-2, axis2=-1)) / (k * (k - 1))
            else:
                mean = block.mean(axis=(-2, -1))
            total = total + w * v * mean
    return np.maximum(total, 0.0)


def seed_contrast(
    values: Sequence[np.ndarray], weights: Sequence[float], example_variance: np.ndarray | float, units: int
) -> Contrast:
    """Return a weighted sum of configurations' means over seeds and examples together.

    Args:
        values: for each configuration (..., seeds), two seeds or more.
        weights: (configurations,), such as 1 and -1.
        example_variance: (...,) as of `shared_variance`.
        units: examples (or clusters of them) behind it.

    Raises:
        ValueError: a configuration has fewer than two seeds.

    Source: Welch (1947) with the degrees of freedom of Satterthwaite (1946), the examples' variance as one more component.
    """
    if any(one.shape[-1] < 2 for one in values):
        raise ValueError("a spread between seeds needs two seeds or more in every configuration")
    estimate = sum(w * one.mean(axis=-1) for w, one in zip(weights, values, strict=True))
    parts = [w * w * one.var(axis=-1, ddof=1) / one.shape[-1] for w, one in zip(weights, values, strict=True)]
    degrees = [one.shape[-1] - 1 for one in values]
    parts.append(np.broadcast_to(np.asarray(example_variance, dtype=np.float64), parts[0].shape))
    degrees.append(max(1, units - 1))
    variance = np.sum(parts, axis=0)
    below = np.sum([part**2 / df for part, df in zip(parts, degrees, strict=True)], axis=0)
    free = np.where(below > 0, variance**2 / np.where(below > 0, below, 1.0), float(min(degrees)))
    error = np.sqrt(variance)
    estimate = np.asarray(estimate, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, np.abs(estimate) / error, np.where(estimate == 0, 0.0, np.inf))
    return Contrast(estimate, error, free, np.clip(2 * stdtr(free, -t), 0.0, 1.0))
