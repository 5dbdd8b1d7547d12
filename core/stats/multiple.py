"""p-values adjusted for how many were looked at.

Written out: statsmodels' multipletests collects garbage at every call, a twentieth of a second of a page's time. It is the
referee in the tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def holm(p: ArrayLike) -> np.ndarray:
    """Adjust p-values so that any false rejection among them is as rare as one test's (family-wise error).

    Args:
        p: (m,) raw p-values; NaN (or None) is a test that could not be made: it stays NaN and does not count.

    Returns:
        float64 (m,) adjusted, in the order given; compare each with alpha. Empty for an empty family.

    Raises:
        ValueError: p is not one-dimensional, or one lies outside 0 to 1.

    Source: Holm (1979).
    """
    raw, order = _ascending(p)
    m = len(order)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(np.arange(m, 0, -1) * raw[order]))
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> np.ndarray:
    """Adjust p-values so that the expected share of false rejections stays below alpha (false discovery rate).

    Args:
        p: (m,) raw p-values; NaN (or None) is a test that could not be made: it stays NaN and does not count.

    Returns:
        float64 (m,) adjusted, in the order given. Empty for an empty family.

    Raises:
        ValueError: p is not one-dimensional, or one lies outside 0 to 1.

    Source: Benjamini & Hochberg (1995); for p-values that are independent or positively dependent.
    """
    raw, order = _ascending(p)
    m = len(order)
    scaled = raw[order] * m / np.arange(1, m + 1)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return adjusted


def _ascending(p: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the p-values, and the positions of those that are not NaN, smallest first."""
    raw = np.asarray(p, dtype=np.float64)
    if raw.ndim != 1:
        raise ValueError(f"p must be one-dimensional, one number a test; found the shape {raw.shape}")
    made = np.flatnonzero(~np.isnan(raw))
    if np.any((raw[made] < 0) | (raw[made] > 1)):
        raise ValueError(f"a p-value lies between 0 and 1; found {raw[made].min()} to {raw[made].max()}")
    return raw, made[np.argsort(raw[made], kind="stable")]
