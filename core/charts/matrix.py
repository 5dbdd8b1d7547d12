"""Which variant is better, worse, the same or not to be told apart, on which metric: one mark a cell."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled, verdict_colour
from core.notation import MARKS, MEANINGS, difference_texts, metric_heading, p_text, percent
from core.results import Comparison


def verdict_matrix(comparison: Comparison, mode: Mode = "light") -> go.Figure:
    """Draw a mark for each metric (rows) and variant (columns); languages apart are left out, and labels that are not primary.

    A cell's customdata is ``[MetricRow.key, variant]``.
    """
    rows = [row for row in comparison.rows if row.primary or not row.is_detail]
    names = [name for name in comparison.variants if name != comparison.reference]
    colours = PALETTES[mode]
    fills = {"better": colours.better_fill, "worse": colours.worse_fill}
    shapes: list[dict[str, Any]] = []
    marks: list[go.Scatter] = []
    for y, row in enumerate(rows):
        for x, name in enumerate(names):
            found = row.differences.get(name)
            verdict = found.verdict if found else "none"
            number, interval = difference_texts(found, row.unit) if found else ("", "")
            shapes.append({
                "type": "rect", "x0": x - 0.46, "x1": x + 0.46, "y0": y - 0.42, "y1": y + 0.42, "line": {"width": 0},
                "layer": "below", "fillcolor": fills.get(verdict, colours.neutral_fill),
            })  # fmt: skip
            hover = f"<b>{escape(name)}</b>: {MEANINGS[verdict]}<br>{escape(number)} {escape(interval)}"
            hover += f"<br>{escape(p_text(found.p_adjusted))} (adjusted), n = {found.n}" if found else ""
            marks.append(go.Scatter(
                x=[x], y=[y], mode="markers+text", marker={"size": 20, "opacity": 0}, text=[f"<b>{MARKS[verdict]}</b>"],
                textfont={"size": 14, "color": verdict_colour(verdict, mode)}, customdata=[[row.key, name]],
                hovertext=hover, hoverinfo="text",
            ))  # fmt: skip
    # All at once: adding shapes one by one takes a time that grows with their square.
    figure = go.Figure(data=marks, layout={"shapes": shapes})
    plain = {"showgrid": False, "zeroline": False}
    figure.update_xaxes(**plain, tickvals=list(range(len(names))), ticktext=[escape(name) for name in names], side="top",
                        range=[-0.5, len(names) - 0.5])  # fmt: skip
    parts = [f" ({row.part or row.language})" if row.is_detail else "" for row in rows]
    labels = [escape(f"{row.task}: {metric_heading(row)}{part}") for row, part in zip(rows, parts, strict=True)]
    figure.update_yaxes(**plain, tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5])
    level = percent(comparison.level)
    subtitle = (
        f"▲ better, ▼ worse, ≈ the same within its band, ? cannot be told; {level} level, corrected for many tests"
    )
    styled(figure, mode, f"Against {comparison.reference}, metric by metric", subtitle, 130 + 30 * len(rows))
    return figure.update_layout(margin={"t": 100})
