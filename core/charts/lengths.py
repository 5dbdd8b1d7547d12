"""How long the rows of a data set are, and what a max_length cuts off."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, Palette, escape, styled

BINS = 48
_SKEW = 12
"""With a longest row so many times the middle one, equal steps would put nearly all rows in one bar."""


def length_histogram(
    lengths: np.ndarray, max_length: int, mode: Mode = "light", unit: str = "tokens", height: int = 320
) -> go.Figure:
    """Draw a histogram of row lengths with the cut at ``max_length``: what is longer stands in another colour.

    Args:
        lengths: int (n,), at least one row.
        max_length: where the trainer cuts, in ``unit``.
        mode: light or dark.
        unit: of the lengths.
        height: pixels.
    """
    colours = PALETTES[mode]
    low, middle, high = (int(value) for value in np.quantile(lengths, (0, 0.5, 1), method="nearest"))
    is_log = high > _SKEW * max(middle, 1)
    edges = bin_edges(low, high, max_length, is_log)
    counts, _ = np.histogram(lengths, edges)
    cut = edges[:-1] > max_length
    figure = go.Figure(go.Bar(
        x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges), marker={
            "color": np.where(cut, colours.worse, colours.better).tolist(), "line": {"width": 0.6, "color": colours.paper}},
        hovertext=[_hover(int(start), int(end) - 1, int(count), len(lengths), unit)
                   for start, end, count in zip(edges, edges[1:], counts, strict=False)], hoverinfo="text",
    ))  # fmt: skip
    _mark_cut(figure, max_length, low, high, is_log, colours)
    longer = int(np.count_nonzero(lengths > max_length))
    subtitle = (
        f"n = {len(lengths):,}; half of the rows have at most {middle:,}, the longest {high:,}; "
        f"{longer:,} are longer than {max_length:,}"
    )
    figure.update_xaxes(title=f"{unit} of a row{' (logarithmic)' if is_log else ''}", zeroline=False)
    if is_log:
        figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(title="rows", rangemode="tozero")
    figure.update_layout(bargap=0)
    return styled(figure, mode, f"Length in {unit}", subtitle, height)


def bin_edges(low: int, high: int, max_length: int, is_log: bool) -> np.ndarray:
    """Return the edges of the bars, whole numbers; where the cut lies among the rows, one edge is right behind it.

    Args:
        low: the shortest row.
        high: the longest row.
        max_length: the cut.
        is_log: whether the bars grow by a factor rather than by a step.
    """
    n = min(BINS, high + 1 - low)
    raw = np.geomspace(max(low, 1), high + 1, n + 1) if is_log else np.linspace(low, high + 1, n + 1)
    edges = np.floor(raw).astype(np.int64)
    edges[0], edges[-1] = min(low, edges[0]), high + 1
    if low <= max_length < high:
        nearest = 1 + int(np.argmin(np.abs(edges[1:-1] - (max_length + 1)))) if len(edges) > 2 else None
        if nearest is None:
            edges = np.array([edges[0], max_length + 1, edges[-1]])
        else:
            edges[nearest] = max_length + 1
    return np.unique(edges)


def _mark_cut(figure: go.Figure, max_length: int, low: int, high: int, is_log: bool, colours: Palette) -> None:
    if max_length >= high:
        text = f"max_length {max_length:,} is beyond the longest row: nothing is cut off"
        figure.add_annotation(
            x=1, y=1, xref="paper", yref="paper", xanchor="right", yanchor="bottom", text=escape(text), showarrow=False,
            font={"size": 12, "color": colours.muted},
        )  # fmt: skip
        return
    place = max(max_length + 0.5, low)
    figure.add_vline(x=place, line={"color": colours.text, "width": 1.5, "dash": "dash"})
    shown = np.log10(place) if is_log else place
    is_right = max_length > (low * high) ** 0.5 if is_log else max_length > (low + high) / 2
    figure.add_annotation(
        x=float(shown), y=1, yref="paper", xanchor="right" if is_right else "left", yanchor="bottom", showarrow=False,
        text=escape(f"max_length {max_length:,}"), font={"size": 12, "color": colours.text},
    )  # fmt: skip


def _hover(first: int, last: int, count: int, n: int, unit: str) -> str:
    span = f"{first:,}" if first == last else f"{first:,} to {last:,}"
    return f"{span} {escape(unit)}: <b>{count:,}</b> rows ({100 * count / n:.1f} %)"
