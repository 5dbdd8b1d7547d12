"""Pictures of ablations, held against the numbers that went into them; names from files are shown as text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.ablation.records import Factor, FactorLevel, OneFactor, Outcome
from core.charts.ablation_cost import cost_heading, dominated_rows, pareto_figure
from core.charts.ablation_space import factor_pairs, parallel_axes, qualities
from core.charts.ablation_tables import (
    anova_table,
    importance_table,
    interaction_table,
    main_effect_table,
    one_factor_table,
    pareto_table,
    run_table,
    trend_table,
    values_table,
)
from core.charts.anova import anova_rows
from core.charts.contour import FactorPair, contour_figure
from core.charts.factor_words import difference_unit, interval_text, outcome_heading, short_level
from core.charts.importance import importance_figure
from core.charts.interactions import interaction_panels
from core.charts.main_effects import dose_curve, main_effect_panels
from core.charts.one_factor import one_factor_forest, pair_name
from core.charts.parallel import ParallelAxis, parallel_coordinates
from core.charts.theme import variant_colours
from tests.made_ablations import MODULES, OUTCOME, VARIANTS, analysis, one_factor, summary, table, value

HOSTILE = "<b>x</b>$y$"
COLOURS = variant_colours(VARIANTS, "light")
TABLE = table()


def drawn(figure: Any) -> list[dict[str, Any]]:
    return list(figure.to_dict()["data"])


def texts(figure: Any) -> str:
    return str(figure.to_dict())


def points(figure: Any) -> dict[str, dict[str, Any]]:
    """Return the traces that stand for one variant."""
    return {trace["customdata"][0]: trace for trace in drawn(figure) if trace.get("customdata")}


def test_the_forest_is_in_points_hollow_for_adapters_and_filled_for_a_factor() -> None:
    pairs = (one_factor("r2"), one_factor("half", "worse", kind="factor", n_seeds_b=3, p_adjusted=0.03))
    figure = one_factor_forest(pairs, OUTCOME, 0.95, COLOURS)
    hollow, filled = drawn(figure)
    assert list(hollow["x"]) == pytest.approx([-2.0]) and list(filled["x"]) == pytest.approx([-5.0])
    assert hollow["error_x"]["array"] == pytest.approx([1.5]) == hollow["error_x"]["arrayminus"]
    assert (hollow["marker"]["symbol"], filled["marker"]["symbol"]) == ("circle-open", "circle")
    assert hollow["marker"]["color"] == COLOURS["r2"] != filled["marker"]["color"]
    told = texts(figure)
    assert "▼ −5.0 [−6.5, −3.5] p = 0.030" in told and "? −2.0 [−3.5, −0.5]" in told
    assert "n = 80; 95 % intervals" in told and "Difference of ROUGE-L ↑, points" in told
    assert "over 3 and 3 seeds" in filled["hovertext"] and "these two adapters" in hollow["hovertext"]


def test_a_pair_without_a_value_says_why() -> None:
    pair = one_factor(
        "r2", "none", difference=None, low=None, high=None, p=None, p_adjusted=None, reason="no common example"
    )
    figure = one_factor_forest([pair], OUTCOME, 0.95, COLOURS)
    assert "no value" in texts(figure) and "no common example" in drawn(figure)[0]["hovertext"]


@pytest.mark.parametrize(
    ("levels", "name"),
    [(("8", "32"), "32 against 8"), (("q, v", "q, k, v, o, gate, up, down, and embeddings"), "r2 against r8")],
)
def test_long_levels_are_named_by_their_configurations(levels: tuple[str, str], name: str) -> None:
    assert pair_name(one_factor("r2", level_a=levels[0], level_b=levels[1])) == name


def test_main_effects_have_intervals_where_seeds_were_repeated_and_thin_ones_of_single_runs() -> None:
    figure = main_effect_panels(TABLE.main_effects, OUTCOME, 0.95, 80, COLOURS)
    traces = drawn(figure)
    single = next(trace for trace in traces if trace.get("customdata") == ["r2"])
    assert (single["x"][0], single["y"][0]) == (2.0, pytest.approx(28.0))
    assert single["marker"]["symbol"] == "circle-open" and single["error_y"]["array"] == pytest.approx([3.0])
    seeds = [
        trace for trace in traces if trace.get("customdata") in (["r8"], ["r8-s1"], ["r8-s2"]) and trace["xaxis"] == "x"
    ]
    assert sorted(trace["y"][0] for trace in seeds) == pytest.approx([30.0, 31.0, 32.0])
    assert all(trace.get("error_y") is None and trace["marker"]["symbol"] == "circle" for trace in seeds)
    mean = next(trace for trace in traces if trace["name"] == "mean" and trace["xaxis"] == "x")
    assert mean["y"][0] == pytest.approx(31.0) and mean["error_y"]["array"] == pytest.approx([3.0])
    layout = figure.to_dict()["layout"]
    assert layout["xaxis"]["type"] == "log" and list(layout["xaxis"]["ticktext"]) == [
        "2<br>1 run",
        "8<br>3 runs",
        "32<br>1 run",
    ]
    assert "log scale" in layout["xaxis2"]["title"]["text"] and "reply: ROUGE-L ↑ %" in texts(figure)


def test_two_seeds_are_dots_without_an_interval_and_names_are_spaced_evenly() -> None:
    levels = tuple(zip(MODULES.levels, (summary("r8", "r8-s1"), summary("r2")), strict=True))
    effect = replace(TABLE.main_effects[0], factor=MODULES, levels=levels)
    traces = drawn(main_effect_panels([effect], OUTCOME, 0.95, 80, COLOURS))
    assert [trace["x"][0] for trace in traces] == [0.0, 0.0, 0.0, 1.0]
    assert [bool(trace.get("error_y")) for trace in traces] == [False, False, False, True]
    assert traces[2]["y"][0] == pytest.approx(31.0)


def test_a_dose_curve_joins_means_over_the_baselines_band() -> None:
    figure = dose_curve(TABLE.trends[0], OUTCOME, 0.95, analysis().baseline, COLOURS)
    band, line, joined, *_ = drawn(figure)
    assert list(band["y"]) == pytest.approx([18.0, 18.0, 22.0, 22.0]) and list(line["y"]) == pytest.approx([20.0, 20.0])
    assert line["x"][0] < 2.0 and line["x"][1] > 32.0
    assert (list(joined["x"]), list(joined["y"])) == ([2.0, 8.0, 32.0], pytest.approx([28.0, 31.0, 33.0]))
    assert "grey: the baseline" in texts(figure)
    assert "grey: the baseline" not in texts(dose_curve(TABLE.trends[0], OUTCOME, 0.95, None, COLOURS))


def test_interactions_have_a_line_for_each_level_and_count_runs() -> None:
    half, full = drawn(interaction_panels(TABLE.interactions, OUTCOME, "n = 80"))
    assert (list(half["x"]), list(half["y"])) == ([0, 1], pytest.approx([22.0, 25.0]))
    assert (list(full["x"]), list(full["y"])) == ([0, 1, 2], pytest.approx([28.0, 31.0, 33.0]))
    assert list(full["text"]) == ["1 run", "3 runs", "1 run"]
    assert list(full["error_y"]["array"]) == pytest.approx([0.0, 3.0, 0.0])  # of seeds alone


def test_the_front_counts_what_nothing_dominates() -> None:
    pareto = TABLE.pareto[0]
    figure = pareto_figure(pareto, OUTCOME, 0.95, VARIANTS)
    found = points(figure)
    assert (list(found["r32"]["x"]), list(found["r32"]["y"])) == ([1_843_200.0], [33.0])
    assert "r2 90 %" in texts(figure) and "r32 100 %" in texts(figure)
    assert dominated_rows(pareto) == [
        ("r32", "1,843,200", "0.00"),
        ("r2", "115,200", "0.10"),
        ("r8", "460,800", "0.95"),
    ]
    size = replace(pareto, cost="adapter_size", label="adapter size", unit="bytes")
    assert cost_heading(size) == "adapter size, MB" and dominated_rows(size)[1] == ("r2", "0.1152", "0.10")


def test_importance_is_drawn_over_its_band_and_filled_outside_of_it() -> None:
    band, first, _, second = drawn(importance_figure(TABLE.importance, OUTCOME))
    assert (
        band["type"] == "bar" and list(band["x"]) == pytest.approx([40.0]) and list(first["x"]) == pytest.approx([60.0])
    )
    assert (first["marker"]["symbol"], second["marker"]["symbol"]) == ("circle", "circle-open")


def test_parallel_lines_are_placed_by_the_logarithm_and_a_missing_value_leaves_a_gap() -> None:
    figure = parallel_coordinates(parallel_axes(TABLE, OUTCOME), COLOURS, "t", "s")
    lines = {trace["customdata"][0]: list(trace["y"]) for trace in drawn(figure)}
    assert set(lines) == set(VARIANTS) - {"baseline"}
    assert lines["r8"] == pytest.approx([0.5, 1.0, (30 - 22) / (33 - 22)]) and lines["r2-half"] == [0.0, 0.0, 0.0]
    names = ParallelAxis("modules", {"a": "q", "b": "v", "c": "q"})
    gap = ParallelAxis("seed", {"a": 1.0, "b": 1.0})
    found = drawn(parallel_coordinates([names, gap], dict.fromkeys("abc", "#123456"), "t", "s"))
    assert [list(trace["y"]) for trace in found] == [[0.0, 0.5], [1.0, 0.5], [0.0, None]]


def test_heights_are_means_of_cells_and_need_four_neighbours() -> None:
    (pair,) = factor_pairs(TABLE)
    assert pair.is_surface and pair.cells == 5
    heights = drawn(contour_figure(pair, qualities(TABLE, OUTCOME), COLOURS, outcome_heading(OUTCOME), "n = 80"))[0]
    assert [list(row) for row in heights["z"]] == [pytest.approx([22.0, 25.0, None]), pytest.approx([28.0, 31.0, 33.0])]
    cross = FactorPair(("a", "b"), {"v": (1, 1), "w": (2, 1), "x": (4, 1), "y": (2, 2), "z": (2, 4)})
    assert not cross.is_surface


def test_texts_of_numbers_levels_and_variance() -> None:
    nats = Outcome("reply/perplexity", "reply", "perplexity", "Perplexity", "perplexity", False, False, True)
    assert (outcome_heading(nats), difference_unit(nats), difference_unit(OUTCOME)) == (
        "reply: Perplexity ↓",
        "",
        "points",
    )
    assert (
        interval_text(0.031, 0.017, None, OUTCOME, signed=True) == "+3.1"
        and interval_text(None, None, None, OUTCOME) == "–"
    )
    assert (
        short_level("q_proj, k_proj, v_proj, o_proj") == "q_proj and 3 more" and short_level("x" * 30) == "x" * 15 + "…"
    )
    assert anova_rows(TABLE.anova)[1] == ("data rows", "1", "40 %", "9.1", "p = 0.030", "7.5")


def test_names_from_files_are_never_markup() -> None:
    levels = (FactorLevel(HOSTILE, None, (HOSTILE,)), FactorLevel("other", None, ("other",)))
    factor = Factor(HOSTILE, HOSTILE, (HOSTILE,), levels, False, False)
    hostile = replace(summary("r2"), dots=(replace(summary("r2").dots[0], variant=HOSTILE),), label=HOSTILE)
    effect = replace(TABLE.main_effects[0], factor=factor, levels=((levels[0], hostile), (levels[1], summary("r8"))))
    interaction = replace(
        TABLE.interactions[0], rows=factor, columns=factor,
        cells=tuple(replace(TABLE.interactions[0].cells[0], row=one, column=one, summary=hostile) for one in levels),
    )  # fmt: skip
    pair: OneFactor = one_factor("r2", factor_label=HOSTILE, level_b=HOSTILE, statement=HOSTILE, variants_b=(HOSTILE,))
    outcome = replace(OUTCOME, label=HOSTILE, task=HOSTILE)
    axes = [ParallelAxis(HOSTILE, {HOSTILE: HOSTILE})]
    bars = tuple(replace(bar, label=HOSTILE) for bar in TABLE.importance.bars[:1])
    figures = [
        one_factor_forest([pair], outcome, 0.95, COLOURS), main_effect_panels([effect], outcome, 0.95, 80, COLOURS),
        interaction_panels([interaction], outcome, HOSTILE), parallel_coordinates(axes, {HOSTILE: "#123456"}, HOSTILE, HOSTILE),
        contour_figure(FactorPair((HOSTILE, HOSTILE), {HOSTILE: (1, 2)}), {HOSTILE: 1.0}, {}, HOSTILE, HOSTILE),
        importance_figure(replace(TABLE.importance, bars=bars), outcome),
    ]  # fmt: skip
    for figure in figures:
        content = figure.to_dict()
        for trace in content["data"]:
            trace.pop("customdata", None)  # handed back on a click, not shown
        assert HOSTILE not in str(content) and "&lt;b&gt;x" in str(content)


def test_tables_hold_the_unrounded_numbers() -> None:
    runs = run_table(TABLE).set_index("variant")
    assert runs.loc["r2", "value"] == 0.28 and runs.loc["r2", "r: conflict"] == "tensors say 9, which counts"
    assert runs.loc["r8", "lora_dropout"] == "0.05" and runs["is_reference"].sum() == 3
    assert one_factor_table(TABLE.one_factor)["difference"].tolist() == pytest.approx([-0.02, 0.03, -0.05])
    assert len(main_effect_table(TABLE.main_effects)) == 9 and trend_table(TABLE.trends[0])["slope"].iloc[0] == 0.0125
    assert interaction_table(TABLE.interactions)["runs"].tolist() == [1, 1, 1, 3, 0, 1]
    assert pareto_table(TABLE.pareto[0])["dominated_probability"].tolist() == [0.1, 0.95, 0.0]
    assert (
        anova_table(TABLE.anova)["residual_degrees"].tolist() == [5, 5]
        and importance_table(TABLE.importance)["outside"].sum() == 1
    )
    assert values_table({"a": {"x": 1.0}, "b": {"y": "q"}})["variant"].tolist() == ["x", "y"]
    assert value(0.5).low == 0.48
