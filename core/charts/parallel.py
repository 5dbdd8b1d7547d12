"""Parallel coordinates: one line a variant across its factors and the metric, to see what goes together. No effect is shown by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled

_HEIGHT = 380
_TICK_CHARACTERS = 18
_WHOLE = 1e7
"""Whole numbers below it are written out."""
_SAME_HEIGHT = 0.04
"""Ticks nearer to each other than this share of the axis would overprint."""


@dataclass(frozen=True)
class ParallelAxis:
    """One upright axis."""

    name: str
    values: Mapping[str, float | str]
    """By variant; a variant without a value has a gap there."""
    log: bool = False
    """Whether numbers are placed by their logarithm; it takes numbers above zero."""


def parallel_coordinates(
    axes: Sequence[ParallelAxis], colours: Mapping[str, str], title: str, subtitle: str, mode: Mode = "light"
) -> go.Figure:
    """Draw a line for each variant. Names have evenly spaced places in the order in which they first occur.

    Args:
        axes: factors, and the metric last.
        colours: by variant, in the order in which lines are drawn; a variant without any value has none.
        title: plain text.
        subtitle: plain text.
        mode: light or dark.
    """
    palette, figure = PALETTES[mode], go.Figure()
    places = [_places(axis) for axis in axes]
    for number, (axis, heights) in enumerate(zip(axes, places, strict=True)):
        figure.add_shape(
            type="line", x0=number, x1=number, y0=0, y1=1, line={"color": palette.muted, "width": 1}, layer="below"
        )
        figure.add_annotation(x=number, y=1, text=f"<b>{escape(_short(axis.name))}</b>{'<br>(log scale)' if _is_log(axis) else ''}",
                              showarrow=False, yshift=28, font={"size": 12.5})  # fmt: skip
        # Lines leave the first axis to its right: its values stand to its left.
        side = {"xanchor": "left", "xshift": 7} if number else {"xanchor": "right", "xshift": -7}
        for text, height in _ticks(axis, heights):
            figure.add_annotation(
                x=number, y=height, text=escape(_short(text)), showarrow=False, font={"size": 11.5}, bgcolor=palette.paper,
                opacity=0.85, **side,
            )  # fmt: skip
    drawn = {name: colour for name, colour in colours.items() if any(name in axis.values for axis in axes)}
    for variant, colour in drawn.items():
        told = "<br>".join(
            f"{escape(axis.name)}: {escape(_text(axis.values[variant]))}" for axis in axes if variant in axis.values
        )
        figure.add_trace(go.Scatter(
            x=list(range(len(axes))), y=[heights.get(variant) for heights in places], mode="lines+markers", name=escape(variant),
            line={"color": colour, "width": 2}, marker={"size": 7, "color": colour}, opacity=0.85, connectgaps=False,
            hovertext=[f"<b>{escape(variant)}</b><br>{told}"] * len(axes), hoverinfo="text", customdata=[variant] * len(axes),
        ))  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.3, len(axes) - 1 + 0.45])
    figure.update_yaxes(visible=False, range=[-0.06, 1.06])
    styled(figure, mode, title, subtitle, _HEIGHT)
    return figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": -0.04, "yanchor": "top", "x": 0}, margin={"t": 112, "b": 40}
    )


def _is_log(axis: ParallelAxis) -> bool:
    return axis.log and all(not isinstance(value, str) and value > 0 for value in axis.values.values())


def _places(axis: ParallelAxis) -> dict[str, float]:
    """Return each variant's height on an axis, 0 to 1; where all have the same, the middle."""
    if any(isinstance(value, str) for value in axis.values.values()):
        names = list(dict.fromkeys(str(value) for value in axis.values.values()))
        numbers = {variant: float(names.index(str(value))) for variant, value in axis.values.items()}
    else:
        numbers = {
            variant: math.log10(float(value)) if _is_log(axis) else float(value)
            for variant, value in axis.values.items()
        }
    low, high = min(numbers.values(), default=0.0), max(numbers.values(), default=0.0)
    return {variant: (number - low) / (high - low) if high > low else 0.5 for variant, number in numbers.items()}


def _ticks(axis: ParallelAxis, heights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return what is written beside an axis: its values from below to above, without those that would overprint."""
    found: list[tuple[str, float]] = []
    for variant, height in sorted(heights.items(), key=lambda item: item[1]):
        if not found or height - found[-1][1] > _SAME_HEIGHT:
            found.append((_text(axis.values[variant]), height))
    return found


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value == round(value) and abs(value) < _WHOLE else f"{value:.3g}"


def _short(text: str) -> str:
    return text if len(text) <= _TICK_CHARACTERS else text[: _TICK_CHARACTERS - 1] + "…"
