"""The pictures of one metric: what is drawn is what was counted, what a click gives, and that texts stay texts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.charts.calibration import calibration_data, calibration_figure
from core.charts.confusion import confusion_data, confusion_figure
from core.charts.differences import difference_data, difference_histogram, win_tie_loss_bars, win_tie_loss_data
from core.charts.score_curves import score_curves_data, score_curves_figure
from core.charts.score_length import LengthPoints, length_data, score_against_length
from core.charts.theme import PALETTES
from core.diagnostics.answers import Answers, confusion_pair
from core.diagnostics.lengths import length_groups
from core.diagnostics.paired import paired_differences, win_tie_loss
from core.diagnostics.score_curves import label_curves
from core.metrics.curves import calibration_curve
from tests.core.diagnostics.test_answers_and_curves import draws, observed

HOSTILE = "<b onmouseover=alert(1)>$x^2$ %{y}"
SCORES = pd.DataFrame(
    {"baseline": [0.2, 0.5, 0.5, np.nan], HOSTILE: [0.7, 0.5, 0.3, 0.4]},
    index=pd.Index(["a", "b", HOSTILE, "d"], name="example_id"),
)
COLOURS = PALETTES["light"]


def texts(figure: go.Figure) -> str:
    """Return everything that plotly reads as text: customdata, which it does not show, apart."""
    found = figure.to_dict()
    for trace in found["data"]:
        trace.pop("customdata", None)
    return json.dumps(found, default=str, ensure_ascii=False)


def is_safe(figure: go.Figure) -> bool:
    shown = texts(figure)
    return "<b onmouseover" not in shown and "$x^2$" not in shown and "] %{y}" not in shown


def test_the_histogram_draws_the_bins_in_shown_units_and_says_the_ties() -> None:
    found = paired_differences(SCORES, "baseline", HOSTILE)
    figure = difference_histogram(found, "baseline", HOSTILE, HOSTILE, "share")
    bars = figure.data[0]
    assert sum(bars.y) == 2 and bars.x[-1] == pytest.approx(47.5) and bars.width[0] == pytest.approx(5)
    assert bars.customdata[-1] == pytest.approx([0.45, 0.5])
    assert bars.marker.color[0] == COLOURS.worse and bars.marker.color[-1] == COLOURS.better
    assert "n = 3: 1 better, 1 worse; 1 tie is not drawn; 1 without a value" in texts(figure) and is_safe(figure)
    assert difference_data(found)["examples"].sum() == 3
    lower = difference_histogram(found, "baseline", HOSTILE, "t", "share", higher_is_better=False)
    assert lower.data[0].marker.color[-1] == COLOURS.worse


def test_a_histogram_without_a_move_says_so() -> None:
    found = paired_differences(SCORES.assign(same=SCORES["baseline"]), "baseline", "same")
    assert "no example moved" in texts(difference_histogram(found, "baseline", "same", "t"))


def test_wins_ties_and_losses_are_shares_that_name_their_variant() -> None:
    found = win_tie_loss(SCORES, "baseline", [HOSTILE], True)
    figure = win_tie_loss_bars(found, "baseline", "t")
    assert [trace.x[0] for trace in figure.data] == pytest.approx([100 / 3] * 3)
    assert [list(trace.customdata[0]) for trace in figure.data] == [
        [HOSTILE, "win"],
        [HOSTILE, "tie"],
        [HOSTILE, "loss"],
    ]
    assert is_safe(figure) and win_tie_loss_data(found)["ties"].tolist() == [1]


@pytest.mark.parametrize(("n", "kinds"), [(20, ["scatter"]), (6_000, ["scattergl"]), (100_001, [])])
def test_points_against_length_are_drawn_by_their_number(n: int, kinds: list[str]) -> None:
    lengths, scores = np.arange(n, dtype=float), np.full(n, 0.5)
    found = {HOSTILE: LengthPoints([HOSTILE] * n, lengths, scores, length_groups(lengths, scores, 4))}
    figure = score_against_length(found, ["baseline", HOSTILE], "tokens", "M", "t", "share")
    assert [trace.type for trace in figure.data] == [*kinds, "scatter"]
    line = figure.data[-1]
    assert list(line.y) == [50.0] * 4 and list(line.customdata[0]) == [
        HOSTILE,
        0.0,
        float(found[HOSTILE].groups[0].high),
    ]
    assert len(length_data(found)) == 4
    if kinds:
        assert figure.data[0].customdata[0] == HOSTILE and is_safe(figure)


def test_a_cell_names_its_variant_and_labels_and_the_difference_is_signed() -> None:
    base = Answers(tuple("123"), (HOSTILE, HOSTILE, "b"), (HOSTILE, "b", "b"))
    other = Answers(tuple("123"), (HOSTILE, HOSTILE, "b"), (HOSTILE, HOSTILE, HOSTILE))
    found = confusion_pair(base, other, (HOSTILE, "b"))
    figure = confusion_figure(found, "baseline", "qv-r8", "t")
    heats, cells = figure.data[0::2], figure.data[1::2]
    assert heats[1].z.tolist() == [[2, 0], [1, 0]]
    assert heats[2].z.tolist() == [[1, 1], [-1, -1]], "fewer wrong is as good as more right"
    assert list(cells[2].text) == ["+1", "−1", "+1", "−1"] and list(cells[0].text) == ["1", "1", "", "1"]
    assert list(cells[0].customdata[1]) == ["baseline", HOSTILE, "b"] and list(cells[2].customdata[2]) == [
        "qv-r8",
        "b",
        HOSTILE,
    ]
    assert is_safe(figure) and confusion_data(found, "baseline", "qv-r8")["difference"].tolist() == [1, -1, 1, -1]


def test_calibration_draws_the_bins_that_hold_examples_with_their_counts() -> None:
    curve = calibration_curve(observed(n=120))
    figure = calibration_figure({"baseline": curve}, ["baseline"], HOSTILE)
    line, bars = figure.data[1], figure.data[2]
    there = curve.counts > 0
    assert list(line.y) == pytest.approx(100 * curve.accuracy[there]) and sum(bars.y) == 120
    first = int(np.flatnonzero(there)[0])
    assert list(line.customdata[0]) == ["baseline", curve.edges[first], curve.edges[first + 1]]
    assert "n = 120; 15 bins" in texts(figure) and is_safe(figure)
    assert calibration_data({"baseline": curve})["examples"].sum() == 120


def test_curves_have_a_band_each_and_say_their_areas() -> None:
    found = label_curves({"baseline": observed(), HOSTILE: observed(sharp=3)}, "a", draws(200, 100), 0.95)
    figure = score_curves_figure(found, ["baseline", HOSTILE], "t", 0.95, 100)
    assert sum(trace.fill == "toself" for trace in figure.data) == 4
    shown = texts(figure)
    assert (
        f"baseline: AUC {found['baseline'].roc.area:.3f}" in shown and "95 % bands from 100 shared resamples" in shown
    )
    assert is_safe(figure) and set(score_curves_data(found)["curve"]) == {"roc", "pr"}
