"""Intervals and tests by draws: the bootstrap and the exchange of two variants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.estimators.setting import FEW_CLUSTERS, ROUNDING, Bounds, Setting
from core.resampler import LARGE, LEAST_DRAWS, BootstrapJob, Masked, SwapJob, mean_block
from core.stats.influence import t_reach
from core.stats.paired import EXACT_UP_TO, sign_flip_test
from core.stats.percentiles import percentile_bounds

UNDEFINED = "none: the value is undefined in most resamples"
SAME = "none: every resample gives the same value"
"""Such as F1 where all are right: the examples show no uncertainty, which does not mean that there is none."""


@dataclass(frozen=True)
class _Percentiles:
    """What the resamples of one value or difference tell."""

    low: float
    """NaN, as ``high``, where every resample is undefined."""
    high: float
    n_undefined: int
    error: float
    draws: int


class Drawn:
    """Bootstrap and swap test; sign-flip for means, exact where few examples differ."""

    def __init__(self, setting: Setting) -> None:
        """Read out of the statistics what has to be drawn; nothing is drawn yet."""
        self.setting = setting
        self._told: dict[int | str, _Percentiles] = {}
        self.p: dict[str, float] = {}
        self._position: dict[tuple[str, bytes], int] = {}
        self._arrays: list[Masked] = []
        for variant in setting.panel.statistics:
            self._collect(variant, setting.panel.present(variant))
        for variant, pair in setting.pairs.items():
            self._collect(variant, pair)
            self._collect(setting.reference, pair)
        self.swapped = [variant for variant in setting.others if self._needs_draws(variant)]

    def take(self, drawn: np.ndarray) -> None:
        """Read the percentiles out of resampled values, (draws, arrays of the bootstrap's job), all columns at once."""
        gaps = {variant: columns for variant in self.setting.pairs if (columns := self._pair(variant)) is not None}
        mine, theirs = np.array(list(gaps.values()), dtype=np.intp).reshape(-1, 2).T
        with np.errstate(invalid="ignore", over="ignore"):
            columns = np.concatenate([drawn, drawn[:, mine] - drawn[:, theirs]], axis=1)
            low, high, n_undefined = percentile_bounds(columns, self.setting.level)
            finite = np.isfinite(columns)
            errors = np.std(columns, axis=0, where=True if finite.all() else finite | ~finite.any(axis=0))
        facts = zip(low.tolist(), high.tolist(), n_undefined.tolist(), errors.tolist(), strict=True)
        keys = [*range(drawn.shape[1]), *gaps]
        self._told = {key: _Percentiles(*some, len(drawn)) for key, some in zip(keys, facts, strict=True)}

    def bootstrap_job(self) -> BootstrapJob | None:
        """Return what is to be resampled, if anything."""
        setting = self.setting
        return BootstrapJob(setting.metric, self._arrays, setting.panel.resampling) if self._arrays else None

    def swap_job(self) -> SwapJob | None:
        """Return what is to be exchanged, if anything."""
        panel, pairs = self.setting.panel, [(name, self.setting.pairs[name]) for name in self.swapped]
        references = [panel.masked(self.setting.reference, pair) for _, pair in pairs]
        others = [panel.masked(name, pair) for name, pair in pairs]
        return SwapJob(self.setting.metric, references, others, panel.resampling) if pairs else None

    def interval(self, variant: str, mask: np.ndarray, value: float) -> Bounds:
        """See `core.estimators.setting.Estimator.interval`."""
        position = self._position.get((variant, mask.tobytes()))
        told = None if position is None else self._told[position]
        if told is not None and told.high - told.low <= ROUNDING * abs(value):
            return Bounds(None, None, SAME)
        return self._interval(told, mask, value)

    def difference(self, variant: str, difference: float) -> Bounds:
        """See `core.estimators.setting.Estimator.difference`."""
        return self._interval(self._told.get(variant), self.setting.pairs[variant], difference)

    def test(self, variant: str, difference: float) -> tuple[float | None, str]:
        """See `core.estimators.setting.Estimator.test`."""
        setting, pair = self.setting, self.setting.pairs[variant]
        name = "swap test" if setting.metric.test == "corpus" or setting.metric.ordered else "sign-flip"
        if variant not in self.p:
            result = sign_flip_test(self._gaps(variant)[pair], groups=setting.codes(pair))
            return result.p, result.method.replace("cluster", "block") if setting.scheme == "blocks" else result.method
        p = self.p[variant]
        scheme, codes = setting.scheme, setting.codes(pair)
        by = "" if codes is None else f", {len(np.unique(codes)):,} {scheme}"
        prefix = {"examples": "", "clusters": "cluster ", "blocks": "block "}[scheme]
        if setting.metric.ordered and int(pair.sum()) > LARGE:
            return (
                None if np.isnan(p) else p
            ), f"{prefix}{name} (normal, spread of {min(setting.resampler.trials, LEAST_DRAWS):,} draws{by})"
        draws = f"{setting.resampler.trials:,} draws"
        if setting.resampler.enough is not None:
            draws = f"up to {draws}, fewer where {setting.resampler.enough} are as extreme"
        return p, f"{prefix}{name} ({draws}{by})"

    def _collect(self, variant: str, mask: np.ndarray) -> None:
        # Most variants miss nothing: their values and differences then come from the same resampled column.
        key = (variant, mask.tobytes())
        if key not in self._position and self.setting.resampler.units(mask) > 1:
            self._position[key] = len(self._arrays)
            self._arrays.append(self.setting.panel.masked(variant, mask))

    def _pair(self, variant: str) -> tuple[int, int] | None:
        """Return the columns of a variant and of the reference over their pairs; None where there are too few."""
        key = self.setting.pairs[variant].tobytes()
        mine, theirs = (self._position.get((name, key)) for name in (variant, self.setting.reference))
        return None if mine is None or theirs is None else (mine, theirs)

    def _interval(self, told: _Percentiles | None, mask: np.ndarray, value: float) -> Bounds:
        setting = self.setting
        scheme, units = setting.scheme, setting.resampler.units(mask)
        if told is None:
            one = "cluster" if setting.clusters else "example"
            return Bounds(None, None, f"none: one {one} alone shows no uncertainty")
        if told.n_undefined > told.draws / 2:
            return Bounds(None, None, UNDEFINED)
        error = told.error
        undefined = f", {told.n_undefined:,} of them undefined" if told.n_undefined else ""
        draws = f"{told.draws:,} resamples{undefined}"
        if scheme == "blocks":
            method = f"stationary block bootstrap ({draws}, mean block length {mean_block(setting.resampler)})"
            return Bounds(told.low, told.high, method, error)
        if scheme == "clusters" and units < FEW_CLUSTERS:
            error *= float(np.sqrt(units / (units - 1)))
            reach = t_reach(units, setting.level) * error
            method = f"cluster bootstrap's error with Student's t ({draws}, {units:,} clusters)"
            return Bounds(value - reach, value + reach, method, error)
        method = f"cluster bootstrap ({draws}, {units:,} clusters)" if scheme == "clusters" else f"bootstrap ({draws})"
        return Bounds(told.low, told.high, method, error)

    def _gaps(self, variant: str) -> np.ndarray:
        pair, statistics = self.setting.pairs[variant], self.setting.panel.statistics
        own, base = (statistics[name].array[:, 0].astype(np.float64) for name in (variant, self.setting.reference))
        return (own - base) * pair

    def _needs_draws(self, variant: str) -> bool:
        """Whether the difference is tested by drawing; means that differ in few examples are tested exactly."""
        setting = self.setting
        if setting.incomparable(variant) or not setting.pairs[variant].any():
            return False
        if setting.metric.test == "corpus" or setting.metric.ordered:
            return True
        codes = setting.resampler.codes_of(setting.panel.resampling)
        return int((np.bincount(codes, weights=self._gaps(variant)) != 0).sum()) > EXACT_UP_TO
