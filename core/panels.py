"""One metric over all variants on the same examples: what a row of a comparison is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from core.metrics.metric import Metric, Resampling, Statistics
from core.records import Kind
from core.resampler import BootstrapJob, Masked, Resampler, SwapJob, weighted
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
        array = self.statistics[variant].array
        if self.metric.ordered:
            rows = array[mask]
            return float(weighted(self.metric, rows, np.ones((1, len(rows))))[0])
        return float(values_of(self.metric.value, mask.astype(np.float64) @ array))

    def within(self, mask: np.ndarray) -> Panel:
        """Return the panel of the examples in ``mask`` alone."""
        statistics = {name: chosen_rows(some, mask) for name, some in self.statistics.items()}
        return replace(self, statistics=statistics, inside=self.inside[mask])


def chosen_rows(statistics: Statistics, kept: np.ndarray) -> Statistics:
    """Return the statistics of the examples in ``kept``, bool (n,)."""
    if kept.all():
        return statistics
    missing = statistics.missing[kept]
    reasons = tuple(compress(statistics.reasons, kept)) if missing.any() else (None,) * len(missing)
    return replace(statistics, array=statistics.array[kept], missing=missing, reasons=reasons)


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
            statistics[variant] = replace(some, array=some.array[:, index * width : (index + 1) * width], labels=())
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
