"""The verdict: what each variant did, in the words of Overview; every metric's mark, and quality against cost."""

from __future__ import annotations

from dataclasses import replace

from core.charts.cost import CostPoint, quality_against_cost
from core.charts.matrix import verdict_matrix
from core.charts.tables import verdict_table
from core.notation import MARKS, MEANINGS, in_shown_unit, metric_heading, percent
from core.report.cells import mark_cell
from core.report.document import Cell, Chart, Section, Table
from core.report.scene import Scene
from core.results import MetricRow
from core.wording.verdicts import ORDER, Card, cost_sentence, counted_rows, verdict_sentence


def verdict(scene: Scene) -> Section:
    """Return the section."""
    comparison = scene.comparison
    if not scene.cards:
        told = f"Only {comparison.reference} was run; there is nothing to compare it with."
        return Section("verdict", (told,))
    points = [card_text(card, comparison.reference) for card in scene.cards]
    warnings = [f"Pre-flight: {warning}" for card in scene.cards for warning in card.warnings]
    charts = [chart for chart in (_matrix(scene), _cost(scene)) if chart is not None]
    told = (ORDER,) if len(scene.cards) > 1 else ()
    return Section("verdict", told, (*points, *warnings), (_table(scene),), tuple(charts))


def card_text(card: Card, reference: str) -> str:
    """Return a variant's verdict and cost: ``qv-r8 is better than the baseline on 5 of 7 metrics (n = 160). It costs …``."""
    return " ".join(filter(None, (card.variant, verdict_sentence(card, reference), cost_sentence(card, reference))))


def _table(scene: Scene) -> Table:
    comparison, rows = scene.comparison, counted_rows(scene.comparison) or scene.comparison.rows
    lines = tuple(
        (Cell(row.task), Cell(metric_heading(row) + (f" ({row.part})" if row.part else "")),
         *(mark_cell(row.differences.get(name)) for name in scene.others))
        for row in rows
    )  # fmt: skip
    note = "; ".join(f"{mark} {MEANINGS[verdict]}" for verdict, mark in MARKS.items())
    return Table(
        "verdicts", f"Against {comparison.reference}, metric by metric", ("Task", "Metric", *scene.others), lines,
        verdict_table(comparison), f"{note[:1].upper()}{note[1:]}.", 2,
    )  # fmt: skip


def _matrix(scene: Scene) -> Chart:
    comparison = scene.comparison
    shown = replace(comparison, rows=counted_rows(comparison) or comparison.rows)
    return Chart(
        "verdict-matrix", "Metric by metric", f"A mark for each metric and variant against {comparison.reference}",
        lambda mode: verdict_matrix(shown, mode), extra=True,
    )  # fmt: skip


def _cost(scene: Scene) -> Chart | None:
    """Return the first primary metric against time; None where no variant has both."""
    rows = counted_rows(scene.comparison) or scene.comparison.rows
    if not rows or not scene.costs:
        return None
    row, comparison = rows[0], scene.comparison
    points = _points(scene, row)
    if not points:
        return None
    reading = f"{percent(comparison.level)} intervals, n = {max(value.n for value in row.values.values())}"
    name = f"{row.task}: {metric_heading(row)}"
    return Chart(
        "quality-against-cost", "Quality against cost", f"{name} of each variant against its milliseconds a token",
        lambda mode: quality_against_cost(
            points, comparison.variants, name, "ms a token", reading, row.higher_is_better, mode
        ),
    )  # fmt: skip


def _points(scene: Scene, row: MetricRow) -> list[CostPoint]:
    points = []
    for name in scene.comparison.variants:
        value, cost = row.values.get(name), scene.costs.get(name)
        if value is None or value.value is None or cost is None or not cost.tokens_per_second.value > 0:
            continue
        low, high = (None if x is None else in_shown_unit(x, row.unit) for x in (value.low, value.high))
        quality = in_shown_unit(value.value, row.unit)
        points.append(CostPoint(name, quality, low, high, 1000 / cost.tokens_per_second.value))
    return points
