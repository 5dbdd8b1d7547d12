"""The difference inside a slice minus the difference in the rest: does the effect differ between the two?

Where examples are independent the two differences are, and their intervals are combined (MOVER: Zou & Donner, 2008, Statistics in
Medicine 27:1693-1702), which keeps what each of them knows of its own shape. Where clusters lie on both sides the two are not
independent: the contrast's own influences are then summed by cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

import numpy as np
from scipy.special import ndtr, ndtri, stdtr

from core.contrasts import NOTHING
from core.estimators import Setting
from core.families import MIN_EXAMPLES
from core.results import Difference
from core.stats.influence import influence_error, influence_values, t_reach


@dataclass(frozen=True)
class Contrast:
    """A contrast before its p-value is adjusted."""

    difference: Difference
    error: float | None
    """Its standard error."""


def contrast(setting: Setting, variant: str, inside: np.ndarray, within: Difference, rest: Difference) -> Contrast:
    """Return how a variant's difference inside a slice differs from that in the rest.

    Args:
        setting: the metric's panel over all examples, the reference, and what are clusters.
        variant: not the reference.
        inside: bool (n,), the slice.
        within: the difference inside.
        rest: the difference over the other examples.
    """
    n = within.n + rest.n
    gap = None if within.difference is None or rest.difference is None else within.difference - rest.difference
    if gap is None:
        why = within.reason if within.difference is None else f"in the rest: {rest.reason}"
        return Contrast(Difference(None, None, None, None, None, n, "none", why, NOTHING), None)
    crossing = setting.clusters and _crosses(setting.resampler.codes, inside)
    if setting.panel.resampling != "examples":
        found = _Bounds(None, None, None, None, within.method)
    else:
        found = _by_cluster(setting, variant, inside, gap) if crossing else _combined(gap, within, rest, setting.level)
    few = min(within.n, rest.n) < MIN_EXAMPLES
    side = "inside" if within.n <= rest.n else "outside"
    reason = f"too few examples {side} (n = {min(within.n, rest.n)}, at least {MIN_EXAMPLES})" if few else None
    p = None if few else found.p
    return Contrast(Difference(gap, found.low, found.high, p, None, n, "unclear", reason, found.method), found.error)


@dataclass(frozen=True)
class _Bounds:
    low: float | None
    high: float | None
    p: float | None
    error: float | None
    method: str


def _crosses(codes: np.ndarray, inside: np.ndarray) -> bool:
    """Whether some cluster has examples on both sides."""
    return bool(np.isin(codes[inside], codes[~inside]).any())


def _combined(gap: float, within: Difference, rest: Difference, level: float) -> _Bounds:
    """Combine the intervals of two independent differences."""
    ours, others = _reach(within), _reach(rest)
    if ours is None or others is None:
        return _Bounds(None, None, None, None, within.method if ours is None else rest.method)
    (down, up), (rest_down, rest_up) = ours, others
    low, high = gap - hypot(down, rest_up), gap + hypot(up, rest_down)
    # The error that the bound nearer to zero tells: p is below 1 - level exactly where the interval leaves out zero.
    error = (gap - low if gap > 0 else high - gap) / float(ndtri((1 + level) / 2))
    method = "z test, intervals of both differences combined (MOVER)"
    if error <= 0:
        return _Bounds(low, high, None, None, "none: the differences have no spread")
    return _Bounds(low, high, float(2 * ndtr(-abs(gap) / error)), error, method)


def _reach(difference: Difference) -> tuple[float, float] | None:
    """Return how far an interval reaches below and above its difference."""
    centre, low, high = difference.difference, difference.low, difference.high
    if centre is None or low is None or high is None:
        return None
    return max(0.0, centre - low), max(0.0, high - centre)


def _by_cluster(setting: Setting, variant: str, inside: np.ndarray, gap: float) -> _Bounds:
    """Sum the contrast's influences by cluster; Student's t on one less than there are clusters."""
    pair, codes = setting.pairs[variant], setting.resampler.codes
    moved = np.zeros(len(pair))
    for side, sign in ((inside & pair, 1.0), (~inside & pair, -1.0)):
        for name, turn in ((variant, 1.0), (setting.reference, -1.0)):
            found = _influence(setting, name, side)
            if found is None:
                return _Bounds(None, None, None, None, "none: how clusters move the value is not known")
            moved[side] += sign * turn * found
    error, units = influence_error(moved[pair], codes[pair])
    if not np.isfinite(error) or error <= 1e-8 * abs(gap):
        return _Bounds(None, None, None, None, "none: the clusters show no spread")
    reach = t_reach(units, setting.level) * error
    p = float(2 * stdtr(units - 1, -abs(gap) / error))
    return _Bounds(gap - reach, gap + reach, p, error, f"t test, influence functions ({units:,} clusters, Student's t)")


def _influence(setting: Setting, name: str, side: np.ndarray) -> np.ndarray | None:
    array = setting.panel.statistics[name].array[side].astype(np.float64, copy=False)
    if setting.metric.ordered:
        with np.errstate(all="ignore"):
            return setting.metric.influence(array, np.ones(len(array)))
    return influence_values(array, setting.metric.value)
