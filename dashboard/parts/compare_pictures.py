"""The pictures of one metric and variant on Compare: how the examples moved, and what fits the kind of task.

A click on a bar, a cell or a point filters the list under the picture; the choice is in the address.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from core.charts.calibration import calibration_data, calibration_figure
from core.charts.confusion import confusion_data, confusion_figure
from core.charts.differences import (
    difference_data,
    difference_histogram,
    win_tie_loss_bars,
    win_tie_loss_data,
)
from core.charts.scatter import is_right_or_wrong
from core.charts.score_curves import score_curves_data, score_curves_figure
from core.charts.score_length import LengthPoints, length_data, score_against_length
from core.diagnostics.answers import confusion_pair
from core.diagnostics.lengths import length_groups
from core.diagnostics.paired import paired_differences, win_tie_loss
from core.diagnostics.picks import Pick, PickKind
from core.diagnostics.score_curves import RESAMPLES
from core.errors import InputError
from core.notation import metric_heading, metric_name
from core.results import MetricRow
from dashboard import cache, diagnostic_cache, state
from dashboard.parts.compare_picked import draw_picked
from dashboard.parts.compare_scene import LABEL, PICK, PICTURE, CompareScene
from dashboard.parts.export_menu import chart
from dashboard.parts.frame import heading
from dashboard.parts.navigation import go

_PICTURES = {
    "differences": "Differences", "outcomes": "Wins, ties, losses", "length": "Against length", "confusion": "Confusion",
    "calibration": "Calibration", "curves": "ROC and precision-recall",
}  # fmt: skip
_BY_EXAMPLE = ("differences", "outcomes", "length")
_BY_LABEL = ("confusion", "calibration", "curves")


def draw_pictures(scene: CompareScene, row: MetricRow, variant: str) -> None:
    """Draw the chosen picture of a metric with a value of each example, or of a task with labels, and what was picked in it.

    Args:
        scene: of the page.
        row: the chosen metric.
        variant: against the reference.
    """
    scores = _scores(scene, row)
    has_labels = scene.run.spec.tasks[row.task].kind in ("classification", "medical")
    # Right or wrong: the four fields above say how the examples moved.
    is_graded = (metric := scene.metric(row)) is not None and not is_right_or_wrong(metric)
    by_example = _BY_EXAMPLE if is_graded else _BY_EXAMPLE[1:]
    names = [*(by_example if scores is not None else ()), *(_BY_LABEL if has_labels else ())]
    if not names:
        return
    choices = scene.choices
    name = choices.one(PICTURE, names) or names[0]
    heading(f"{metric_name(row)}: what stands behind it")
    st.segmented_control(
        "Picture", names, format_func=_PICTURES.__getitem__, label_visibility="collapsed",
        **choices.widget(PICTURE, name, lambda: choices.put(PICK, None)),
    )  # fmt: skip
    if scores is not None and name in _BY_EXAMPLE:
        _BY_SCORE[name](scene, row, variant, scores)
    else:
        _OF_LABELS[name](scene, row, variant)
    if name != "curves":  # a point of a curve is a threshold, not examples
        draw_picked(scene, row, variant)


def _scores(scene: CompareScene, row: MetricRow) -> pd.DataFrame | None:
    """Return each example's value, None where there is none of a single example."""
    metric = scene.metric(row)
    if metric is None or row.part is not None:
        return None
    scores = cache.scores(scene.run, row.task, row.metric, scene.chosen.slice, row.language)
    return scores if scores.notna().to_numpy().any() else None


def _picker(scene: CompareScene, row: MetricRow, make: Callable[[Any], Pick | str | None]) -> Callable[[Any], None]:
    """Return what a click does: it puts the pick into the address."""

    def picked(found: Any) -> None:
        pick = make(found)
        if isinstance(pick, Pick):
            scene.choices.put(PICK, pick.text())

    return picked


def _pick(
    scene: CompareScene, row: MetricRow, kind: PickKind, variant: str, *bounds: float, labels: tuple[str, ...] = ()
) -> Pick:
    # The reference's own cells and bins are paired with the chosen variant.
    other = scene.comparison.reference if variant != scene.comparison.reference else scene.variant or variant
    return Pick(kind, row.metric, variant, other, tuple(float(bound) for bound in bounds), labels)


def _differences(scene: CompareScene, row: MetricRow, variant: str, scores: pd.DataFrame) -> None:
    found, reference = paired_differences(scores, scene.comparison.reference, variant), scene.comparison.reference
    figure = difference_histogram(
        found,
        reference,
        variant,
        f"{metric_name(row)}: how the examples moved",
        row.unit,
        row.higher_is_better,
        state.mode(),
    )
    chart(
        figure, "differences-by-example", scene.run.id, lambda: difference_data(found),
        alt=f"{metric_name(row)}: distribution of the differences of {variant} to {reference}",
        on_pick=_picker(scene, row, lambda bounds: _pick(scene, row, "difference", variant, *bounds)),
    )  # fmt: skip


