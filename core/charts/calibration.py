"""Calibration: how often the likeliest answer is right, by how likely it was said to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.charts.theme import PALETTES, Mode, escape, styled, variant_colours
from core.metrics.curves import CalibrationCurve


def calibration_figure(
    curves: Mapping[str, CalibrationCurve], variants: Sequence[str], title: str, mode: Mode = "light"
) -> go.Figure:
    """Draw the curve of each variant with the diagonal, and under it how many examples are in each bin.

    The customdata of a point and of a bar is ``[variant, low, high]``, the bin's edges.
    """
    colours = variant_colours(variants, mode)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    figure.add_trace(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", hoverinfo="skip", showlegend=False,
                                line={"width": 1, "color": PALETTES[mode].muted}), row=1, col=1)  # fmt: skip
    for name, curve in curves.items():
        there = np.flatnonzero(curve.counts > 0)
        picks = [[name, float(curve.edges[bin]), float(curve.edges[bin + 1])] for bin in there]
        texts = [
            f"<b>{escape(name)}</b><br>right in {100 * curve.accuracy[bin]:.1f} %, {100 * curve.confidence[bin]:.1f} % sure"
            f"<br>{curve.counts[bin]:,} examples"
            for bin in there
        ]
        figure.add_trace(go.Scatter(
            x=100 * curve.confidence[there], y=100 * curve.accuracy[there], mode="lines+markers", name=escape(name),
            line={"color": colours[name], "width": 2}, marker={"size": 9}, customdata=picks, hovertext=texts, hoverinfo="text",
        ), row=1, col=1)  # fmt: skip
        figure.add_trace(go.Bar(
            x=100 * (curve.edges[there] + curve.edges[there + 1]) / 2, y=curve.counts[there], customdata=picks, hovertext=texts,
            hoverinfo="text", marker={"color": colours[name]}, showlegend=False,
        ), row=2, col=1)  # fmt: skip
    figure.update_yaxes(title="right, %", range=[-3, 103], zeroline=False, row=1, col=1)
    figure.update_yaxes(title="examples", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(range=[0, 101], zeroline=False)
    figure.update_xaxes(title="probability of the likeliest answer, %", row=2, col=1)
    counts = sorted({int(curve.counts.sum()) for curve in curves.values()})
    n = f"n = {counts[0]:,}" if len(counts) == 1 else f"n = {counts[0]:,} to {counts[-1]:,}"
    bins = len(next(iter(curves.values())).counts)
    styled(figure, mode, title, f"{n}; {bins} bins of equal width; above the line: less sure than right", 460)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "itemclick": False, "itemdoubleclick": False}
    return figure.update_layout(showlegend=True, legend=legend, margin={"t": 100}, bargap=0.15)


def calibration_data(curves: Mapping[str, CalibrationCurve]) -> pd.DataFrame:
    """Return one row a variant and bin."""
    return pd.DataFrame([
        {"variant": name, "low": curve.edges[bin], "high": curve.edges[bin + 1], "confidence": curve.confidence[bin],
         "accuracy": curve.accuracy[bin], "examples": int(curve.counts[bin])}
        for name, curve in curves.items() for bin in range(len(curve.counts))
    ])  # fmt: skip
