"""The drop of a metric as a metric of its own: the statistics of clean and perturbed inputs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.metrics.metric import Metric, Observations, Resampling, Statistics
from core.records import Kind

_TO = "\n"
"""Between the signatures of the clean and the perturbed value."""


class DropMetric(Metric):
    """The clean value minus the perturbed one, or the other way round where less is better: above zero is worse.

    Statistics: those of the metric for the clean input, then those for the perturbed one, (n, 2k); see `side_by_side`.
    """

    family = "robustness"
    higher_is_better = False
    test = "corpus"
    bounds = (None, None)

    def __init__(self, metric: Metric) -> None:
        """Make the drop of ``metric``, which is one of a single row (see `core.panels.label_panels`)."""
        self.metric = metric
        self.name, self.label, self.kinds, self.unit = f"{metric.name}_drop", metric.label, metric.kinds, metric.unit
        self.ordered, self.undefined, self.caution = metric.ordered, metric.undefined, metric.caution
        self.no_interval, self.direction_free = metric.no_interval, metric.direction_free
        self._turn = 1.0 if metric.higher_is_better else -1.0

    def resampling_for(self, kind: Kind | None) -> Resampling:
        """Return what the metric's own interval resamples."""
        return self.metric.resampling_for(kind)

    def incomparable(self, mine: Statistics, theirs: Statistics) -> str | None:
        """Return why the metric's own statistics must not be differenced, of the clean input or the perturbed one."""
        for own, other in zip(_halves(mine), _halves(theirs), strict=True):
            if (reason := self.metric.incomparable(own, other)) is not None:
                return reason
        return None

    def statistics(self, observations: Observations) -> Statistics:
        """Refuse: a drop has two sets of observations, see `side_by_side`.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} needs clean and perturbed statistics; use side_by_side")

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the drop of sums (..., 2k), (...); NaN where either value is undefined."""
        clean, perturbed = _split(np.asarray(sums))
        with np.errstate(invalid="ignore"):  # two infinite perplexities have no difference
            return self._turn * (self.metric.value(clean) - self.metric.value(perturbed))

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the drop under each row of weights, (draws,); see `Metric.weighted_values`."""
        clean, perturbed = _split(array)
        with np.errstate(invalid="ignore"):
            return self._turn * (
                self.metric.weighted_values(clean, weights) - self.metric.weighted_values(perturbed, weights)
            )

    def influence(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """Return each example's influence on the drop, (n,): the difference of the two; None where the metric has none."""
        clean, perturbed = (self.metric.influence(half, weights) for half in _split(array))
        return None if clean is None or perturbed is None else self._turn * (clean - perturbed)


def side_by_side(clean: Statistics, perturbed: Statistics) -> Statistics:
    """Return the statistics of a drop, (n, 2k): an example without either has none.

    Args:
        clean: (n, k), columns as in ``perturbed`` (see `core.panels.aligned`).
        perturbed: (n, k), the same examples in the same order.
    """
    missing = clean.missing | perturbed.missing
    reasons = tuple(
        before or after if gone else None
        for before, after, gone in zip(clean.reasons, perturbed.reasons, missing.tolist(), strict=True)
    )
    array = np.concatenate([clean.array, perturbed.array], axis=1) * ~missing[:, None]
    return Statistics(array, missing, reasons, f"{clean.signature}{_TO}{perturbed.signature}")


def _split(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the clean and the perturbed columns of (..., 2k), each (..., k)."""
    k = array.shape[-1] // 2
    return array[..., :k], array[..., k:]


def _halves(drop: Statistics) -> tuple[Statistics, Statistics]:
    """Return the clean and the perturbed statistics of a drop."""
    signatures = drop.signature.split(_TO)
    clean, perturbed = (
        replace(drop, array=array, signature=signature)
        for array, signature in zip(_split(drop.array), signatures, strict=True)
    )
    return clean, perturbed


def worst_copies(metric: Metric, copies: Sequence[Statistics]) -> Statistics:
    """Return for each example the statistics of the copy with the worst value of its own.

    An example of which one copy is missing has none: that copy may have been the worst.

    Args:
        metric: Whose value judges the copies; of equal ones the first is taken.
        copies: Each (n, k), the same columns and examples.

    Returns:
        (n, k); every example is missing, with the reason, where the metric gives single examples no value, or where neither
        more nor less of it is better.
    """
    arrays = np.stack([some.array for some in copies])
    reasons = [
        next((reason for reason in told if reason), None)
        for told in zip(*(some.reasons for some in copies), strict=True)
    ]
    missing = np.any([some.missing for some in copies], axis=0)
    values = np.stack([metric.per_example(some) for some in copies])
    unjudged = np.isnan(values).any(axis=0) & ~missing
    if unjudged.any() or metric.direction_free:
        why = f"{metric.label} gives single examples no value: which copy is the worst cannot be told"
        why = "neither more nor less is better: no copy is the worst" if metric.direction_free else why
        reasons = [reason if gone else why for reason, gone in zip(reasons, missing.tolist(), strict=True)]
        missing = np.ones_like(missing)
    turned = np.where(np.isnan(values), np.inf, values if metric.higher_is_better else -values)
    worst = turned.argmin(axis=0)
    array = arrays[worst, np.arange(arrays.shape[1])] * ~missing[:, None]
    return Statistics(array, missing, tuple(reasons), copies[0].signature, copies[0].labels)
