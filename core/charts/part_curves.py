"""An experiment on an adapter as curves: a metric over strength, rank, number of layers, or the share of one adapter of two."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.ablation_spec import Trial
from core.charts.part_dose import Axes, DosePoint, DoseSeries, Level, dose_curves
from core.charts.part_words import TOLD, heading, hover, is_told, shown_value, subtitle
from core.charts.theme import Mode, variant_colours
from core.experiment.results import Experiment, MetricEffects
from core.notation import metric_heading
from core.records import BASELINE


def strength_figure(experiment: Experiment, key: str, mode: Mode = "light") -> go.Figure:
    """Draw a metric over the strength of the adapter; 0 is the baseline and 1 the adapter as trained."""
    found = experiment.metric(key)
    series = _series(experiment, found, experiment.trials("strength"), experiment.whole, mode)
    return _curves(experiment, found, [series], "Strength (1: as trained)", "over strength", mode)


def rank_figure(experiment: Experiment, key: str, mode: Mode = "light") -> go.Figure:
    """Draw a metric over the number of singular directions that are kept, strongest first."""
    found = experiment.metric(key)
    series = _series(experiment, found, experiment.trials("rank"), experiment.whole, mode)
    name = "Strongest singular directions kept of each update"
    return _curves(experiment, found, [series], name, "over rank", mode, log=True)


def layers_figure(experiment: Experiment, key: str, mode: Mode = "light") -> go.Figure | None:
    """Draw a metric over how many of the first and of the last layers keep the adapter; None where neither was tried."""
    found, names = experiment.metric(key), {"first": "the first layers", "last": "the last layers"}
    series = [
        _series(experiment, found, some, names[change], mode, dashed=change == "last")
        for change in names
        if (some := [trial for trial in experiment.trials("depth") if trial.change == change])
    ]
    if not any(one.points for one in series):
        return None
    return _curves(experiment, found, series, "Layers that keep the adapter", "over layers kept", mode)


def mixing_curve(experiment: Experiment, key: str, names: Sequence[str], mode: Mode = "light") -> go.Figure:
    """Draw a metric over the share of the first of two adapters, a curve for each method of mixing."""
    found, trials = experiment.metric(key), experiment.trials("mixing")
    ends = [trial for trial in trials if trial.method is None]
    methods = dict.fromkeys(trial.method for trial in trials if trial.method)
    series = [
        _series(
            experiment, found, [*ends, *(trial for trial in trials if trial.method == method)], method, mode, number > 0
        )
        for number, method in enumerate(methods)
    ]
    over = f"over mixtures of {names[0]} and {names[1]}"
    return _curves(experiment, found, series, f"Share of {names[0]}", over, mode, ticks={0.0: names[1], 1.0: names[0]})


def _series(
    experiment: Experiment, found: MetricEffects, trials: Sequence[Trial], name: str, mode: Mode, dashed: bool = False
) -> DoseSeries:
    """Return the trials that have a dose and a value as one curve, in the whole adapter's colour."""
    points = []
    for trial in sorted((trial for trial in trials if trial.dose is not None), key=lambda one: one.dose or 0.0):
        value = found.row.values[trial.variant]
        if value.value is None:
            continue
        centre, low, high = shown_value(found, value)
        points.append(DosePoint(
            trial.label, trial.dose or 0.0, centre, low, high, trial.variant == experiment.whole,
            is_told(found, trial), hover(experiment, found, trial),
        ))  # fmt: skip
    colour = variant_colours(tuple(found.row.values), mode)[experiment.whole]
    return DoseSeries(name, tuple(points), colour, "dot" if dashed else "solid")


def _curves(
    experiment: Experiment, found: MetricEffects, series: Sequence[DoseSeries], dose: str, over: str, mode: Mode,
    log: bool = False, ticks: dict[float, str] | None = None,
) -> go.Figure:  # fmt: skip
    levels = [
        None if value.value is None else Level(name, *shown_value(found, value))
        for name in (BASELINE, experiment.whole)
        for value in [found.row.values[name]]
    ]
    told = TOLD.format(whole=experiment.whole)
    reading = subtitle(experiment, {value.n for value in found.row.values.values() if value.n}, told)
    title = f"{heading(found)} {over}"
    axes = Axes(dose, metric_heading(found.row), log, ticks or {})
    return dose_curves(series, levels[0], levels[1], axes, title, reading, mode)
