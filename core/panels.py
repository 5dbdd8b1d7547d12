"""One metric over all variants on the same examples: what a row of a comparison is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.metrics.metric import Metric, Resampling, Statistics
from core.records import Kind
from core.resampler import BootstrapJob, Masked, Resampler, SwapJob
from core.stats.arrays import values_of

__all__ = ["BootstrapJob", "Masked", "Panel", "Resampler", "SwapJob", "aligned", "label_panels"]


@dataclass(frozen=True)
class Panel:
    """The statistics of one metric for every variant, over the same n examples in the same order."""

    metric: Metric
    statistics: Mapping[str, Statistics]
    """Columns aligned (see `aligned`)."""
    inside: np.ndarray
    """bool (n,): the examples that this panel is about (all, or those of one language)."""
    kind: Kind | None = None
    """The task's."""

    @property
    def resampling(self) -> Resampling:
        """What an interval resamples here."""
        return self.metric.resampling_for(self.kind)

    def present(self, variant: str) -> np.ndarray:
        """Return which of its examples have a value, bool (n,)."""
        return self.inside & ~self.statistics[variant].missing

    def masked(self, variant: str, mask: np.ndarray) -> Masked:
        """Return a variant's statistics with the examples that take part."""
        return Masked(self.statistics[variant].array, mask)

    def value(self, variant: str, mask: np.ndarray) -> float:
        """Return a variant's value over the examples in ``mask``; NaN or infinite where there is none."""
        if self.metric.ordered:
            return self.value_and_influence(variant, mask)[0]
        return float(values_of(self.metric.value, mask.astype(np.float64) @ self.statistics[variant].array))

    def rows(self, variant: str, mask: np.ndarray) -> np.ndarray:
        """Return a variant's statistics of the examples in ``mask``, (examples in mask, k); not to be written to."""
        array = self.statistics[variant].array
        return array if mask.all() else array[mask]

    def value_and_influence(self, variant: str, mask: np.ndarray) -> tuple[float, np.ndarray | None]:
        """Return `core.metrics.metric.Metric.value_and_influence` of an ordered metric over the examples in ``mask``."""
        key = (variant, np.packbits(mask).tobytes())
        if key not in self._ordered:
            rows = self.rows(variant, mask)
            self._ordered[key] = self.metric.value_and_influence(rows) if len(rows) else (float("nan"), None)
        return self._ordered[key]

    @cached_property
    def _ordered(self) -> dict[tuple[str, bytes], tuple[float, np.ndarray | None]]:
        return {}

    def within(self, mask: np.ndarray) -> Panel:
        """Return the panel of the examples in ``mask`` alone."""
        statistics = {name: chosen_rows(some, mask) for name, some in self.statistics.items()}
        return replace(self, statistics=statistics, inside=self.inside[mask])


def chosen_rows(statistics: Statistics, kept: np.ndarray) -> Statistics:
    """Return the statistics of the examples in ``kept``, bool (n,)."""
    if kept.all():
        return statistics
    # Of rows by number a small part is taken many times faster than by a mask.
    rows = np.flatnonzero(kept)
    missing = statistics.missing.take(rows)
    reasons = tuple(map(statistics.reasons.__getitem__, rows.tolist())) if missing.any() else (None,) * len(missing)
    return replace(statistics, array=statistics.array.take(rows, axis=0), missing=missing, reasons=reasons)


def aligned(statistics: Mapping[str, Statistics]) -> dict[str, Statistics]:
    """Return statistics of several variants with the same columns.

    A variant may answer with a label that no other has: columns named by labels are brought into one order, and those that
    a variant lacks are zero.
    """
    labels = tuple(dict.fromkeys(label for some in statistics.values() for label in some.labels))
    if not labels or all(some.labels == labels for some in statistics.values()):
        return dict(statistics)
    width = max(some.array.shape[1] // len(some.labels) for some in statistics.values() if some.labels)
    return {variant: _with_labels(some, labels, width) for variant, some in statistics.items()}


def label_panels(panel: Panel) -> dict[str, Panel]:
    """Return a panel for each label of a metric that has a row for each; none where no label is known."""
    labels = next(iter(panel.statistics.values())).labels
    found = {}
    for index, label in enumerate(labels):
        statistics = {}
        for variant, some in panel.statistics.items():
            width = some.array.shape[1] // len(labels)
            array = np.ascontiguousarray(some.array[:, index * width : (index + 1) * width])
            statistics[variant] = replace(some, array=array, labels=())
        found[label] = replace(panel, statistics=statistics)
    return found


def _with_labels(statistics: Statistics, labels: tuple[str, ...], width: int) -> Statistics:
    n = len(statistics.array)
    if not statistics.labels:  # nothing but missing examples
        return replace(statistics, array=np.zeros((n, len(labels) * width)), labels=labels)
    blocks = statistics.array.reshape(n, len(statistics.labels), width)
    spread = np.zeros((n, len(labels), width), dtype=statistics.array.dtype)
    for position, label in enumerate(statistics.labels):
        spread[:, labels.index(label)] = blocks[:, position]
    return replace(statistics, array=spread.reshape(n, -1), labels=labels)
