"""One metric, example by example: the reference against a variant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled
from core.examples import Outcome
from core.metrics.metric import Metric, Unit
from core.notation import UNIT_NAMES, in_shown_unit

SVG_LIMIT = 5_000
WEBGL_LIMIT = 100_000


def right_or_wrong(scores: pd.DataFrame, reference: str, variant: str) -> pd.Series:
    """Return what became of each example of a right-or-wrong metric.

    Args:
        scores: index example id, a column a variant, values 0 or 1 (missing allowed).
        reference: the column that is compared with.
        variant: the column that is compared.

    Returns:
        `core.examples.Outcome`, by example id; examples without both values are left out.
    """
    both = scores[[reference, variant]].dropna()
    before, after = both[reference] > 0.5, both[variant] > 0.5
    names = np.select(
        [~before & after, before & ~after, before & after], ["fixed", "broken", "both right"], "both wrong"
    )
    return pd.Series(names, index=both.index, dtype=object)


def is_right_or_wrong(metric: Metric) -> bool:
    """Tell whether a metric judges a single example right or wrong: then points would lie on top of each other.

    Rates do, and so does a corpus metric of classification: the F1 of a single label is 0 or 1. The values themselves
    decide nothing: a graded metric may happen to be 0 or 1 on every example of a slice.
    """
    return metric.test == "rate" or (metric.test == "corpus" and metric.family == "classification")


def outcome_counts(scores: pd.DataFrame, reference: str, variant: str, title: str, mode: Mode = "light") -> go.Figure:
    """Draw the counts of fixed, broken, both right and both wrong as two by two fields.

    A field's customdata is its `Outcome`. Arguments as for `example_scatter`.
    """
    found = right_or_wrong(scores, reference, variant).value_counts()
    total = int(found.sum())
    colours = PALETTES[mode]
    grid: list[list[Outcome]] = [["both wrong", "fixed"], ["broken", "both right"]]
    fills = {"fixed": colours.better_fill, "broken": colours.worse_fill}
    figure = go.Figure()
    for y, line in enumerate(grid):
        for x, outcome in enumerate(line):
            count = int(found.get(outcome, 0))
            share = f"{100 * count / total:.1f} %" if total else ""
            figure.add_shape(
                type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.46, y1=y + 0.46, layer="below", line_width=0,
                fillcolor=fills.get(outcome, colours.neutral_fill),
            )  # fmt: skip
            figure.add_trace(go.Scatter(
                x=[x], y=[y], mode="markers+text", marker={"size": 90, "opacity": 0, "symbol": "square"},
                text=[f"<b>{count:,}</b><br>{outcome}<br>{share}"], textfont={"size": 15, "color": colours.text},
                customdata=[outcome], hovertext=f"{count:,} of {total:,} examples: {outcome}", hoverinfo="text",
            ))  # fmt: skip
    names = {"showgrid": False, "zeroline": False, "tickvals": [0, 1], "tickfont": {"size": 13}}
    figure.update_xaxes(**names, ticktext=[f"{escape(variant)} wrong", f"{escape(variant)} right"], range=[-0.5, 1.5])
    figure.update_yaxes(
        **names, ticktext=[f"{escape(reference)} wrong", f"{escape(reference)} right"], range=[1.5, -0.5]
    )
    return styled(figure, mode, title, f"n = {total:,} examples with both answers", 360)


def example_scatter(
    scores: pd.DataFrame, reference: str, variant: str, title: str, unit: Unit = "number",
    higher_is_better: bool = True, mode: Mode = "light",
) -> go.Figure:  # fmt: skip
    """Draw each example's value under the reference against its value under a variant, with the diagonal.

    Up to `SVG_LIMIT` points are SVG, up to `WEBGL_LIMIT` WebGL, more are counted in bins.

    Args:
        scores: index example id, a column a variant, values in the metric's unit (missing allowed).
        reference: the column on the horizontal axis.
        variant: the column on the vertical axis.
        title: plain text.
        unit: the metric's.
        higher_is_better: which side of the diagonal is blue.
        mode: light or dark.
    """
    both = scores[[reference, variant]].dropna()
    x = in_shown_unit(1.0, unit) * both[reference].to_numpy(dtype=float)
    y = in_shown_unit(1.0, unit) * both[variant].to_numpy(dtype=float)
    low, high = _range(x, y)
    figure = go.Figure()
    colours = PALETTES[mode]
    corner = f"{low},{high}" if higher_is_better else f"{high},{low}"
    figure.add_shape(
        type="path", path=f"M {low},{low} L {high},{high} L {corner} Z", fillcolor=colours.better_fill, opacity=0.45,
        line_width=0, layer="below",
    )  # fmt: skip
    figure.add_trace(go.Scatter(
        x=[low, high], y=[low, high], mode="lines", line={"color": colours.muted, "width": 1}, hoverinfo="skip",
    ))  # fmt: skip
    gain = (y - x) * (1 if higher_is_better else -1)
    figure.add_trace(_points(both.index, x, y, gain, mode))
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    unit_name = f" ({UNIT_NAMES[unit]})" if UNIT_NAMES[unit] else ""
    figure.update_xaxes(title=f"{escape(reference)}{unit_name}", range=[low, high], zeroline=False)
    figure.update_yaxes(title=f"{escape(variant)}{unit_name}", range=[low, high], zeroline=False)
    side = "above" if higher_is_better else "below"
    subtitle = (
        f"n = {len(both):,}: {better:,} better ({side} the line), {worse:,} worse, {len(both) - better - worse:,} equal"
    )
    return styled(figure, mode, title, subtitle, 400)


def _points(
    ids: pd.Index, x: np.ndarray, y: np.ndarray, gain: np.ndarray, mode: Mode
) -> go.Scatter | go.Scattergl | go.Histogram2d:
    """Return the trace that suits the number of points; its customdata are the example ids."""
    colours = PALETTES[mode]
    if len(x) > WEBGL_LIMIT:
        scale = [[0, colours.paper], [1e-9, colours.neutral_fill], [1, colours.better]]
        return go.Histogram2d(x=x, y=y, nbinsx=80, nbinsy=80, colorscale=scale, showscale=False,
                              hovertemplate="%{z} examples<extra></extra>")  # fmt: skip
    kind = go.Scattergl if len(x) > SVG_LIMIT else go.Scatter
    colour = np.select([gain > 0, gain < 0], [colours.better, colours.worse], colours.muted)
    symbol = np.select([gain > 0, gain < 0], ["triangle-up", "triangle-down"], "circle")
    return kind(
        x=x, y=y, mode="markers", customdata=[str(name) for name in ids], text=[escape(name) for name in ids],
        marker={"size": 7, "opacity": 0.7, "color": colour, "symbol": symbol},
        hovertemplate="<b>%{text}</b><br>%{x:.4g} → %{y:.4g}<extra></extra>",
    )  # fmt: skip


def _range(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the common range of both axes with a margin."""
    if not len(x):
        return 0.0, 1.0
    low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin
