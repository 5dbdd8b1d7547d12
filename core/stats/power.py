"""How many examples a difference needs, and how small a difference so many examples can show."""

from __future__ import annotations

from math import ceil, isfinite, sqrt

from scipy.special import ndtri

from core.stats.arrays import count_of, share


def sample_size(variance: float, difference: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return how many examples a two-sided paired test needs to show a mean difference.

    Args:
        variance: of one example's difference b - a (for unpaired variants: the sum of both variances).
        difference: the mean difference to be shown, in the unit of the differences; its sign does not matter.
        alpha: level of the test.
        power: probability of showing it.

    Raises:
        ValueError: variance is negative, difference is 0, or alpha or power is not between 0 and 1.

    Source: Miller (2024), Adding Error Bars to Evals, eq. 9, by the normal approximation.
    """
    _require_variance(variance)
    if not isfinite(difference) or difference == 0:
        raise ValueError(f"difference must be a number other than 0; found {difference!r}")
    # The tolerance keeps a rounding error of the product from asking for one more example.
    return max(1, ceil(variance * (_reach(alpha, power) / difference) ** 2 * (1 - 1e-12)))


def minimum_detectable_effect(variance: float, n: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest mean difference that n examples show with this power; the inverse of `sample_size`.

    Args:
        variance: of one example's difference b - a.
        n: examples.
        alpha: level of the two-sided test; for a family of m tests alpha / m is the careful choice.
        power: probability of showing it.

    Raises:
        ValueError: variance is negative, n is below 1, or alpha or power is not between 0 and 1.

    Source: Miller (2024), Adding Error Bars to Evals, eq. 10.
    """
    _require_variance(variance)
    return _reach(alpha, power) * sqrt(variance / count_of(n, "n"))


def _reach(alpha: float, power: float) -> float:
    return float(ndtri(share(power, "power")) - ndtri(share(alpha, "alpha") / 2))


def _require_variance(variance: float) -> None:
    if not isfinite(variance) or variance < 0:
        raise ValueError(f"variance must be a number of at least 0; found {variance!r}")
