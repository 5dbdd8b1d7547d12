"""What each variant loses when its inputs are perturbed: a drop with its interval for each perturbation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled, variant_colours
from core.notation import MARKS, UNIT_NAMES, drop_texts, in_shown_unit, p_text, percent
from core.results import Difference, RobustnessRow

_STEP = 24
"""Pixels between the points of one perturbation."""
_GAP = 0.9
"""Between two perturbations, in such steps."""
_MEANINGS = {
    "worse": "worse than clean", "better": "better than clean", "unclear": "cannot be told from no drop", "none": "no verdict",
    "same": "",
}  # fmt: skip


def drops_forest(
    rows: Sequence[RobustnessRow],
    variants: Sequence[str],
    shown: Sequence[str],
    level: float,
    mode: Mode = "light",
) -> go.Figure:
    """Draw the drop of one metric under each perturbation, a point with its interval for each variant shown.

    A point's customdata is ``[RobustnessRow.key, variant]``.

    Args:
        rows: of one metric, one for each perturbation, at least one.
        variants: all of the run, in workspace order, for their colours.
        shown: which of them to draw, in this order within each perturbation.
        level: of the intervals.
        mode: light or dark.
    """
    colours, neutral, first = variant_colours(variants, mode), PALETTES[mode], rows[0]
    figure, place, bounds = go.Figure(), 0.0, [0.0]
    notes: list[dict[str, Any]] = []
    for row in rows:
        notes.append(_note(row.perturbation_label, place, x=0, anchor="right", shift=-132, bold=True))
        for variant in shown:
            drop = row.drops.get(variant)
            notes.append(_note(variant, place, x=0, anchor="right", shift=-8, colour=neutral.muted))
            if drop is not None and drop.difference is not None:
                figure.add_trace(_point(row, variant, drop, place, colours[variant]))
                ends = [x for x in (drop.difference, drop.low, drop.high) if x is not None]
                bounds += [in_shown_unit(x, row.unit) for x in ends]
            notes.append(_note(_beside(row, drop), place, x=1.01, anchor="left", shift=0))
            place += 1
        place += _GAP
    last = place - _GAP
    low, high = min(bounds), max(bounds)
    margin = 0.08 * (high - low or 1.0)
    if not first.direction_free:
        figure.add_vrect(
            x0=0, x1=high + margin, fillcolor=neutral.worse_fill, opacity=0.45, line_width=0, layer="below"
        )
    figure.add_vline(x=0, line_color=neutral.muted, line_width=1, layer="below")
    unit = UNIT_NAMES[first.unit] or "its own unit"
    figure.update_xaxes(title=f"Drop of {escape(first.label)} ({'points' if unit == '%' else unit})",
                        range=[low - margin, high + margin], zeroline=False)  # fmt: skip
    figure.update_yaxes(visible=False, range=[last - 0.3, -0.7])
    figure.update_layout(annotations=notes)
    part = f" ({first.part})" if first.part else ""
    reading = (
        f"{percent(level)} intervals, paired with the clean run; the shaded side is worse; filled: more than noise"
    )
    styled(
        figure,
        mode,
        f"{first.task}: {first.label}{part}, lost under each perturbation",
        reading,
        int(130 + _STEP * last),
    )
    return figure.update_layout(margin={"l": 285, "r": 170})


def _point(row: RobustnessRow, variant: str, drop: Difference, place: float, colour: str) -> go.Scatter:
    centre = in_shown_unit(drop.difference or 0.0, row.unit)
    low, high = (None if x is None else in_shown_unit(x, row.unit) for x in (drop.low, drop.high))
    error = None
    if low is not None and high is not None:
        error = {"type": "data", "symmetric": False, "array": [max(high - centre, 0)],
                 "arrayminus": [max(centre - low, 0)], "thickness": 2, "width": 0, "color": colour}  # fmt: skip
    number, interval = drop_texts(drop, row.unit)
    hover = [f"<b>{escape(variant)}</b>, {escape(row.perturbation_label)}", f"drop {escape(number)} {escape(interval)}",
             f"{_MEANINGS[drop.verdict]}; {escape(p_text(drop.p_adjusted))} (adjusted)",
             f"n = {drop.n}, {escape(drop.method)}"]  # fmt: skip
    return go.Scatter(
        x=[centre], y=[place], mode="markers", error_x=error, name=escape(variant),
        marker={"size": 9, "color": colour, "symbol": "circle" if drop.verdict in ("worse", "better") else "circle-open",
                "line": {"width": 2, "color": colour}},
        customdata=[[row.key, variant]], hovertext="<br>".join(hover), hoverinfo="text",
    )  # fmt: skip


def _beside(row: RobustnessRow, drop: Difference | None) -> str:
    if drop is None or drop.difference is None:
        return "no value"
    number, interval = drop_texts(drop, row.unit)
    mark = "" if drop.verdict == "none" else f"{MARKS[drop.verdict]} "
    return f"{mark}{number} {interval}"


def _note(
    text: str, y: float, *, x: float, anchor: str, shift: int, bold: bool = False, colour: str | None = None
) -> dict[str, Any]:
    shown = f"<b>{escape(text)}</b>" if bold else escape(text)
    font: dict[str, Any] = {"size": 12.5} | ({"color": colour} if colour else {})
    return {
        "text": shown,
        "x": x,
        "xref": "paper",
        "y": y,
        "xanchor": anchor,
        "xshift": shift,
        "showarrow": False,
        "font": font,
    }
