"""Every metric of every variant, task by task: value, interval, difference, adjusted p and n; and speed and cost."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import plotly.graph_objects as go

from core.charts.forest import forest_of_all, forest_of_metric
from core.charts.theme import Mode
from core.notation import metric_name
from core.report.cells import metric_table, slug
from core.report.document import Chart, Section, Table
from core.report.scene import Scene
from core.results import Comparison, MetricRow

PANELS = 9
"""In one picture: they fit a printed page."""


def metrics(scene: Scene) -> Section | None:
    """Return the section; None where no task has a metric."""
    tables: list[Table] = []
    shown: list[MetricRow] = []
    for task, rows in _by_task(scene).items():
        primary = [row for row in rows if row.primary] or rows
        others = [row for row in rows if row not in primary]
        whole = [row for row in others if not row.is_detail]
        apart = [row for row in others if row.is_detail]
        tables.append(metric_table(f"metrics-{slug(task)}", f"{task}: primary metrics", scene.comparison, primary))
        if whole:
            tables.append(
                metric_table(
                    f"metrics-{slug(task)}-others", f"{task}: other metrics", scene.comparison, whole, folded=True
                )
            )
        if apart:
            title = f"{task}: languages and labels apart"
            tables.append(metric_table(f"metrics-{slug(task)}-apart", title, scene.comparison, apart, folded=True))
        shown += primary
    if scene.comparison.efficiency:
        tables.append(_efficiency(scene))
    return Section("metrics", tables=tuple(tables), charts=tuple(_charts(scene, shown))) if tables else None


def _by_task(scene: Scene) -> dict[str, list[MetricRow]]:
    found: dict[str, list[MetricRow]] = {}
    for row in scene.comparison.rows:
        if row.family != "user feedback":
            found.setdefault(row.task, []).append(row)
    return found


def _charts(scene: Scene, rows: list[MetricRow]) -> list[Chart]:
    """Return the differences of the primary metrics side by side, and apart those for the collection of charts."""
    reference = scene.comparison.reference
    drawn = [row for row in rows if row.language is None and row.differences]
    charts = []
    for number, first in enumerate(range(0, len(drawn), PANELS), start=1):
        some = replace(scene.comparison, rows=tuple(drawn[first : first + PANELS]))
        name = "differences" if len(drawn) <= PANELS else f"differences-{number}"
        alt = f"Difference of each variant to {reference} with its interval, a panel for each primary metric"
        charts.append(Chart(name, f"Differences to {reference}", alt, partial(_together, some)))
    for row in drawn:
        name = metric_name(row)
        alt = f"{name}: difference of each variant to {reference}"
        charts.append(Chart(f"difference-{slug(row.key)}", name, alt, partial(_alone, scene.comparison, row.key), True))
    return charts


def _together(comparison: Comparison, mode: Mode) -> go.Figure:
    return forest_of_all(comparison, mode)


def _alone(comparison: Comparison, key: str, mode: Mode) -> go.Figure:
    return forest_of_metric(comparison, key, mode)


def _efficiency(scene: Scene) -> Table:
    rows = [
        replace(row, differences={name: replace(one, verdict="none") for name, one in row.differences.items()})
        for row in scene.comparison.efficiency
    ]
    note = "Each variant alone, repeats on one machine: shown without a verdict, and in no count of metrics."
    return metric_table("efficiency", "Speed and cost", scene.comparison, rows, note=note, folded=True)
