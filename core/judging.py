"""What a single example is judged by: the metrics that say something about one alone, and its score as text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.derived import example_scores
from core.examples import Measure
from core.metrics.metric import Metric
from core.metrics.registry import all_metrics, find_metric, metrics_for
from core.notation import decimals, in_shown_unit, number_text
from core.own.scores import own_scores, stored_metrics
from core.records import Kind
from core.store import Run

_WHOLE_BY_ONE = ("generation", "likelihood", "multilabel", "ranking", "vision")
"""Kinds of task in which one example has a value of its own even under a metric of all of them (its BLEU, its F1 of labels)."""


def metrics_of(run: Run, task: str) -> dict[str, Metric]:
    """Return the metrics that single examples of a task can be judged by: those it names, or else all of its kind.

    A metric of the user's own comes last, once a worker has stored what single examples score.
    """
    spec = run.spec.tasks[task]
    known = all_metrics()
    metrics = [known[name] for name in spec.metrics if name in known] or list(metrics_for(spec.kind))
    single = [metric for metric in metrics if _judges_one(metric, spec.kind)]
    return {metric.name: metric for metric in single or metrics} | dict(stored_metrics(run, task))


def metric_of(run: Run, task: str, name: str) -> Metric | None:
    """Return a metric of a task by its name: a built-in one, or one of the user's own whose scores were stored; else None."""
    return find_metric(name) or (stored_metrics(run, task).get(name) if name in run.spec.own_metrics else None)


def scores_of(run: Run, task: str, metric: str) -> pd.DataFrame:
    """Return each example's own value under one of `metrics_of`: index ``example_id``, one column a variant, NaN where there is none."""
    own = own_scores(run, task, metric) if metric in run.spec.own_metrics else None
    return example_scores(run, task, metric) if own is None else own


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
