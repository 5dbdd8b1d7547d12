"""Two factors at once: a metric over the levels of one, a line for each level of the other; lines that part are an interaction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.ablation.records import Interaction, InteractionCell, Outcome
from core.charts.factor_words import outcome_heading, short_level, shown
from core.charts.theme import PALETTES, Mode, Palette, escape, styled
from core.notation import counted

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
_HEAD, _PANEL = 92, 290


def interaction_panels(
    interactions: Sequence[Interaction], outcome: Outcome, subtitle: str, mode: Mode = "light", columns: int = 2
) -> go.Figure:
    """Draw a panel for each pair of factors: the first's levels across, a line for each level of the second, n beside each cell.

    Args:
        interactions: at least one; cells without a run are left open.
        outcome: the metric.
        subtitle: plain text; n and interval level.
        mode: light or dark.
        columns: panels beside each other.
    """
    columns = max(1, min(columns, len(interactions)))
    lines = math.ceil(len(interactions) / columns)
    height = _HEAD + lines * _PANEL
    figure = make_subplots(
        rows=lines, cols=columns, shared_yaxes=True, horizontal_spacing=0.09,
        vertical_spacing=min(90 / height, 0.8 / max(lines - 1, 1)) if lines > 1 else 0,
    )  # fmt: skip
    palette = PALETTES[mode]
    for i, found in enumerate(interactions):
        place: dict[str, Any] = {"row": i // columns + 1, "col": i % columns + 1}
        levels = [level.text for level in found.rows.levels]
        for number, column in enumerate(found.columns.levels):
            cells = _tried(found, column.text)
            if cells:
                figure.add_trace(_line(found, cells, levels, number, outcome, palette), **place)
                _name(figure, found, cells, levels, outcome, palette, place)
        figure.update_xaxes(
            title=escape(found.rows.label), tickvals=list(range(len(levels))), zeroline=False, showgrid=False,
            ticktext=[escape(short_level(level)) for level in levels], range=[-0.35, len(levels) - 0.3], **place,
        )  # fmt: skip
    figure.update_yaxes(zeroline=False, matches="y")
    figure.update_yaxes(title=escape(outcome_heading(outcome)), col=1)
    reading = "; ".join(filter(None, (subtitle, "lines that are not parallel: one factor changes what the other does")))
    return styled(figure, mode, f"{outcome.task}: {outcome.label}, two factors at once", reading, height)


def _tried(found: Interaction, column: str) -> list[InteractionCell]:
    """Return the cells of one level of the second factor that were run, in the order of the first's levels."""
    return [cell for cell in found.cells if cell.column.text == column and cell.summary.mean is not None]


def _line(
    found: Interaction, cells: Sequence[InteractionCell], levels: Sequence[str], number: int, outcome: Outcome, palette: Palette
) -> go.Scatter:  # fmt: skip
    means = [shown(cell.summary.mean, outcome) or 0.0 for cell in cells]
    seeds = [cell.summary if cell.summary.spread == "seeds" else None for cell in cells]
    highs = [None if one is None else shown(one.high, outcome) for one in seeds]
    lows = [None if one is None else shown(one.low, outcome) for one in seeds]
    return go.Scatter(
        x=[levels.index(cell.row.text) for cell in cells], y=means, mode="lines+markers+text",
        text=[counted(cell.summary.n_runs, "run") for cell in cells], textposition="bottom right",
        textfont={"size": 11, "color": palette.muted}, cliponaxis=False,
        name=escape(f"{found.columns.label} {cells[0].column.text}"),
        line={"color": palette.text, "width": 1.6, "dash": _DASHES[number % len(_DASHES)]},
        marker={"size": 9, "symbol": _SYMBOLS[number % len(_SYMBOLS)], "color": palette.text},
        error_y={
            "type": "data", "symmetric": False, "width": 0, "thickness": 2,
            "array": [0.0 if high is None else max(high - mean, 0.0) for high, mean in zip(highs, means, strict=True)],
            "arrayminus": [0.0 if low is None else max(mean - low, 0.0) for low, mean in zip(lows, means, strict=True)],
        },
        hovertext=[_hover(found, cell, outcome) for cell in cells], hoverinfo="text",
    )  # fmt: skip


def _hover(found: Interaction, cell: InteractionCell, outcome: Outcome) -> str:
    where = f"{found.rows.label} {cell.row.text}, {found.columns.label} {cell.column.text}"
    mean, runs = shown(cell.summary.mean, outcome), ", ".join(dot.variant for dot in cell.summary.dots)
    return f"<b>{escape(where)}</b><br>{mean:.4g}, {escape(cell.summary.label)}<br>{escape(runs)}"


def _name(
    figure: go.Figure, found: Interaction, cells: Sequence[InteractionCell], levels: Sequence[str], outcome: Outcome,
    palette: Palette, place: dict[str, Any],
) -> None:  # fmt: skip
    """Write a line's level beside its last cell."""
    last = cells[-1]
    figure.add_annotation(
        x=levels.index(last.row.text), y=shown(last.summary.mean, outcome), showarrow=False, xanchor="left", xshift=10,
        text=escape(f"{found.columns.label} {short_level(last.column.text)}"), bgcolor=palette.paper, opacity=0.9,
        font={"size": 12, "color": palette.text}, **place,
    )  # fmt: skip
