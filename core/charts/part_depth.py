"""Where in the depth of a model an adapter does its work: the difference that each window of layers makes, as a strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled
from core.results import Verdict

_HEIGHT = 380
_FILL_OPACITY = 0.55


@dataclass(frozen=True)
class LayerWindow:
    """What one window of layers does, in the unit that is drawn."""

    name: str
    """Of the variant: a point's customdata."""
    first: int
    last: int
    """Counted from 0, both within the window."""
    value: float | None
    low: float | None = None
    high: float | None = None
    verdict: Verdict = "unclear"
    hover: tuple[str, ...] = ()
    """Plain lines, shown under the layers."""


def depth_strip(
    windows: Sequence[LayerWindow], n_layers: int, title: str, subtitle: str, axis: str, mode: Mode = "light"
) -> go.Figure:
    """Draw the windows side by side over the layers, each as high as its difference, with the interval on it.

    Filled in the colour of its verdict where it could be told, an outline where not; a window without a value says so.

    Args:
        windows: at least one; they do not overlap.
        n_layers: of the model; the axis goes from layer 0 to the last, covered by a window or not.
        title: plain text.
        subtitle: plain text; n, level, what filled means.
        axis: what the height is, with its unit.
        mode: light or dark.
    """
    colours, figure = PALETTES[mode], go.Figure()
    for window in windows:
        colour = {"better": colours.better, "worse": colours.worse}.get(window.verdict, colours.muted)
        told = window.verdict in ("better", "worse", "same")
        middle, width = (window.first + window.last) / 2, window.last - window.first + 1
        layers = _layers(window)
        if window.value is None:
            figure.add_annotation(x=middle, y=0, text="no value", showarrow=False, yshift=10, font={"size": 11.5})
        error = None
        if window.value is not None and window.low is not None and window.high is not None:
            error = {"type": "data", "symmetric": False, "array": [max(window.high - window.value, 0)],
                     "arrayminus": [max(window.value - window.low, 0)], "thickness": 1.8, "width": 4,
                     "color": colours.text}  # fmt: skip
        figure.add_trace(go.Bar(
            x=[middle], y=[window.value], width=[width * 0.94], error_y=error, name=layers, customdata=[[window.name]],
            marker={"color": _with_opacity(colour, _FILL_OPACITY if told else 0.0), "line": {"color": colour, "width": 1.6}},
            hovertext="<br>".join([f"<b>{layers}</b>", *(escape(line) for line in window.hover)]), hoverinfo="text",
        ))  # fmt: skip
    figure.add_hline(y=0, line={"width": 1, "color": colours.muted})
    figure.update_xaxes(
        title="Layers, input to output", range=[-0.6, n_layers - 0.4], showgrid=False, zeroline=False, tickangle=0,
        tickvals=[(window.first + window.last) / 2 for window in windows],
        ticktext=[f"{window.first}\u2013{window.last}" if window.first < window.last else f"{window.first}" for window in windows],
    )  # fmt: skip
    figure.update_yaxes(title=escape(axis), zeroline=False)
    styled(figure, mode, title, subtitle, _HEIGHT)
    return figure.update_layout(barmode="overlay", bargap=0)


def _layers(window: LayerWindow) -> str:
    return f"layer {window.first}" if window.first == window.last else f"layers {window.first} to {window.last}"


def _with_opacity(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
