"""Tests of the difference between two variants on the same examples, by exchanging the two example by example.

Under the null hypothesis it does not matter which variant an example's result came from. Each trial exchanges the two for
a random half of the examples (clusters) and recomputes the difference; p is the share of trials that differ at least as much
as what was observed. Holds its level for any value of summed statistics, corpus values included; on 0/1 data it is
conservative, where `core.stats.rates.mcnemar` is the better choice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.row_blocks import row_blocks
from core.stats.arrays import (
    ValueFunction,
    count_of,
    finite_vector,
    paired_statistics,
    values_of,
    weighted_sums,
)
from core.stats.clusters import cluster_codes, require_constant_within

EXACT_UP_TO = 20
"""Non-zero differences up to which `sign_flip_test` enumerates all sign patterns (about a million)."""

_RELATIVE_TOLERANCE = 1e-9
"""Two differences count as equal within this share of the values that they are the difference of: float sums depend on
the order of adding, and a tie missed by a rounding error would make p too small."""


@dataclass(frozen=True)
class TestResult:
    """What a test of a paired difference found; always two-sided."""

    statistic: float | None
    """value(b) - value(a); for `sign_flip_test` the mean difference. None where it is undefined."""
    p: float | None
    """None where the statistic is undefined."""
    trials: int
    """Random exchanges drawn; for an exact test all that there are."""
    method: str
    n_undefined: int = 0
    """Trials whose difference was undefined; they count as extreme, so that p errs on the careful side."""


def swap_masks(
    n: int, trials: int = 10_000, seed: int = 0, groups: Iterable[Hashable | None] | None = None
) -> np.ndarray:
    """Draw which examples are exchanged in each trial, each with probability one half.

    Args:
        n: examples.
        trials: how many trials.
        seed: the same seed gives the same masks.
        groups: (n,) names of clusters, exchanged as wholes; None as a name is a cluster of its own.

    Returns:
        bool (trials, n); trials x n bytes.

    Raises:
        ValueError: n or trials is below 1, or groups is not of length n.
    """
    codes, units = (None, count_of(n, "n")) if groups is None else cluster_codes(groups, count_of(n, "n"))
    n_bytes = (units + 7) // 8
    bits = np.random.default_rng(seed).integers(0, 256, size=(count_of(trials, "trials"), n_bytes), dtype=np.uint8)
    masks = np.unpackbits(bits, axis=1, count=units).view(np.bool_)
    return masks if codes is None else masks[:, codes]


def swap_test(
    statistics_a: ArrayLike,
    statistics_b: ArrayLike,
    value: ValueFunction,
    *,
    masks: np.ndarray | None = None,
    trials: int = 10_000,
    seed: int = 0,
    groups: Iterable[Hashable | None] | None = None,
) -> TestResult:
    """Test value(b) - value(a) by exchanging the two variants' statistics (approximate randomisation), two-sided.

    Args:
        statistics_a: (n, k) of the reference variant.
        statistics_b: (n, k) of the other one, the same examples in the same order.
        value: from sums (..., k) to values (...), NaN where undefined.
        masks: (trials, n) from `swap_masks`, drawn once and shared; ``trials`` and ``seed`` are then not used.
        trials: how many to draw. The smallest p that can come out is 1 / (trials + 1).
        seed: of the draw.
        groups: (n,) names of clusters, exchanged as wholes; None is a cluster of its own.

    Returns:
        The difference and p = (1 + trials at least as extreme) / (1 + trials).

    Raises:
        ValueError: the shapes differ, something is empty or NaN, or masks are unfit or not drawn by these groups.

    Source: Noreen (1989); Riezler & Maxwell (2005); p as in Phipson & Smyth (2010), which never gives 0.
    """
    a, b = paired_statistics(statistics_a, statistics_b)
    n = len(a)
    if masks is None:
        groups = None if groups is None else list(groups)
        masks = swap_masks(n, trials, seed, groups)
    codes, n_units = (None, n) if groups is None else cluster_codes(groups, n)
    if masks.ndim != 2 or masks.shape[1] != n or len(masks) == 0:
        raise ValueError(f"masks must have the shape (trials, {n}), a column an example; found {masks.shape}")
    if codes is not None:
        require_constant_within(masks, codes, "masks")
    drawn = f"{len(masks):,} draws"
    method = f"swap test ({drawn})" if codes is None else f"cluster swap test ({drawn}, {n_units:,} clusters)"
    sums = np.stack([a.sum(axis=0), b.sum(axis=0)])
    observed_a, observed_b = (float(x) for x in values_of(value, sums))
    difference = observed_b - observed_a
    if not np.isfinite(difference):
        return TestResult(None, None, len(masks), method)
    trial_differences = _swapped_differences(sums, b - a, value, masks)
    n_undefined = int(np.isnan(trial_differences).sum())
    tolerance = _RELATIVE_TOLERANCE * max(abs(observed_a), abs(observed_b))
    extreme = int(np.sum(np.abs(trial_differences) >= abs(difference) - tolerance)) + n_undefined
    return TestResult(difference, (1 + extreme) / (1 + len(masks)), len(masks), method, n_undefined)


def sign_flip_test(
    differences: ArrayLike,
    *,
    trials: int = 10_000,
    seed: int = 0,
    groups: Iterable[Hashable | None] | None = None,
) -> TestResult:
    """Test whether the mean of paired differences is zero by flipping their signs, two-sided.

    The case of `swap_test` for a mean. Zero differences do not move p. With up to `EXACT_UP_TO` non-zero differences
    (sums of clusters, given groups) all sign patterns are enumerated and p is exact; above, signs are drawn.

    Args:
        differences: (n,), b minus a of each example.
        trials: how many patterns to draw where they are not enumerated.
        seed: of the draw.
        groups: (n,) names of clusters, whose differences are flipped together; None is a cluster of its own.

    Raises:
        ValueError: differences are empty, not one-dimensional or hold NaN; or groups is not of length n.

    Source: Fisher (1935), The Design of Experiments, s. 21.
    """
    units = numbers = finite_vector(differences, "differences")
    mean = float(numbers.mean())
    name, clusters = "sign-flip", ""
    if groups is not None:
        codes, n_clusters = cluster_codes(groups, len(numbers))
        units = np.bincount(codes, weights=numbers, minlength=n_clusters)
        name, clusters = "cluster sign-flip", f", {n_clusters:,} clusters"
    scale = float(np.abs(numbers).sum())
    # A cluster's sum that is zero but for rounding is a tie as well.
    units = units[np.abs(units) > 1e-15 * scale]
    threshold = abs(float(units.sum())) - _RELATIVE_TOLERANCE * float(np.abs(units).sum())
    if len(units) <= EXACT_UP_TO:
        patterns = 2 ** len(units)
        return TestResult(mean, _extreme_patterns(units, threshold) / patterns, patterns, f"{name} (exact{clusters})")
    sums = units.sum() - 2 * _masked_sums(swap_masks(len(units), trials, seed), units[:, None])[:, 0]
    extreme = int(np.sum(np.abs(sums) >= threshold))
    return TestResult(mean, (1 + extreme) / (1 + trials), trials, f"{name} ({trials:,} draws{clusters})")


def _swapped_differences(sums: np.ndarray, gap: np.ndarray, value: ValueFunction, masks: np.ndarray) -> np.ndarray:
    """Return value(b) - value(a) after each exchange, (trials,); sums is (2, k), of a and b; gap is b - a, (n, k)."""
    moved = _masked_sums(masks, gap)
    with np.errstate(invalid="ignore"):
        return values_of(value, sums[1] - moved) - values_of(value, sums[0] + moved)


def _masked_sums(masks: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return masks @ columns in float64, (trials, k), without a float copy of all masks."""
    sums = np.empty((len(masks), columns.shape[1]))
    for rows in row_blocks(len(masks), len(columns)):
        sums[rows] = weighted_sums(masks[rows], columns, len(columns))
    return sums


def _extreme_patterns(units: np.ndarray, threshold: float) -> int:
    """Return in how many of the 2^m patterns of signs the sum is at least as far from zero as ``threshold``.

    Each pattern is one of the first half of the units and one of the second: a thousand of each stand for a million sums, of which
    sorting tells how many are large.
    """
    half = len(units) // 2
    first, second = _all_signed_sums(units[:half]), np.sort(_all_signed_sums(units[half:]))
    above = len(second) * len(first) - np.searchsorted(second, threshold - first, side="left").sum()
    below = np.searchsorted(second, -threshold - first, side="right").sum()
    return 2 ** len(units) if threshold <= 0 else int(above + below)


def _all_signed_sums(units: np.ndarray) -> np.ndarray:
    """Return the sum under each of the 2^m patterns of signs."""
    sums = np.zeros(1)
    for unit in units:
        sums = np.concatenate([sums - unit, sums + unit])
    return sums
