"""Resampling of time series: blocks of neighbouring examples, so that what follows each other stays together."""

from __future__ import annotations

import numpy as np

from core.row_blocks import BLOCK_ELEMENTS
from core.stats.arrays import count_of


def block_length(n: int) -> int:
    """Return the customary mean block length for n examples in time order: n^(1/3), rounded, at least 1.

    Raises:
        ValueError: n is below 1.

    Source: the rate of Politis & Romano (1994), with the constant 1.
    """
    return max(1, round(count_of(n, "n") ** (1 / 3)))


def stationary_bootstrap_weights(
    n: int, resamples: int = 10_000, seed: int = 0, mean_length: float | None = None
) -> np.ndarray:
    """Draw how often each example of a time series is in each resample, by the stationary block bootstrap.

    A resample is made of blocks that begin anywhere, run round the end of the series to its start, and go on at each example with
    the probability 1 - 1 / mean_length, until there are n examples.

    Args:
        n: examples, in time order.
        resamples: how many resamples; those of a smaller number are the first of a larger one.
        seed: the same seed gives the same weights.
        mean_length: of a block, at least 1; by default `block_length`. 1 is the bootstrap of single examples.

    Returns:
        float32 (resamples, n), whole numbers whose rows sum to n.

    Raises:
        ValueError: n or resamples is below 1, or mean_length is below 1.

    Source: Politis & Romano (1994), The Stationary Bootstrap.
    """
    length = float(block_length(n) if mean_length is None else mean_length)
    if not 1 <= length < np.inf:
        raise ValueError(f"mean_length must be a number of at least 1; found {mean_length!r}")
    weights = np.empty((count_of(resamples, "resamples"), n), dtype=np.float32)
    generator = np.random.default_rng(seed)
    positions = np.arange(n)
    # A fixed number of rows a block of draws, so that fewer resamples are the first of more.
    step = max(1, BLOCK_ELEMENTS // n)
    for start in range(0, resamples, step):
        begins = generator.random((step, n)) < 1 / length
        begins[:, 0] = True
        starts = generator.integers(0, n, size=(step, n))
        # The latest position at which a block began, and where in the series it began.
        latest = np.maximum.accumulate(np.where(begins, positions, 0), axis=1)
        drawn = (np.take_along_axis(starts, latest, axis=1) + positions - latest) % n
        drawn += np.arange(step)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=step * n).reshape(step, n)
        rows = min(step, resamples - start)
        weights[start : start + rows] = counts[:rows]
    return weights


def block_codes(n: int, length: int | None = None) -> np.ndarray:
    """Return the number of the block that each example of a time series lies in, (n,): neighbours are exchanged together.

    Args:
        n: examples, in time order.
        length: of a block; by default `block_length`.

    Raises:
        ValueError: n or length is below 1.
    """
    return np.arange(n) // (block_length(n) if length is None else count_of(length, "length"))
