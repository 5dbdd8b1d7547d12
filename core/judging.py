"""What a single example is judged by: the metrics that say something about one alone, and its score as text."""

from __future__ import annotations

import numpy as np

from core.examples import Measure
from core.metrics.metric import Metric
from core.metrics.registry import all_metrics, metrics_for
from core.notation import decimals, in_shown_unit, number_text
from core.records import Kind
from core.store import Run

_WHOLE_BY_ONE = ("generation", "likelihood", "multilabel", "ranking", "vision")
"""Kinds of task in which one example has a value of its own even under a metric of all of them (its BLEU, its F1 of labels)."""


def metrics_of(run: Run, task: str) -> dict[str, Metric]:
    """Return the metrics that single examples of a task can be judged by: the task's own, or else all of its kind."""
    spec = run.spec.tasks[task]
    known = all_metrics()
    metrics = [known[name] for name in spec.metrics if name in known] or list(metrics_for(spec.kind))
    single = [metric for metric in metrics if _judges_one(metric, spec.kind)]
    return {metric.name: metric for metric in single or metrics}


def _judges_one(metric: Metric, kind: Kind) -> bool:
    """Tell whether a metric says something about a single example: an AUC does not, nor the F1 of a single label."""
    if metric.ordered or metric.by_label or metric.resampling_for(kind) != "examples":
        return False
    return metric.test != "corpus" or kind in _WHOLE_BY_ONE


def score_text(measure: Measure, score: float | None, signed: bool = False) -> str:
    """Return one example's score as text: right or wrong for rates, else the number in the shown unit."""
    if score is None or not np.isfinite(score):
        return "no value"
    if measure.rate and not signed:
        return "right" if score == 1.0 else "wrong"
    shown = in_shown_unit(float(score), measure.unit)
    places = 0 if shown == round(shown) and abs(shown) >= 10 else decimals([shown], measure.unit)
    return number_text(shown, places, signed)
