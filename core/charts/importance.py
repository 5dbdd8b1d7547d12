"""How much of a metric's spread each factor accounts for, always beside what shuffled outcomes give: alone, importance misleads."""

from __future__ import annotations

import plotly.graph_objects as go

from core.ablation.records import Importance, Outcome
from core.charts.theme import PALETTES, Mode, escape, styled
from core.notation import counted

_ROW = 36


def importance_figure(importance: Importance, outcome: Outcome, mode: Mode = "light") -> go.Figure:
    """Draw a point a factor over the band of shuffled outcomes; filled where it stands out of it.

    Args:
        importance: with at least one bar; they are drawn from above to below.
        outcome: the metric.
        mode: light or dark.
    """
    palette, figure = PALETTES[mode], go.Figure()
    for bar in importance.bars:
        name, null = (
            escape(bar.label),
            f"shuffled outcomes: {_percent(bar.null_median)} as a rule, up to {_percent(bar.null_high)}",
        )
        figure.add_trace(go.Bar(
            x=[100 * bar.null_high], y=[name], orientation="h", width=0.6, hovertext=null, hoverinfo="text",
            marker={"color": palette.muted, "opacity": 0.3, "line": {"width": 0}},
        ))  # fmt: skip
        figure.add_trace(go.Scatter(
            x=[100 * bar.share], y=[name], mode="markers", customdata=[bar.factor], cliponaxis=False, hoverinfo="text",
            marker={"size": 11, "color": palette.text, "symbol": "circle" if bar.outside else "circle-open", "line": {"width": 2}},
            hovertext=f"<b>{name}</b><br>{_percent(bar.share)} of the spread between runs<br>{null}",
        ))  # fmt: skip
    figure.update_xaxes(title="Share of the spread between runs, %", rangemode="tozero", zeroline=False)
    figure.update_yaxes(autorange="reversed", tickfont_size=13)
    reading = (
        f"n = {counted(importance.n_runs, 'run')}; grey: what {importance.permutations:,} shuffles of the outcomes give; "
        "filled: outside of it"
    )
    title = f"{outcome.task}: {outcome.label}, what the runs' spread goes with"
    return styled(figure, mode, title, reading, 130 + _ROW * len(importance.bars))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
