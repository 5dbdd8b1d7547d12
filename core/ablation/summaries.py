"""The outcome of a configuration: its runs, and an interval that says what it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.ablation.design import count_seeds
from core.ablation.measured import Measurement
from core.ablation.records import Dot, Level, Spread, Summary
from core.ablation.seeds import LEAST_SEEDS, Contrast, seed_contrast, shared_variance
from core.notation import counted
from core.stats.percentiles import percentile_interval

NOTHING = Summary(None, None, None, None, 0, None, "no run", ())


def summary_of(measured: Measurement, groups: Sequence[Sequence[str]], seeds: Mapping[str, Level]) -> Summary:
    """Return the mean over configurations of each one's mean over its seeds.

    Three seeds or more in each: the interval is over seeds and examples together; two: there is none; one: it is of the examples
    alone.

    Args:
        measured: the outcome.
        groups: the variants of each configuration; those without a value are left out.
        seeds: of each variant.
    """
    known = [some for group in groups if (some := [name for name in group if name in measured.point])]
    if not known:
        return NOTHING
    dots = tuple(Dot(name, seeds.get(name), measured.point[name]) for group in known for name in group)
    mean = float(np.mean([np.mean([measured.point[name] for name in group]) for group in known]))
    fewest = min(count_seeds(seeds.get(name) for name in group) for group in known)
    spread: Spread = "seeds" if fewest >= LEAST_SEEDS else "two seeds" if fewest == 2 else "one seed"
    low, high = _interval(measured, known, spread)
    deviation = _deviation([[measured.point[name] for name in group] for group in known])
    return Summary(mean, low, high, spread, len(dots), deviation, _label(known, spread), dots)


def _interval(
    measured: Measurement, groups: Sequence[Sequence[str]], spread: Spread
) -> tuple[float | None, float | None]:
    if spread == "two seeds" or not len(measured.draws):
        return None, None
    if spread == "seeds":
        contrast = group_contrast(measured, groups, [1 / len(groups)] * len(groups))
        low, high = contrast.interval(measured.level)
        return (float(low), float(high)) if np.isfinite(low) and np.isfinite(high) else (None, None)
    if len(groups) == len(groups[0]) == 1:
        value = measured.values.get(groups[0][0])
        if value is not None:
            return value.low, value.high
    columns = [np.mean([measured.draws[:, measured.names.index(name)] for name in group], axis=0) for group in groups]
    return percentile_interval(np.mean(columns, axis=0), measured.level)[:2]


def group_contrast(measured: Measurement, groups: Sequence[Sequence[str]], weights: Sequence[float]) -> Contrast:
    """Return `seed_contrast` of configurations' means; each has two seeds or more."""
    variants = [name for group in groups for name in group]
    ends = np.cumsum([0, *map(len, groups)]).tolist()
    numbers = [list(range(start, end)) for start, end in zip(ends, ends[1:], strict=False)]
    values = [np.array([measured.point[name] for name in group]) for group in groups]
    variance = shared_variance(measured.covariance(variants), numbers, weights)
    return seed_contrast(values, weights, variance, measured.units)


def _deviation(groups: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation between seeds, pooled over configurations."""
    several = [group for group in groups if len(group) > 1]
    if not several:
        return None
    squares = sum(float(np.var(group, ddof=1)) * (len(group) - 1) for group in several)
    return float(np.sqrt(squares / sum(len(group) - 1 for group in several)))


def _label(groups: Sequence[Sequence[str]], spread: Spread) -> str:
    n = sum(map(len, groups))
    if spread == "one seed" and len(groups) == 1 and n > 1:
        return f"{counted(n, 'run')} of one seed: seed variance unknown"
    what = counted(n, "run") if len(groups) > 1 else counted(n, "seed")
    told: dict[Spread, str] = {
        "seeds": "interval over seeds and examples", "two seeds": "too few for an interval", "one seed": "seed variance unknown",
    }  # fmt: skip
    return f"{what}: {told[spread]}"
