"""The pictures of an experiment: what is drawn where, against numbers that can be checked by hand."""

from __future__ import annotations

import pytest

from core.charts.part_curves import layers_figure, rank_figure, strength_figure
from core.charts.part_figures import depth_figure, mixing_figure, modules_figure, prompt_figure
from core.charts.part_tables import experiment_table
from core.charts.theme import PALETTES, variant_colours
from core.records import BASELINE
from core.results import Verdict
from tests.made_experiments import KEY, WHOLE, ends, make_experiment, mixture, module, rank, strength, window

HOSTILE = "<b>rank</b> $x$"


def test_strength_is_a_curve_from_the_baseline_through_the_whole() -> None:
    trials = [
        strength(0, BASELINE),
        strength(1, WHOLE),
        strength(0.5, "half"),
        strength(2, "twice"),
        strength(1.5, "more"),
    ]
    found = make_experiment(trials, {"half": (0.6, "worse"), "twice": (0.7, "unclear"), "more": (None, "none")})
    drawn = strength_figure(found, KEY).to_dict()
    (curve,) = drawn["data"]
    assert curve["x"] == [0, 0.5, 1, 2], "what has no value has no point"
    assert curve["y"] == pytest.approx([50, 60, 80, 70])
    assert curve["error_y"]["array"] == pytest.approx([10] * 4) and curve["error_y"]["arrayminus"] == pytest.approx(
        [10] * 4
    )
    colour, paper = variant_colours((BASELINE, WHOLE), "light")[WHOLE], PALETTES["light"].paper
    assert curve["marker"]["color"] == [colour, colour, colour, paper], "filled: told apart, or the whole itself"
    assert curve["marker"]["symbol"] == ["circle", "circle", "diamond", "circle"]
    band, base, whole = drawn["layout"]["shapes"]
    assert (band["y0"], band["y1"], base["y0"], whole["y0"]) == pytest.approx((40, 60, 50, 80))
    assert [note["text"] for note in drawn["layout"]["annotations"]] == [BASELINE, WHOLE]
    assert drawn["layout"]["yaxis"]["range"] == pytest.approx([40 - 3.5, 90 + 3.5])
    assert "n = 40; 95 % intervals" in drawn["layout"]["title"]["text"]


def test_ranks_stand_on_a_log_axis_and_each_point_tells_its_differences() -> None:
    found = make_experiment([rank(8, WHOLE), rank(2, "two")], {"two": (0.75, "same")})
    drawn = rank_figure(found, KEY, "dark").to_dict()
    assert drawn["layout"]["xaxis"]["type"] == "log" and drawn["layout"]["xaxis"]["ticktext"] == ["2", "8"]
    told = drawn["data"][0]["hovertext"][0]
    assert told.startswith("<b>rank 2</b><br>Accuracy 75.0 [65.0, 85.0]<br>to all-r8: ≈ −5.0 [−10.0, 0.0]")
    assert "to the baseline: ? +25.0 [+20.0, +30.0]" in told and "p = 0.020 (adjusted)" in told


