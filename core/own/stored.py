"""An own metric as its stored result describes it: what is read of it in place of what only the user's code could compute."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np

from core.lines import TaskExamples
from core.metrics.metric import Metric, Observations, Statistics
from core.own.results import OwnResult, OwnScores
from core.panels import Panel
from core.records import Kind


class StoredMetric(Metric):
    """An own metric as its stored result describes it; its numbers are read, since only a worker may compute them."""

    family = "own"
    bounds = (None, None)

    def __init__(self, result: OwnResult, scores: OwnScores, kind: Kind) -> None:
        """Take what a result says of the metric in one task."""
        self.name, self.label, self.unit = result.name, result.label, result.unit
        self.higher_is_better = result.higher_is_better
        self.kinds = frozenset({kind})
        self.test = cast(Literal["mean", "rate", "corpus"], scores.test)

    @property
    def signature(self) -> str:
        """The metric's name alone: what is stored says itself what it was made of."""
        return f"own:{self.name}"

    @property
    def is_mean(self) -> bool:
        """Whether the value of some examples is the mean of what each scores, so that a part of them can be measured without the code."""
        return self.test in ("mean", "rate")

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean of sums (..., 2), (...); NaN where the value of several is not the mean of them."""
        if not self.is_mean:
            return np.full(sums.shape[:-1], np.nan)
        with np.errstate(all="ignore"):
            return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)

    def statistics(self, observations: Observations) -> Statistics:
        """Refuse.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} is a metric of the user's own: it is computed by core.jobs.own_metrics")


def stored_panel(metric: StoredMetric, scores: OwnScores, examples: TaskExamples) -> Panel:
    """Return what a row of some examples is measured from: (score, 1) of each, (n, 2).

    Args:
        metric: a mean.
        scores: of all examples of the task.
        examples: those that take part.
    """
    place = {name: row for row, name in enumerate(scores.ids)}
    rows = [place.get(name) for name, _ in examples.identity]
    statistics = {}
    for variant, values in scores.values.items():
        found = [None if row is None else values[row] for row in rows]
        missing = np.array([score is None for score in found], dtype=bool)
        array = np.array([(score or 0.0, score is not None) for score in found], dtype=np.float64).reshape(-1, 2)
        reasons = tuple("it has no value" if score is None else None for score in found)
        statistics[variant] = Statistics(array, missing, reasons, metric.signature)
    return Panel(metric, statistics, np.ones(examples.n, dtype=bool), examples.spec.kind)
