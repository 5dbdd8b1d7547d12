"""A metric's value for each variant and its difference to the reference, with intervals and p-values, as one table row.

The method follows from the metric and the data: Wilson, mid-p McNemar and Tango for independent rates; sign-flip for means;
the swap test for corpus values; the percentile bootstrap for every other interval; all by cluster where examples have groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.metrics.metric import Metric
from core.panels import BootstrapJob, Panel, Resampler, SwapJob
from core.results import Difference, Value
from core.stats.arrays import values_of
from core.stats.paired import EXACT_UP_TO, sign_flip_test
from core.stats.rates import mcnemar, paired_difference_interval, wilson_interval
from core.stats.resampling import percentile_interval

ALONE = "none: one example alone shows no uncertainty"
ALONE_CLUSTER = "none: one cluster alone shows no uncertainty"
NOTHING = "none"


@dataclass(frozen=True)
class Measured:
    """What is known of one panel before any p-value is adjusted."""

    values: dict[str, Value]
    differences: dict[str, Difference]
    """``p_adjusted`` is None and ``verdict`` "unclear", or "none" where there is nothing to compare."""


def measure(panels: Sequence[Panel], reference: str, resampler: Resampler, level: float) -> list[Measured]:
    """Return values and differences of panels over the same examples, in order.

    Args:
        panels: All on the resampler's examples; the first variant need not be the reference.
        reference: The variant that the others are compared with.
        resampler: Draws are shared by all panels.
        level: Of the intervals.
    """
    rows = [_Row(panel, reference, resampler, level) for panel in panels]
    sampled = [row for row in rows if row.arrays]
    for row, drawn in zip(sampled, resampler.bootstrap([row.bootstrap_job() for row in sampled]), strict=True):
        row.drawn = drawn
    tested = [row for row in rows if row.swapped]
    for row, p in zip(tested, resampler.swap([row.swap_job() for row in tested]), strict=True):
        row.p = dict(zip(row.swapped, p.tolist(), strict=True))
    return [row.measured() for row in rows]


class _Row:
    """One panel on its way: first what has to be resampled, then the results."""

    def __init__(self, panel: Panel, reference: str, resampler: Resampler, level: float) -> None:
        self.panel, self.reference, self.resampler, self.level = panel, reference, resampler, level
        self.metric: Metric = panel.metric
        self.others = [variant for variant in panel.statistics if variant != reference]
        self.counted = self.metric.test == "rate" and resampler.groups is None
        self.arrays: list[np.ndarray] = []
        self.drawn = np.empty((0, 0))
        self.p: dict[str, float] = {}
        self._position: dict[tuple[str, bytes], int] = {}
        self._pairs = {variant: panel.present(variant) & panel.present(reference) for variant in self.others}
        self.swapped = [variant for variant in self.others if not self.counted and self._needs_draws(variant)]
        if not self.counted:
            for variant in panel.statistics:
                self._collect(variant, panel.present(variant))
            for variant, pair in self._pairs.items():
                self._collect(variant, pair)
                self._collect(reference, pair)

    def bootstrap_job(self) -> BootstrapJob:
        return BootstrapJob(self.metric.value, self.arrays)

    def swap_job(self) -> SwapJob:
        pairs = [(variant, self._pairs[variant]) for variant in self.swapped]
        references = [self.panel.masked(self.reference, pair) for _, pair in pairs]
        return SwapJob(self.metric.value, references, [self.panel.masked(variant, pair) for variant, pair in pairs])

    def measured(self) -> Measured:
        values = {variant: self._value(variant) for variant in self.panel.statistics}
        return Measured(values, {variant: self._difference(variant) for variant in self.others})

    def _collect(self, variant: str, mask: np.ndarray) -> None:
        # Most variants miss nothing: their values and differences then come from the same resampled column.
        key = (variant, mask.tobytes())
        if key not in self._position and self.resampler.units(mask) > 1:
            self._position[key] = len(self.arrays)
            self.arrays.append(self.panel.masked(variant, mask))

    def _resampled(self, variant: str, mask: np.ndarray) -> np.ndarray | None:
        position = self._position.get((variant, mask.tobytes()))
        return None if position is None else self.drawn[:, position]

    def _plain(self, variant: str, mask: np.ndarray) -> tuple[float | None, str | None]:
        """Return the value over the examples in ``mask``, or None and why there is none."""
        sums = self.panel.statistics[variant].array[mask].sum(axis=0)
        value = float(values_of(self.metric.value, sums))
        if np.isfinite(value):
            return value, None
        return None, "the value is too large for a number" if np.isinf(value) else self.metric.undefined

    def _value(self, variant: str) -> Value:
        statistics, present = self.panel.statistics[variant], self.panel.present(variant)
        n, n_missing = int(present.sum()), int(self.panel.inside.sum() - present.sum())
        value, reason = self._plain(variant, present) if n else (None, self._why_nothing(variant))
        if value is None:
            return Value(None, None, None, n, n_missing, reason, statistics.signature, NOTHING)
        if self.counted:
            low, high = wilson_interval(round(float(statistics.array[present, 0].sum())), n, self.level)
            return Value(value, low, high, n, n_missing, None, statistics.signature, "Wilson")
        low, high, method = self._interval(self._resampled(variant, present), present)
        return Value(value, low, high, n, n_missing, None, statistics.signature, method)

    def _difference(self, variant: str) -> Difference:
        pair = self._pairs[variant]
        n = int(pair.sum())
        own, theirs = (self.panel.statistics[name].signature for name in (variant, self.reference))
        if own != theirs:
            return _no_difference(n, f"the two are computed differently: {own} and {theirs}")
        if n == 0:
            return _no_difference(n, "no example has a value for both")
        (value, why), (base, base_why) = self._plain(variant, pair), self._plain(self.reference, pair)
        if value is None or base is None:
            return _no_difference(n, why or base_why or self.metric.undefined)
        if self.counted:
            return self._rate_difference(variant, pair, value - base)
        return self._resampled_difference(variant, pair, value - base)

    def _rate_difference(self, variant: str, pair: np.ndarray, difference: float) -> Difference:
        right, base_right = (self.panel.statistics[name].array[pair, 0] > 0.5 for name in (variant, self.reference))
        both, only, only_base = (
            int(some.sum()) for some in (right & base_right, right & ~base_right, ~right & base_right)
        )
        neither = len(right) - both - only - only_base
        low, high = paired_difference_interval(both, only, only_base, neither, level=self.level)
        p = mcnemar(only, only_base).mid_p
        return Difference(difference, low, high, p, None, len(right), "unclear", None, "mid-p McNemar, Tango interval")

    def _resampled_difference(self, variant: str, pair: np.ndarray, difference: float) -> Difference:
        drawn, base = self._resampled(variant, pair), self._resampled(self.reference, pair)
        with np.errstate(invalid="ignore"):
            low, high, interval = self._interval(None if drawn is None or base is None else drawn - base, pair)
        p, test = self._tested(variant, pair)
        return Difference(difference, low, high, p, None, int(pair.sum()), "unclear", None, f"{test}, {interval}")

    def _interval(self, drawn: np.ndarray | None, mask: np.ndarray) -> tuple[float | None, float | None, str]:
        clusters = self.resampler.groups is not None
        if drawn is None:
            return None, None, ALONE_CLUSTER if clusters else ALONE
        low, high, n_undefined = percentile_interval(drawn, self.level)
        if low is None or n_undefined > len(drawn) / 2:
            return None, None, "none: the value is undefined in most resamples"
        undefined = f", {n_undefined:,} of them undefined" if n_undefined else ""
        by = f", {self.resampler.units(mask):,} clusters" if clusters else ""
        return low, high, f"{'cluster ' if clusters else ''}bootstrap ({len(drawn):,} resamples{undefined}{by})"

    def _gaps(self, variant: str) -> np.ndarray:
        pair = self._pairs[variant]
        return (self.panel.statistics[variant].array[:, 0] - self.panel.statistics[self.reference].array[:, 0]) * pair

    def _needs_draws(self, variant: str) -> bool:
        """Whether the difference is tested by drawing; means that differ in few examples are tested exactly."""
        same_columns = self.panel.statistics[variant].signature == self.panel.statistics[self.reference].signature
        if not same_columns or not self._pairs[variant].any():
            return False
        if self.metric.test == "corpus":
            return True
        units = np.bincount(self.resampler.codes, weights=self._gaps(variant))
        return int((units != 0).sum()) > EXACT_UP_TO

    def _tested(self, variant: str, pair: np.ndarray) -> tuple[float | None, str]:
        groups = self.resampler.groups
        if variant not in self.p:
            inside = None if groups is None else [group for group, there in zip(groups, pair, strict=True) if there]
            result = sign_flip_test(self._gaps(variant)[pair], groups=inside)
            return result.p, result.method
        by = "" if groups is None else f", {self.resampler.units(pair):,} clusters"
        name = "swap test" if self.metric.test == "corpus" else "sign-flip"
        return self.p[variant], f"{'cluster ' if by else ''}{name} ({self.resampler.trials:,} draws{by})"

    def _why_nothing(self, variant: str) -> str:
        if not self.panel.inside.any():
            return "no example is left by the filter"
        reasons = self.panel.statistics[variant].reasons
        told = Counter(reason for reason, inside in zip(reasons, self.panel.inside, strict=True) if inside and reason)
        return told.most_common(1)[0][0] if told else self.metric.undefined


def _no_difference(n: int, reason: str) -> Difference:
    return Difference(None, None, None, None, None, n, "none", reason, NOTHING)
