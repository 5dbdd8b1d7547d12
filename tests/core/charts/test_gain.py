"""The gain of a variant along one reference text, as a picture and as a table."""

from __future__ import annotations

import json

import pytest

from core.charts.gain import COLUMNS, LONGEST, gain_heatmap
from core.charts.tables import gains_table
from core.charts.theme import PALETTES
from core.gains import Gain, GainStrip


def strip(*pieces: tuple[str, float]) -> GainStrip:
    return GainStrip(tuple(Gain(text, nats, -1.0, -1.0 - nats, 1) for text, nats in pieces), 2.0)


def test_each_character_has_its_pieces_gain_and_the_text_reads_as_it_is() -> None:
    heat = gain_heatmap(strip(("Hel", 0.5), ("lo", -1.5), ("", 0.25)), "e1", "qv-r8", "baseline").data[0]
    assert "".join(heat.text[0]) == "Hello⏎"
    assert list(heat.z[0][:6]) == [0.5, 0.5, 0.5, -1.5, -1.5, 0.25]
    assert heat.z[0][6] is None and (heat.zmin, heat.zmax) == (-2.0, 2.0)


def test_lines_end_where_the_text_ends_them_and_where_they_are_full() -> None:
    heat = gain_heatmap(strip(("ab\n", 1.0), ("c" * (COLUMNS + 3), 0.0)), "e1", "v", "b").data[0]
    assert ["".join(line) for line in heat.text] == ["ab", "c" * COLUMNS, "ccc"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_blue_is_likelier_and_orange_less_likely(mode: str) -> None:
    figure = gain_heatmap(strip(("a", 1.0)), "e1", "qv-r8", "baseline", mode)  # type: ignore[arg-type]
    worse, middle, better = (colour for _, colour in figure.data[0].colorscale)
    red, blue = (int(worse[1:3], 16) - int(worse[5:7], 16), int(better[5:7], 16) - int(better[1:3], 16))
    assert red > 0 and blue > 0 and middle == PALETTES[mode].paper  # type: ignore[index]
    assert "qv-r8 against baseline: +1.00 nats" in figure.layout.title.text


def test_hover_tells_the_numbers_and_hostile_text_is_text() -> None:
    figure = gain_heatmap(strip(("<img>$x^2$", 0.5)), "<b>e</b>", "<i>v</i>", "b")
    shown = json.dumps(figure.to_dict(), default=str, ensure_ascii=False)
    assert "<img" not in shown and "<b>e</b>" not in shown and "<i>v" not in shown and "$" not in shown
    assert "+0.50 nats" in figure.data[0].hovertext[0][0] and "−1.50" in figure.data[0].hovertext[0][0]


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    figure = gain_heatmap(strip(("x" * (LONGEST + 500), 0.1)), "e1", "v", "b")
    drawn = sum(letter != "" for line in figure.data[0].text for letter in line)
    assert drawn == LONGEST and f"the first {LONGEST:,} of {LONGEST + 500:,} characters" in figure.layout.title.text


def test_a_reference_without_pieces_is_an_empty_picture() -> None:
    assert set(gain_heatmap(GainStrip((), 1.0), "e1", "v", "b").data[0].text[0]) == {""}


def test_the_table_of_gains_joins_to_the_reference() -> None:
    table = gains_table(strip(("Hel", 0.5), ("lo", -1.5), ("", 0.25)))
    assert "".join(table.text) == "Hello" and list(table.nats) == [0.5, -1.5, 0.25]
