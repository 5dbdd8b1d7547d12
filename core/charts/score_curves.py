"""ROC and precision-recall curves of one label against the rest, with bands, beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb
from plotly.subplots import make_subplots

from core.charts.theme import PALETTES, Mode, escape, styled, variant_colours
from core.diagnostics.score_curves import Curve, LabelCurves
from core.notation import percent

_FILL = 0.16


def score_curves_figure(
    found: Mapping[str, LabelCurves], variants: Sequence[str], title: str, level: float, resamples: int, mode: Mode = "light"
) -> go.Figure:  # fmt: skip
    """Draw the ROC curve (left) and the precision-recall curve (right) of each variant with its pointwise band.

    Args:
        found: by variant, all of one label.
        variants: all, in workspace order, for the colours.
        title: plain text.
        level: of the bands.
        resamples: of the bootstrap.
        mode: light or dark.
    """
    colours, palette = variant_colours(variants, mode), PALETTES[mode]
    figure = make_subplots(rows=1, cols=2, subplot_titles=["ROC", "Precision and recall"], horizontal_spacing=0.09)
    first = next(iter(found.values()))
    share = 100 * first.n_positive / (first.n_positive + first.n_negative)
    for column, y in ((1, [0, 100]), (2, [share, share])):
        figure.add_trace(go.Scatter(x=[0, 100], y=y, mode="lines", hoverinfo="skip", showlegend=False,
                                    line={"width": 1, "color": palette.muted, "dash": "dot"}), row=1, col=column)  # fmt: skip
    for name, one in found.items():
        for column, curve, area, shape in ((1, one.roc, "AUC", "linear"), (2, one.pr, "average precision", "vh")):
            figure.add_trace(_band(curve, colours[name]), row=1, col=column)
            figure.add_trace(go.Scatter(
                x=100 * curve.x, y=100 * curve.y, mode="lines", line={"width": 2, "color": colours[name], "shape": shape},
                name=f"{escape(name)}: AUC {one.roc.area:.3f}, average precision {one.pr.area:.3f}", showlegend=column == 1,
                hovertemplate=f"<b>{escape(name)}</b>, {area} {curve.area:.3f}<br>%{{x:.1f}} %, %{{y:.1f}} %<extra></extra>",
            ), row=1, col=column)  # fmt: skip
    for column, x, y in ((1, "false positives", "true positives (recall)"), (2, "recall", "precision")):
        figure.update_xaxes(title=f"{x}, %", range=[-2, 102], zeroline=False, row=1, col=column)
        figure.update_yaxes(title=f"{y}, %", range=[-2, 102], zeroline=False, row=1, col=column)
    n = f"{first.n_positive:,} with the label, {first.n_negative:,} without"
    styled(figure, mode, title, f"{n}; pointwise {percent(level)} bands from {resamples:,} shared resamples", 430)
    figure.update_annotations(font={"size": 13})
    legend = {"orientation": "h", "y": 1.08, "yanchor": "bottom", "x": 0, "itemclick": False, "itemdoubleclick": False}
    return figure.update_layout(showlegend=True, legend=legend, margin={"t": 124})


def score_curves_data(found: Mapping[str, LabelCurves]) -> pd.DataFrame:
    """Return one row a variant, curve and place of the band, with the curve's own points as rows of their own."""
    rows = []
    for name, one in found.items():
        for kind, curve in (("roc", one.roc), ("pr", one.pr)):
            points = {"variant": name, "label": one.label, "curve": kind}
            rows += [points | {"x": x, "y": y} for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True)]
            band = zip(curve.places.tolist(), curve.low.tolist(), curve.high.tolist(), strict=True)
            rows += [points | {"x": x, "low": low, "high": high} for x, low, high in band]
    return pd.DataFrame(rows)


def _band(curve: Curve, colour: str) -> go.Scatter:
    red, green, blue = hex_to_rgb(colour)
    there = np.isfinite(curve.low)
    x, low, high = (100 * some[there] for some in (curve.places, curve.low, curve.high))
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines", hoverinfo="skip",
        fillcolor=f"rgba({red},{green},{blue},{_FILL})", line={"width": 0}, showlegend=False,
    )  # fmt: skip
