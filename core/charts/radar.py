"""A composite in pictures: its parts as a radar, a summary to look at and never the evidence; and its values with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled, variant_colours
from core.composite.results import CompositePart, CompositeResult
from core.notation import (
    MARKS,
    MEANINGS,
    decimals,
    difference_texts,
    in_shown_unit,
    number_text,
    p_text,
    percent,
    value_texts,
)

MOST_VARIANTS = 6
"""More outlines than these cannot be told apart."""


def radar_variants(result: CompositeResult, variants: Sequence[str], reference: str) -> tuple[str, ...]:
    """Return whom a radar shows by default: the reference and those with the highest composite, in workspace order.

    Args:
        result: the composite.
        variants: all of the run, in workspace order.
        reference: is always among them.
    """
    values = {name: value.value for name, value in result.row.values.items()}
    ranked = sorted((name for name in variants if name != reference), key=lambda name: -(values.get(name) or 0.0))
    chosen = {reference, *ranked[: MOST_VARIANTS - 1]}
    return tuple(name for name in variants if name in chosen)


def composite_radar(
    result: CompositeResult,
    variants: Sequence[str],
    reference: str,
    shown: Sequence[str] | None = None,
    mode: Mode = "light",
) -> go.Figure:
    """Draw the scaled value of each part, 0 in the middle and 1 at the rim, for up to `MOST_VARIANTS` variants.

    With fewer than three parts there is no area to see, and the parts are bars instead. A part without a value leaves its
    variant's outline open.

    Args:
        result: the composite.
        variants: all of the run, in workspace order, for their colours.
        reference: the variant that is compared with.
        shown: which to draw, `MOST_VARIANTS` at the most; by default `radar_variants`.
        mode: light or dark.
    """
    chosen = (radar_variants(result, variants, reference) if shown is None else tuple(shown))[:MOST_VARIANTS]
    colours = variant_colours(variants, mode)
    figure = go.Figure()
    draw = _outline if len(result.parts) > 2 else _bars
    for name in chosen:
        figure.add_trace(draw(result.parts, name, colours[name], dashed=name == reference))
    left_out = len([name for name in variants if name in result.row.values]) - len(chosen)
    reading = "0 (worst) to 1 (best), without uncertainty"
    if left_out > 0:
        reading += f"; {left_out} not drawn"
    styled(figure, mode, f"{result.name}: its parts", reading, 460)
    palette = PALETTES[mode]
    axis = {
        "range": [0, 1],
        "gridcolor": palette.grid,
        "linecolor": palette.grid,
        "tickfont": {"color": palette.muted, "size": 11},
    }
    figure.update_layout(
        showlegend=True, margin={"l": 90, "r": 90, "b": 60}, legend={"orientation": "h", "y": -0.08},
        polar={"bgcolor": palette.paper, "radialaxis": axis | {"tickvals": [0.25, 0.5, 0.75, 1]},
               "angularaxis": {"gridcolor": palette.grid, "linecolor": palette.grid, "direction": "clockwise", "rotation": 90}},
    )  # fmt: skip
    return figure


def composite_forest(
    result: CompositeResult, variants: Sequence[str], reference: str, level: float, mode: Mode = "light"
) -> go.Figure:
    """Draw the composite of each variant with its interval, the difference to the reference written beside it.

    A point's customdata is ``[variant]``.

    Args:
        result: the composite.
        variants: all of the run, in workspace order.
        reference: the variant that is compared with.
        level: of the intervals.
        mode: light or dark.
    """
    row, colours = result.row, variant_colours(variants, mode)
    names = [name for name in variants if name in row.values]
    figure = go.Figure()
    for name in names:
        value, difference = row.values[name], row.differences.get(name)
        centre, low, high = (
            None if x is None else in_shown_unit(x, row.unit) for x in (value.value, value.low, value.high)
        )
        error = None
        if centre is not None and low is not None and high is not None:
            error = {"type": "data", "symmetric": False, "array": [max(high - centre, 0)], "arrayminus": [max(centre - low, 0)],
                     "thickness": 2, "width": 0, "color": colours[name]}  # fmt: skip
        told = difference is not None and difference.verdict in ("better", "worse")
        symbol = "circle" if told or name == reference else "circle-open"
        figure.add_trace(go.Scatter(
            x=[centre], y=[escape(name)], mode="markers", error_x=error, customdata=[[name]], hoverinfo="text",
            hovertext=_hover(result, name, reference),
            marker={"size": 10, "color": colours[name], "symbol": symbol, "line": {"width": 2, "color": colours[name]}},
        ))  # fmt: skip
        figure.add_annotation(
            x=1.02, xref="paper", y=escape(name), text=escape(_beside(result, name, reference)), showarrow=False, xanchor="left",
            align="left", font={"size": 12.5},
        )  # fmt: skip
    figure.update_xaxes(title=f"{escape(result.name)} (0 to 100)", zeroline=False)
    figure.update_yaxes(range=[len(names) - 0.4, -0.6], tickfont_size=13)
    counts = sorted({value.n for value in row.values.values() if value.n})
    n = "" if not counts else f"n = {counts[-1]}; "
    reading = f"{n}{percent(level)} intervals; difference to {reference} beside it; filled: told apart after correction"
    styled(figure, mode, f"Composite {result.name}", reading, max(300, 150 + 34 * len(names)))
    return figure.update_layout(margin={"r": 190})


def _outline(parts: Sequence[CompositePart], name: str, colour: str, dashed: bool) -> go.Scatterpolar:
    closed = [*parts, parts[0]]
    return go.Scatterpolar(
        r=[part.scaled[name] for part in closed], theta=[_axis(part, parts) for part in closed], mode="lines+markers",
        name=escape(name), line={"color": colour, "width": 2, "dash": "dot" if dashed else "solid"},
        marker={"size": 6, "color": colour}, hovertext=[_part_hover(part, name) for part in closed], hoverinfo="text",
        connectgaps=False,
    )  # fmt: skip


def _bars(parts: Sequence[CompositePart], name: str, colour: str, dashed: bool) -> go.Bar:
    pattern = {"shape": "/" if dashed else ""}
    return go.Bar(
        x=[_axis(part, parts) for part in parts], y=[part.scaled[name] for part in parts], name=escape(name),
        marker={"color": colour, "pattern": pattern}, hovertext=[_part_hover(part, name) for part in parts], hoverinfo="text",
    )  # fmt: skip


def _axis(part: CompositePart, parts: Sequence[CompositePart]) -> str:
    """Return the metric's name with its share; the task too where the name stands twice."""
    twice = sum(other.label == part.label for other in parts) > 1
    label = f"{part.key.partition('/')[0]}: {part.label}" if twice else part.label
    return f"{escape(label)}<br>{100 * part.share:.0f} %"


