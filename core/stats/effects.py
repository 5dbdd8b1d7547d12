"""How large a paired difference is, free of its unit, and whether it is small enough to count as none."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import asin, inf, isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from core.stats.arrays import finite_vector, share
from core.stats.clusters import cluster_standard_error


@dataclass(frozen=True)
class EffectSize:
    """Several measures of one paired difference b - a; each None where it is not defined."""

    mean_difference: float
    """In the unit of the values."""
    d_z: float | None
    """Cohen's d of paired differences: mean over standard deviation (n - 1). None where all differences are equal."""
    rank_biserial: float | None
    """Of matched pairs, -1 to 1: the share of rank sums in favour of b less that in favour of a. None where nothing differs."""
    cohen_h: float | None = None
    """For 0/1 values: the difference of the rates on the arcsine scale. None for other values."""
    odds_ratio: float | None = None
    """For 0/1 values: examples that b alone has right for each that a alone has; infinite where a has none. None for other
    values, and where no example tells the two apart."""


@dataclass(frozen=True)
class MeanTest:
    """Student's t for the mean of paired differences."""

    mean: float
    low: float
    high: float
    p: float
    """Two-sided, of the mean being 0."""
    degrees: int
    method: str


@dataclass(frozen=True)
class Equivalence:
    """Whether a mean difference lies within a band declared beforehand (two one-sided tests)."""

    mean: float
    p: float
    """The larger of the two one-sided p-values: below alpha the difference lies within the band."""
    low: float
    high: float
    """The interval of level 1 - 2 alpha, which lies within the band exactly where p is below alpha."""
    within: bool
    """Whether the two are shown to be equivalent."""
    method: str


def effect_size(values_a: ArrayLike, values_b: ArrayLike) -> EffectSize:
    """Return how large the difference b - a is, over the same examples.

    Args:
        values_a: (n,) of the reference variant.
        values_b: (n,) of the other one, the same examples in the same order.

    Raises:
        ValueError: the lengths differ, or something is empty, NaN or infinite.

    Source: d_z and h: Cohen (1988); rank-biserial of matched pairs: Kerby (2014), zero differences left out; the paired odds
    ratio: the ratio of discordant counts (Agresti, 2013, s. 11.1).
    """
    a, b = finite_vector(values_a, "values_a"), finite_vector(values_b, "values_b")
    if a.shape != b.shape:
        raise ValueError(f"a paired effect needs the same examples of both variants; found {len(a)} and {len(b)}")
    gaps = b - a
    spread = float(gaps.std(ddof=1)) if len(gaps) > 1 else 0.0
    moved = gaps[gaps != 0]
    ranks = _midranks(np.abs(moved))
    mean = float(gaps.mean())
    return EffectSize(
        mean_difference=mean,
        d_z=mean / spread if spread > 1e-12 * abs(mean) and spread > 0 else None,
        rank_biserial=float(np.sum(np.sign(moved) * ranks) / ranks.sum()) if len(moved) else None,
        **(_of_rates(a, b) if np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all() else {}),
    )


def mean_t_test(
    differences: ArrayLike, *, groups: Iterable[Hashable | None] | None = None, level: float = 0.95
) -> MeanTest:
    """Return Student's t test and interval of the mean of paired differences, by cluster where there are groups.

    Args:
        differences: (n,), b minus a of each example.
        groups: (n,) names of clusters; None as a name is a cluster of its own. t then has clusters - 1 degrees of freedom.
        level: of the interval.

    Raises:
        ValueError: fewer than 2 examples (clusters), differences are unfit, groups is not of length n, or level is not between 0 and 1.

    Source: Student (1908); by cluster with `core.stats.cluster_standard_error`'s small-sample error, as Cameron & Miller
    (2015), s. VI, advise for few clusters.
    """
    numbers = finite_vector(differences, "differences")
    mean, error, degrees, method = _mean_and_error(numbers, groups)
    reach = float(stdtrit(degrees, (1 + share(level, "level")) / 2)) * error
    p = 1.0 if mean == 0 else 0.0 if error == 0 else float(2 * stdtr(degrees, -abs(mean) / error))
    return MeanTest(mean, mean - reach, mean + reach, p, degrees, method)


def equivalence_test(
    differences: ArrayLike, band: float, *, groups: Iterable[Hashable | None] | None = None, alpha: float = 0.05
) -> Equivalence:
    """Test whether the mean of paired differences lies within -band to band.

    Args:
        differences: (n,), b minus a of each example.
        band: the largest difference that counts as none, in the unit of the differences; declared before looking.
        groups: (n,) names of clusters; None as a name is a cluster of its own.
        alpha: level of each of the two one-sided tests, and so of the whole.

    Raises:
        ValueError: band is not above 0, or as `mean_t_test`.

    Source: Schuirmann (1987), two one-sided t tests; equal to statsmodels' ``DescrStatsW.ttost_mean``.
    """
    numbers = finite_vector(differences, "differences")
    if not isfinite(band) or band <= 0:
        raise ValueError(f"band must be a number above 0; found {band!r}")
    mean, error, degrees, method = _mean_and_error(numbers, groups)
    above, below = (mean + band), (mean - band)
    if error == 0:
        p = 0.0 if above > 0 > below else 1.0
    else:
        p = max(float(stdtr(degrees, -above / error)), float(stdtr(degrees, below / error)))
    reach = float(stdtrit(degrees, 1 - share(alpha, "alpha"))) * error
    return Equivalence(mean, p, mean - reach, mean + reach, p < alpha, f"two one-sided {method}")


def _mean_and_error(numbers: np.ndarray, groups: Iterable[Hashable | None] | None) -> tuple[float, float, int, str]:
    if len(numbers) < 2:
        raise ValueError("Student's t needs at least 2 examples; found 1")
    if groups is None:
        return float(numbers.mean()), float(numbers.std(ddof=1) / sqrt(len(numbers))), len(numbers) - 1, "t test"
    found = cluster_standard_error(numbers, groups)
    method = f"t test ({found.n_clusters:,} clusters)"
    return float(numbers.mean()), found.clustered_small_sample, found.n_clusters - 1, method


def _midranks(numbers: np.ndarray) -> np.ndarray:
    """Return ranks from 1, ties at their middle; written out, since importing scipy.stats takes a page's third of a second."""
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _of_rates(a: np.ndarray, b: np.ndarray) -> dict[str, float | None]:
    only_a, only_b = int(np.sum(a > b)), int(np.sum(b > a))
    odds = only_b / only_a if only_a else inf if only_b else None
    return {"cohen_h": 2 * asin(sqrt(b.mean())) - 2 * asin(sqrt(a.mean())), "odds_ratio": odds}
