"""What is said of the sample's adapters is true of how they were trained (`sample_data/train_adapters.py`)."""

from __future__ import annotations

import ast
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.ablation.analyse import analyse
from core.ablation.measured import outcomes
from core.ablation.records import Analysis, BaseTable
from core.workspace import load_workspace

SAMPLE = Path(__file__).parents[3] / "sample_data"
SEEDS = ("qv-r8", "qv-r8-seed1", "qv-r8-seed2")
ONE_FACTOR = {
    "qv-r2": "r+lora_alpha", "qv-r32": "r+lora_alpha", "all-r8": "target_modules",
    "qv-r8-half": "train_samples+global_step", "qv-r8-quarter": "train_samples+global_step",
}  # fmt: skip
"""Each adapter that differs from qv-r8 in one choice of the recipe, and which; alpha is twice the rank, steps follow rows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    shutil.copytree(SAMPLE / "runs" / "sample", folder / "runs" / "sample")
    shutil.copyfile(SAMPLE / "workspace.yaml", folder / "workspace.yaml")
    os.symlink(SAMPLE / "adapters", folder / "adapters")
    os.symlink(SAMPLE / "metrics", folder / "metrics")
    return folder


@pytest.fixture(scope="module")
def analysis(folder: Path) -> Analysis:
    workspace = load_workspace(folder)
    return analyse(workspace.run("sample"), workspace, metric="reply/rouge_l")


@pytest.fixture(scope="module")
def table(analysis: Analysis) -> BaseTable:
    (table,) = analysis.tables
    return table


def test_the_recipes_are_still_those_that_this_test_knows() -> None:
    tree = ast.parse((SAMPLE / "train_adapters.py").read_text(encoding="utf-8"))
    recipes = next(
        node.value for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RECIPES" and isinstance(node.value, ast.Dict)
    )  # fmt: skip
    varied = {
        ast.literal_eval(key): {word.arg for word in call.keywords}
        for key, call in zip(recipes.keys, recipes.values, strict=True)
        if key is not None and isinstance(call, ast.Call)
    }
    assert varied == {
        "qv-r8": set(), "all-r8": {"modules"}, "qv-r2": {"rank"}, "qv-r32": {"rank"}, "qv-r8-half": {"share"},
        "qv-r8-quarter": {"share"}, "qv-r8-seed1": {"seed"}, "qv-r8-seed2": {"seed"},
    }  # fmt: skip


def test_the_run_table_has_what_the_recipes_vary_and_folds_the_rest(table: BaseTable) -> None:
    assert {column.name for column in table.columns} == {
        "r",
        "lora_alpha",
        "target_modules",
        "train_samples",
        "global_step",
    }
    assert [column.name for column in table.columns if column.derived] == ["global_step"]
    constants = {column.name: column.constant.text for column in table.constants if column.constant is not None}
    assert constants["scale"] == "2" and constants["lora_dropout"] == "0.05" and constants["num_train_epochs"] == "1"
    rows = {row.variant: row for row in table.rows}
    assert [row.variant for row in table.rows[:3]] == list(SEEDS) and all(rows[name].is_reference for name in SEEDS)
    assert rows["qv-r32"].cells["r"].text == "32" and rows["qv-r32"].cells["r"].source == "adapter_config.json"
    assert rows["qv-r8-quarter"].cells["train_samples"].value == 190 and rows["all-r8"].parameters == 2_442_240
    assert not any(row.warnings for row in table.rows)
    assert {name: rows[name].seed for name in ("qv-r8", "qv-r8-seed1", "qv-r8-seed2", "all-r8")} == {
        "qv-r8": 0, "qv-r8-seed1": 1, "qv-r8-seed2": 2, "all-r8": 0,
    }  # fmt: skip


def test_seeds_are_one_configuration_and_the_only_one_of_three(table: BaseTable) -> None:
    assert table.reference == "qv-r8"
    assert {one.name: one.n_seeds for one in table.configurations} == {"qv-r8": 3} | dict.fromkeys(ONE_FACTOR, 1)
    first = table.configurations[0]
    assert first.variants == SEEDS and first.summary.spread == "seeds" and first.seeds_stated
    values = [dot.value for dot in first.summary.dots]
    assert first.summary.low is not None and first.summary.high is not None
    assert first.summary.low < min(values) < max(values) < first.summary.high
    for other in table.configurations[1:]:
        assert other.summary.label == "1 seed: seed variance unknown" and other.summary.low is not None


def test_every_pair_differs_in_the_one_choice_that_its_recipe_says(table: BaseTable) -> None:
    against = {pair.b: pair.factor for pair in table.one_factor if pair.a == "qv-r8"}
    assert against == ONE_FACTOR
    (between,) = [pair for pair in table.one_factor if pair.a != "qv-r8"]
    assert (between.a, between.b, between.factor) == ("qv-r2", "qv-r32", "r+lora_alpha")


def test_nothing_is_said_of_a_choice_since_no_other_level_has_three_seeds(table: BaseTable) -> None:
    assert {pair.kind for pair in table.one_factor} == {"adapters"} == {trend.kind for trend in table.trends}
    assert all(len(pair.variants_a) == len(pair.variants_b) == 1 for pair in table.one_factor)
    assert "factor" not in {statement.kind for statement in table.statements}
    said = " ".join(statement.text for statement in table.statements)
    assert "matters needs 3 seeds a level (only qv-r8 has them)" in said
    assert "rank matters" not in said and "always moved together" in said


def test_each_sentence_names_the_better_one_of_the_two(table: BaseTable, analysis: Analysis) -> None:
    value = {row.variant: row.value.value or 0.0 for row in table.rows}
    told = 0
    for pair in table.one_factor:
        (a,), (b,) = pair.variants_a, pair.variants_b
        assert pair.difference == pytest.approx(value[b] - value[a])
        if pair.verdict in ("better", "worse"):
            told += 1
            assert f"{b} and {a} (" in pair.statement and f"differ: {b} is {pair.verdict}" in pair.statement
            assert (pair.verdict == "better") == (value[b] > value[a])
        else:
            assert "cannot be told apart" in pair.statement
    assert told >= 4, "a quarter of the data, half of it, and two of the ranks are far apart on ROUGE-L"
    assert analysis.baseline is not None and analysis.baseline.n == 160


def test_less_is_better_where_the_metric_says_so(folder: Path) -> None:
    workspace = load_workspace(folder)
    (table,) = analyse(workspace.run("sample"), workspace, metric="reply/perplexity").tables
    (quarter,) = [pair for pair in table.one_factor if pair.b == "qv-r8-quarter"]
    assert quarter.difference is not None and quarter.difference > 0 and quarter.verdict == "worse"
    assert "qv-r8-quarter is worse, +" in quarter.statement
    (parameters, *_) = table.pareto
    assert {point.variant: point.on_front for point in parameters.points}["qv-r8-quarter"] is False


def test_a_metric_without_a_direction_has_differences_and_no_better_one(folder: Path) -> None:
    workspace = load_workspace(folder)
    (table,) = analyse(workspace.run("sample"), workspace, metric="reply/length_ratio").tables
    assert {pair.verdict for pair in table.one_factor} == {"unclear"} and any(pair.differs for pair in table.one_factor)
    assert table.statements[0].kind == "adapters" and "has another value than qv-r8" in table.statements[0].text
    assert not any(word in one.text for one in table.statements for word in ("better", "worse"))
    assert table.pareto == ()


def test_trends_are_along_rank_and_data_with_three_doses(table: BaseTable) -> None:
    doses = {trend.factor.label: [point.level.dose for point in trend.points] for trend in table.trends}
    assert doses == {"rank + alpha": [2, 8, 32], "data rows + steps": [190, 380, 760]}
    assert all(trend.factor.log and trend.slope is not None and trend.slope > 0 for trend in table.trends)
    assert all(trend.monotone == "rising" for trend in table.trends)
    assert [[point.summary.n_runs for point in trend.points] for trend in table.trends] == [[1, 3, 1], [1, 1, 3]]


def test_eight_runs_carry_no_table_of_variance_and_no_importance(table: BaseTable) -> None:
    assert table.anova.rows == () and table.anova.residual_degrees == 2
    assert table.anova.reason is not None and "5 are needed" in table.anova.reason
    assert (
        table.importance.bars == ()
        and table.importance.reason is not None
        and "needs 9 runs" in table.importance.reason
    )


def test_main_effects_hold_the_other_choices_fixed_and_no_interaction_was_tried(table: BaseTable) -> None:
    effects = {effect.factor.label: effect for effect in table.main_effects}
    assert [summary.n_runs for _, summary in effects["rank + alpha"].levels] == [1, 3, 1], "without those of less data"
    assert all(effect.matched for effect in table.main_effects)
    assert not any(one.can_tell for one in table.interactions) and len(table.interactions) == 3
    assert all("would be shown by a run with" in one.note for one in table.interactions)


def test_fronts_and_the_next_run(table: BaseTable) -> None:
    fronts = {front.cost: {point.variant: point for point in front.points} for front in table.pareto}
    assert {"trainable_parameters", "adapter_size", "latency_p50", "training_time"} <= set(fronts)
    parameters = fronts["trainable_parameters"]
    assert parameters["baseline"].cost == 0 and parameters["baseline"].dominated_probability == 0
    assert parameters["qv-r8-quarter"].dominated_probability == 1 and not parameters["qv-r8-quarter"].on_front
    assert all(one.what.startswith("Train") and one.n_now == 160 for one in table.next_runs) and table.next_runs
    scores = [one.score for one in table.next_runs]
    assert scores == sorted(scores, reverse=True)


def test_another_reference_leaves_only_what_is_one_choice_away(folder: Path) -> None:
    workspace = load_workspace(folder)
    (table,) = analyse(workspace.run("sample"), workspace, metric="category/accuracy", reference="all-r8").tables
    assert table.reference == "all-r8" and [(pair.a, pair.b) for pair in table.one_factor] == [("all-r8", "qv-r8")]
    (same,) = analyse(workspace.run("sample"), workspace, reference="qv-r8-seed2").tables
    assert same.reference == "qv-r8"


def test_outcomes_are_the_runs_metrics_primary_ones_first(folder: Path) -> None:
    listed = outcomes(load_workspace(folder).run("sample"))
    assert listed[0].key == "category/accuracy" and [one.primary for one in listed] == sorted(
        (one.primary for one in listed), reverse=True
    )
    assert "reply/rouge_l" in {one.key for one in listed} and "category/f1_per_class" not in {one.key for one in listed}


def test_without_what_the_user_states_same_settings_are_taken_for_seeds(folder: Path) -> None:
    workspace = load_workspace(folder)
    unsaid = replace(workspace, spec=workspace.spec.model_copy(update={"factors": {}}))
    (table,) = analyse(workspace.run("sample"), unsaid).tables
    assert table.configurations[0].variants == SEEDS and not table.configurations[0].seeds_stated
    assert any(
        "they are taken for seeds because their files state the same settings" in one.text for one in table.statements
    )
