"""Where in one reference text a variant gained or lost likelihood: the text itself on a field of colours."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from core.charts.theme import PALETTES, Mode, escape, styled
from core.gains import Gain, GainStrip
from core.notation import decimals, number_text

COLUMNS = 72
"""Characters a line."""
LONGEST = 6_000
"""Characters of a text that are drawn; each is an element of the picture."""
_STRENGTH = 0.7
"""How far a full colour goes from the paper: text stays readable on it."""
_LINE_PIXELS = 24
_END = "⏎"


@dataclass(frozen=True)
class _Cell:
    """One character of the picture."""

    line: int
    column: int
    text: str
    gain: Gain


def gain_heatmap(strip: GainStrip, title: str, variant: str, reference: str, mode: Mode = "light") -> go.Figure:
    """Draw a reference text as a heat-map: each character has the colour of its piece's gain in nats.

    Blue is where ``variant`` finds the reference likelier than ``reference`` does, orange where less likely. The end of the
    turn is a mark of its own at the end.

    Args:
        strip: the gains along the text; see `core.gains.gain_strip`.
        title: plain text; which example.
        variant: whose gain it is.
        reference: against whom.
        mode: light or dark.
    """
    cells = _cells(strip)
    lines = max((cell.line for cell in cells), default=0) + 1
    nats: list[list[float | None]] = [[None] * COLUMNS for _ in range(lines)]
    letters, hover = ([[""] * COLUMNS for _ in range(lines)] for _ in range(2))
    for cell in cells:
        nats[cell.line][cell.column] = cell.gain.nats
        letters[cell.line][cell.column] = escape(cell.text)
        hover[cell.line][cell.column] = _hover(cell.gain, variant, reference)
    colours = PALETTES[mode]
    better, worse = _mixed(colours.better, colours.paper), _mixed(colours.worse, colours.paper)
    figure = go.Figure(go.Heatmap(
        z=nats, text=letters, texttemplate="%{text}", hovertext=hover, hoverinfo="text", hoverongaps=False,
        zmin=-strip.scale, zmax=strip.scale, colorscale=[[0, worse], [0.5, colours.paper], [1, better]],
        textfont={"size": 13, "color": colours.text}, xgap=0, ygap=3,
        colorbar={"title": {"text": "nats"}, "thickness": 12, "outlinewidth": 0, "len": 1},
    ))  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.5, COLUMNS - 0.5])
    figure.update_yaxes(visible=False, range=[lines - 0.5, -0.5])
    total = number_text(strip.total, decimals([strip.total], "nats"), signed=True)
    subtitle = f"{variant} against {reference}: {total} nats; blue likelier, orange less likely"
    length = sum(len(gain.text) for gain in strip.gains)
    if length > LONGEST:
        subtitle += f"; the first {LONGEST:,} of {length:,} characters"
    return styled(figure, mode, title, subtitle, max(220, 100 + _LINE_PIXELS * lines))


def _cells(strip: GainStrip) -> list[_Cell]:
    """Return the characters in their places: lines are as long as `COLUMNS` allows, and end where the text's lines do."""
    cells: list[_Cell] = []
    line = column = 0
    for gain in strip.gains:
        for letter in gain.text or _END:
            if len(cells) >= LONGEST:
                return cells
            if column == COLUMNS:
                line, column = line + 1, 0
            cells.append(_Cell(line, column, letter, gain))
            line, column = (line + 1, 0) if letter == "\n" else (line, column + 1)
    return cells


def _hover(gain: Gain, variant: str, reference: str) -> str:
    piece = "end of turn" if gain.is_end else repr(gain.text)
    return (
        f"<b>{escape(piece)}</b>: {number_text(gain.nats, 2, signed=True)} nats<br>"
        f"{escape(variant)}: {number_text(gain.variant_logprob, 2)}<br>"
        f"{escape(reference)}: {number_text(gain.reference_logprob, 2)}"
    )


def _mixed(colour: str, paper: str) -> str:
    """Return a colour thinned by the paper's."""
    parts = [
        round(_STRENGTH * int(colour[at : at + 2], 16) + (1 - _STRENGTH) * int(paper[at : at + 2], 16))
        for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02X}" for part in parts)
