"""The arrays that the statistical functions take, checked once and in one wording."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

ValueFunction = Callable[[np.ndarray], np.ndarray]
"""From sums of statistics, float64 (..., k), to values, float64 (...); NaN where undefined. `Metric.value` is one."""


def finite_vector(values: ArrayLike, name: str) -> np.ndarray:
    """Return ``values`` as float64 of shape (n,).

    Raises:
        ValueError: it is not one-dimensional, is empty, or holds NaN or infinity.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, one number an example; found the shape {array.shape}")
    return _finite(array, name)


def statistics_array(statistics: ArrayLike, name: str = "statistics") -> np.ndarray:
    """Return per-example statistics as float64 of shape (n, k).

    Raises:
        ValueError: it is not two-dimensional, is empty, or holds NaN or infinity.
    """
    array = np.asarray(statistics, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"{name} must have the shape (examples, k), one row an example; found the shape {array.shape}")
    return _finite(array, name)


def paired_statistics(statistics_a: ArrayLike, statistics_b: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the statistics of two variants on the same examples, both float64 (n, k).

    Raises:
        ValueError: one of them is unfit (see `statistics_array`), or their shapes differ.
    """
    a = statistics_array(statistics_a, "statistics_a")
    b = statistics_array(statistics_b, "statistics_b")
    if a.shape != b.shape:
        raise ValueError(
            f"a paired comparison needs the same examples and statistics of both variants; found the shapes {a.shape} "
            f"and {b.shape}. Keep only the examples that both have, in the same order."
        )
    return a, b


def values_of(value: ValueFunction, sums: np.ndarray) -> np.ndarray:
    """Return ``value(sums)`` as float64, without numpy's warnings about the undefined ones.

    Raises:
        ValueError: ``value`` does not turn (..., k) into (...).
    """
    with np.errstate(all="ignore"):
        values = np.asarray(value(sums), dtype=np.float64)
    if values.shape != sums.shape[:-1]:
        raise ValueError(
            f"value must turn sums of the shape {sums.shape} into values of the shape {sums.shape[:-1]}; "
            f"it gave the shape {values.shape}"
        )
    return values


def counts_array(counts: ArrayLike, name: str) -> np.ndarray:
    """Return counts, whole numbers of at least 0, as float64 of the shape given.

    Raises:
        ValueError: one of them is something else.
    """
    try:
        array = np.asarray(counts, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold counts: {error}") from error
    wrong = array[~(np.isfinite(array) & (array >= 0) & (array == np.floor(array)))]
    if wrong.size:
        raise ValueError(f"{name} must hold counts, whole numbers of at least 0; found {wrong[0]}")
    return array


def count_of(number: int, name: str) -> int:
    """Return a positive whole number.

    Raises:
        ValueError: it is below 1 or no whole number.
    """
    if isinstance(number, bool) or not isfinite(number) or number != int(number) or number < 1:
        raise ValueError(f"{name} must be a whole number of at least 1; found {number!r}")
    return int(number)


def share(number: float, name: str) -> float:
    """Return a number strictly between 0 and 1.

    Raises:
        ValueError: it is not.
    """
    if not 0 < number < 1:
        raise ValueError(f"{name} must lie between 0 and 1, both excluded; found {number!r}")
    return float(number)


def weighted_sums(rows: np.ndarray, columns: np.ndarray, heaviest: float) -> np.ndarray:
    """Return rows @ columns in float64; counts are multiplied in single precision where that is exact, in half the time.

    Args:
        rows: weights or masks, (draws, n), whole numbers of at least 0.
        columns: float64 (n, k).
        heaviest: the largest sum of a row.
    """
    largest = float(np.abs(columns).max(initial=0.0))
    # Single precision holds every whole number up to 2^24, and so every sum on the way.
    if largest * heaviest < 2**24 and bool((columns == np.rint(columns)).all()):
        return (rows.astype(np.float32, copy=False) @ columns.astype(np.float32)).astype(np.float64)
    return rows.astype(np.float64, copy=False) @ columns


def _finite(array: np.ndarray, name: str) -> np.ndarray:
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}); at least one example is needed")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(
            f"{name} holds NaN or infinity, first at example {row} (counted from 0). "
            "Leave out the examples without a value before."
        )
    return array
