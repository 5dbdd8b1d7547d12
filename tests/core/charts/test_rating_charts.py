"""Charts of human ratings: what they draw, what a missing number looks like, and that names stay texts."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, log10

import plotly.graph_objects as go
import pytest

from core.charts.evidence_path import evidence_path
from core.charts.intervals import IntervalRow, Scale, interval_chart
from core.charts.preference import (
    decisive_chart,
    diverging_parts,
    grade_bars,
    strengths_chart,
    verdict_bars,
    wins_of_all,
)
from core.charts.rater_agreement import alpha_chart, metrics_chart, sides_chart
from core.charts.rating_scores import level_bars, score_differences
from core.charts.stacked_bars import Bar, Part, stacked_bars
from core.charts.theme import PALETTES, Mode, escape
from core.charts.win_matrix import WinCell, win_matrix
from tests import made_analyses as made

COLOURS = {"baseline": "#7B8794", "qv-r8": "#E69F00", "all-r8": "#0072B2"}
THREE = ("baseline", "qv-r8", "all-r8")


def written(figure: go.Figure) -> str:
    return json.dumps(figure.to_dict(), default=str, ensure_ascii=False)


def beside(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_a_bar_has_the_share_of_each_part_and_its_count_in_the_hover() -> None:
    one = made.analysis()
    figure = verdict_bars(one, one.preferences[0], COLOURS)
    shares = {trace.name: trace.x[0] for trace in figure.data}
    assert list(shares) == ["qv-r8 preferred", "tie", "both bad", "baseline preferred"]
    assert list(shares.values()) == pytest.approx([40 / 72 * 100, 8 / 72 * 100, 4 / 72 * 100, 20 / 72 * 100])
    assert "40 of 72 verdicts" in figure.data[0].hovertext[0] and figure.data[0].text == ("56 %",)
    assert figure.data[0].marker.color == COLOURS["qv-r8"] and "of the majority of its raters" in written(figure)


def test_both_bad_is_no_part_where_nobody_could_say_it() -> None:
    ranked = made.preference(("baseline", "qv-r8"), [made.pair(both_bad=0)])
    figure = verdict_bars(replace(made.analysis(), mode="rank"), ranked, COLOURS)
    assert [trace.name for trace in figure.data] == ["qv-r8 preferred", "tie", "baseline preferred"]


def test_a_variant_on_both_sides_of_pairs_is_named_once_and_keeps_its_colour() -> None:
    pairs = [made.pair(), made.pair("all-r8"), made.pair("all-r8", "qv-r8", wins=10, losses=30)]
    figure = verdict_bars(made.analysis(THREE), made.preference(THREE, pairs), COLOURS)
    named = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert len(named) == len(set(named)) and "qv-r8 preferred" in named
    lost = [trace for trace in figure.data if trace.name == "qv-r8 preferred"][-1]
    assert list(lost.x) == pytest.approx([0, 0, 30 / 52 * 100]) and lost.marker.color == COLOURS["qv-r8"]


def test_a_bar_without_a_count_says_so() -> None:
    parts = [Part("won", "#E69F00", "#000000"), Part("lost", "#0072B2", "#FFFFFF")]
    figure = stacked_bars([Bar("a", (3, 1)), Bar("b", (0, 0))], parts, "t", "s", "verdicts")
    assert beside(figure) == ["no verdicts"] and list(figure.data[0].x) == [75, 0]


def test_names_cut_to_the_same_letters_stay_apart() -> None:
    figure = stacked_bars([Bar("x" * 60, (1,)), Bar("x" * 61, (2,))], [Part("p", "#E69F00", "#000000")], "t", "s", "u")
    assert len(set(figure.data[0].y)) == 2


def test_grades_go_from_much_better_to_much_worse() -> None:
    graded = made.pair(grades=(1, 2, 3, 4, 5, 6, 7))
    figure = grade_bars(made.preference(("baseline", "qv-r8"), [graded]))
    assert [trace.name for trace in figure.data][:1] == ["much better"]
    assert [trace.x[0] for trace in figure.data] == pytest.approx([100 * n / 28 for n in (7, 6, 5, 4, 3, 2, 1)])


def test_an_interval_ends_where_it_was_given_and_its_text_stands_beside_it() -> None:
    figure = interval_chart([IntervalRow("a", 0.5, 0.2, 0.9, "0.50 [0.20, 0.90]")], "t", "s", Scale("x", 0.0))
    point = figure.data[0]
    assert (point.x[0] - point.error_x.arrayminus[0], point.x[0] + point.error_x.array[0]) == pytest.approx((0.2, 0.9))
    assert beside(figure) == ["a", "0.50 [0.20, 0.90]"]
    assert figure.layout.xaxis.range[0] < 0 < 0.9 < figure.layout.xaxis.range[1]


def test_a_missing_number_has_its_reason_and_no_point() -> None:
    rows = [IntervalRow("a", None, text="undefined: no variation"), IntervalRow("b", 0.3, None, None, "0.30")]
    figure = interval_chart(rows, "t", "s", Scale("x", None, (0.0, 1.0)))
    assert figure.data[0].x == (None,) and "undefined: no variation" in beside(figure)
    assert figure.data[1].error_x.array is None


def test_an_axis_does_not_go_beyond_its_ends() -> None:
    figure = interval_chart([IntervalRow("a", 97.0, 90.0, 100.0)], "t", "s", Scale("%", 50.0, (0.0, 100.0)))
    low, high = figure.layout.xaxis.range
    assert low > 0 and 100 <= high <= 103


def test_groups_are_headed_where_there_are_several() -> None:
    one = [IntervalRow("a", 1.0, group="g"), IntervalRow("b", 2.0, group="g")]
    assert "<b>g</b>" not in beside(interval_chart(one, "t", "s", Scale("x")))
    two = [*one, IntervalRow("c", 2.0, group="h")]
    assert beside(interval_chart(two, "t", "s", Scale("x"))).count("<b>h</b>") == 1


def test_evidence_begins_at_one_and_shows_from_where_one_may_stop() -> None:
    figure = evidence_path([0.5, 3.0, inf, 1e-9], 20.0, "t", "s", "#E69F00")
    assert list(figure.data[0].y) == pytest.approx([1.0, 0.5, 3.0, 1e6, 1e-2])
    assert "more than a million" in figure.data[0].hovertext[3] and "one may stop from 20" in beside(figure)
    low, high = figure.layout.yaxis.range
    assert low < -2 and high > 6
    assert evidence_path([2.0], 20.0, "t", "s", "#E69F00").layout.yaxis.range[1] > log10(20)


def test_the_matrix_is_coloured_only_where_the_interval_leaves_out_one_half() -> None:
    cells = [
        WinCell("a", "b", 0.7, "70 %", ("70 % [55, 82]",), True), WinCell("b", "a", 0.3, "30 %", ("30 % [18, 45]",), True),
        WinCell("a", "c", 0.6, "60 %", ("60 % [40, 78]",), False),
    ]  # fmt: skip
    figure, palette = win_matrix(cells, ("a", "b", "c"), "t", "s"), PALETTES["light"]
    assert [shape.fillcolor for shape in figure.layout.shapes] == [
        palette.better_fill, palette.worse_fill, palette.neutral_fill,
    ]  # fmt: skip
    assert list(figure.data[0].customdata) == [["a", "b"]]


def test_all_against_all_stand_in_the_order_of_their_strengths() -> None:
    one = made.analysis(THREE)
    figure = wins_of_all(one, one.preferences[0])
    assert figure.layout.xaxis.ticktext == ("qv-r8", "all-r8", "baseline")
    ranks = strengths_chart(one, one.preferences[0], COLOURS)
    assert [trace.name for trace in ranks.data] == ["qv-r8", "all-r8", "baseline"] and "rank 1 (1 to 2)" in beside(
        ranks
    )


def test_a_win_rate_with_one_half_within_is_hollow() -> None:
    told, unclear = made.pair(decisive=made.number(0.7)), made.pair("all-r8", decisive=made.number(0.55))
    figure = decisive_chart(made.analysis(THREE), made.preference(THREE, [told, unclear]), COLOURS)
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "circle-open", "circle-open", "circle-open"]
    assert figure.data[0].x == pytest.approx((70,))


def test_levels_and_differences_of_scores() -> None:
    one = made.scored(THREE)
    rows = one.scores.rows if one.scores else ()
    figure = level_bars([row for row in rows if row.criterion == "fluency"], "bad", "good")
    assert [trace.name for trace in figure.data] == ["1", "2", "3", "4", "5"] and "1: bad, 5: good" in written(figure)
    assert figure.data[2].x[0] == pytest.approx(20 / 60 * 100)
    differences = score_differences(one, [row for row in rows if row.difference], COLOURS)
    assert len(differences.data) == 4 and "<b>Accuracy</b>" in beside(differences)
    assert differences.data[0].marker.symbol == "circle"
    alone = score_differences(one, [row for row in rows if row.variant == "qv-r8"], COLOURS)
    assert "qv-r8: score differences to baseline" in written(alone) and "Fluency" in beside(alone)


def test_alpha_and_kappa_of_each_criterion() -> None:
    rows = [made.agreement(), replace(made.agreement("Fluency"), pairs=())]
    figure = alpha_chart(rows, 0.95)
    assert [trace.name for trace in figure.data] == ["all raters (alpha)", "Ana and Ben", "all raters (alpha)"]
    undefined = alpha_chart([made.agreement(names=("Ana",))], 0.95)
    assert undefined.data[0].x == (None,) and "undefined: no item was rated by two" in beside(undefined)


def test_a_rater_whose_side_can_be_told_is_filled() -> None:
    figure = sides_chart(made.quality(made.rater(left=made.number(0.8))), 0.95)
    assert [trace.marker.symbol for trace in figure.data] == ["circle-open", "circle"]


def test_metrics_are_blue_where_better_than_chance_and_the_rest_is_counted() -> None:
    rows = [made.metric(), made.metric("BLEU", made.number(0.52)), made.metric("chrF", made.number(0.5))]
    figure = metrics_chart(rows, 0.95, most=2)
    assert [trace.marker.color for trace in figure.data] == [PALETTES["light"].better, PALETTES["light"].text]
    assert "1 more in the table" in written(figure)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_names_that_people_wrote_are_shown_as_they_are(mode: Mode) -> None:
    name = made.HOSTILE
    colours = {"baseline": "#7B8794", name: "#E69F00"}
    one = made.analysis(("baseline", name))
    figures = [
        verdict_bars(one, one.preferences[0], colours, mode), decisive_chart(one, one.preferences[0], colours, mode),
        wins_of_all(one, one.preferences[0], mode), alpha_chart([made.agreement(name, (name, "Ben"))], 0.95, mode),
        sides_chart(made.quality(made.rater(name)), 0.95, mode), metrics_chart([made.metric(name)], 0.95, mode=mode),
        level_bars([replace(made.scores(("baseline", name)).rows[1], label=name)], name, name, mode),
    ]  # fmt: skip
    for figure in figures:
        text = written(figure).replace(f'"customdata": ["{name}"]', "").replace(json.dumps(["baseline", name]), "")
        assert escape(name)[:12] in text
        for trace in figure.data:
            assert "<img" not in json.dumps([trace.name, trace.hovertext, trace.text], default=str)
        assert "<img" not in json.dumps(
            [beside(figure), figure.layout.title.text, figure.layout.xaxis.ticktext], default=str
        )


def test_a_scale_of_levels_has_one_colour_each() -> None:
    for mode in ("light", "dark"):
        for n in (5, 7):
            assert len({part.colour for part in diverging_parts(tuple("1234567"[:n]), mode)}) == n
