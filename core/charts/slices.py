"""Where the variants differ most: the difference on each slice beside that on the rest of the examples."""

from __future__ import annotations

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled
from core.notation import MARKS, UNIT_NAMES, difference_texts, in_shown_unit, p_text, percent
from core.results import Difference
from core.slices.results import SliceRow, SliceTable

LONGEST = 56
"""Characters of a slice's name on the axis; a hover shows all of it."""


def slices_forest(table: SliceTable, key: str, variant: str, most: int = 15, mode: Mode = "light") -> go.Figure:
    """Draw one metric's difference of one variant on the first slices of the ranking, and on the rest of the examples.

    Filled circles are slices whose contrast is told apart after correction. A point's customdata is ``[slice name]``, so that a
    click can open it.

    Args:
        table: the slices.
        key: `SliceRow.key` of the metric.
        variant: which one.
        most: slices drawn at the most.
        mode: light or dark.
    """
    rows = table.of(key, variant)[:most]
    colours = PALETTES[mode]
    figure = go.Figure()
    for place, row in enumerate(rows):
        _point(figure, place, row, row.rest, mode, is_rest=True)
        _point(figure, place, row, row.difference, mode, is_rest=False)
        contrast = " ".join(filter(None, difference_texts(row.contrast, row.unit)))
        figure.add_annotation(
            x=1.02, xref="paper", y=place, text=escape(f"{MARKS[row.contrast.verdict]}  {contrast}"), showarrow=False,
            xanchor="left", align="left", font={"size": 12},
        )  # fmt: skip
    figure.add_vline(x=0, line_color=colours.muted, line_width=1, layer="below")
    unit = UNIT_NAMES[rows[0].unit] if rows else ""
    label = rows[0].label if rows else key
    figure.update_xaxes(
        title=f"{escape(label)} minus {escape(table.reference)}'s"
        + (f" ({'points' if unit == '%' else unit})" if unit else ""),
        zeroline=False,
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[escape(f"{_short(row.slice.name)}  n {row.difference.n}") for row in rows],
        range=[len(rows) - 0.4, -0.6], zeroline=False,
    )  # fmt: skip
    task = rows[0].task if rows else key.partition("/")[0]
    reading = (
        f"circle: on the slice; bar: on the rest; at the right the contrast of the two, {percent(table.level)} intervals; filled: told "
        f"apart after correction for {table.n_tests} tests"
    )
    title = f"{task}: {label}, {variant} on slices"
    styled(figure, mode, title, reading if rows else "no slice has enough examples", max(300, 150 + 30 * len(rows)))
    return figure.update_layout(margin={"r": 190})


def _point(figure: go.Figure, place: int, row: SliceRow, difference: Difference, mode: Mode, *, is_rest: bool) -> None:
    if difference.difference is None:
        return
    colours = PALETTES[mode]
    verdict = row.contrast.verdict
    colour = colours.muted if is_rest else {"better": colours.better, "worse": colours.worse}.get(verdict, colours.text)
    centre = in_shown_unit(difference.difference, row.unit)
    low, high = (None if x is None else in_shown_unit(x, row.unit) for x in (difference.low, difference.high))
    error = None
    if not is_rest and low is not None and high is not None:
        error = {"type": "data", "symmetric": False, "array": [max(high - centre, 0)], "arrayminus": [max(centre - low, 0)],
                 "thickness": 2, "width": 0, "color": colour}  # fmt: skip
    symbol = "line-ns" if is_rest else "circle" if verdict in ("better", "worse") else "circle-open"
    figure.add_trace(go.Scatter(
        x=[centre], y=[place], mode="markers", error_x=error, customdata=[[row.slice.name]], hoverinfo="text",
        hovertext=_hover(row, difference, is_rest=is_rest),
        marker={"size": 16 if is_rest else 10, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
    ))  # fmt: skip


def _hover(row: SliceRow, difference: Difference, *, is_rest: bool) -> str:
    where = "the rest of the examples" if is_rest else row.slice.name
    lines = [
        f"<b>{escape(where)}</b>, n = {difference.n}",
        escape(" ".join(filter(None, difference_texts(difference, row.unit)))),
    ]
    if not is_rest and difference.p_adjusted is not None:
        lines.append(f"{escape(p_text(difference.p_adjusted))} (adjusted)")
    contrast = " ".join(filter(None, difference_texts(row.contrast, row.unit)))
    lines.append(f"contrast {escape(contrast)}; {escape(p_text(row.contrast.p_adjusted))} (adjusted)")
    return "<br>".join(line for line in lines if line)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
