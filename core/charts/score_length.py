"""Score against length: does a variant gain on long texts alone, or by writing more?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.charts.scatter import SVG_LIMIT, WEBGL_LIMIT
from core.charts.theme import Mode, escape, styled, variant_colours
from core.diagnostics.lengths import LengthGroup
from core.metrics.metric import Unit
from core.notation import UNIT_NAMES, in_shown_unit


@dataclass(frozen=True)
class LengthPoints:
    """One variant's examples."""

    ids: Sequence[str]
    lengths: np.ndarray
    """float64 (n,), NaN where not known."""
    scores: np.ndarray
    """float64 (n,), in the metric's unit, NaN where there is no value."""
    groups: tuple[LengthGroup, ...]


def score_against_length(
    found: Mapping[str, LengthPoints], variants: Sequence[str], length_name: str, metric_name: str, title: str,
    unit: Unit = "number", mode: Mode = "light",
) -> go.Figure:  # fmt: skip
    """Draw each example of some variants, and the mean score of each group of lengths as a line.

    A point's customdata is its example id, a group's ``[variant, shortest, longest]``. Beyond `core.charts.scatter.SVG_LIMIT`
    points are WebGL; beyond `core.charts.scatter.WEBGL_LIMIT` there are the lines alone.

    Args:
        found: by variant.
        variants: all, in workspace order, for the colours.
        length_name: with its unit: ``output, tokens``.
        metric_name: with direction: ``ROUGE-L ↑``.
        title: plain text.
        unit: the metric's.
        mode: light or dark.
    """
    colours, figure = variant_colours(variants, mode), go.Figure()
    total = sum(int(_known(one).sum()) for one in found.values())
    kind = go.Scattergl if total > SVG_LIMIT else go.Scatter
    scale = in_shown_unit(1.0, unit)
    for name, one in found.items():
        known = _known(one)
        if total > WEBGL_LIMIT:
            continue
        ids = [str(each) for each, there in zip(one.ids, known, strict=True) if there]
        figure.add_trace(kind(
            x=one.lengths[known], y=scale * one.scores[known], mode="markers", customdata=ids, showlegend=False,
            text=[escape(each) for each in ids], marker={"size": 6, "opacity": 0.35, "color": colours[name]},
            hovertemplate=f"<b>%{{text}}</b><br>{escape(name)}: %{{y:.4g}} at length %{{x:,}}<extra></extra>",
        ))  # fmt: skip
    for name, one in found.items():
        figure.add_trace(go.Scatter(
            x=[group.mean_length for group in one.groups], y=[scale * group.mean_score for group in one.groups],
            mode="lines+markers", line={"width": 2.5, "color": colours[name]}, marker={"size": 11, "symbol": "diamond"},
            name=escape(name), customdata=[[name, group.low, group.high] for group in one.groups],
            hovertext=[f"<b>{escape(name)}</b>: mean {scale * group.mean_score:.4g}<br>{group.n:,} examples of length "
                       f"{group.low:,.0f} to {group.high:,.0f}" for group in one.groups], hoverinfo="text",
        ))  # fmt: skip
    unit_name = f" ({UNIT_NAMES[unit]})" if UNIT_NAMES[unit] and UNIT_NAMES[unit] not in metric_name else ""
    figure.update_xaxes(title=escape(length_name), zeroline=False)
    figure.update_yaxes(title=f"{escape(metric_name)}{unit_name}", zeroline=False)
    drawn = (
        "diamonds are means of groups of about equal size"
        if total <= WEBGL_LIMIT
        else "too many examples to draw singly"
    )
    styled(figure, mode, title, f"{total:,} scores; {drawn}", 400)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "itemclick": False, "itemdoubleclick": False}
    return figure.update_layout(showlegend=True, legend=legend, margin={"t": 100})


def length_data(found: Mapping[str, LengthPoints]) -> pd.DataFrame:
    """Return one row a variant and group."""
    rows = [{"variant": name} | vars(group) for name, one in found.items() for group in one.groups]
    return pd.DataFrame(rows)


def _known(one: LengthPoints) -> np.ndarray:
    return np.isfinite(one.lengths) & np.isfinite(one.scores)
