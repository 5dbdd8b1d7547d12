"""A composite as a metric: the statistics of its parts side by side, so that one set of resamples serves all of them.

Parts of different tasks have different examples: the rows are the union, and a row holds zeros where a part does not know its
example. What an example's parts share by chance then cancels, or adds up, as it should.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.metrics.metric import Metric, Observations, Resampling, Statistics
from core.records import Kind
from core.stats.arrays import values_of
from core.stats.influence import value_gradient

FAMILY = "composite"
_BETWEEN = "\n"
"""Between the signatures of the parts."""


@dataclass(frozen=True)
class ScaledMetric:
    """A metric mapped to 0-1, with its weight."""

    key: str
    """``task/metric``."""
    metric: Metric
    weight: float
    worst: float
    """The value that counts as 0; what is worse counts as 0 too."""
    best: float
    """The value that counts as 1; what is better counts as 1 too."""
    width: int
    """Columns of its statistics."""

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Return values mapped to 0-1, same shape; NaN stays NaN."""
        return np.clip((values - self.worst) / (self.best - self.worst), 0.0, 1.0)

    @property
    def choices(self) -> str:
        """What of the part moves the composite beside its own signature."""
        return f"{self.key}|weight:{self.weight:g}|scale:{self.worst:g} to {self.best:g}"


class CompositeMetric(Metric):
    """The weighted mean of metrics, each mapped to 0-1 (worst to best) and clipped there.

    Statistics: for each part (1 where the example is one of the part's, its own k columns), side by side.
    """

    family = FAMILY
    kinds = frozenset()
    test = "corpus"
    unit = "share"

    def __init__(self, name: str, parts: Sequence[ScaledMetric]) -> None:
        """Compose ``parts``, at least one; weights above zero."""
        self.name = self.label = name
        self.parts = tuple(parts)
        self.weights = np.array([part.weight for part in parts]) / sum(part.weight for part in parts)
        self.ordered = any(part.metric.ordered for part in parts)
        self.undefined = "a part has no value"

    def resampling_for(self, kind: Kind | None) -> Resampling:
        """Return ``examples``: metrics of a time series are no parts (see `core.composite.check`)."""
        return "examples"

    def incomparable(self, mine: Statistics, theirs: Statistics) -> str | None:
        """Return which part's own statistics must not be differenced, and why."""
        signatures = zip(mine.signature.split(_BETWEEN), theirs.signature.split(_BETWEEN), strict=True)
        for (part, columns), (own, other) in zip(self.columns(), signatures, strict=True):
            why = part.metric.incomparable(_own(mine, columns, own), _own(theirs, columns, other))
            if why is not None:
                return f"{part.key}: {why}"
        return None

    def statistics(self, observations: Observations) -> Statistics:
        """Refuse: a composite's statistics are made of its parts', see `side_by_side`.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} is composed of other metrics' statistics; use side_by_side")

    def columns(self) -> Iterator[tuple[ScaledMetric, slice]]:
        """Yield each part and its columns, the first of which tells whether the example is one of the part's."""
        start = 0
        for part in self.parts:
            yield part, slice(start, start + 1 + part.width)
            start += 1 + part.width

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the composite of sums (..., k), (...); NaN where a part is undefined.

        Raises:
            TypeError: a part is ordered.
        """
        if self.ordered:
            return super().value(sums)
        values = [
            part.scaled(values_of(part.metric.value, sums[..., columns][..., 1:])) for part, columns in self.columns()
        ]
        return self._mean(values)

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the composite under each row of weights, (draws,); see `Metric.weighted_values`."""
        return self._mean([part.scaled(values) for part, values in self._values(array, weights)])

    def part_values(self, array: np.ndarray) -> dict[str, float]:
        """Return each part's own value over the rows of ``array``, (n, k), by its key; NaN where there is none."""
        return {part.key: float(values[0]) for part, values in self._values(array, np.ones((1, len(array))))}

    def influence(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """Return each example's influence on the composite, (n,); None where a part has none.

        By the chain rule: a part's own influence, over the width of its scale, and zero where the scale has ended.
        """
        total = np.zeros(len(array))
        for (part, columns), weight in zip(self.columns(), self.weights, strict=True):
            rows, own = array[:, columns][:, 0] > 0, array[:, columns][:, 1:]
            chosen = weights * rows
            value = float(_value(part.metric, own[rows], chosen[rows][None])[0])
            moved = _influence(part.metric, own[rows], chosen[rows])
            if moved is None:
                return None
            inside = min(part.worst, part.best) <= value <= max(part.worst, part.best)
            if inside or np.isnan(value):
                total[rows] += weight * moved / (part.best - part.worst)
        return total

    def _values(self, array: np.ndarray, weights: np.ndarray) -> Iterator[tuple[ScaledMetric, np.ndarray]]:
        for part, columns in self.columns():
            rows = array[:, columns.start] > 0
            yield part, _value(part.metric, array[rows, columns.start + 1 : columns.stop], weights[:, rows])

    def _mean(self, values: Sequence[np.ndarray]) -> np.ndarray:
        return np.tensordot(self.weights, np.stack(values), axes=1)


def side_by_side(
    parts: Sequence[ScaledMetric], statistics: Sequence[Statistics], n: int, rows: Sequence[np.ndarray]
) -> Statistics:
    """Return a composite's statistics of one variant.

    Args:
        parts: in the composite's order.
        statistics: of each part, (its examples, k).
        n: rows of the union of all parts' examples.
        rows: for each part where its examples stand in the union, int (its examples,).

    Returns:
        (n, sum of 1 + k); a row is missing where no part has it, with the reason of the first.
    """
    array = np.zeros((n, sum(1 + part.width for part in parts)))
    reasons: list[str | None] = [None] * n
    start = 0
    for part, some, place in zip(parts, statistics, rows, strict=True):
        there = ~some.missing
        array[place[there], start] = 1.0
        array[place[there], start + 1 : start + 1 + part.width] = some.array[there]
        for row, reason in zip(place.tolist(), some.reasons, strict=True):
            reasons[row] = reasons[row] or reason
        start += 1 + part.width
    missing: np.ndarray = np.asarray(~array.any(axis=1))
    told = tuple(
        reason or "no part asks about it" if gone else None
        for reason, gone in zip(reasons, missing.tolist(), strict=True)
    )
    signature = _BETWEEN.join(f"{part.choices}|{some.signature}" for part, some in zip(parts, statistics, strict=True))
    return Statistics(array, missing, told, signature)


def _own(statistics: Statistics, columns: slice, signature: str) -> Statistics:
    """Return one part's own statistics out of a composite's."""
    array = statistics.array[:, columns]
    missing = array[:, 0] == 0
    return Statistics(array[:, 1:], missing, statistics.reasons, signature)


def _value(metric: Metric, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(metric.weighted_values(array, weights), dtype=np.float64)


def _influence(metric: Metric, array: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
    with np.errstate(all="ignore"):
        if metric.ordered:
            return metric.influence(array, weights)
        return array @ value_gradient(weights @ array, weights @ np.abs(array), metric.value)