def _outcomes(scene: CompareScene, row: MetricRow, variant: str, scores: pd.DataFrame) -> None:
    reference = scene.comparison.reference
    found = win_tie_loss(scores, reference, scene.others, row.higher_is_better)
    figure = win_tie_loss_bars(found, reference, f"{metric_name(row)}: wins, ties and losses", state.mode())

    def made(part: Any) -> Pick:
        return _pick(scene, row, "outcome", str(part[0]), labels=(str(part[1]),))

    chart(
        figure, "outcomes", scene.run.id, lambda: win_tie_loss_data(found), on_pick=_picker(scene, row, made),
        alt=f"{metric_name(row)}: wins, ties and losses of every variant against {reference}",
    )  # fmt: skip


def _length(scene: CompareScene, row: MetricRow, variant: str, scores: pd.DataFrame) -> None:
    table, found, unit = cache.example_table(scene.run, row.task), {}, "tokens"
    for name in (scene.comparison.reference, variant):
        lengths, unit = diagnostic_cache.lengths(scene.run, row.task, name)
        ours = pd.Series(lengths, index=table.ids).reindex(scores.index).to_numpy()
        values = scores[name].to_numpy(dtype=float)
        found[name] = LengthPoints(scores.index.tolist(), ours, values, length_groups(ours, values))
    of = "output" if unit == diagnostic_cache.LENGTH_NAMES[True] else "prompt"
    figure = score_against_length(
        found, scene.comparison.variants, f"length of the {of}, {unit}", metric_heading(row),
        f"{metric_name(row)} against the length of the {of}", row.unit, state.mode(),
    )  # fmt: skip

    def made(part: Any) -> Pick | None:
        return (
            _pick(scene, row, "length", str(part[0]), *part[1:])
            if isinstance(part, list | tuple) and len(part) == 3
            else None
        )

    points = chart(
        figure, "length", scene.run.id, lambda: length_data(found), on_pick=_picker(scene, row, made), select=True,
        alt=f"{metric_name(row)} against the length of the {of}",
    )  # fmt: skip
    example = points[0].get("customdata") if points else None
    example = example[0] if isinstance(example, list) and len(example) == 1 else example
    if isinstance(example, str):
        go("examples", scene.examples_link(row, variant) | {state.EXAMPLE: example})


def _confusion(scene: CompareScene, row: MetricRow, variant: str) -> None:
    run, reference, part = scene.run, scene.comparison.reference, scene.chosen.slice
    both = [diagnostic_cache.chosen_answers(run, row.task, name, part) for name in (reference, variant)]
    found = confusion_pair(both[0], both[1], diagnostic_cache.task_labels(run, row.task, variant))
    if not found.n:
        _nothing(f"No example has an answer of both {variant} and {reference}.")
        return

    def made(cell: Any) -> Pick | None:
        return _pick(scene, row, "cell", str(cell[0]), labels=(str(cell[1]), str(cell[2]))) if cell else None

    chart(
        confusion_figure(found, reference, variant, f"{row.task}: which labels were confused", state.mode()), "confusion", run.id,
        lambda: confusion_data(found, reference, variant), on_pick=_picker(scene, row, made),
        alt=f"{row.task}: confusion matrices of {reference} and {variant}, and their difference",
    )  # fmt: skip


def _calibration(scene: CompareScene, row: MetricRow, variant: str) -> None:
    run, names = scene.run, (scene.comparison.reference, variant)
    found = {name: diagnostic_cache.calibration(run, row.task, name, scene.chosen.slice) for name in names}
    found = {name: curve for name, curve in found.items() if curve.counts.sum()}
    if not found:
        _nothing("There are no probabilities: the answers were generated, or came without scores.")
        return

    def made(part: Any) -> Pick:
        return _pick(scene, row, "confidence", str(part[0]), *part[1:])

    chart(
        calibration_figure(found, scene.comparison.variants, f"{row.task}: calibration", state.mode()), "calibration", run.id,
        lambda: calibration_data(found), on_pick=_picker(scene, row, made), alt=f"{row.task}: calibration curves",
    )  # fmt: skip


def _curves(scene: CompareScene, row: MetricRow, variant: str) -> None:
    run, names = scene.run, (scene.comparison.reference, variant)
    labels = diagnostic_cache.scored_labels(run, row.task, variant)
    if not labels:
        _nothing(
            "There are no scores of the labels: the answers were generated, came without scores, or have options of their own."
        )
        return
    label = scene.choices.one(LABEL, labels) or labels[0]
    st.selectbox("Label against the rest", labels, **scene.choices.widget(LABEL, label))
    try:
        found = diagnostic_cache.curves(run, row.task, names, label, scene.chosen.slice)
    except InputError as error:
        _nothing(f"{error}.")
        return
    level = scene.comparison.level
    chart(
        score_curves_figure(found, scene.comparison.variants, f"{row.task}: {label} against the rest", level, RESAMPLES, state.mode()),
        "curves", run.id, lambda: score_curves_data(found), alt=f"{row.task}: ROC and precision-recall curves of {label}",
    )  # fmt: skip


def _nothing(why: str) -> None:
    st.html(f'<p class="ls-foot">{escape(why)}</p>')


_BY_SCORE: dict[str, Callable[[CompareScene, MetricRow, str, pd.DataFrame], None]] = {
    "differences": _differences, "outcomes": _outcomes, "length": _length,
}  # fmt: skip
_OF_LABELS: dict[str, Callable[[CompareScene, MetricRow, str], None]] = {
    "confusion": _confusion, "calibration": _calibration, "curves": _curves,
}  # fmt: skip
