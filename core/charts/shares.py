"""Shares of a whole as bars: roles, languages, labels, turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled

_BAR_PIXELS = 25
_AROUND_PIXELS = 122
_NAME_CHARACTERS = 26


@dataclass(frozen=True)
class Share:
    """One part."""

    name: str
    count: int
    share: float
    """Of the whole, 0 to 1."""


def shares_of(counts: Sequence[tuple[str, int]]) -> list[Share]:
    """Return counted parts with their shares of the sum."""
    total = sum(count for _, count in counts) or 1
    return [Share(name, count, count / total) for name, count in counts]


def share_bars(
    parts: Sequence[Share], title: str, subtitle: str, unit: str, mode: Mode = "light", most: int = 12
) -> go.Figure:
    """Draw parts as horizontal bars, in the order they are given, each with its share and count beside it.

    Args:
        parts: at least one; those past ``most`` are joined to one.
        title: plain text.
        subtitle: plain text; n, and what was counted.
        unit: what was counted, ``rows``.
        mode: light or dark.
        most: how many bars there may be.
    """
    colours = PALETTES[mode]
    shown = list(parts[:most])
    if rest := parts[most:]:
        shown.append(Share(f"{len(rest):,} others", sum(part.count for part in rest), sum(part.share for part in rest)))
    names = [_short(part.name, place) for place, part in enumerate(shown)]
    figure = go.Figure(go.Bar(
        x=[100 * part.share for part in shown], y=names, orientation="h", marker={"color": colours.better}, cliponaxis=False,
        text=[f" {percent_text(part.share)}" for part in shown], textposition="outside",
        textfont={"size": 12, "color": colours.muted},
        hovertext=[f"{escape(part.name[:200])}: <b>{part.count:,}</b> {escape(unit)} ({percent_text(part.share)})" for part in shown],
        hoverinfo="text",
    ))  # fmt: skip
    top = max(100 * part.share for part in shown) or 1.0
    figure.update_xaxes(title=f"% of {escape(unit)}", range=[0, top * 1.22], zeroline=False)
    if top * 1.22 > 100:  # room for the last label, not a scale that goes on
        figure.update_xaxes(tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_layout(bargap=0.35)
    return styled(figure, mode, title, subtitle, _AROUND_PIXELS + _BAR_PIXELS * len(shown))


def percent_text(share: float) -> str:
    """Return a share in percent as a person reads it: ``37 %``, ``1.4 %``, ``< 0.1 %``."""
    value = 100 * share
    if 0 < value < 0.1:
        return "< 0.1 %"
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"


def _short(name: str, place: int) -> str:
    """Return a name for the axis, unique for its place: names that are cut to the same letters stay apart."""
    cut = name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "\u2026"
    return (escape(cut) or "(empty)") + "\u200b" * place
