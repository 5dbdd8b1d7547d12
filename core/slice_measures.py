"""Many slices of the same examples at once: values, differences and their intervals from sums alone, without any draw.

A slice's sums are one product of all slices' masks with the statistics; intervals come from influence functions with Student's t,
rates from their closed forms. Ordered metrics that know no influences take a short bootstrap that all slices share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.contrasts import NOTHING, Measured
from core.estimators import Bounds, Conditional, Counted, Setting
from core.families import MIN_EXAMPLES
from core.panels import Panel
from core.resampler import LARGE, Resampler, weighted
from core.results import Difference, Value
from core.slice_spread import Spread
from core.stats.arrays import row_blocks, values_of
from core.stats.influence import value_gradient
from core.stats.rates import mcnemar, paired_difference_interval, wilson_interval
from core.stats.resampling import bootstrap_weights

SHARED_DRAWS = 500
"""Resamples of ordered metrics that know no influences."""
TOO_MANY = "none: resampling so many examples for each slice would take too long"


def measure_slices(
    panels: Sequence[Panel], reference: str, masks: Mapping[str, np.ndarray], resampler: Resampler, level: float
) -> dict[str, list[Measured]]:
    """Return values and differences of every panel on every slice.

    Args:
        panels: all on the resampler's examples.
        reference: the variant that the others are compared with.
        masks: bool (n,) by slice; slices may overlap.
        resampler: says which examples are clusters.
        level: of the intervals.

    Returns:
        By slice what `core.contrasts.measure` would give for the panels cut to it, in order, with p-values by McNemar's mid-p for rates
        and by t for all else; no p where a slice has fewer than `core.families.MIN_EXAMPLES` pairs.
    """
    names, table = list(masks), np.array([masks[name] for name in masks], dtype=bool).reshape(len(masks), resampler.n)
    found: dict[str, list[Measured]] = {name: [] for name in names}
    cut = [np.flatnonzero(mask) for mask in table]
    for panel in panels:
        setting = Setting(panel, reference, resampler, level)
        sliced = (_Rates if Counted.fits(setting) else _Sliced)(setting, table, cut)
        for name, measured in zip(names, sliced.measured(), strict=True):
            found[name].append(measured)
    return found


@dataclass(frozen=True)
class _Entry:
    """A variant on the examples that it has (and, for a pair, that the reference has too)."""

    variant: str
    mask: np.ndarray


class _Sliced:
    """One panel on all slices."""

    def __init__(self, setting: Setting, table: np.ndarray, cut: Sequence[np.ndarray]) -> None:
        self.setting, self.panel, self.metric = setting, setting.panel, setting.metric
        self.table, self.cut = table, cut
        self._are_shares = Conditional.fits(setting)
        self.entries: list[_Entry] = []
        self._known: dict[tuple[str, bytes], int] = {}
        self.own = {variant: self._entry(variant, self.panel.present(variant)) for variant in self.panel.statistics}
        self.paired = {
            variant: (self._entry(variant, pair), self._entry(setting.reference, pair))
            for variant, pair in setting.pairs.items()
        }

    def _entry(self, variant: str, mask: np.ndarray) -> int:
        key = (variant, np.packbits(mask).tobytes())
        if key not in self._known:
            self._known[key] = len(self.entries)
            self.entries.append(_Entry(variant, mask))
        return self._known[key]

    @cached_property
    def arrays(self) -> np.ndarray:
        """Statistics side by side, rows of examples that take no part zero, (n, entries, k)."""
        masked = [self.panel.masked(entry.variant, entry.mask).summed for entry in self.entries]
        return np.stack(masked, axis=1)

    @cached_property
    def counts(self) -> np.ndarray:
        """Examples that take part, int (slices, entries)."""
        present = np.stack([entry.mask for entry in self.entries], axis=1)
        return np.rint(self._over_slices(present.astype(np.float64))).astype(np.int64)

    @cached_property
    def sums(self) -> np.ndarray:
        """(slices, entries, k)."""
        flat = self.arrays.reshape(len(self.arrays), -1)
        return self._over_slices(flat).reshape(len(self.table), len(self.entries), -1)

    @cached_property
    def values(self) -> np.ndarray:
        """(slices, entries); NaN where undefined."""
        if not self.metric.ordered:
            return values_of(self.metric.value, self.sums)
        columns = []
        for entry in self.entries:
            weights = (self.table & entry.mask)[:, entry.mask].astype(np.float64)
            columns.append(weighted(self.metric, self.panel.statistics[entry.variant].array[entry.mask], weights))
        return np.stack(columns, axis=1)

    def _over_slices(self, columns: np.ndarray) -> np.ndarray:
        out = np.empty((len(self.table), columns.shape[1]))
        for rows in row_blocks(len(self.table), max(1, len(columns)) // 8):
            np.matmul(self.table[rows].astype(np.float64), columns, out=out[rows])
        return out

    def measured(self) -> Iterator[Measured]:
        """Yield what was found on each slice."""
        for index in range(len(self.table)):
            yield self._one(index)

    def _one(self, index: int) -> Measured:
        spread = self.spread(index)
        values = {name: self._value(index, name, entry, spread) for name, entry in self.own.items()}
        differences, errors = {}, {}
        for name in self.setting.others:
            differences[name], error = self._difference(index, name, spread)
            if error is not None:
                errors[name] = error
        return Measured(values, differences, errors)

    def spread(self, index: int) -> Spread:
        """Return how the values of one slice move with its examples."""
        if self.panel.resampling != "examples":
            why = self.metric.no_interval or "a slice of a time series has gaps"
            return Spread(None, None, None, f"none: {why}", self.setting.level)
        rows = self.cut[index]
        codes = self.setting.resampler.codes[rows] if self.setting.clusters else None
        if not self.metric.ordered:
            gradient = self._gradients[index]
            # Entry by entry: each is then read as one piece.
            moved = np.einsum("iek,ek->ei", self.arrays[rows], gradient).T
            return Spread(moved, self._units(rows), codes, "", self.setting.level)
        influence = self._ordered_influence(rows)
        if influence is not None:
            return Spread(influence, self._units(rows), codes, "", self.setting.level)
        return self._drawn(rows)

    @cached_property
    def _gradients(self) -> np.ndarray:
        sizes = self._over_slices(np.abs(self.arrays).reshape(len(self.arrays), -1)).reshape(self.sums.shape)
        return value_gradient(self.sums, sizes, self.metric.value)

    def _units(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([entry.mask[rows] for entry in self.entries]).T

    def _ordered_influence(self, rows: np.ndarray) -> np.ndarray | None:
        out = np.zeros((len(rows), len(self.entries)))
        for column, entry in enumerate(self.entries):
            inside = entry.mask[rows]
            if inside.any():
                with np.errstate(all="ignore"):
                    array = self.panel.statistics[entry.variant].array[rows[inside]]
                    found = self.metric.influence(array, np.ones(len(array)))
                if found is None:
                    return None
                out[inside, column] = found
        return out

    def _drawn(self, rows: np.ndarray) -> Spread:
        if self.setting.resampler.n > LARGE:
            return Spread(None, None, None, TOO_MANY, self.setting.level)
        weights, columns = self._weights[:, rows], []
        for entry in self.entries:
            inside = entry.mask[rows]
            array = self.panel.statistics[entry.variant].array[rows[inside]]
            columns.append(weighted(self.metric, array, weights[:, inside].astype(np.float64)))
        return Spread(None, None, None, "", self.setting.level, np.stack(columns, axis=1))

    @cached_property
    def _weights(self) -> np.ndarray:
        resampler = self.setting.resampler
        return bootstrap_weights(resampler.n, SHARED_DRAWS, resampler.seed, resampler.groups)

    def _value(self, index: int, variant: str, entry: int, spread: Spread) -> Value:
        statistics, n = self.panel.statistics[variant], int(self.counts[index, entry])
        n_missing = int(np.count_nonzero(self.panel.inside[self.cut[index]])) - n
        value = float(self.values[index, entry]) if n else np.nan
        if not np.isfinite(value):
            reason = self.metric.undefined if n else "no example is left by the filter"
            return Value(None, None, None, n, n_missing, reason, statistics.signature, NOTHING)
        bounds = self.value_bounds(index, entry, value, spread)
        return Value(value, bounds.low, bounds.high, n, n_missing, None, statistics.signature, bounds.method)

    def value_bounds(self, index: int, entry: int, value: float, spread: Spread) -> Bounds:
        """Return the interval of a value."""
        if self._are_shares:
            hits, counted = (round(float(total)) for total in self.sums[index, entry])
            return Bounds(*wilson_interval(hits, counted, self.setting.level), "Wilson")
        bounds, (lowest, highest) = spread.bounds(value, entry), self.metric.bounds
        low = bounds.low if lowest is None or bounds.low is None else max(bounds.low, lowest)
        high = bounds.high if highest is None or bounds.high is None else min(bounds.high, highest)
        return Bounds(low, high, bounds.method, bounds.error)

    def _difference(self, index: int, variant: str, spread: Spread) -> tuple[Difference, float | None]:
        mine, theirs = self.paired[variant]
        n, why = int(self.counts[index, mine]), self.setting.incomparable(variant)
        if why is None and n == 0:
            why = "no example has a value for both"
        gap = float(self.values[index, mine] - self.values[index, theirs]) if why is None else np.nan
        if why is not None or not np.isfinite(gap):
            return Difference(None, None, None, None, None, n, "none", why or self.metric.undefined, NOTHING), None
        bounds, p, test = self.difference_bounds(index, variant, gap, spread)
        few = f"too few examples (n = {n}, at least {MIN_EXAMPLES})" if n < MIN_EXAMPLES else None
        method = bounds.method if test == NOTHING else f"{test}, {bounds.method}"
        found = Difference(
            gap, bounds.low, bounds.high, None if few else p, None, n, "unclear", few, bounds.method if few else method
        )
        return found, bounds.error

    def difference_bounds(
        self, index: int, variant: str, gap: float, spread: Spread
    ) -> tuple[Bounds, float | None, str]:
        """Return the interval of a difference, its p and the test's name."""
        mine, theirs = self.paired[variant]
        bounds = spread.bounds(gap, mine, theirs)
        return bounds, *spread.test(gap, bounds, mine, theirs)


class _Rates(_Sliced):
    """Rates of independent examples, in closed form."""

    def spread(self, index: int) -> Spread:
        return Spread(None, None, None, "", self.setting.level)

    def value_bounds(self, index: int, entry: int, value: float, spread: Spread) -> Bounds:
        hits, n = round(float(self.sums[index, entry, 0])), int(self.counts[index, entry])
        return Bounds(*wilson_interval(hits, n, self.setting.level), "Wilson")

    def difference_bounds(
        self, index: int, variant: str, gap: float, spread: Spread
    ) -> tuple[Bounds, float | None, str]:
        mine, theirs = self.paired[variant]
        rows = self.cut[index]
        right, base = (self.arrays[rows, entry, 0] > 0.5 for entry in (mine, theirs))
        both, only, only_base = (int(np.count_nonzero(x)) for x in (right & base, right & ~base, ~right & base))
        n = int(self.counts[index, mine])
        low, high = paired_difference_interval(both, only, only_base, n - both - only - only_base, level=spread.level)
        error = float(np.sqrt(max(0.0, only + only_base - (only - only_base) ** 2 / n)) / n)
        return Bounds(low, high, "Tango interval", error), mcnemar(only, only_base).mid_p, "mid-p McNemar"