def test_first_and_last_layers_are_two_curves_and_windows_a_strip() -> None:
    trials = [
        window(0, 4, "w0"), window(5, 9, "w5"), ends("first", 0, BASELINE, None), ends("first", 5, "w5", (0, 4)),
        ends("first", 10, WHOLE, (0, 9)), ends("last", 5, "w0", (5, 9)), ends("last", 10, WHOLE, (0, 9)),
    ]  # fmt: skip
    found = make_experiment(trials, {"w0": (0.5, "worse"), "w5": (0.85, "unclear")})
    curves = layers_figure(found, KEY)
    assert curves is not None
    first, last = curves.to_dict()["data"]
    assert (first["x"], last["x"]) == ([0, 5, 10], [5, 10])
    assert first["y"] == pytest.approx([50, 85, 80]) and last["y"] == pytest.approx([50, 80])
    strip = depth_figure(found, KEY)
    assert strip is not None
    drawn = strip.to_dict()
    left, right = drawn["data"]
    assert (left["x"], right["x"], left["width"][0]) == ([2], [7], pytest.approx(5 * 0.94))
    assert (left["y"][0], right["y"][0]) == pytest.approx((-30, 5))
    assert left["customdata"] == [["w0"]] and left["error_y"]["array"] == pytest.approx([5])
    assert left["marker"]["color"].endswith("0.55)") and right["marker"]["color"].endswith(",0)"), (
        "an outline: not told"
    )
    assert left["hovertext"].startswith("<b>layers 0 to 4</b>")
    assert drawn["layout"]["xaxis"]["range"] == [-0.6, 9.6]
    assert drawn["layout"]["xaxis"]["ticktext"] == ["0\u20134", "5\u20139"]
    assert drawn["layout"]["yaxis"]["title"]["text"] == "Difference (points), better upwards"


def test_without_layers_there_is_no_strip_and_a_window_without_a_value_says_so() -> None:
    assert depth_figure(make_experiment([rank(8, WHOLE)], {}), KEY) is None
    assert layers_figure(make_experiment([window(0, 4, "w")], {"w": (0.7, "unclear")}), KEY) is None
    drawn = depth_figure(make_experiment([window(0, 4, "w")], {"w": (None, "none")}), KEY)
    assert drawn is not None and [note["text"] for note in drawn.to_dict()["layout"]["annotations"]] == ["no value"]


def test_modules_are_a_forest_left_out_before_alone() -> None:
    trials = [
        module("alone", "alone", "q_proj alone"), module("left_out", "out", f"without {HOSTILE}"),
        module("alone", WHOLE, "attention alone"), module("left_out", BASELINE, "without attention"),
    ]  # fmt: skip
    found = make_experiment(trials, {"alone": (0.9, "better"), "out": (0.6, "worse")})
    drawn = modules_figure(found, KEY).to_dict()
    assert [point["x"][0] for point in drawn["data"]] == [
        pytest.approx(-20), pytest.approx(-30), pytest.approx(10), None,
    ]  # fmt: skip
    assert [point["marker"]["symbol"] for point in drawn["data"]][:3] == ["circle"] * 3
    assert drawn["data"][0]["marker"]["color"] == PALETTES["light"].worse
    texts = [note["text"] for note in drawn["layout"]["annotations"]]
    assert "without &lt;b&gt;rank&lt;/b&gt; &#36;x&#36;" in texts and "▼ −20.0 [−25.0, −15.0]" in texts
    assert texts[0] == "<b>Left out</b>" and "<b>Alone</b>" in texts and "the whole adapter" in texts
    assert drawn["layout"]["xaxis"]["title"]["text"] == "Accuracy minus all-r8's (points), better to the right"


def test_changed_prompts_have_the_adapter_and_the_baseline_beside_each_other() -> None:
    found = make_experiment([rank(8, WHOLE)], {}, prompts={HOSTILE: (-0.2, "worse")})
    drawn = prompt_figure(found, KEY)
    assert drawn is not None
    assert [point["x"][0] for point in drawn.to_dict()["data"]] == pytest.approx([-20, 0])
    assert "<b>rank" not in str(drawn.to_dict()["layout"]["annotations"])
    assert prompt_figure(make_experiment([rank(8, WHOLE)], {}), KEY) is None


def test_two_adapters_mixed_are_a_curve_for_each_method() -> None:
    trials = [
        mixture(WHOLE, {WHOLE: 1}, None), mixture("other", {"other": 1}, None), mixture("c", {WHOLE: 0.5, "other": 0.5}),
        mixture("t", {WHOLE: 0.5, "other": 0.5}, "ties"),
    ]  # fmt: skip
    parts = {"other": (0.6, "worse"), "c": (0.9, "better"), "t": (0.7, "unclear")}
    drawn = mixing_figure(make_experiment(trials, parts, partners=("other",)), KEY).to_dict()  # type: ignore[arg-type]
    cat, ties = drawn["data"]
    assert (cat["name"], ties["name"], cat["x"]) == ("cat", "ties", [0, 0.5, 1])
    assert cat["y"] == pytest.approx([60, 90, 80]) and ties["y"] == pytest.approx([60, 70, 80])
    assert drawn["layout"]["xaxis"]["ticktext"] == ["0<br>other", "0.5", "1<br>all-r8"]


