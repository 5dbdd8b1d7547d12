"""Intervals and tests from influence functions: for thousands of examples, and with Student's t for few clusters."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from core.estimators.setting import FEW_CLUSTERS, ROUNDING, UNMOVED, Bounds, Setting
from core.stats.influence import influence_error, influence_values, large_swap_test, normal_p, t_reach


class Linear:
    """Influence functions and what follows from them."""

    def __init__(self, setting: Setting) -> None:
        """Take the panel as it is."""
        self.setting = setting
        self._known: dict[tuple[str, bytes], np.ndarray | None] = {}

    def possible(self) -> bool:
        """Whether the metric's influences are known: of sums they always are, of ordered metrics where it gives them."""
        setting = self.setting
        mask = setting.panel.present(setting.reference)
        return not setting.metric.ordered or not mask.any() or self._influence(setting.reference, mask) is not None

    def interval(self, variant: str, mask: np.ndarray, value: float) -> Bounds:
        """See `core.estimators.setting.Estimator.interval`."""
        bounds = self._around(value, self._influence(variant, mask), mask)
        if bounds.error is not None and bounds.error <= ROUNDING * abs(value):
            return Bounds(None, None, UNMOVED)
        lowest, highest = self.setting.metric.bounds
        low = bounds.low if lowest is None or bounds.low is None else max(bounds.low, lowest)
        high = bounds.high if highest is None or bounds.high is None else min(bounds.high, highest)
        return Bounds(low, high, bounds.method, bounds.error)

    def difference(self, variant: str, difference: float) -> Bounds:
        """See `core.estimators.setting.Estimator.difference`."""
        return self._around(difference, self._gap(variant), self.setting.pairs[variant])

    def test(self, variant: str, difference: float) -> tuple[float | None, str]:
        """See `core.estimators.setting.Estimator.test`."""
        setting, pair = self.setting, self.setting.pairs[variant]
        units = setting.resampler.units(pair)
        if setting.clusters and units < FEW_CLUSTERS:
            return self._t_test(variant, difference, units)
        groups = setting.resampler.codes[pair] if setting.clusters else None
        a, b = (setting.panel.rows(name, pair) for name in (setting.reference, variant))
        if setting.metric.ordered:
            by = f", {units:,} clusters" if setting.clusters else ""
            method = f"{'cluster ' if by else ''}swap test (normal approximation{by})"
            return self._ordered_p(np.concatenate([a, b]), difference, groups), method
        found = large_swap_test(
            a, b, setting.metric.value, trials=setting.resampler.trials, seed=setting.resampler.seed, groups=groups
        )
        name = found.method if setting.metric.test == "corpus" else found.method.replace("swap test", "sign-flip")
        return found.p, name

    def _t_test(self, variant: str, difference: float, units: int) -> tuple[float | None, str]:
        gap, method = self._gap(variant), f"t test ({units:,} clusters)"
        if gap is None or units < 2:
            return None, f"none: {units} cluster alone shows no uncertainty" if units == 1 else "none"
        error, _ = influence_error(gap, self.setting.resampler.codes[self.setting.pairs[variant]])
        if error > 1e-8 * abs(difference):
            return float(2 * stdtr(units - 1, -abs(difference) / error)), method
        # Clusters that all differ alike have no spread; of their signs only two patterns reach the difference.
        return (1.0 if difference == 0 else 2.0 ** (1 - units)), f"cluster sign-flip (exact, {units:,} clusters)"

    def _ordered_p(self, stacked: np.ndarray, difference: float, groups: np.ndarray | None) -> float | None:
        influence = self.setting.metric.influence(stacked, np.ones(len(stacked)))
        if influence is None:
            return None
        half = len(stacked) // 2
        # Half of each row is on either side before the exchange: at half the weight the influence is twice as large.
        terms = 2 * (influence[half:] - influence[:half])
        if groups is not None:
            terms = np.bincount(groups, weights=terms)
        return normal_p(difference, float(np.sqrt(terms @ terms)))

    def _influence(self, variant: str, mask: np.ndarray) -> np.ndarray | None:
        """Return the influence of each example in ``mask``, (examples in mask,); None where it is not known."""
        key = (variant, np.packbits(mask).tobytes())
        if key not in self._known:
            metric, panel = self.setting.metric, self.setting.panel
            with np.errstate(all="ignore"):
                self._known[key] = (
                    panel.value_and_influence(variant, mask)[1]
                    if metric.ordered
                    else influence_values(panel.rows(variant, mask), metric.value)
                )
        return self._known[key]

    def _gap(self, variant: str) -> np.ndarray | None:
        pair = self.setting.pairs[variant]
        own, base = self._influence(variant, pair), self._influence(self.setting.reference, pair)
        return None if own is None or base is None else own - base

    def _around(self, centre: float, influence: np.ndarray | None, mask: np.ndarray) -> Bounds:
        clusters = self.setting.clusters
        codes = self.setting.resampler.codes[mask] if clusters else None
        error, units = (np.nan, 0) if influence is None else influence_error(influence, codes)
        if units == 1:
            return Bounds(None, None, f"none: one {'cluster' if clusters else 'example'} alone shows no uncertainty")
        if not np.isfinite(error):
            return Bounds(None, None, "none: how examples move the value is undefined here")
        reach = t_reach(units, self.setting.level) * error
        by = f"{units:,} clusters, Student's t" if clusters else f"{units:,} examples"
        return Bounds(centre - reach, centre + reach, f"influence functions ({by})", error)
