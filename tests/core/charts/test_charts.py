"""The figures by what they say: values, intervals, colours of meaning, escaped texts, and what a click gives."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.charts.cost import CostPoint, pareto_front, quality_against_cost
from core.charts.forest import forest_of_all, forest_of_metric
from core.charts.labels import Plot, place_labels
from core.charts.matrix import verdict_matrix
from core.charts.scatter import (
    SVG_LIMIT,
    WEBGL_LIMIT,
    example_scatter,
    is_right_or_wrong,
    outcome_counts,
    right_or_wrong,
)
from core.charts.theme import PALETTES, escape, variant_colours
from core.metrics.registry import get_metric
from tests.comparisons import VARIANTS, make_comparison

HOSTILE = "<img src=x onerror=alert(1)> $x^2$ %{y} <b>bold</b>"


def texts(figure: go.Figure) -> str:
    """Return everything a figure can show, as one text."""
    return json.dumps(figure.to_dict(), default=str, ensure_ascii=False)


def named(figure: go.Figure, key: str, variant: str) -> go.Scatter:
    """Return the trace of a metric and variant."""
    return next(t for t in figure.data if t.customdata is not None and list(t.customdata[0]) == [key, variant])


def test_forest_shows_the_difference_in_points_with_its_interval() -> None:
    comparison = make_comparison()
    trace = named(forest_of_metric(comparison, "category/accuracy"), "category/accuracy", "qv-r8")
    assert trace.x[0] == pytest.approx(25.0)
    assert trace.error_x.array[0] == pytest.approx(3.0) and trace.error_x.arrayminus[0] == pytest.approx(3.0)


def test_forest_says_unit_n_level_and_numbers_inside_the_picture() -> None:
    said = texts(forest_of_metric(make_comparison(n=123), "category/accuracy"))
    for words in ("n = 123", "95 % intervals", "points", "▲ +25.0 [+22.0, +28.0]", "? +2.0 [−1.0, +5.0]"):
        assert words in said, words


def test_forest_shades_the_better_side_whatever_the_direction() -> None:
    comparison = make_comparison()
    up = forest_of_metric(comparison, "category/accuracy").layout.shapes[0]
    down = forest_of_metric(comparison, "reply/perplexity").layout.shapes[0]
    assert (up.x0, up.x1 > 0) == (0.0, True) and (down.x0 < 0, down.x1) == (True, 0.0)


def test_forest_of_all_has_a_panel_for_each_metric_and_none_for_single_languages() -> None:
    comparison = make_comparison()
    figure = forest_of_all(comparison)
    assert len(figure.layout.annotations) == 6
    with pytest.raises(StopIteration):
        named(figure, "general/perplexity[zh]", "qv-r8")


def test_a_difference_that_is_missing_is_no_point() -> None:
    figure = forest_of_metric(make_comparison(), "general/perplexity")
    assert sum(t.x[0] is not None for t in figure.data) == 2


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_keeps_its_contrast(mode: str) -> None:
    """WCAG 2.2: 4.5 to 1 for text on the paper and on the fills of marks."""
    colours = PALETTES[mode]  # type: ignore[index]
    pairs = [(colours.text, colours.paper), (colours.muted, colours.paper), (colours.better, colours.paper),
             (colours.worse, colours.paper), (colours.better, colours.better_fill), (colours.worse, colours.worse_fill),
             (colours.text, colours.neutral_fill), (colours.muted, colours.neutral_fill)]  # fmt: skip
    for ink, paper in pairs:
        assert _contrast(ink, paper) >= 4.5, (ink, paper)


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_variants_keep_their_colours_and_the_baseline_is_grey() -> None:
    colours = variant_colours([f"v{i}" for i in range(9)], "light")
    assert colours["v0"] == PALETTES["light"].baseline
    assert len(set(colours.values())) == 9
    many = variant_colours([f"v{i}" for i in range(31)], "dark")
    assert [many[f"v{i}"] for i in range(1, 7)] == [colours[f"v{i}"] for i in range(1, 7)]
    assert len(set(many.values())) >= 29
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in many.values())


def test_of_many_variants_the_front_alone_is_named() -> None:
    names = [f"v{i}" for i in range(14)]
    points = [CostPoint(name, float(i), None, None, float(i if i < 3 else 20 + i)) for i, name in enumerate(names)]
    points += [CostPoint("best", 99.0, None, None, 1.0)]
    crowded = quality_against_cost(points, [*names, "best"], "Accuracy", "ms", "n = 3")
    assert {note.text for note in crowded.layout.annotations} == {"v0", "best"}
    assert "filled and named: nothing is both better and cheaper" in texts(crowded)
    assert "and named" not in texts(quality_against_cost(points[:12], names, "Accuracy", "ms"))
    assert len(crowded.data) == 1 + len(points)


def test_names_are_shown_and_never_interpreted() -> None:
    comparison = make_comparison(("baseline", HOSTILE, "b"))
    rows = tuple(replace(row, label=HOSTILE, task=HOSTILE) for row in comparison.rows)
    comparison = replace(comparison, rows=rows)
    points = [CostPoint(HOSTILE, 1.0, None, None, 2.0)]
    scores = pd.DataFrame({"baseline": [0.1], HOSTILE: [0.7]}, index=[HOSTILE])
    for figure in (
        forest_of_metric(comparison, rows[0].key), forest_of_all(comparison), verdict_matrix(comparison),
        quality_against_cost(points, [HOSTILE], HOSTILE, HOSTILE, HOSTILE),
        example_scatter(scores, "baseline", HOSTILE, HOSTILE),
        outcome_counts(scores.round(), "baseline", HOSTILE, HOSTILE),
    ):  # fmt: skip
        for trace in figure.data:
            trace.customdata = None  # ids for links, not shown
        shown = texts(figure)
        assert "<img" not in shown and "$x^2$" not in shown and "<b>bold" not in shown


@given(st.text())
def test_escape_leaves_nothing_that_plotly_interprets(text: str) -> None:
    shown = escape(text)
    assert not set("<>$\n\r") & set(shown) and "%{" not in shown


def test_matrix_has_a_mark_for_each_metric_and_variant() -> None:
    comparison = make_comparison()
    figure = verdict_matrix(comparison)
    marks = {tuple(t.customdata[0]): t.text[0] for t in figure.data}
    assert marks["general/perplexity", "all-r8"] == "<b>▼</b>" and marks["reply/rouge_l", "qv-r2"] == "<b>≈</b>"
    assert len(marks) == 6 * 3


def points(*pairs: tuple[float, float]) -> list[CostPoint]:
    return [CostPoint(f"v{i}", quality, None, None, cost) for i, (quality, cost) in enumerate(pairs)]


def test_pareto_front_of_a_worked_example() -> None:
    found = pareto_front(points((50, 1), (40, 2), (60, 3), (60, 4), (70, 5)))
    assert [(p.quality, p.cost) for p in found] == [(50, 1), (60, 3), (70, 5)]
    low = pareto_front(points((50, 1), (40, 2), (60, 3)), higher_is_better=False)
    assert [(p.quality, p.cost) for p in low] == [(50, 1), (40, 2)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_nothing_beats_the_front_and_everything_else_is_beaten(pairs: list[tuple[int, int]]) -> None:
    every = points(*((float(q), float(c)) for q, c in pairs))
    front = pareto_front(every)
    beats = lambda a, b: a.quality >= b.quality and a.cost <= b.cost and (a.quality, a.cost) != (b.quality, b.cost)  # noqa: E731
    assert front
    for point in every:
        assert (point in front) == (not any(beats(other, point) for other in every))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(40, 360), st.floats(20, 180)), max_size=8))
def test_labels_cover_neither_each_other_nor_the_edge(points: list[tuple[float, float]]) -> None:
    names = [f"variant-{i}" for i in range(len(points))]
    boxes, touching = [], 1e-6
    for (x, y), (right, up) in zip(points, place_labels([Plot(400, 200, points)], names), strict=True):
        boxes.append((x + right - 30, y + up - 8, x + right + 30, y + up + 8))
    for i, (left, bottom, right, top) in enumerate(boxes):
        assert left > -20 and right < 420 and bottom > -9 and top < 209
        for other in boxes[:i]:
            gaps = (other[0] - right, left - other[2], other[1] - top, bottom - other[3])
            assert max(gaps) >= -touching


def test_names_part_at_every_size_that_the_picture_is_shown_at() -> None:
    sizes = {300: [(100.0, 100.0), (130.0, 96.0)], 600: [(200.0, 100.0), (260.0, 96.0)]}
    offsets = place_labels([Plot(width, 200, points) for width, points in sizes.items()], ["a" * 10, "b" * 10])
    for points in sizes.values():
        (left, up), (right, down) = [
            (x + across, y + above) for (x, y), (across, above) in zip(points, offsets, strict=True)
        ]
        assert abs(left - right) >= 66 or abs(up - down) >= 16


def test_a_point_says_how_surely_it_is_on_the_front() -> None:
    sure = [CostPoint("a", 1.0, None, None, 1.0, 0.97), CostPoint("b", 0.5, None, None, 2.0, 0.01)]
    figure = quality_against_cost(sure, ["a", "b"], "Q", "C", "n = 9")
    assert [note.text for note in figure.layout.annotations] == ["a 97 %", "b"]
    assert "on the front in 1 % of the resamples" in texts(figure) and "%: in so many resamples" in texts(figure)
    assert "resamples" not in texts(quality_against_cost(points((1.0, 1.0)), ["v0"], "Q", "C"))


def test_scatter_points_carry_their_example_and_their_side() -> None:
    scores = pd.DataFrame({"a": [0.1, 0.5, 0.3, np.nan], "b": [0.4, 0.2, 0.3, 0.9]}, index=["e1", "e2", "e3", "e4"])
    figure = example_scatter(scores, "a", "b", "T", "share")
    trace = figure.data[1]
    assert list(trace.customdata) == ["e1", "e2", "e3"] and list(trace.x) == pytest.approx([10, 50, 30])
    light = PALETTES["light"]
    assert list(trace.marker.color) == [light.better, light.worse, light.muted]
    assert "n = 3: 1 better (above the line), 1 worse, 1 equal" in texts(figure)
    lower = example_scatter(scores, "a", "b", "T", "nats", higher_is_better=False).data[1]
    assert list(lower.marker.color) == [light.worse, light.better, light.muted]


@pytest.mark.parametrize(
    ("n", "kind"), [(SVG_LIMIT, "scatter"), (SVG_LIMIT + 1, "scattergl"), (WEBGL_LIMIT + 1, "histogram2d")]
)
def test_the_kind_of_trace_suits_the_number_of_points(n: int, kind: str) -> None:
    values = np.random.default_rng(0).random((n, 2))
    figure = example_scatter(pd.DataFrame(values, columns=["a", "b"]), "a", "b", "T")
    assert figure.data[1].type == kind


def test_counts_of_fixed_and_broken() -> None:
    scores = pd.DataFrame({"a": [0, 0, 1, 1, 1, np.nan], "b": [0, 1, 0, 1, 1, 1]}, index=list("pqrstu"))
    assert right_or_wrong(scores, "a", "b").to_dict() == {
        "p": "both wrong", "q": "fixed", "r": "broken", "s": "both right", "t": "both right",
    }  # fmt: skip
    figure = outcome_counts(scores, "a", "b", "T")
    counts = {t.customdata[0]: t.text[0].split("<br>")[0] for t in figure.data}
    assert counts == {"both wrong": "<b>1</b>", "fixed": "<b>1</b>", "broken": "<b>1</b>", "both right": "<b>2</b>"}


@pytest.mark.parametrize(
    ("metric", "counted"),
    [
        ("accuracy", True),
        ("exact_match", True),
        ("f1_macro", True),
        ("rouge_l", False),
        ("bleu", False),
        ("perplexity", False),
    ],
)
def test_the_metric_decides_whether_examples_are_right_or_wrong(metric: str, counted: bool) -> None:
    assert is_right_or_wrong(get_metric(metric)) is counted


def test_every_figure_names_its_variants_in_order() -> None:
    figure = forest_of_metric(make_comparison(), "reply/bleu")
    assert [trace.y[0] for trace in figure.data] == list(VARIANTS[1:])
