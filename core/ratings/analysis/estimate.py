"""A number with its uncertainty, as all results of human rating give it, and how it is made from answers.

Answers to one example, and examples of one group, are resampled together: they are no independent evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.stats import (
    Agreement,
    Interval,
    bootstrap_interval,
    cluster_bootstrap_interval,
    mcnemar,
    sign_flip_test,
    wilson_interval,
)
from core.stats.arrays import ValueFunction

ONE_GROUP = "no interval: one example alone shows no uncertainty"
NO_SPREAD = "no interval: the examples show no differences to resample"
FEWEST_GROUPS = 10
"""Of fewer groups a bootstrap's interval is much too narrow."""


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty."""

    value: float | None
    """None where it is not defined; ``reason`` then says why."""
    low: float | None
    high: float | None
    """The interval's bounds; None where there are none, ``reason`` then says why."""
    n: int
    """What it rests on; the field that holds the estimate says of what (verdicts, items, answers)."""
    reason: str | None = None
    """Why there is no value, or a value without bounds. A sentence's part without a full stop, such as "undefined: no variation"."""
    method: str = ""
    """How the interval was made, such as "Wilson" or "cluster bootstrap (2,000 resamples, 60 clusters)"."""


@dataclass(frozen=True)
class Settings:
    """How intervals are made."""

    level: float
    resamples: int
    seed: int


def undefined(reason: str, n: int = 0) -> Estimate:
    """Return an estimate without a value."""
    return Estimate(None, None, None, n, reason)


def from_interval(value: float, interval: Interval | None, n: int) -> Estimate:
    """Return a value with an interval that may have no bounds."""
    if interval is None or interval.low is None:
        why = None if interval is None else interval.method.replace("none:", "no interval:", 1)
        return Estimate(value, None, None, n, why)
    return Estimate(value, interval.low, interval.high, n, None, interval.method)


def from_agreement(found: Agreement) -> Estimate:
    """Return a measure of agreement; n is its units."""
    if found.value is None:
        return undefined(found.reason or "undefined", found.n_units)
    return from_interval(found.value, found.interval, found.n_units)


def rate(hits: Sequence[bool] | np.ndarray, groups: Sequence[str], settings: Settings, nothing: str) -> Estimate:
    """Return a share of answers: Wilson's interval where each is of a group of its own, else a bootstrap of the groups.

    Few groups, or resamples without spread, would make a bootstrap too sure of itself: Wilson's interval then counts the groups.

    Args:
        hits: (n,) which answers count.
        groups: (n,) the example, or its group.
        settings: of the interval.
        nothing: what there is none of where n is 0, as in "no decisive verdicts".
    """
    n, n_hits, n_groups = len(hits), int(np.sum(hits)), len(set(groups))
    if n == 0:
        return undefined(f"undefined: {nothing}")
    value = n_hits / n
    if n_groups == n:
        return Estimate(value, *wilson_interval(n_hits, n, settings.level), n, None, "Wilson")
    if n_groups >= FEWEST_GROUPS and 0 < n_hits < n:
        found = ratio(
            np.column_stack([np.asarray(hits, dtype=np.float64), np.ones(n)]), share_of_sums, groups, settings, n
        )
        if found.low is not None:
            return found
    low, high = wilson_interval(round(value * n_groups), n_groups, settings.level)
    return Estimate(value, min(low, value), max(high, value), n, None, f"Wilson, over {n_groups:,} examples")


def mean(values: Sequence[float] | np.ndarray, groups: Sequence[str], settings: Settings, nothing: str) -> Estimate:
    """Return a mean with a bootstrap interval of the groups; arguments as in `rate`."""
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers):
        return undefined(f"undefined: {nothing}")
    if len(numbers) > 1 and np.ptp(numbers) == 0:
        return Estimate(float(numbers[0]), None, None, len(numbers), NO_SPREAD)
    return ratio(np.column_stack([numbers, np.ones(len(numbers))]), share_of_sums, groups, settings, len(numbers))


def ratio(statistics: np.ndarray, value: ValueFunction, groups: Sequence[str], settings: Settings, n: int) -> Estimate:
    """Return a function of summed statistics, (rows, k), with a bootstrap interval of the groups."""
    number = float(value(statistics.sum(axis=0)))
    n_groups = len(set(groups))
    if n_groups < 2:
        return Estimate(number, None, None, n, ONE_GROUP)
    options = {"resamples": settings.resamples, "seed": settings.seed, "level": settings.level}
    if n_groups == len(statistics):
        found = from_interval(number, bootstrap_interval(statistics, value, **options), n)
    else:
        found = from_interval(number, cluster_bootstrap_interval(statistics, value, groups, **options), n)
    return found if found.low is None or found.low != found.high else Estimate(number, None, None, n, NO_SPREAD)


def share_of_sums(sums: np.ndarray) -> np.ndarray:
    """Return the share from sums of (hits, all), (..., 2); NaN without any."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]


def even_p(hits: np.ndarray, groups: Sequence[str], settings: Settings) -> float | None:
    """Return the two-sided p of hits being as likely as misses: mid-p of the sign test, by group sign flips; None without any."""
    if not len(hits):
        return None
    if len(set(groups)) == len(hits):
        return mcnemar(int(np.sum(hits)), int(len(hits) - np.sum(hits))).mid_p
    signs = np.where(hits, 1.0, -1.0)
    return sign_flip_test(signs, trials=settings.resamples, seed=settings.seed, groups=groups).p
