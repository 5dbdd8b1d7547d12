"""Shares of a whole as one bar a row: what the verdicts on a pair were, how often each level of a scale was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.shares import percent_text
from core.charts.theme import PALETTES, Mode, escape, styled

_BAR_PIXELS = 38
_WRITTEN_FROM = 0.06
"""A smaller part has no room for its share."""
_NAME_CHARACTERS = 30


@dataclass(frozen=True)
class Part:
    """One kind of part, with one colour in every bar."""

    name: str
    colour: str
    on_colour: str
    """Of what is written on it."""
    hatched: bool = False


@dataclass(frozen=True)
class Bar:
    """One bar."""

    name: str
    counts: tuple[int, ...]
    """One for each part, in their order."""


def stacked_bars(
    bars: Sequence[Bar], parts: Sequence[Part], title: str, subtitle: str, unit: str, mode: Mode = "light", *, named: bool = True
) -> go.Figure:  # fmt: skip
    """Draw the bars from above to below, each of one length; the count of each part is in its hover.

    Args:
        bars: at least one; one without any count is an empty line that says so.
        parts: from left to right.
        title: plain text.
        subtitle: plain text.
        unit: what is counted, ``verdicts``.
        mode: light or dark.
        named: whether the bars' names stand beside them; the title may say it all of a single one.
    """
    palette, figure = PALETTES[mode], go.Figure()
    names = [_short(bar.name, place) for place, bar in enumerate(bars)]
    for at, part in enumerate(parts):
        shares = [bar.counts[at] / (sum(bar.counts) or 1) for bar in bars]
        figure.add_trace(go.Bar(
            x=[100 * share for share in shares], y=names, orientation="h", name=escape(part.name),
            showlegend=part.name not in {earlier.name for earlier in parts[:at]},
            marker={"color": part.colour, "line": {"width": 1, "color": palette.paper},
                    "pattern": {"shape": "/" if part.hatched else "", "bgcolor": part.colour, "fgcolor": palette.muted, "size": 6,
                                "solidity": 0.25}},
            text=[percent_text(share) if share >= _WRITTEN_FROM and not part.hatched else "" for share in shares], textposition="inside",
            insidetextanchor="middle", textangle=0, textfont={"size": 12.5, "color": part.on_colour},
            hovertext=[f"<b>{escape(bar.name)}</b><br>{escape(part.name)}: {bar.counts[at]:,} of {sum(bar.counts):,} {escape(unit)}"
                       for bar in bars], hoverinfo="text",
        ))  # fmt: skip
    for name, bar in zip(names, bars, strict=True):
        if not sum(bar.counts):
            figure.add_annotation(
                x=0, y=name, text=f"no {escape(unit)}", showarrow=False, xanchor="left", font={"color": palette.muted}
            )
    figure.update_xaxes(title=f"% of {escape(unit)}", range=[0, 100], tickvals=[0, 25, 50, 75, 100], zeroline=False)
    figure.update_yaxes(
        autorange="reversed", type="category", showgrid=False, tickfont={"color": palette.text}, showticklabels=named
    )
    styled(figure, mode, title, subtitle, 152 + _BAR_PIXELS * len(bars))
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left", "traceorder": "normal",
              "font": {"size": 12.5}, "itemclick": False, "itemdoubleclick": False}  # fmt: skip
    return figure.update_layout(barmode="stack", bargap=0.32, showlegend=True, legend=legend, margin={"t": 96, "b": 28})


def _short(name: str, place: int) -> str:
    """Return a name for the axis, unique for its place: names that are cut to the same letters stay apart."""
    cut = name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "\u2026"
    return (escape(cut) or " ") + "\u200b" * place
