"""The one look of all charts, in light and in dark: explicit colours, so that a picture is the same on screen and in a file."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from core.results import Verdict

Mode = Literal["light", "dark"]
FONT = '"Source Sans", "Source Sans 3", "Noto Sans", "Helvetica Neue", Arial, "Noto Sans CJK SC", sans-serif'

_OKABE_ITO = ("#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Okabe and Ito's palette (2008) without its black, which is a text colour, and its yellow, which vanishes on white."""


@dataclass(frozen=True)
class Palette:
    """The colours of one mode."""

    paper: str
    text: str
    muted: str
    grid: str
    baseline: str
    better: str
    worse: str
    better_fill: str
    worse_fill: str
    neutral_fill: str
    extra: tuple[str, str]
    """The seventh and eighth adapter."""


PALETTES: dict[Mode, Palette] = {
    "light": Palette(
        paper="#FFFFFF", text="#1F2933", muted="#5C6873", grid="#E4E8EC", baseline="#7B8794", better="#0B6BB0",
        worse="#AD4600", better_fill="#DCEBF7", worse_fill="#FCEBDD", neutral_fill="#F1F3F5", extra=("#8A7A00", "#1F2933"),
    ),
    "dark": Palette(
        paper="#11161C", text="#E6EAEE", muted="#98A4B0", grid="#2A333D", baseline="#9AA5B1", better="#5AB0EE",
        worse="#F59A4A", better_fill="#14304A", worse_fill="#43290F", neutral_fill="#1B222A", extra=("#F0E442", "#E6EAEE"),
    ),
}  # fmt: skip
"""Text on paper, and muted text on paper, keep a contrast of 4.5 : 1 (WCAG 2.2 AA)."""


def template(mode: Mode) -> go.layout.Template:
    """Return the plotly template of a mode."""
    colours = PALETTES[mode]
    axis = {
        "gridcolor": colours.grid, "linecolor": colours.grid, "zerolinecolor": colours.muted, "zerolinewidth": 1,
        "tickfont": {"color": colours.muted, "size": 12}, "title": {"font": {"size": 12.5, "color": colours.muted}},
        "automargin": True, "ticks": "", "ticklabelstandoff": 5,
    }  # fmt: skip
    return go.layout.Template(layout=go.Layout(
        font={"family": FONT, "color": colours.text, "size": 13},
        paper_bgcolor=colours.paper, plot_bgcolor=colours.paper,
        title={"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 12}, "y": 1, "yref": "container",
               "yanchor": "top", "font": {"size": 15.5, "color": colours.text}},
        xaxis=axis, yaxis=axis, colorway=list(_OKABE_ITO), margin={"l": 16, "r": 16, "t": 68, "b": 16},
        hoverlabel={"bgcolor": colours.paper, "bordercolor": colours.muted, "align": "left",
                    "font": {"family": FONT, "color": colours.text, "size": 12.5}},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": colours.grid, "activecolor": colours.muted},
        showlegend=False, hovermode="closest", dragmode=False,
    ))  # fmt: skip


def styled(figure: go.Figure, mode: Mode, title: str, subtitle: str, height: int) -> go.Figure:
    """Give a figure its template, title and height, and return it.

    Args:
        figure: is changed.
        mode: light or dark.
        title: plain text; what the picture is about.
        subtitle: plain text; n, interval level and whatever is needed to read it.
        height: pixels.
    """
    small = f'<span style="font-size:12.5px;color:{PALETTES[mode].muted}">{escape(subtitle)}</span>'
    head = {"text": f"<b>{escape(title)}</b><br>{small}", "pad": {"t": 14, "l": 12}}
    return figure.update_layout(template=template(mode), title=head, height=height)


def variant_colours(variants: Sequence[str], mode: Mode) -> dict[str, str]:
    """Return each variant's colour: neutral grey for the baseline, the palette in workspace order for the rest.

    Eight are told apart at a glance. After them come the same hues, darker, lighter, and again: a name beside the colour is
    what tells so many apart.

    Args:
        variants: in workspace order, the baseline first.
        mode: light or dark.
    """
    colours = PALETTES[mode]
    cycle = (*_OKABE_ITO, *colours.extra)
    found = {
        name: _shaded(cycle[(i - 1) % len(cycle)], (i - 1) // len(cycle), colours) for i, name in enumerate(variants)
    }
    return found | {name: colours.baseline for name in variants[:1]}


def _shaded(colour: str, turn: int, colours: Palette) -> str:
    """Return a colour as it is the first time round, then mixed with the text's and the paper's, more with each turn."""
    if turn <= 0:
        return colour
    toward = colours.text if turn % 2 else colours.paper
    share = 0.3 + 0.4 * (1 - 0.5 ** ((turn - 1) // 2))
    pairs = [(int(colour[k : k + 2], 16), int(toward[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round((1 - share) * own + share * other):02X}" for own, other in pairs)


def verdict_colour(verdict: Verdict, mode: Mode) -> str:
    """Return the colour of a verdict: better blue, worse orange, everything else muted."""
    colours = PALETTES[mode]
    return {"better": colours.better, "worse": colours.worse}.get(verdict, colours.muted)


def escape(text: object) -> str:
    """Return text that plotly shows as it is: no markup, no LaTeX, no line breaks."""
    return html.escape(" ".join(str(text).split()), quote=False).replace("$", "&#36;").replace("%{", "%&#123;")