def test_three_are_a_triangle_by_their_shares_and_four_a_forest() -> None:
    names = (WHOLE, "b", "c")
    pure = [mixture(name, {name: 1}, None) for name in names]
    even = mixture("even", {WHOLE: 1, "b": 1, "c": 2})
    parts: dict[str, tuple[float | None, Verdict]] = {
        "b": (0.6, "worse"), "c": (0.7, "unclear"), "even": (0.9, "better"),
    }  # fmt: skip
    found = make_experiment([*pure, even], parts, partners=names[1:])
    drawn = mixing_figure(found, KEY).to_dict()
    (points,) = drawn["data"]
    assert (points["a"][3], points["b"][3], points["c"][3]) == (0.25, 0.25, 0.5)
    assert points["marker"]["color"] == pytest.approx([80, 60, 70, 90])
    assert points["marker"]["line"]["width"] == [1, 3, 1, 3] and points["text"] == ["80.0", "60.0", "70.0", "90.0"]
    assert drawn["layout"]["ternary"]["caxis"]["title"]["text"] == "c"
    parts["d"] = (0.8, "unclear")
    more = make_experiment([*pure, mixture("d", {"d": 1}, None)], parts, partners=(*names[1:], "d"))
    assert [one["type"] for one in mixing_figure(more, KEY).to_dict()["data"]] == ["scatter"] * 3


def test_less_is_better_turns_the_side_and_the_triangles_colours() -> None:
    trials = [mixture(name, {name: 1}, None) for name in (WHOLE, "b", "c")]
    parts = {"b": (0.6, "worse"), "c": (0.7, "unclear")}
    ends_of = [
        mixing_figure(make_experiment(trials, parts, partners=("b", "c"), higher_is_better=up), KEY)  # type: ignore[arg-type]
        .to_dict()["data"][0]["marker"]["colorscale"][-1][1]
        for up in (True, False)
    ]  # fmt: skip
    assert ends_of == [PALETTES["light"].better, PALETTES["light"].worse]
    found = make_experiment([module("left_out", "out", "without q")], {"out": (0.9, "worse")}, higher_is_better=False)
    assert "better to the left" in modules_figure(found, KEY).to_dict()["layout"]["xaxis"]["title"]["text"]


def test_the_table_has_every_trial_and_a_row_for_each_side_of_a_prompt() -> None:
    trials = [strength(0, BASELINE), strength(0.5, "half"), window(0, 4, "half"), mixture("m", {WHOLE: 0.5, "o": 0.5})]
    found = make_experiment(
        trials, {"half": (0.6, "worse"), "m": (None, "none")}, prompts={"no system": (-0.2, "worse")}
    )
    table = experiment_table(found)
    assert table["label"].tolist() == [
        "strength 0", "strength 0.5", "without layers 0\u20134", "0.5 all-r8 + 0.5 o", "no system", "no system",
    ]  # fmt: skip
    assert table["to_whole_difference"].tolist()[:3] == pytest.approx([-0.3, -0.2, -0.2])
    assert table["to_baseline_difference"].isna().tolist()[:2] == [True, False]
    assert (table["first_layer"][2], table["last_layer"][2], table["weights"][3]) == (0, 4, "all-r8=0.5 o=0.5")
    assert table["reason"][3] == "not measured yet" and table["to_prompt_as_it_is_difference"][4] == -0.2
    assert experiment_table(found, KEY, ("depth",))["variant"].tolist() == ["half"]
