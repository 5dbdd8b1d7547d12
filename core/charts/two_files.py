"""Two data sets side by side: lengths as curves, and the shares of values as pairs of bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.charts.shares import percent_text
from core.charts.theme import PALETTES, Mode, escape, styled

_POINTS = 300
_SKEW = 12
_MOST = 10
_ROW_PIXELS = 40


def length_curves(
    first: np.ndarray, second: np.ndarray, names: tuple[str, str], unit: str, mode: Mode = "light", height: int = 320
) -> go.Figure:
    """Draw for both files which share of the rows is no longer than so much (the empirical distribution functions).

    Args:
        first: int (n,), at least one row.
        second: int (m,), at least one row.
        names: of the files.
        unit: ``tokens`` or ``characters``.
        mode: light or dark.
        height: pixels.
    """
    colours = PALETTES[mode]
    figure = go.Figure()
    for lengths, name, colour in zip((first, second), names, (colours.baseline, colours.better), strict=True):
        shares = np.linspace(0, 1, min(_POINTS, len(lengths) + 1))
        figure.add_trace(go.Scatter(
            x=np.quantile(lengths, shares, method="inverted_cdf"), y=100 * shares, mode="lines", name=escape(name),
            line={"color": colour, "width": 2, "shape": "hv"},
            hovertemplate=f"{escape(name)}: %{{y:.0f}} % have at most %{{x:,}} {escape(unit)}<extra></extra>",
        ))  # fmt: skip
    both = np.concatenate([first, second])
    is_log = both.max() > _SKEW * max(float(np.median(both)), 1.0)
    figure.update_xaxes(title=f"{unit} of a row{' (logarithmic)' if is_log else ''}", zeroline=False)
    if is_log:
        figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(title="% of rows with at most so many", range=[0, 102], zeroline=False)
    subtitle = f"n = {len(first):,} and {len(second):,}"
    return _with_legend(styled(figure, mode, f"Length in {unit}", subtitle, height))


def share_pairs(
    values: Sequence[tuple[str, int, int]], names: tuple[str, str], title: str, subtitle: str, mode: Mode = "light"
) -> go.Figure:
    """Draw the shares of values in two files as pairs of horizontal bars.

    Args:
        values: value, rows in the first file, rows in the second; at least one.
        names: of the files.
        title: plain text.
        subtitle: plain text.
        mode: light or dark.
    """
    colours = PALETTES[mode]
    shown = list(values[:_MOST])
    if rest := values[_MOST:]:
        shown.append((f"{len(rest):,} others", sum(one[1] for one in rest), sum(one[2] for one in rest)))
    labels = [escape(value[:26]) + "\u200b" * place for place, (value, _, _) in enumerate(shown)]
    figure = go.Figure()
    for place, (name, colour) in enumerate(zip(names, (colours.baseline, colours.better), strict=True)):
        counts = [one[1:][place] for one in shown]
        total = sum(counts) or 1
        shares = [count / total for count in counts]
        figure.add_trace(go.Bar(
            x=[100 * share for share in shares], y=labels, orientation="h", name=escape(name), marker={"color": colour},
            hovertext=[f"{escape(name)}, {escape(one[0][:200])}: <b>{count:,}</b> rows ({percent_text(share)})"
                       for one, count, share in zip(shown, counts, shares, strict=True)], hoverinfo="text",
        ))  # fmt: skip
    figure.update_xaxes(title="% of rows", rangemode="tozero", zeroline=False)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_layout(barmode="group", bargap=0.3, bargroupgap=0.05)
    return _with_legend(styled(figure, mode, title, subtitle, 138 + _ROW_PIXELS * len(shown)))


def _with_legend(figure: go.Figure) -> go.Figure:
    """Name both files in a legend over the plot: two curves cross, and a label beside one would stand on the other."""
    return figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        margin={"t": 92},
    )  # fmt: skip
