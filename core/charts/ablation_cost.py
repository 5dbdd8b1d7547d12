"""Quality of an ablation's variants against one of their costs, with how probably another one dominates each."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.ablation.records import Outcome, Pareto
from core.charts.cost import CostPoint, quality_against_cost
from core.charts.factor_words import outcome_heading, shown
from core.charts.theme import Mode
from core.notation import UNIT_NAMES, in_shown_unit, percent

_HEIGHT = 420


def pareto_figure(
    pareto: Pareto, outcome: Outcome, level: float, variants: Sequence[str], mode: Mode = "light"
) -> go.Figure:
    """Draw quality against a cost; beside each name the share of resamples in which nothing dominates it.

    Args:
        pareto: with at least one point.
        outcome: the metric that stands for quality.
        level: of the intervals.
        variants: of the run in its order, for colours.
        mode: light or dark.
    """
    points = []
    for point in pareto.points:
        quality = shown(point.quality.value, outcome)
        if quality is not None:
            low, high = shown(point.quality.low, outcome), shown(point.quality.high, outcome)
            cost = in_shown_unit(point.cost, pareto.unit)
            points.append(CostPoint(point.variant, quality, low, high, cost, 1 - point.dominated_probability))
    return quality_against_cost(
        points, variants, outcome_heading(outcome), cost_heading(pareto), f"n = {pareto.n}; {percent(level)} intervals",
        outcome.higher_is_better, mode, _HEIGHT,
    )  # fmt: skip


def cost_heading(pareto: Pareto) -> str:
    """Return the cost with its unit: ``adapter size, MB``."""
    unit = UNIT_NAMES[pareto.unit]
    return f"{pareto.label}, {unit}" if unit and not pareto.label.endswith(unit) else pareto.label


def dominated_rows(pareto: Pareto) -> list[tuple[str, str, str]]:
    """Return variant, cost and the probability that another one dominates it as texts, the surest to stay first."""
    return [
        (
            point.variant,
            f"{in_shown_unit(point.cost, pareto.unit):,.4g}" if pareto.unit != "number" else f"{point.cost:,.0f}",
            f"{point.dominated_probability:.2f}",
        )
        for point in sorted(pareto.points, key=lambda point: (point.dominated_probability, point.cost))
    ]  # fmt: skip
