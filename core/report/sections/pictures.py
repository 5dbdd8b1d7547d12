"""What stands behind the primary metrics, in pictures: how the examples moved, which labels were confused, how sure the answers were.

The same pictures as on Compare, of the variant whose examples are shown; wins and losses of every variant. Each is computed once,
and its data are not kept in the page beyond what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

import pandas as pd
import plotly.graph_objects as go

from core.charts.calibration import calibration_figure
from core.charts.confusion import confusion_figure
from core.charts.differences import difference_histogram, win_tie_loss_bars
from core.charts.scatter import is_right_or_wrong
from core.charts.score_curves import score_curves_figure
from core.charts.theme import Mode
from core.diagnostics.answers import confusion_pair, read_answers
from core.diagnostics.paired import paired_differences, win_tie_loss
from core.diagnostics.score_curves import RESAMPLES
from core.diagnostics.task_curves import scored_labels, task_curves
from core.errors import InputError
from core.judging import metrics_of, scores_of
from core.metrics.curves import calibration_curve
from core.metrics.metric import Observations
from core.notation import metric_name
from core.predict import observations
from core.records import Kind
from core.report.cells import slug
from core.report.document import Chart, Section
from core.report.scene import Scene
from core.results import MetricRow

_LABELLED: tuple[Kind, ...] = ("classification", "medical")


def pictures(scene: Scene) -> Section | None:
    """Return the section; None where there is nothing to compare, or no picture fits."""
    reference, variant = scene.comparison.reference, scene.variant
    if variant is None or variant == reference:
        return None
    charts = [chart for task in scene.run.spec.clean_tasks for chart in _of_task(scene, task, variant)]
    if not charts:
        return None
    told = (
        f"{variant} against {reference}, example by example, for the primary metrics that have a value of each example and for the "
        "tasks with labels. A win is an example on which the variant is better; a tie one on which both have the same value."
    )
    return Section("pictures", (told,), charts=tuple(charts))


def _of_task(scene: Scene, task: str, variant: str) -> Iterator[Chart]:
    """Yield a task's pictures, first of the metrics that have two of them, so that these stand beside each other."""
    several = [_of_examples(scene, row, variant) for row in _primary(scene, task)]
    charts = [chart for some in sorted(several, key=len, reverse=True) for chart in some]
    if scene.run.spec.tasks[task].kind in _LABELLED:
        charts += _of_labels(scene, task, variant)
    return _paired(charts)


def _paired(charts: Sequence[Chart]) -> Iterator[Chart]:
    """Yield the charts, those of half a page in pairs: the last of an odd row of them is as wide as the page."""
    for is_half, some in groupby(charts, key=lambda chart: chart.half):
        row = list(some)
        yield from row[: len(row) // 2 * 2] if is_half else row
        if is_half and len(row) % 2:
            yield replace(row[-1], half=False)


def _primary(scene: Scene, task: str) -> list[MetricRow]:
    return [
        row for row in scene.comparison.rows
        if row.task == task and row.primary and not row.is_detail and not row.direction_free
    ]  # fmt: skip


def _of_examples(scene: Scene, row: MetricRow, variant: str) -> list[Chart]:
    """Return how the examples moved under one metric; nothing where single examples have no value."""
    metric, reference = metrics_of(scene.run, row.task).get(row.metric), scene.comparison.reference
    if metric is None:
        return []
    scores = scores_of(scene.run, row.task, row.metric)
    if not scores[[reference, variant]].notna().to_numpy().all(axis=1).any():
        return []
    name, title = slug(row.key), metric_name(row)
    charts = [Chart(
        f"outcomes-{name}", f"{title}: wins, ties and losses", f"{title}: wins, ties and losses of every variant against {reference}",
        partial(_outcomes, scene, row, scores), half=True,
    )]  # fmt: skip
    if not is_right_or_wrong(metric):
        charts.insert(0, Chart(
            f"moved-{name}", f"{title}: how the examples moved", f"{title}: distribution of the differences of {variant} to {reference}",
            partial(_moved, scene, row, scores, variant), half=True,
        ))  # fmt: skip
    return charts


def _moved(scene: Scene, row: MetricRow, scores: pd.DataFrame, variant: str, mode: Mode) -> go.Figure:
    reference = scene.comparison.reference
    return difference_histogram(
        paired_differences(scores, reference, variant), reference, variant, f"{metric_name(row)}: how the examples moved", row.unit,
        row.higher_is_better, mode,
    )  # fmt: skip


def _outcomes(scene: Scene, row: MetricRow, scores: pd.DataFrame, mode: Mode) -> go.Figure:
    reference = scene.comparison.reference
    found = win_tie_loss(scores, reference, scene.others, row.higher_is_better)
    return win_tie_loss_bars(found, reference, f"{metric_name(row)}: wins, ties and losses", mode)


def _of_labels(scene: Scene, task: str, variant: str) -> list[Chart]:
    """Return the pictures of a task with labels: where there are probabilities calibration and curves, and confusion."""
    reference, variants = scene.comparison.reference, scene.comparison.variants
    observed = {name: observations(scene.run, task, name) for name in (reference, variant)}
    # The narrow one first: it stands beside the wins and losses.
    found = (_calibration(task, observed, variants), _confusion(task, observed, reference, variant))
    return [chart for chart in (*found, _curves(scene, task, observed, variant)) if chart is not None]


def _confusion(task: str, observed: Mapping[str, Observations], reference: str, variant: str) -> Chart | None:
    pair = confusion_pair(read_answers(observed[reference]), read_answers(observed[variant]), observed[variant].labels)
    if not pair.n:
        return None
    title = f"{task}: which labels were confused"
    return Chart(
        f"confusion-{slug(task)}", title, f"{task}: confusion matrices of {reference} and {variant}, and their difference",
        lambda mode: confusion_figure(pair, reference, variant, title, mode),
    )  # fmt: skip


def _calibration(task: str, observed: Mapping[str, Observations], variants: tuple[str, ...]) -> Chart | None:
    every = {name: calibration_curve(some) for name, some in observed.items()}
    curves = {name: curve for name, curve in every.items() if curve.counts.sum()}
    if not curves:
        return None
    title = f"{task}: calibration"
    return Chart(
        f"calibration-{slug(task)}", title, f"{task}: calibration curves of {' and '.join(curves)}",
        lambda mode: calibration_figure(curves, variants, title, mode), half=True,
    )  # fmt: skip


def _curves(scene: Scene, task: str, observed: Mapping[str, Observations], variant: str) -> Chart | None:
    """Return the curves of the positive label or, of several, the first; nothing where a variant has no scores."""
    labels = scored_labels(observed[variant])
    if not labels:
        return None
    try:
        found = task_curves(scene.run, task, observed, labels[0])
    except InputError:  # no scores under the reference, or all examples have the label: there is no curve to draw
        return None
    level, variants = scene.comparison.level, scene.comparison.variants
    title = f"{task}: {labels[0]} against the rest"
    return Chart(
        f"curves-{slug(task)}", title, f"{task}: ROC and precision-recall curves of {labels[0]}",
        lambda mode: score_curves_figure(found, variants, title, level, RESAMPLES, mode),
    )  # fmt: skip
