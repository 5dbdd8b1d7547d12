"""A metric over two factors that are numbers: heights between the cells that were run, and the runs as dots. No surface is claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled
from core.notation import counted


@dataclass(frozen=True)
class FactorPair:
    """Two factors that are numbers, and what each variant has of them."""

    names: tuple[str, str]
    values: Mapping[str, tuple[float, float]]
    """By variant: the first and the second factor."""
    log: tuple[bool, bool] = (False, False)
    """Whether an axis is logarithmic; it takes numbers above zero."""

    @property
    def cells(self) -> int:
        """How many combinations were run."""
        return len(set(self.values.values()))

    @property
    def is_surface(self) -> bool:
        """Whether four neighbouring cells were run somewhere: between fewer there is nothing to draw heights over."""
        run = set(self.values.values())
        xs, ys = (sorted({pair[i] for pair in run}) for i in (0, 1))
        return any(
            {(x, y) for x in xs[i : i + 2] for y in ys[j : j + 2]} <= run
            for i in range(len(xs) - 1)
            for j in range(len(ys) - 1)
        )


def contour_figure(
    pair: FactorPair, qualities: Mapping[str, float], colours: Mapping[str, str], value_title: str, subtitle: str, mode: Mode = "light"
) -> go.Figure:  # fmt: skip
    """Draw mean values of cells as heights, with a gap where a cell was not run.

    Args:
        pair: of the factors.
        qualities: of each variant, in the unit that is drawn.
        colours: by variant.
        value_title: metric, direction, unit.
        subtitle: plain text.
        mode: light or dark.
    """
    palette = PALETTES[mode]
    xs, ys = (sorted({values[i] for values in pair.values.values()}) for i in (0, 1))
    heights = _cell_means(pair, qualities, xs, ys)
    figure = go.Figure(go.Contour(
        x=xs, y=ys, z=heights, connectgaps=False, hoverinfo="skip", ncontours=8,
        colorscale=[[0, palette.neutral_fill], [1, palette.better_fill]], line={"color": palette.muted, "width": 0.6},
        colorbar={"title": {"text": escape(value_title), "side": "right", "font": {"size": 12}}, "thickness": 12, "outlinewidth": 0},
    ))  # fmt: skip
    for variant, (x, y) in pair.values.items():
        if variant in qualities:
            figure.add_trace(go.Scatter(
                x=[x], y=[y], mode="markers", name=escape(variant), customdata=[variant], cliponaxis=False, hoverinfo="text",
                marker={"size": 11, "color": colours.get(variant, palette.text), "line": {"width": 1.5, "color": palette.paper}},
                hovertext=f"<b>{escape(variant)}</b><br>{escape(pair.names[0])} {x:g}, {escape(pair.names[1])} {y:g}"
                          f"<br>{escape(value_title)}: {qualities[variant]:.4g}",
            ))  # fmt: skip
    for number, levels in enumerate((xs, ys)):
        axis: dict[str, Any] = {"tickvals": levels, "ticktext": [f"{level:g}" for level in levels], "zeroline": False}
        title = escape(pair.names[number])
        if pair.log[number] and levels[0] > 0:
            axis, title = axis | {"type": "log"}, f"{title} (log scale)"
        figure.layout["yaxis" if number else "xaxis"].update(axis | {"title": {"text": title}})
    title = f"{value_title} over {pair.names[0]} and {pair.names[1]}"
    told = f"{counted(pair.cells, 'cell')} run, heights between them are interpolated, empty cells left open"
    return styled(figure, mode, title, "; ".join(filter(None, (subtitle, told))), 420)


def _cell_means(
    pair: FactorPair, qualities: Mapping[str, float], xs: Sequence[float], ys: Sequence[float]
) -> list[list[float | None]]:
    """Return the mean over each cell's runs, a row for each of ``ys``; None where none was run."""
    found: dict[tuple[float, float], list[float]] = {}
    for variant, cell in pair.values.items():
        if variant in qualities:
            found.setdefault(cell, []).append(qualities[variant])
    return [[sum(found[x, y]) / len(found[x, y]) if (x, y) in found else None for x in xs] for y in ys]
