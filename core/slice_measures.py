"""Many slices of the same examples at once: values, differences and their intervals from sums alone, without any draw.

A slice's sums are one product of all slices' masks with the statistics; intervals come from influence functions with Student's t,
rates from their closed forms. Ordered metrics sort each slice once for both; those that know no influences take a short
bootstrap that all slices share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.contrasts import NOTHING, Measured
from core.estimators import ROUNDING, SAME, UNMOVED, Bounds, Conditional, Counted, Setting
from core.families import MIN_EXAMPLES
from core.panels import Panel
from core.resampler import LARGE, Resampler, weighted
from core.results import Difference, Value
from core.row_blocks import row_blocks
from core.slice_spread import Spread
from core.stats.arrays import values_of
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
        self._sorted: list[tuple[float, np.ndarray | None]] = []
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
    def arrays(self) -> list[np.ndarray]:
        """The statistics of each entry, rows of examples that take no part zero, (n, k) each; not to be written to."""
        masked = [self.panel.masked(entry.variant, entry.mask) for entry in self.entries]
        return [one.array if one.mask.all() else one.summed for one in masked]

    @cached_property
    def counts(self) -> np.ndarray:
        """Examples that take part, int (slices, entries)."""
        present = np.stack([entry.mask for entry in self.entries], axis=1).astype(np.float64)
        return np.rint(self._over_slices([present])[:, 0]).astype(np.int64)

    @cached_property
    def sums(self) -> np.ndarray:
        """(slices, entries, k)."""
        return self._over_slices(self.arrays)

    @cached_property
    def values(self) -> np.ndarray:
        """Of a metric of sums, (slices, entries); NaN where undefined."""
        return values_of(self.metric.value, self.sums)

    def _over_slices(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Return the sums of arrays (n, k) over each slice, (slices, arrays, k)."""
        out = np.empty((len(self.table), len(arrays), arrays[0].shape[1]))
        for rows in row_blocks(len(self.table), max(1, self.table.shape[1]) // 8):
            chosen = self.table[rows].astype(np.float64)
            for index, array in enumerate(arrays):
                out[rows, index] = chosen @ array
        return out

    def measured(self) -> Iterator[Measured]:
        """Yield what was found on each slice."""
        for index in range(len(self.table)):
            yield self._one(index)

    def _one(self, index: int) -> Measured:
        # Sorted once, and let go before the next slice.
        self._sorted = self._ordered(index) if self.metric.ordered else []
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
            gradients = self._gradients[index]
            moved = [self._cut(array, rows) @ slope for array, slope in zip(self.arrays, gradients, strict=True)]
            return Spread(np.stack(moved).T, self._units(rows), codes, "", self.setting.level)
        influence = self._ordered_influence(rows)
        if influence is not None:
            return Spread(influence, self._units(rows), codes, "", self.setting.level)
        return self._drawn(rows)

    @cached_property
    def _gradients(self) -> np.ndarray:
        signed = any(array.min(initial=0.0) < 0 for array in self.arrays)
        sizes = self._over_slices([np.abs(array) for array in self.arrays]) if signed else self.sums
        return value_gradient(self.sums, sizes, self.metric.value)

    def _units(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([self._cut(entry.mask, rows) for entry in self.entries]).T

    def _cut(self, array: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return array if len(rows) == len(array) else array.take(rows, axis=0)

    def _ordered(self, index: int) -> list[tuple[float, np.ndarray | None]]:
        """Return the value of an ordered metric and its influences for each entry; no number where no example takes part."""
        found = []
        for entry in self.entries:
            rows = self.panel.rows(entry.variant, self.table[index] & entry.mask)
            found.append(self.metric.value_and_influence(rows) if len(rows) else (float("nan"), np.zeros(0)))
        return found

    def _ordered_influence(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the influences that `_ordered` found, (examples, entries); None where one entry has none."""
        out = np.zeros((len(self.entries), len(rows)))
        for row, entry, (_, influence) in zip(out, self.entries, self._sorted, strict=True):
            if influence is None:
                return None
            row[self._cut(entry.mask, rows)] = influence
        return out.T

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

    def _plain(self, index: int, entry: int) -> float:
        return self._sorted[entry][0] if self.metric.ordered else float(self.values[index, entry])

    def _value(self, index: int, variant: str, entry: int, spread: Spread) -> Value:
        statistics, n = self.panel.statistics[variant], int(self.counts[index, entry])
        n_missing = int(np.count_nonzero(self.panel.inside[self.cut[index]])) - n
        value = self._plain(index, entry) if n else np.nan
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
        if bounds.error is not None and bounds.error <= ROUNDING * abs(value):
            return Bounds(None, None, UNMOVED if spread.drawn is None else SAME)
        low = bounds.low if lowest is None or bounds.low is None else max(bounds.low, lowest)
        high = bounds.high if highest is None or bounds.high is None else min(bounds.high, highest)
        return Bounds(low, high, bounds.method, bounds.error)

    def _difference(self, index: int, variant: str, spread: Spread) -> tuple[Difference, float | None]:
        mine, theirs = self.paired[variant]
        n, why = int(self.counts[index, mine]), self.setting.incomparable(variant)
        if why is None and n == 0:
            why = "no example has a value for both"
        gap = self._plain(index, mine) - self._plain(index, theirs) if why is None else np.nan
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
        right, base = (self._cut(self.arrays[entry][:, 0], rows) > 0.5 for entry in (mine, theirs))
        both, only, only_base = (int(np.count_nonzero(x)) for x in (right & base, right & ~base, ~right & base))
        n = int(self.counts[index, mine])
        low, high = paired_difference_interval(both, only, only_base, n - both - only - only_base, level=spread.level)
        error = float(np.sqrt(max(0.0, only + only_base - (only - only_base) ** 2 / n)) / n)
        return Bounds(low, high, "Tango interval", error), mcnemar(only, only_base).mid_p, "mid-p McNemar"
