"""A metric's value for each variant and its difference to the reference, with intervals and p-values, as one table row.

The method follows from the metric and the data: Wilson, mid-p McNemar and Tango for independent rates, those among some of the
examples (recall) included; sign-flip for means;
the swap test for corpus values; the percentile bootstrap for every other interval; all by cluster where examples have groups,
with Student's t where clusters are few; influence functions where examples are many (see `core.estimators`). A value that no
resample (or no example) moves, such as F1 where all are right, has no interval rather than one of width 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from core.estimators import Drawn, Setting, drawing, estimator
from core.metrics.metric import Metric
from core.panels import Panel
from core.resampler import LARGE, Resampler
from core.results import Difference, Value

NOTHING = "none"


@dataclass(frozen=True)
class Measured:
    """What is known of one panel before any p-value is adjusted."""

    values: dict[str, Value]
    differences: dict[str, Difference]
    """``p_adjusted`` is None and ``verdict`` "unclear", or "none" where there is nothing to compare."""
    errors: dict[str, float] = field(default_factory=dict)
    """The standard error of each difference, where it is known."""


def measure(panels: Sequence[Panel], reference: str, resampler: Resampler, level: float) -> list[Measured]:
    """Return values and differences of panels over the same examples, in order.

    Args:
        panels: All on the resampler's examples; the first variant need not be the reference.
        reference: The variant that the others are compared with.
        resampler: Draws are shared by all panels.
        level: Of the intervals.
    """
    rows = [_Row(_setting(panel, reference, resampler, level)) for panel in panels]
    by_resampler: dict[int, list[Drawn]] = {}
    for row in rows:
        if (drawn := drawing(row.estimator)) is not None:
            by_resampler.setdefault(id(row.setting.resampler), []).append(drawn)
    for some in by_resampler.values():
        _draw(some)
    return [row.measured() for row in rows]


def _setting(panel: Panel, reference: str, resampler: Resampler, level: float) -> Setting:
    """Return where a panel is measured: one of few among many examples is cut out, so that its draws stay small."""
    if resampler.n > LARGE and int(panel.inside.sum()) <= LARGE and resampler.scheme(panel.resampling) != "blocks":
        return Setting(panel.within(panel.inside), reference, resampler.within(panel.inside), level)
    return Setting(panel, reference, resampler, level)


def _draw(rows: Sequence[Drawn]) -> None:
    """Draw for all rows of one resampler at once."""
    resampler = rows[0].setting.resampler
    sampled = [(row, job) for row in rows if (job := row.bootstrap_job()) is not None]
    for (row, _), drawn in zip(sampled, resampler.bootstrap([job for _, job in sampled]), strict=True):
        row.take(drawn)
    tested = [(row, job) for row in rows if (job := row.swap_job()) is not None]
    for (row, _), p in zip(tested, resampler.swap([job for _, job in tested]), strict=True):
        row.p = dict(zip(row.swapped, p.tolist(), strict=True))


class _Row:
    """One panel on its way to a row."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.panel = setting, setting.panel
        self.metric: Metric = setting.metric
        self.estimator = estimator(setting)
        self._errors: dict[str, float] = {}
        self._plain_values: dict[tuple[str, bytes], float] = {}

    def measured(self) -> Measured:
        values = {variant: self._value(variant) for variant in self.panel.statistics}
        differences = {variant: self._difference(variant) for variant in self.setting.others}
        return Measured(values, differences, self._errors)

    def _plain(self, variant: str, mask: np.ndarray) -> tuple[float | None, str | None]:
        """Return the value over the examples in ``mask``, or None and why there is none."""
        key = (variant, mask.tobytes())
        if key not in self._plain_values:
            self._plain_values[key] = self.panel.value(variant, mask)
        value = self._plain_values[key]
        if np.isfinite(value):
            return value, None
        return None, "the value is too large for a number" if np.isinf(value) else self.metric.undefined

    def _value(self, variant: str) -> Value:
        statistics, present = self.panel.statistics[variant], self.panel.present(variant)
        n, n_missing = int(present.sum()), int(self.panel.inside.sum() - present.sum())
        value, reason = self._plain(variant, present) if n else (None, self._why_nothing(variant))
        if value is None:
            return Value(None, None, None, n, n_missing, reason, statistics.signature, NOTHING)
        bounds = self.estimator.interval(variant, present, value)
        return Value(value, bounds.low, bounds.high, n, n_missing, None, statistics.signature, bounds.method)

    def _difference(self, variant: str) -> Difference:
        pair = self.setting.pairs[variant]
        n = int(pair.sum())
        if (why := self.setting.incomparable(variant)) is not None:
            return _no_difference(n, why)
        if n == 0:
            return _no_difference(n, "no example has a value for both")
        (value, why), (base, base_why) = self._plain(variant, pair), self._plain(self.setting.reference, pair)
        if value is None or base is None:
            return _no_difference(n, why or base_why or self.metric.undefined)
        difference = value - base
        bounds = self.estimator.difference(variant, difference)
        if bounds.error is not None:
            self._errors[variant] = bounds.error
        p, test = self.estimator.test(variant, difference)
        method = bounds.method if test == NOTHING else f"{test}, {bounds.method}"
        reason = self.metric.no_interval if self.panel.resampling == "none" else None
        return Difference(difference, bounds.low, bounds.high, p, None, n, "unclear", reason, method)

    def _why_nothing(self, variant: str) -> str:
        if not self.panel.inside.any():
            return "no example is left by the filter"
        reasons = self.panel.statistics[variant].reasons
        told = Counter(compress(reasons, self.panel.inside))
        del told[None]
        return told.most_common(1)[0][0] or self.metric.undefined if told else self.metric.undefined


def _no_difference(n: int, reason: str) -> Difference:
    return Difference(None, None, None, None, None, n, "none", reason, NOTHING)