def _part_hover(part: CompositePart, name: str) -> str:
    value, scaled = part.values[name], part.scaled[name]
    if scaled is None:
        return f"<b>{escape(name)}</b>, {escape(part.key)}<br>no value: {escape(value.reason)}"
    low, high = (in_shown_unit(one, part.unit) for one in (part.worst, part.best))
    places = decimals((low, high), part.unit)
    return (
        f"<b>{escape(name)}</b>, {escape(part.key)}<br>{scaled:.3f} on the scale from {number_text(low, places)} (0) to "
        f"{number_text(high, places)} (1)<br>value {escape(value_texts(value, part.unit)[0])}"
    )


def _beside(result: CompositeResult, name: str, reference: str) -> str:
    difference, value = result.row.differences.get(name), result.row.values[name]
    if value.value is None:
        return "no value"
    if difference is None:
        return "reference" if name == reference else ""
    return f"{MARKS[difference.verdict]}  {' '.join(filter(None, difference_texts(difference, result.row.unit)))}"


def _hover(result: CompositeResult, name: str, reference: str) -> str:
    value, difference = result.row.values[name], result.row.differences.get(name)
    lines = [f"<b>{escape(name)}</b>, {escape(result.name)}"]
    if value.value is None:
        return "<br>".join([*lines, f"no value: {escape(value.reason)}"])
    lines.append(f"value {escape(' '.join(filter(None, value_texts(value, result.row.unit))))}")
    if difference is not None:
        lines.append(f"{escape(_beside(result, name, reference))}; {escape(p_text(difference.p_adjusted))} (adjusted)")
        lines.append(escape(MEANINGS[difference.verdict]))
    return "<br>".join([*lines, f"n = {value.n}, {escape(value.method)}"])
