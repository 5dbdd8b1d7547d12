"""One factor at a time: adapters (or configurations, where seeds suffice) that differ in one choice alone, and the trend along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from core.ablation.design import Design, Group
from core.ablation.measured import Measurement
from core.ablation.records import Kind, Level
from core.ablation.seeds import LEAST_SEEDS
from core.ablation.summaries import group_contrast
from core.stats.percentiles import percentile_interval

LEAST_DOSES = 3


@dataclass(frozen=True)
class Pair:
    """Two configurations that differ in one factor."""

    factor: int
    a: Group
    b: Group

    @property
    def kind(self) -> Kind:
        """What a statement can be about."""
        return "factor" if min(self.a.n_seeds, self.b.n_seeds) >= LEAST_SEEDS else "adapters"

    @property
    def compared(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The variants a side: all seeds, or one adapter each, of the same seed where both state one."""
        if self.kind == "factor":
            return self.a.variants, self.b.variants
        by_seed: dict[Level, str] = {}
        for seed, variant in zip(self.a.seeds, self.a.variants, strict=True):
            by_seed.setdefault(seed, variant)
        for seed, variant in zip(self.b.seeds, self.b.variants, strict=True):
            if seed is not None and seed in by_seed:
                return (by_seed[seed],), (variant,)
        return self.a.variants[:1], self.b.variants[:1]


@dataclass(frozen=True)
class Slope:
    """Configurations along one factor, the others as in the reference."""

    factor: int
    groups: tuple[Group, ...]
    """By rising level."""
    weights: tuple[float, ...]
    """Of each group's mean in the slope of a straight line."""

    @property
    def kind(self) -> Kind:
        """What a statement can be about."""
        return "factor" if min(group.n_seeds for group in self.groups) >= LEAST_SEEDS else "adapters"


@dataclass(frozen=True)
class Told:
    """What was measured of a pair or a slope, before its p-value is adjusted."""

    estimate: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int
    method: str
    reason: str | None = None
    error: float | None = None


def pairs_of(design: Design, reference: Group) -> list[Pair]:
    """Return the pairs that are looked at: each neighbour against the reference, and of a factor with three levels or more the
    lowest against the highest where neither is the reference's.
    """
    found = [Pair(k, reference, other) for k, other in design.neighbours(reference)]
    for k, factor in enumerate(design.factors):
        line = _along(design, reference, k)
        if factor.numeric and len(line) >= LEAST_DOSES and reference not in (line[0], line[-1]):
            found.append(Pair(k, line[0], line[-1]))
    return sorted(found, key=lambda pair: pair.factor)


def slopes_of(design: Design, reference: Group) -> list[Slope]:
    """Return the factors with three ordered levels or more, the other factors as in the reference."""
    found = []
    for k, factor in enumerate(design.factors):
        line = _along(design, reference, k)
        if not factor.numeric or len(line) < LEAST_DOSES:
            continue
        doses = np.array([float(factor.levels[group.levels[k]].dose or 0.0) for group in line])
        x = np.log2(doses) if factor.log else doses
        centred = x - x.mean()
        found.append(Slope(k, tuple(line), tuple((centred / (centred**2).sum()).tolist())))
    return found


def measure_pairs(measured: Measurement, pairs: Sequence[Pair]) -> list[Told]:
    """Return b minus a of each pair, in order."""
    asked: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.kind == "adapters":
            (a,), (b,) = pair.compared
            if a in measured.point and b in measured.point:
                asked.setdefault(a, []).append(b)
    found = {a: measured.differences(a, dict.fromkeys(others)) for a, others in asked.items()}
    told = []
    for pair in pairs:
        if pair.kind == "factor":
            told.append(_over_seeds(measured, [pair.a.variants, pair.b.variants], (-1.0, 1.0)))
            continue
        (a,), (b,) = pair.compared
        if b not in found.get(a, {}):
            missing = b if a in measured.point else a
            told.append(Told(None, None, None, None, 0, "none", f"{missing} has no value"))
            continue
        one = found[a][b]
        told.append(Told(one.difference, one.low, one.high, one.p, one.n, one.method, one.reason))
    return told


def measure_slope(measured: Measurement, slope: Slope) -> Told:
    """Return the slope of the outcome along a factor."""
    groups = [tuple(name for name in group.variants if name in measured.point) for group in slope.groups]
    if not all(groups):
        empty = next(group.name for group, some in zip(slope.groups, groups, strict=True) if not some)
        return Told(None, None, None, None, 0, "none", f"{empty} has no value")
    if slope.kind == "factor":
        return _over_seeds(measured, groups, slope.weights)
    estimate = sum(
        w * float(np.mean([measured.point[v] for v in some])) for w, some in zip(slope.weights, groups, strict=True)
    )
    n = int(measured.joint.sum())
    if not len(measured.draws):
        return Told(
            estimate,
            None,
            None,
            None,
            n,
            "none",
            measured.panel.metric.no_interval or "too few examples for an interval",
        )
    drawn = np.zeros(len(measured.draws))
    for w, some in zip(slope.weights, groups, strict=True):
        drawn += w * np.mean([measured.draws[:, measured.names.index(v)] for v in some], axis=0)
    low, high, _ = percentile_interval(drawn, measured.level)
    error = float(np.nanstd(drawn))
    p = float(2 * stdtr(max(1, measured.units - 1), -abs(estimate) / error)) if error > 0 else None
    return Told(estimate, low, high, p, n, "straight line over adapters, bootstrap by examples", error=error)


def _over_seeds(measured: Measurement, groups: Sequence[Sequence[str]], weights: Sequence[float]) -> Told:
    known = [[name for name in group if name in measured.point] for group in groups]
    n = int(measured.joint.sum())
    if min(map(len, known)) < LEAST_SEEDS:
        return Told(None, None, None, None, n, "none", f"fewer than {LEAST_SEEDS} seeds a level have a value")
    if not len(measured.draws):
        return Told(
            None, None, None, None, n, "none", measured.panel.metric.no_interval or "too few examples for an interval"
        )
    contrast = group_contrast(measured, known, weights)
    if not np.isfinite(contrast.error):
        return Told(float(contrast.estimate), None, None, None, n, "none", "the value is undefined in most resamples")
    low, high = contrast.interval(measured.level)
    seeds = " and ".join(map(str, dict.fromkeys(map(len, known))))
    return Told(
        float(contrast.estimate), float(low), float(high), float(contrast.p), n,
        f"Welch's t over {seeds} seeds a level, the examples' variance added", error=float(contrast.error),
    )  # fmt: skip


def _along(design: Design, reference: Group, factor: int) -> list[Group]:
    """Return the groups that differ from the reference in one factor at the most, by its level."""
    if not design.level(reference, factor).known:
        return [reference]
    line = [reference, *(other for k, other in design.neighbours(reference) if k == factor)]
    return sorted(line, key=lambda group: group.levels[factor])
