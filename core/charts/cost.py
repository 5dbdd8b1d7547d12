"""What quality costs: one metric against time, memory or size, with the variants that nothing beats on both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.labels import Plot, is_near, place_labels
from core.charts.theme import PALETTES, Mode, Palette, escape, styled, variant_colours

_PLOT_WIDTHS = (360.0, 400.0, 445.0, 500.0, 620.0, 900.0)
"""Pixels between the axes, from the narrowest page to a file: names have to part in all of them."""
MOST_NAMES = 12
"""Of more variants than these the front's names alone are written beside their points."""
_AROUND_PLOT = 118.0
"""Pixels of a picture's height that are title and axis."""
_SELDOM = 0.05
"""A variant that is on the front in fewer resamples has no number beside its name."""


@dataclass(frozen=True)
class CostPoint:
    """One variant's quality and cost, each in the unit that is shown."""

    variant: str
    quality: float
    low: float | None
    high: float | None
    cost: float
    certainty: float | None = None
    """In which share of the resamples it is on the front, 0 to 1; None where that is not known."""

    @property
    def label(self) -> str:
        """What is written beside it: its name and, where it is on the front now and then, how often."""
        if self.certainty is None or self.certainty < _SELDOM:
            return self.variant
        return f"{self.variant} {100 * self.certainty:.0f} %"


def pareto_front(points: Sequence[CostPoint], higher_is_better: bool = True) -> tuple[CostPoint, ...]:
    """Return the points that no other beats: none is at least as good and as cheap, and better in one; cheapest first."""

    def quality(point: CostPoint) -> float:
        return point.quality if higher_is_better else -point.quality

    def beaten(point: CostPoint) -> bool:
        return any(
            quality(other) >= quality(point)
            and other.cost <= point.cost
            and (quality(other) > quality(point) or other.cost < point.cost)
            for other in points
        )

    return tuple(
        sorted((point for point in points if not beaten(point)), key=lambda point: (point.cost, quality(point)))
    )


def quality_against_cost(
    points: Sequence[CostPoint], variants: Sequence[str], quality_name: str, cost_name: str, subtitle: str = "",
    higher_is_better: bool = True, mode: Mode = "light", height: int = 340,
) -> go.Figure:  # fmt: skip
    """Draw quality (vertical, with its interval) against cost (horizontal) and the Pareto front.

    Args:
        points: one a variant that has both.
        variants: all variants in workspace order, for their colours.
        quality_name: with unit and direction, ``Accuracy ↑ %``.
        cost_name: with unit, ``ms for a token``.
        subtitle: n and interval level.
        higher_is_better: of the quality.
        mode: light or dark.
        height: pixels.
    """
    colours, neutral = variant_colours(variants, mode), PALETTES[mode]
    figure = go.Figure()
    front = pareto_front(points, higher_is_better)
    if len(front) > 1:
        figure.add_trace(go.Scatter(
            x=[point.cost for point in front], y=[point.quality for point in front], mode="lines", hoverinfo="skip",
            line={"color": neutral.muted, "width": 1.5, "dash": "dot", "shape": "hv"},
        ))  # fmt: skip
    for point in points:
        error = None
        if point.low is not None and point.high is not None:
            error = {"type": "data", "symmetric": False, "array": [max(point.high - point.quality, 0)], "width": 0,
                     "arrayminus": [max(point.quality - point.low, 0)], "thickness": 1.5, "color": colours[point.variant]}  # fmt: skip
        figure.add_trace(go.Scatter(
            x=[point.cost], y=[point.quality], mode="markers", error_y=error, cliponaxis=False, customdata=[point.variant],
            marker={"size": 12, "color": colours[point.variant], "symbol": "circle" if point in front else "circle-open",
                    "line": {"width": 2, "color": colours[point.variant]}},
            hovertext=f"<b>{escape(point.variant)}</b><br>{escape(quality_name)}: {point.quality:.3g}"
                      f"<br>{escape(cost_name)}: {point.cost:.3g}{_sure(point)}", hoverinfo="text",
        ))  # fmt: skip
    costs = _padded([point.cost for point in points])
    heights = _padded([x for point in points for x in (point.quality, point.low, point.high) if x is not None], 0.06)
    named = points
    if len(points) > MOST_NAMES:
        named = [point for point in points if point in front or point.variant == variants[0]]
    _write_names(figure, named, costs, heights, height - _AROUND_PLOT, neutral)
    figure.update_xaxes(title=f"{escape(cost_name)} ↓", range=costs, zeroline=False)
    figure.update_yaxes(title=escape(quality_name), range=heights, zeroline=False)
    marked = "filled and named" if len(named) < len(points) else "filled"
    front_is = f"{marked}: nothing is both better and cheaper"
    if any(point.certainty is not None for point in points):
        front_is = f"{marked}: on the front; %: in so many resamples"
    reading = "; ".join(part for part in (subtitle, front_is) if part)
    return styled(figure, mode, "Quality against cost", reading, height)


def _write_names(figure: go.Figure, points: Sequence[CostPoint], costs: Sequence[float], heights: Sequence[float],
                 plot_height: float, neutral: Palette) -> None:  # fmt: skip
    """Write each variant's name beside its point, with a thin line to it where there was no room nearby."""
    names = [point.label for point in points]
    places = place_labels([_plot(points, costs, heights, width, plot_height) for width in _PLOT_WIDTHS], names)
    for point, (right, up) in zip(points, places, strict=True):
        figure.add_annotation(
            x=point.cost, y=point.quality, ax=right, ay=-up, text=escape(point.label), font={"size": 13}, borderpad=1,
            arrowcolor="rgba(0,0,0,0)" if is_near((right, up), point.label) else neutral.muted, arrowwidth=0.8, arrowhead=0,
            standoff=8, showarrow=True, bgcolor=neutral.paper,  # the front must not strike a name through
        )  # fmt: skip


def _plot(
    points: Sequence[CostPoint], costs: Sequence[float], heights: Sequence[float], width: float, height: float
) -> Plot:
    """Return where points and the bars of their intervals lie in a plot of a size."""
    across, up = width / (costs[1] - costs[0]), height / (heights[1] - heights[0])
    pixels = [((point.cost - costs[0]) * across, (point.quality - heights[0]) * up) for point in points]
    bars = [
        (x - 2, (point.low - heights[0]) * up, x + 2, (point.high - heights[0]) * up)
        for point, (x, _) in zip(points, pixels, strict=True)
        if point.low is not None and point.high is not None
    ]
    return Plot(width, height, pixels, bars)


def _sure(point: CostPoint) -> str:
    return "" if point.certainty is None else f"<br>on the front in {100 * point.certainty:.0f} % of the resamples"


def _padded(numbers: Sequence[float], share: float = 0.2) -> list[float]:
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    margin = share * (high - low) or 0.1 * abs(high) or 1.0
    return [low - margin, high + margin]
