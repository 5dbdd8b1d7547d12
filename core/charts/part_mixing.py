"""What mixtures of three adapters do, over the triangle of their shares; those of two are a curve, see `part_dose`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled

_HEIGHT = 480


@dataclass(frozen=True)
class Mixture:
    """One mixture of three adapters, or one of them alone, in the unit that is drawn."""

    name: str
    """Of the variant: a point's customdata."""
    shares: tuple[float, ...]
    """Of each adapter, not below 0; they are drawn by their parts of the sum."""
    value: float
    told: bool = False
    """Whether it differs from the whole adapter for certain: a thick edge."""
    text: str = ""
    """Written beside the point: the value."""
    hover: tuple[str, ...] = ()
    """Plain lines, shown under the name."""


def mixing_triangle(
    mixtures: Sequence[Mixture], adapters: tuple[str, str, str], title: str, subtitle: str, axis: str,
    higher_is_better: bool = True, mode: Mode = "light",
) -> go.Figure:  # fmt: skip
    """Draw each mixture of three adapters where its shares lie, coloured by its value.

    Args:
        mixtures: of three adapters.
        adapters: their names: top, left and right corner.
        title: plain text.
        subtitle: plain text; n, level.
        axis: what the colour is, with its unit.
        higher_is_better: the better end is the blue one.
        mode: light or dark.
    """
    colours = PALETTES[mode]
    ends = [colours.worse, colours.neutral_fill, colours.better]
    scale = [
        [place, colour] for place, colour in zip((0, 0.5, 1), ends if higher_is_better else ends[::-1], strict=True)
    ]
    figure = go.Figure(go.Scatterternary(
        **{corner: [_part(one, place) for one in mixtures] for place, corner in enumerate("abc")},
        mode="markers+text", customdata=[[one.name] for one in mixtures], text=[escape(one.text) for one in mixtures],
        textposition="top right", textfont={"size": 12, "color": colours.text},
        marker={"size": 22, "color": [one.value for one in mixtures], "colorscale": scale,
                "line": {"width": [3 if one.told else 1 for one in mixtures], "color": colours.text},
                "colorbar": {"title": {"text": escape(axis), "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.8}},
        hovertext=[_hover(one) for one in mixtures], hoverinfo="text", cliponaxis=False,
    ))  # fmt: skip
    # The corners are named: numbers at the edges would only lie under the points.
    line = {
        "gridcolor": colours.grid,
        "linecolor": colours.muted,
        "showticklabels": False,
        "tickvals": [0.25, 0.5, 0.75],
    }
    corners = {
        f"{corner}axis": line | {"title": {"text": escape(name), "font": {"size": 13, "color": colours.text}}}
        for corner, name in zip("abc", adapters, strict=True)
    }
    styled(figure, mode, title, subtitle, _HEIGHT)
    return figure.update_layout(
        ternary={"sum": 1, "bgcolor": colours.paper, **corners}, margin={"t": 96, "l": 40, "b": 40}
    )


def _part(one: Mixture, place: int) -> float:
    """Return an adapter's part of the sum of shares."""
    total = sum(one.shares)
    return one.shares[place] / total if total else 0.0


def _hover(one: Mixture) -> str:
    return "<br>".join([f"<b>{escape(one.name)}</b>", *(escape(line) for line in one.hover)])
