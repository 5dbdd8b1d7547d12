"""Named numbers with their intervals below each other, a line to compare them with, and each written out beside its point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled

_ROW_PIXELS = 30
_NAME_CHARACTERS = 34


@dataclass(frozen=True)
class IntervalRow:
    """One number, in the unit that is drawn."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""
    """Written beside the point; of a number that is missing, the reason."""
    hover: tuple[str, ...] = ()
    """Plain lines, shown under the name."""
    colour: str | None = None
    """None: the text's colour."""
    filled: bool = True
    """Hollow where nothing can be told from the interval."""
    group: str = ""
    """Written above the first row of each group, where there are several."""


@dataclass(frozen=True)
class Scale:
    """The axis under the rows."""

    title: str
    line: float | None = None
    """Where a vertical line stands: what no effect would be."""
    ends: tuple[float, float] | None = None
    """The axis never goes beyond; None where the numbers alone say how far it goes."""


def interval_chart(
    rows: Sequence[IntervalRow], title: str, subtitle: str, scale: Scale, mode: Mode = "light"
) -> go.Figure:
    """Draw the rows from above to below. A point's customdata is its row's name.

    Args:
        rows: at least one.
        title: plain text.
        subtitle: plain text; n, level, what hollow points mean.
        scale: of the axis.
        mode: light or dark.
    """
    palette, figure, place = PALETTES[mode], go.Figure(), 0.0
    grouped = len({row.group for row in rows}) > 1
    notes: list[dict[str, Any]] = []
    before = None
    for row in rows:
        if grouped and row.group != before:
            place += 0.0 if before is None else 0.5
            notes.append(_note(f"<b>{escape(_short(row.group))}</b>", place, 0, "right", -10, palette.text))
            place += 0.9
        before = row.group
        figure.add_trace(_point(row, place, palette.text))
        notes.append(_note(escape(_short(row.name)), place, 0, "right", -10, palette.text))
        colour = palette.muted if row.value is None else palette.text
        notes.append(_note(escape(row.text), place, 1, "left", 12, colour))
        place += 1
    if scale.line is not None:
        figure.add_vline(x=scale.line, line_color=palette.muted, line_width=1, layer="below")
    figure.update_xaxes(title=escape(scale.title), range=_bounds(rows, scale), zeroline=False)
    figure.update_yaxes(visible=False, range=[place - 0.4, -0.7])
    figure.update_layout(annotations=notes)
    styled(figure, mode, title, subtitle, round(128 + _ROW_PIXELS * place))
    beside = {
        "l": _room([name for row in rows for name in (row.name, row.group)]),
        "r": _room([row.text for row in rows]),
    }
    return figure.update_layout(margin={**beside, "b": 28})


def _point(row: IntervalRow, place: float, plain: str) -> go.Scatter:
    colour = row.colour or plain
    error = None
    if row.value is not None and row.low is not None and row.high is not None:
        error = {"type": "data", "symmetric": False, "array": [max(row.high - row.value, 0)],
                 "arrayminus": [max(row.value - row.low, 0)], "thickness": 2, "width": 0, "color": colour}  # fmt: skip
    hover = [f"<b>{escape(row.name)}</b>", *(escape(line) for line in row.hover or (row.text,))]
    return go.Scatter(
        x=[row.value], y=[place], mode="markers", error_x=error, name=escape(row.name), customdata=[row.name],
        marker={"size": 9, "color": colour, "symbol": "circle" if row.filled else "circle-open",
                "line": {"width": 2, "color": colour}},
        hovertext="<br>".join(hover), hoverinfo="text",
    )  # fmt: skip


def _bounds(rows: Sequence[IntervalRow], scale: Scale) -> list[float]:
    """Return the ends of the axis: all numbers and the line, with a margin, within the scale's own ends."""
    known = [x for row in rows for x in (row.value, row.low, row.high) if x is not None]
    known += [] if scale.line is None else [scale.line]
    known = known or list(scale.ends or (0.0, 1.0))
    low, high = min(known), max(known)
    margin = 0.08 * (high - low or 1.0)
    low, high = low - margin, high + margin
    if scale.ends is None:
        return [low, high]
    # A point on the end itself would be cut in half.
    air = 0.02 * (scale.ends[1] - scale.ends[0])
    return [max(low, scale.ends[0] - air), min(high, scale.ends[1] + air)]


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"


def _room(texts: Sequence[str]) -> int:
    """Return the pixels beside the plot that the longest text needs, within reason."""
    return min(max(90, 30 + round(7.2 * max(len(_short(text)) for text in texts))), 300)


def _note(text: str, y: float, x: float, anchor: str, shift: int, colour: str) -> dict[str, Any]:
    return {
        "text": text, "x": x, "xref": "paper", "y": y, "yanchor": "middle", "xanchor": anchor, "xshift": shift, "showarrow": False,
        "font": {"size": 12.5, "color": colour},
    }  # fmt: skip
