"""Rates: the interval of one, and the test and interval of the difference between two on the same examples.

Every function takes counts of examples. `mcnemar` and `paired_difference_interval` take examples as independent; where
they come in clusters use `core.stats.paired.sign_flip_test` and `core.stats.resampling.cluster_bootstrap_interval`.

The distributions come from scipy.special: importing scipy.stats or statsmodels would take a third of a second or more of
a page's first one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Literal, cast

from scipy.special import bdtr, chdtrc, ndtri

from core.stats.arrays import share


@dataclass(frozen=True)
class McNemar:
    """Two-sided tests of two paired rates being equal."""

    exact_p: float
    """Binomial; rejects too rarely."""
    mid_p: float
    """The exact one less half the probability of what was observed on each side; the one to show."""
    chi2: float
    chi2_p: float
    chi2_corrected: float
    """With Edwards' continuity correction."""
    chi2_corrected_p: float


def mcnemar(only_a: int, only_b: int) -> McNemar:
    """Test whether two variants are right equally often on the same examples.

    Args:
        only_a: examples that a alone got right.
        only_b: examples that b alone got right. Examples that both or neither got right do not matter.

    Returns:
        The p-values; all 1 where no example tells the two apart.

    Raises:
        ValueError: a count is negative or no whole number.

    Source: McNemar (1947); mid-p: Fagerland, Lydersen & Laake (2013), as twice the one-sided mid-p.
    """
    a, b = _count(only_a, "only_a"), _count(only_b, "only_b")
    n, fewer, gap = a + b, min(a, b), abs(a - b)
    if n == 0:
        return McNemar(1.0, 1.0, 0.0, 1.0, 0.0, 1.0)
    # P(X <= fewer) and P(X < fewer) of a fair coin: the exact p is twice the first, the mid-p the sum of both.
    up_to = float(bdtr(fewer, n, 0.5))
    below = float(bdtr(fewer - 1, n, 0.5)) if fewer else 0.0
    plain, corrected = gap**2 / n, max(gap - 1, 0) ** 2 / n
    return McNemar(
        exact_p=min(1.0, 2 * up_to),
        mid_p=min(1.0, up_to + below),
        chi2=plain,
        chi2_p=float(chdtrc(1, plain)),
        chi2_corrected=corrected,
        chi2_corrected_p=float(chdtrc(1, corrected)),
    )


def wilson_interval(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of one rate, (low, high) in 0 to 1.

    Args:
        k: how many of the n examples were right.
        n: examples.
        level: of the interval.

    Raises:
        ValueError: n is below 1, k is not between 0 and n, or one of them is no whole number.

    Source: Wilson (1927). It has width at 0 and 100 %, and never leaves 0 to 1.
    """
    k, n = _count(k, "k"), _count(n, "n")
    if n == 0 or k > n:
        raise ValueError(f"a rate needs at least one example and no more hits than examples; found {k} of {n}")
    z_squared = _z_squared(level)
    centre = (k + z_squared / 2) / (n + z_squared)
    half = sqrt(z_squared * (k * (n - k) / n + z_squared / 4)) / (n + z_squared)
    # At 0 and n the bound is the rate itself; rounding must not move it.
    return max(0.0, centre - half) if k else 0.0, min(1.0, centre + half) if k < n else 1.0


def paired_difference_interval(
    both: int,
    only_a: int,
    only_b: int,
    neither: int,
    method: Literal["tango", "newcombe10"] = "tango",
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the interval of rate(a) - rate(b) on the same examples.

    The sign is that of the table, a minus b: for "variant minus reference" the variant is a.

    Args:
        both: examples that both variants got right.
        only_a: that a alone got right.
        only_b: that b alone got right.
        neither: that neither got right.
        method: ``tango`` inverts the score test; ``newcombe10`` puts two Wilson intervals together by their correlation.
        level: of the interval.

    Returns:
        low, high in -1 to 1. They have width at 0 and at the extremes too.

    Raises:
        ValueError: a count is negative or no whole number, all are 0, or the method is unknown.

    Source: Tango (1998); Newcombe (1998), method 10, with his continuity correction of the correlation.
    """
    counts = [_count(c, name) for c, name in
              ((both, "both"), (only_a, "only_a"), (only_b, "only_b"), (neither, "neither"))]  # fmt: skip
    if sum(counts) == 0:
        raise ValueError("a paired difference needs at least one example; all four counts are 0")
    z_squared = _z_squared(level)
    if method == "tango":
        n, a, b = sum(counts), counts[1], counts[2]
        return _tango_low(a, b, n, z_squared), -_tango_low(b, a, n, z_squared)
    if method == "newcombe10":
        return _newcombe(*counts, level=level)
    raise ValueError(f"method must be 'tango' or 'newcombe10'; found {method!r}")


def _tango_low(a: int, b: int, n: int, z_squared: float) -> float:
    """Return the lower bound; where the estimate has no variance under itself the bound is known in closed form."""
    if b == n:
        return -1.0
    if a == n:
        return (n - z_squared) / (n + z_squared)
    if a == b == 0:
        return -z_squared / (n + z_squared)

    def excess(delta: float) -> float:
        # Positive where the score test rejects delta. The root is the restricted estimate of P(only b).
        linear = (2 * n - a + b) * delta - a - b
        root = (sqrt(max(0.0, linear**2 + 8 * n * b * delta * (1 - delta))) - linear) / (4 * n)
        return (a - b - n * delta) ** 2 - z_squared * n * (2 * root + delta * (1 - delta))

    from scipy.optimize import brentq  # scipy.optimize is slow to import, and every page imports this file

    return cast(float, brentq(excess, -1.0, (a - b) / n, xtol=1e-14))


def _newcombe(both: int, only_a: int, only_b: int, neither: int, level: float) -> tuple[float, float]:
    n = both + only_a + only_b + neither
    hits_a, hits_b = both + only_a, both + only_b
    rate_a, rate_b = hits_a / n, hits_b / n
    low_a, high_a = wilson_interval(hits_a, n, level)
    low_b, high_b = wilson_interval(hits_b, n, level)
    margins = hits_a * (n - hits_a) * hits_b * (n - hits_b)
    # Newcombe's correction, for a positive correlation only: without it the interval has no width when nothing differs.
    cross = both * neither - only_a * only_b
    phi = (max(cross - n / 2, 0.0) if cross > 0 else cross) / sqrt(margins) if margins else 0.0

    def distance(from_a: float, from_b: float) -> float:
        return sqrt(max(0.0, from_a**2 - 2 * phi * from_a * from_b + from_b**2))

    gap = rate_a - rate_b
    low = gap - distance(rate_a - low_a, high_b - rate_b)
    high = gap + distance(high_a - rate_a, rate_b - low_b)
    return max(-1.0, low), min(1.0, high)


def _z_squared(level: float) -> float:
    return float(ndtri((1 - share(level, "level")) / 2)) ** 2


def _count(number: int, name: str) -> int:
    if not isfinite(number) or number < 0 or number != int(number):
        raise ValueError(f"{name} must be a count, a whole number of at least 0; found {number!r}")
    return int(number)
