"""The figures of the Data page by what they say: the cut, the shares, both files, and escaped texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.charts.export import to_csv
from core.charts.lengths import bin_edges, length_histogram
from core.charts.shares import Share, percent_text, share_bars, shares_of
from core.charts.tables import tokens_table
from core.charts.theme import PALETTES
from core.charts.two_files import length_curves, share_pairs
from core.data.profile.mask import render_example
from tests.core.data.profile.made import chat, renderer, view

HOSTILE = "<img src=x onerror=alert(1)> $x^2$ %{y} <b>bold</b>"


def texts(figure: go.Figure) -> str:
    """Return everything a figure can show, as one text."""
    return json.dumps(figure.to_dict(), default=str, ensure_ascii=False)


def test_what_is_longer_than_the_cut_stands_in_another_colour_and_nothing_else_does() -> None:
    lengths = np.arange(1, 101)
    bars = length_histogram(lengths, 80).data[0]
    colours = np.array(bars.marker.color)
    worse = colours == PALETTES["light"].worse
    assert int(np.asarray(bars.y)[worse].sum()) == 20 and int(np.asarray(bars.y).sum()) == 100
    assert set(colours[~worse]) == {PALETTES["light"].better}


def test_the_cut_is_named_and_so_is_that_it_lies_beyond_all_rows() -> None:
    assert "max_length 80" in texts(length_histogram(np.arange(1, 101), 80))
    beyond = length_histogram(np.arange(1, 101), 1024)
    assert "max_length 1,024 is beyond the longest row: nothing is cut off" in texts(beyond)
    assert "0 are longer than 1,024" in texts(beyond)


def test_one_huge_row_does_not_put_all_others_into_one_bar() -> None:
    figure = length_histogram(np.array([*range(50, 150), 200_000]), 1024)
    assert figure.layout.xaxis.type == "log" and np.count_nonzero(np.asarray(figure.data[0].y)) > 5


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=40), st.integers(1, 6000), st.booleans())
def test_every_row_is_in_one_bar_and_no_bar_has_rows_of_both_sides_of_the_cut(
    values: list[int], cut: int, is_log: bool
) -> None:
    lengths = np.array(values)
    edges = bin_edges(int(lengths.min()), int(lengths.max()), cut, is_log)
    counts, _ = np.histogram(lengths, edges)
    assert counts.sum() == len(values) and (np.diff(edges) > 0).all()
    assert counts[edges[:-1] > cut].sum() == np.count_nonzero(lengths > cut)


def test_shares_are_written_beside_their_bars_and_the_rest_is_joined() -> None:
    figure = share_bars(shares_of([(f"v{n}", 20 - n) for n in range(15)]), "Labels", "n = 195", "rows", most=3)
    bars = figure.data[0]
    assert [name.strip("\u200b") for name in bars.y] == ["v0", "v1", "v2", "12 others"]
    assert sum(bars.x) == pytest.approx(100) and bars.text[0].strip() == "10 %"


def test_names_that_are_cut_to_the_same_letters_keep_their_own_bars() -> None:
    figure = share_bars([Share("x" * 40 + end, 1, 0.5) for end in "ab"], "t", "s", "rows")
    assert len(set(figure.data[0].y)) == 2


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.0005, "< 0.1 %"), (0.014, "1.4 %"), (0.37, "37 %"), (1, "100 %")]
)
def test_a_share_in_percent(share: float, text: str) -> None:
    assert percent_text(share) == text


def test_the_curves_say_which_share_is_no_longer_than_so_much() -> None:
    figure = length_curves(np.arange(1, 11), np.array([100] * 4), ("a.jsonl", "b.jsonl"), "tokens")
    first, second = figure.data
    assert (first.x[0], first.x[-1], first.y[-1]) == (1, 10, 100) and set(second.x) == {100}
    place = list(first.x).index(5)
    assert first.y[place] == pytest.approx(50, abs=10)
    assert "n = 10 and 4" in texts(figure)


def test_pairs_are_shares_of_each_file() -> None:
    figure = share_pairs([("en", 90, 5), ("zh", 10, 15)], ("a", "b"), "Language", "V 0.5")
    assert list(figure.data[0].x) == [90, 10] and list(figure.data[1].x) == [25, 75]


@pytest.mark.parametrize(
    "figure",
    [
        share_bars([Share(HOSTILE, 1, 1.0)], HOSTILE, HOSTILE, "rows"),
        share_pairs([(HOSTILE, 1, 2)], (HOSTILE, HOSTILE), HOSTILE, HOSTILE),
        length_curves(np.array([1, 2]), np.array([3]), (HOSTILE, "b"), "tokens"),
    ],
)
def test_hostile_names_are_shown_and_mean_nothing(figure: go.Figure) -> None:
    said = texts(figure)
    assert "<img" not in said and "$x^2$" not in said and "%{y}" not in said.replace("%{y:.0f}", "")
    assert "&lt;img" in said


def test_tokens_as_a_table_hold_each_mask_that_is_defined(tmp_path: Path) -> None:
    example = render_example(view(chat("=1+1", "two")), renderer(tmp_path / "model"))
    table = tokens_table(example)
    assert len(table) == example.n_tokens and list(table.columns)[:4] == ["id", "text", "special", "role"]
    assert table["trained, all"].all() and table["trained, assistant-only"].isna().all()
    assert "'=" in to_csv(table), "no cell can be taken for a formula"
