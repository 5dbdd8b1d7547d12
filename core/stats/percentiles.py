"""Percentile intervals of resampled values, of one value or of many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from core.stats.arrays import share


def percentile_interval(values: ArrayLike, level: float = 0.95) -> tuple[float | None, float | None, int]:
    """Return the percentile interval of resampled values.

    Args:
        values: (resamples,); NaN (and infinity, which no quantile can be taken of) counts as undefined and is left out.
        level: 0.95 gives the 2.5 % and 97.5 % quantiles.

    Returns:
        low, high, and how many values were undefined; low and high are None where all were.

    Raises:
        ValueError: values is empty or not one-dimensional, or level is not between 0 and 1.

    Source: Efron & Tibshirani (1993), ch. 13.
    """
    tail = (1 - share(level, "level")) / 2
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"values must be one-dimensional, one a resample, and not empty; found the shape {array.shape}"
        )
    defined = array[np.isfinite(array)]
    n_undefined = len(array) - len(defined)
    if len(defined) == 0:
        return None, None, n_undefined
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high), n_undefined


def percentile_bounds(values: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `percentile_interval` of many columns at once.

    Args:
        values: (resamples, columns); NaN and infinity count as undefined.
        level: as there.

    Returns:
        low, high, (columns,), NaN where every value was undefined; and how many values were, int (columns,).

    Raises:
        ValueError: as `percentile_interval`.
    """
    tail = (1 - share(level, "level")) / 2
    finite = np.isfinite(values)
    n_undefined = np.count_nonzero(~finite, axis=0)
    bounds = np.full((2, values.shape[1]), np.nan)
    whole = n_undefined == 0
    if whole.any():
        # Columns as rows: each is then sorted as one piece of memory.
        bounds[:, whole] = np.quantile(np.ascontiguousarray(values[:, whole].T), [tail, 1 - tail], axis=1)
    for column in np.flatnonzero(~whole & (n_undefined < len(values))):
        bounds[:, column] = np.quantile(values[finite[:, column], column], [tail, 1 - tail])
    return bounds[0], bounds[1], n_undefined
