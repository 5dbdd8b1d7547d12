"""An experiment on an adapter as differences: forests of modules and prompts, a strip over the layers, and mixtures."""

from __future__ import annotations

import plotly.graph_objects as go

from core.ablation_spec import Trial
from core.charts.intervals import IntervalRow, Scale, interval_chart
from core.charts.part_curves import mixing_curve
from core.charts.part_depth import LayerWindow, depth_strip
from core.charts.part_mixing import Mixture, mixing_triangle
from core.charts.part_words import (
    EVIDENT,
    better_side,
    capital,
    difference_axis,
    difference_text,
    heading,
    hover,
    how_told,
    is_told,
    reading,
    shown_difference,
    sizes,
    subtitle,
    unit_name,
)
from core.charts.theme import Mode, verdict_colour
from core.experiment.results import Experiment, MetricEffects
from core.notation import in_shown_unit, metric_heading, value_texts
from core.records import BASELINE
from core.results import Difference

_GROUPS = {"left_out": "Left out", "alone": "Alone"}


def depth_figure(experiment: Experiment, key: str, mode: Mode = "light") -> go.Figure | None:
    """Draw the difference that leaving out each window of layers makes; None where no window was tried."""
    found = experiment.metric(key)
    trials = [trial for trial in experiment.trials("depth") if trial.change == "left_out" and trial.layers]
    windows = [
        LayerWindow(
            trial.variant, *trial.layers, *shown_difference(found, difference), difference.verdict,
            hover=hover(experiment, found, trial),
        )
        for trial in trials
        if trial.layers and (difference := found.to_whole.get(trial.variant)) is not None
    ]  # fmt: skip
    if not windows:
        return None
    layers = 1 + max(trial.layers[1] for trial in experiment.trials("depth") if trial.layers)
    title = f"{heading(found)}, layers left out"
    return depth_strip(
        windows,
        layers,
        title,
        reading(experiment, found, trials),
        difference_axis(experiment, found, upright=True),
        mode,
    )


def modules_figure(experiment: Experiment, key: str, mode: Mode = "light") -> go.Figure:
    """Draw the difference to the whole adapter when modules are left out, and when they are alone."""
    found = experiment.metric(key)
    trials = sorted(experiment.trials("modules"), key=lambda trial: list(_GROUPS).index(trial.change))
    rows = [_forest_row(experiment, found, trial, found.to_whole.get(trial.variant), mode) for trial in trials]
    title = f"{heading(found)}, modules of {experiment.whole}"
    scale = Scale(difference_axis(experiment, found), line=0.0)
    return interval_chart(rows, title, reading(experiment, found, trials), scale, mode)


def prompt_figure(experiment: Experiment, key: str, mode: Mode = "light") -> go.Figure | None:
    """Draw what each changed prompt does to the whole adapter and to the baseline; None where none was asked of the task."""
    found = experiment.metric(key)
    rows = []
    for effect in found.prompts:
        for name in (experiment.whole, BASELINE):
            difference = effect.differences[name]
            rows.append(IntervalRow(
                name, *shown_difference(found, difference), difference_text(found, difference),
                ("value " + " ".join(value_texts(effect.values[name], found.row.unit)), *how_told(difference, "the prompt as it is")),
                verdict_colour(difference.verdict, mode), difference.verdict in EVIDENT, capital(effect.trial.label),
            ))  # fmt: skip
    if not rows:
        return None
    unit = unit_name(found)
    scale = Scale(
        f"{found.row.label}, changed minus as it is{f' ({unit})' if unit else ''}{better_side(found)}", line=0.0
    )
    title = f"{heading(found)}, the prompt changed"
    n = {one.n for effect in found.prompts for one in effect.differences.values()}
    return interval_chart(rows, title, subtitle(experiment, n, "filled: more than noise"), scale, mode)


def mixing_figure(experiment: Experiment, key: str, mode: Mode = "light") -> go.Figure:
    """Draw a metric over the mixtures: a curve for two adapters, a triangle for three, a forest for more."""
    found, trials = experiment.metric(key), experiment.trials("mixing")
    names = experiment.ablation.whole
    title = f"{heading(found)}, mixtures of {', '.join(names[:-1])} and {names[-1]}"
    if len(names) == 2:
        return mixing_curve(experiment, key, names, mode)
    if len(names) == 3:
        return _triangle(experiment, found, (names[0], names[1], names[2]), title, mode)
    rows = [
        _forest_row(experiment, found, trial, found.to_whole.get(trial.variant), mode)
        for trial in trials
        if trial.variant != experiment.whole
    ]
    scale = Scale(difference_axis(experiment, found), line=0.0)
    return interval_chart(rows, title, reading(experiment, found, trials), scale, mode)


def _triangle(
    experiment: Experiment, found: MetricEffects, names: tuple[str, str, str], title: str, mode: Mode
) -> go.Figure:
    trials = experiment.trials("mixing")
    points = [
        Mixture(
            trial.label, tuple(trial.weights.get(name, 0.0) for name in names), in_shown_unit(value.value, found.row.unit),
            is_told(found, trial), value_texts(value, found.row.unit)[0], hover(experiment, found, trial),
        )
        for trial in trials
        if (value := found.row.values[trial.variant]).value is not None
    ]  # fmt: skip
    told = subtitle(experiment, sizes(found, trials), f"thick edge: told apart from {experiment.whole}")
    return mixing_triangle(points, names, title, told, metric_heading(found.row), found.row.higher_is_better, mode)


def _forest_row(
    experiment: Experiment, found: MetricEffects, trial: Trial, difference: Difference | None, mode: Mode
) -> IntervalRow:
    if difference is None:
        return IntervalRow(trial.label, None, text="the whole adapter", group=_GROUPS.get(trial.change, ""))
    return IntervalRow(
        trial.label, *shown_difference(found, difference), difference_text(found, difference), hover(experiment, found, trial),
        verdict_colour(difference.verdict, mode), difference.verdict in EVIDENT, _GROUPS.get(trial.change, ""),
    )  # fmt: skip
