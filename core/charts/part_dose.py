"""How much of an adapter it takes: a metric over its strength, its rank or the number of its layers, beside the baseline's band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled

_HEIGHT = 380
_END_PIXELS = 118
"""Room for the names at the right end of the band and the line."""


@dataclass(frozen=True)
class DosePoint:
    """One dose, in the unit that is drawn."""

    name: str
    """Of the variant: a point's customdata."""
    dose: float
    value: float
    low: float | None = None
    high: float | None = None
    is_whole: bool = False
    """Whether it is the whole adapter itself."""
    told: bool = False
    """Whether it differs from the whole adapter for certain: filled."""
    hover: tuple[str, ...] = ()
    """Plain lines, shown under the name."""


@dataclass(frozen=True)
class DoseSeries:
    """Doses of one kind, joined by a line."""

    name: str
    points: tuple[DosePoint, ...]
    """By rising dose; at least one."""
    colour: str
    dash: Literal["solid", "dot"] = "solid"


@dataclass(frozen=True)
class Level:
    """A value to compare with, in the unit that is drawn."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Axes:
    """What the two axes are."""

    dose: str
    value: str
    """With unit and direction."""
    log: bool = False
    """Whether doses are drawn by their logarithm; a dose of 0 is then left out."""
    ticks: Mapping[float, str] = field(default_factory=dict)
    """Plain names of some doses, written under their number."""


def dose_curves(
    series: Sequence[DoseSeries], baseline: Level | None, whole: Level | None, axes: Axes, title: str, subtitle: str,
    mode: Mode = "light",
) -> go.Figure:  # fmt: skip
    """Draw the value with its interval at each dose: the baseline's interval as a band, the whole adapter's value as a line.

    The whole adapter's own point is a large diamond; others are filled where they differ from it for certain.

    Args:
        series: at least one; several get a legend.
        baseline: None where it has no value.
        whole: None where it has no value.
        axes: what they are.
        title: plain text.
        subtitle: plain text; n, level, what filled means.
        mode: light or dark.
    """
    colours, figure = PALETTES[mode], go.Figure()
    # The names at the right end step aside from each other.
    side = 8 if baseline is None or whole is None or whole.value >= baseline.value else -8
    if baseline is not None:
        _level(figure, baseline, "dash", mode, with_band=True, shift=-side)
    if whole is not None:
        _level(figure, whole, "dot", mode, with_band=False, shift=side)
    for one in series:
        figure.add_trace(_curve(one, axes.log, colours.paper))
    doses = sorted({point.dose for one in series for point in one.points if point.dose > 0 or not axes.log})
    figure.update_xaxes(
        title=escape(axes.dose), type="log" if axes.log else "linear", tickvals=doses,
        ticktext=["<br>".join(filter(None, (f"{dose:g}", escape(axes.ticks.get(dose, ""))))) for dose in doses],
        zeroline=False, showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(title=escape(axes.value), zeroline=False, range=_range(series, baseline, whole))
    styled(figure, mode, title, subtitle, _HEIGHT)
    return figure.update_layout(
        showlegend=len(series) > 1, margin={"r": _END_PIXELS},
        legend={"x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "orientation": "h"},
    )  # fmt: skip


def _range(series: Sequence[DoseSeries], *levels: Level | None) -> list[float]:
    """Return the ends of the upright axis: all values with their intervals, and a margin."""
    shown = [one for some in series for one in some.points] + [level for level in levels if level is not None]
    known = [x for one in shown for x in (one.value, one.low, one.high) if x is not None] or [0.0]
    low, high = min(known), max(known)
    margin = 0.07 * (high - low or 1.0)
    return [low - margin, high + margin]


def _curve(one: DoseSeries, log: bool, paper: str) -> go.Scatter:
    points = [point for point in one.points if point.dose > 0 or not log]
    return go.Scatter(
        x=[point.dose for point in points], y=[point.value for point in points], name=escape(one.name), mode="lines+markers",
        line={"color": one.colour, "width": 2, "dash": one.dash},
        error_y={"type": "data", "symmetric": False, "thickness": 1.6, "width": 0, "color": one.colour,
                 "array": [0.0 if point.high is None else max(point.high - point.value, 0) for point in points],
                 "arrayminus": [0.0 if point.low is None else max(point.value - point.low, 0) for point in points]},
        marker={"size": [15 if point.is_whole else 9 for point in points],
                "symbol": ["diamond" if point.is_whole else "circle" for point in points],
                "color": [one.colour if point.told or point.is_whole else paper for point in points],
                "line": {"width": 2, "color": one.colour}, "opacity": 1},
        customdata=[[point.name] for point in points], hoverinfo="text",
        hovertext=["<br>".join([f"<b>{escape(point.name)}</b>", *(escape(line) for line in point.hover)]) for point in points],
    )  # fmt: skip


def _level(figure: go.Figure, level: Level, dash: str, mode: Mode, with_band: bool, shift: int) -> None:
    colours = PALETTES[mode]
    if with_band and level.low is not None and level.high is not None:
        figure.add_hrect(y0=level.low, y1=level.high, fillcolor=colours.neutral_fill, line_width=0, layer="below")
    figure.add_hline(y=level.value, line={"width": 1.3, "color": colours.baseline, "dash": dash}, layer="below")
    figure.add_annotation(
        x=1, xref="paper", xanchor="left", xshift=6, y=level.value, yshift=shift, text=escape(level.name), showarrow=False,
        font={"size": 12, "color": colours.muted},
    )  # fmt: skip
