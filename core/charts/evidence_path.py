"""How the evidence for a preference grew, verdict by verdict, and the line from which one may stop."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled

_HIGHEST, _LOWEST = 6.0, -2.0
"""Powers of ten beyond which the path runs along the edge: more evidence than that changes nobody's mind."""


def evidence_path(
    e_values: Sequence[float], needed: float, title: str, subtitle: str, colour: str, mode: Mode = "light"
) -> go.Figure:
    """Draw the e-value after each decisive verdict on a logarithmic axis.

    Args:
        e_values: in the order of the verdicts, at least one, each above 0; may be infinite.
        needed: from which one may stop, 1 / alpha.
        title: plain text.
        subtitle: plain text.
        colour: of the path: of the variant that is ahead, or muted.
        mode: light or dark.
    """
    palette = PALETTES[mode]
    capped = [min(max(value, 10**_LOWEST), 10**_HIGHEST) for value in [1.0, *e_values]]
    hover = ["before the first verdict: e = 1"]
    hover += [
        f"after {number:,} decisive verdicts: <b>e = {_text(value)}</b>" for number, value in enumerate(e_values, 1)
    ]
    figure = go.Figure(go.Scatter(
        x=list(range(len(capped))), y=capped, mode="lines", line={"color": colour, "width": 2.2, "shape": "hv"},
        hovertext=hover, hoverinfo="text", name="e-value",
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=[len(capped) - 1], y=[capped[-1]], mode="markers", marker={"size": 9, "color": colour}, hoverinfo="skip", name="now"
    ))  # fmt: skip
    figure.add_hline(y=needed, line_color=palette.better, line_width=1.5, line_dash="dash")
    figure.add_hline(y=1, line_color=palette.muted, line_width=1)
    figure.add_annotation(
        x=0, xref="paper", y=log10(needed), text=escape(f"one may stop from {needed:g}"), showarrow=False, xanchor="left",
        yanchor="bottom", font={"size": 12, "color": palette.better},
    )  # fmt: skip
    powers = [log10(value) for value in (*capped, needed, 1.0)]
    low, high = min(powers) - 0.25, max(powers) + 0.45
    ticks = [10**power for power in range(int(_LOWEST), int(_HIGHEST) + 1)]
    figure.update_yaxes(
        title="e-value (logarithmic)", type="log", range=[low, high], zeroline=False, tickvals=ticks,
        ticktext=[f"{tick:,.10g}" for tick in ticks],
    )  # fmt: skip
    figure.update_xaxes(title="decisive verdicts so far", range=[0, max(len(capped) - 1, 1) * 1.02], zeroline=False)
    return styled(figure, mode, title, subtitle, 300).update_layout(margin={"b": 28})


def _text(value: float) -> str:
    """Return an e-value as a person reads it."""
    if value >= 1e6:
        return "more than a million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
