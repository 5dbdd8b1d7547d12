"""Who wins against whom: the share of decisive verdicts that each variant won against each other one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled

_CELL_PIXELS = 46


@dataclass(frozen=True)
class WinCell:
    """One variant (row) against another (column)."""

    row: str
    column: str
    share: float | None
    """Of the decisive verdicts, 0 to 1; None without any."""
    text: str
    hover: tuple[str, ...]
    clear: bool
    """Whether the interval leaves out one half."""


def win_matrix(
    cells: Sequence[WinCell], names: Sequence[str], title: str, subtitle: str, mode: Mode = "light"
) -> go.Figure:
    """Draw the cells: blue where the row's variant wins clearly, orange where it loses clearly, grey where it cannot be told.

    A cell's customdata is ``[row, column]``.

    Args:
        cells: of pairs that were rated; a missing one is left empty.
        names: the variants in the order wanted, the same for rows and columns.
        title: plain text.
        subtitle: plain text.
        mode: light or dark.
    """
    palette, place = PALETTES[mode], {name: at for at, name in enumerate(names)}
    shapes: list[dict[str, Any]] = []
    points: list[go.Scatter] = []
    for cell in cells:
        x, y = place[cell.column], place[cell.row]
        won = cell.clear and cell.share is not None and cell.share > 0.5
        lost = cell.clear and cell.share is not None and cell.share < 0.5
        fill = palette.better_fill if won else palette.worse_fill if lost else palette.neutral_fill
        shapes.append({"type": "rect", "x0": x - 0.47, "x1": x + 0.47, "y0": y - 0.44, "y1": y + 0.44, "line": {"width": 0},
                       "layer": "below", "fillcolor": fill})  # fmt: skip
        points.append(go.Scatter(
            x=[x], y=[y], mode="markers+text", marker={"size": 30, "opacity": 0}, text=[escape(cell.text)],
            customdata=[[cell.row, cell.column]],
            textfont={"size": 13, "color": palette.better if won else palette.worse if lost else palette.text},
            hovertext="<br>".join([f"<b>{escape(cell.row)}</b> against {escape(cell.column)}", *map(escape, cell.hover)]),
            hoverinfo="text",
        ))  # fmt: skip
    figure = go.Figure(data=points, layout={"shapes": shapes})
    labels, spots = [escape(name) for name in names], list(range(len(names)))
    plain = {"showgrid": False, "zeroline": False, "tickvals": spots, "tickfont": {"color": palette.text, "size": 12.5}}
    figure.update_xaxes(**plain, ticktext=labels, side="top", range=[-0.5, len(names) - 0.5])
    figure.update_yaxes(**plain, ticktext=labels, range=[len(names) - 0.5, -0.5])
    styled(figure, mode, title, subtitle, 130 + _CELL_PIXELS * len(names))
    return figure.update_layout(margin={"t": 104})
