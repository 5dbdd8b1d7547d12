"""How an interval and a test are made for one metric: in closed form, from influence functions, from draws, or not at all.

Each way answers the same calls (`core.estimators.setting.Estimator`), so that `core.contrasts` puts rows together without
knowing which one it is.
"""

from __future__ import annotations

from core.estimators.closed import Conditional, Counted, Untold
from core.estimators.drawn import SAME, Drawn
from core.estimators.linear import Linear
from core.estimators.setting import FEW_CLUSTERS, ROUNDING, UNMOVED, Bounds, Estimator, Setting
from core.resampler import LARGE

__all__ = [
    "ROUNDING",
    "SAME",
    "UNMOVED",
    "Bounds",
    "Conditional",
    "Counted",
    "Drawn",
    "Estimator",
    "Linear",
    "Setting",
    "Untold",
    "drawing",
    "estimator",
]


def estimator(setting: Setting) -> Estimator:
    """Return the way that fits a panel's metric and data."""
    if setting.panel.resampling == "none":
        return Untold(setting)
    if Counted.fits(setting):
        return Counted(setting)
    if Conditional.fits(setting):
        same = all(Conditional.paired(setting, variant) for variant in setting.others)
        return Conditional(setting, None if same else _by_sums(setting))
    return _by_sums(setting)


def drawing(chosen: Estimator) -> Drawn | None:
    """Return what of an estimator has to be drawn before it can answer, if anything."""
    inner = chosen.otherwise if isinstance(chosen, Conditional) else chosen
    return inner if isinstance(inner, Drawn) else None


def _by_sums(setting: Setting) -> Linear | Drawn:
    inside = setting.panel.inside
    few = setting.clusters and setting.resampler.units(inside) < FEW_CLUSTERS
    linear = Linear(setting)
    if (few or int(inside.sum()) > LARGE) and setting.scheme != "blocks" and linear.possible():
        return linear
    return Drawn(setting)
