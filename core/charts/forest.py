"""Differences with their intervals: one metric over all variants, and all metrics side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.charts.theme import PALETTES, Mode, escape, styled, variant_colours
from core.notation import (
    MARKS,
    MEANINGS,
    UNIT_NAMES,
    difference_texts,
    in_shown_unit,
    metric_heading,
    metric_name,
    p_text,
    percent,
    value_texts,
)
from core.results import Comparison, Difference, MetricRow

_SYMBOLS = {"better": "circle", "worse": "circle", "same": "square", "unclear": "circle-open", "none": "circle-open"}


def forest_of_metric(comparison: Comparison, key: str, mode: Mode = "light") -> go.Figure:
    """Draw one metric's difference to the reference for each variant, with the numbers written beside it.

    Args:
        comparison: what was compared.
        key: `MetricRow.key` of the metric.
        mode: light or dark.
    """
    row = comparison.row(key)
    names = [name for name in comparison.variants if name in row.differences]
    traces = _panel(row, names, variant_colours(comparison.variants, mode))
    bounds = _bounds(row, names)
    figure = go.Figure(data=traces, layout={"shapes": _better_side(row, bounds, mode, "")})
    figure.update_xaxes(range=bounds, zeroline=False)
    for name in names:
        difference = row.differences[name]
        number, interval = difference_texts(difference, row.unit)
        mark = "" if difference.verdict == "none" else f"{MARKS[difference.verdict]}  "
        text = "no value" if difference.difference is None else f"{mark}{number} {interval}"
        figure.add_annotation(
            x=1.02, xref="paper", y=escape(name), text=escape(text), showarrow=False, xanchor="left", align="left",
            font={"size": 12.5},
        )  # fmt: skip
    unit = UNIT_NAMES[row.unit] or "difference"
    figure.update_xaxes(
        title=f"{escape(row.label)} minus {escape(comparison.reference)}'s ({'points' if unit == '%' else unit})"
    )
    figure.update_yaxes(range=[len(names) - 0.4, -0.6], tickfont_size=13)
    title = f"{metric_name(row)}, difference to {comparison.reference}"
    styled(figure, mode, title, _reading(comparison, [row]), max(360, 150 + 34 * len(names)))
    return figure.update_layout(margin={"r": 180})


def forest_of_all(comparison: Comparison, mode: Mode = "light", columns: int = 3) -> go.Figure:
    """Draw every metric's differences in a panel of its own, each in its own unit; languages apart are left out.

    Labels of one metric have a panel each: leave out of ``comparison`` those that are not wanted.

    Args:
        comparison: what was compared.
        mode: light or dark.
        columns: panels beside each other.
    """
    rows = [row for row in comparison.rows if row.language is None and row.differences]
    names = [name for name in comparison.variants if name != comparison.reference]
    columns = max(1, min(columns, len(rows)))
    lines = max(1, math.ceil(len(rows) / columns))
    panel = 30 + 22 * len(names)
    height = 84 + lines * (panel + 58)
    figure = make_subplots(
        rows=lines, cols=columns, shared_yaxes=True, horizontal_spacing=0.035,
        vertical_spacing=min(58 / max(height - 84, 1), 1 / max(lines - 1, 1) * 0.6) if lines > 1 else 0,
        subplot_titles=[escape(f"{row.task}: {metric_heading(row)}{f' ({row.part})' if row.part else ''}") for row in rows],
    )  # fmt: skip
    colours = variant_colours(comparison.variants, mode)
    # All at once: adding traces and shapes one by one takes a time that grows with their square.
    traces: list[go.Scatter] = []
    shapes: list[dict[str, Any]] = []
    for i, row in enumerate(rows):
        axis, bounds = "" if i == 0 else str(i + 1), _bounds(row, names)
        traces += [one.update(xaxis=f"x{axis}", yaxis=f"y{axis}") for one in _panel(row, names, colours)]
        shapes += _better_side(row, bounds, mode, axis)
        figure.layout[f"xaxis{axis}"].update(range=bounds, zeroline=False)
    figure.add_traces(traces)
    figure.update_layout(shapes=shapes)
    figure.update_yaxes(range=[len(names) - 0.4, -0.6])
    figure.update_annotations(font_size=12.5, xanchor="center", font_color=PALETTES[mode].text)
    styled(figure, mode, f"Differences to {comparison.reference}", _reading(comparison, rows), height)
    return figure.update_layout(margin={"t": 92})


def _panel(row: MetricRow, names: Sequence[str], colours: dict[str, str]) -> list[go.Scatter]:
    """Return one point with its interval for each variant."""
    points = []
    for name in names:
        difference = row.differences.get(name)
        if difference is None or difference.difference is None:
            points.append(go.Scatter(x=[None], y=[escape(name)], mode="markers"))
            continue
        centre = in_shown_unit(difference.difference, row.unit)
        low, high = (None if x is None else in_shown_unit(x, row.unit) for x in (difference.low, difference.high))
        error = None
        if low is not None and high is not None:
            error = {"type": "data", "symmetric": False, "array": [max(high - centre, 0)],
                     "arrayminus": [max(centre - low, 0)], "thickness": 2, "width": 0, "color": colours[name]}  # fmt: skip
        points.append(
            go.Scatter(
                x=[centre], y=[escape(name)], mode="markers", error_x=error, name=escape(name),
                marker={"size": 10, "color": colours[name], "symbol": _SYMBOLS[difference.verdict],
                        "line": {"width": 2, "color": colours[name]}},
                customdata=[[row.key, name]], hovertext=_hover(row, name, difference), hoverinfo="text",
            )
        )  # fmt: skip
    return points


def _bounds(row: MetricRow, names: Sequence[str]) -> list[float]:
    """Return the range of a panel: all intervals and zero, with a margin."""
    bounds = [0.0]
    for name in names:
        if (found := row.differences.get(name)) is not None:
            bounds += [in_shown_unit(x, row.unit) for x in (found.difference, found.low, found.high) if x is not None]
    low, high = min(bounds), max(bounds)
    margin = 0.08 * (high - low or 1.0)
    return [low - margin, high + margin]


def _better_side(row: MetricRow, bounds: Sequence[float], mode: Mode, axis: str) -> list[dict[str, Any]]:
    """Return the shade of the side of zero where the variant is better, if one is, and the line at zero.

    Args:
        row: the metric.
        bounds: where the plot begins and ends; the shade ends with it.
        mode: light or dark.
        axis: the panel's number as plotly counts, empty for the first.
    """
    colours, place = PALETTES[mode], {"xref": f"x{axis}", "yref": f"y{axis} domain", "y0": 0, "y1": 1, "layer": "below"}
    start, end = (0.0, bounds[1]) if row.higher_is_better else (bounds[0], 0.0)
    shade = {
        "type": "rect",
        "x0": start,
        "x1": end,
        "fillcolor": colours.better_fill,
        "opacity": 0.45,
        "line": {"width": 0},
    }
    zero = {"type": "line", "x0": 0, "x1": 0, "line": {"color": colours.muted, "width": 1}}
    return [{**one, **place} for one in ((zero,) if row.direction_free else (shade, zero))]


def _hover(row: MetricRow, name: str, difference: Difference) -> str:
    number, interval = difference_texts(difference, row.unit)
    lines = [
        f"<b>{escape(name)}</b>, {escape(metric_name(row))}",
        f"{MARKS[difference.verdict]} {escape(number)} {escape(interval)} {escape(UNIT_NAMES[row.unit])}",
        f"{escape(MEANINGS[difference.verdict])}; {escape(p_text(difference.p_adjusted))} (adjusted)",
    ]
    if (value := row.values.get(name)) is not None:
        lines.append(f"value {escape(' '.join(value_texts(value, row.unit)))}")
    return "<br>".join([*lines, f"n = {difference.n}, {escape(difference.method)}"])


def _reading(comparison: Comparison, rows: Sequence[MetricRow]) -> str:
    """Return the line that says how to read the picture."""
    counts = sorted({found.n for row in rows for found in row.differences.values() if found.n})
    n = "" if not counts else f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
    parts = [
        n, f"{percent(comparison.level)} intervals", "the shaded side is better",
        "filled: told apart after correction for many tests, hollow: not",
    ]  # fmt: skip
    return "; ".join(part for part in parts if part)
