"""What a set of adapters amounts to: which settings differ, which are tied or follow from others, who differs in one alone."""

from __future__ import annotations

from typing import Any

import pytest

from core.ablation.choices import plain_cell
from core.ablation.design import Design, design_of
from core.ablation.factors import Cell
from core.adapters.facts import CONFIG


def design(**variants: dict[str, Any]) -> Design:
    return design_of(
        {name.replace("_", "-"): {key: cell(value) for key, value in some.items()} for name, some in variants.items()}
    )


def cell(value: Any) -> Cell:
    return value if isinstance(value, Cell) else plain_cell(value, "training_args.yaml")


def labels(found: Design) -> list[str]:
    return [factor.label for factor in found.factors]


def test_settings_that_always_move_together_are_one_factor() -> None:
    found = design(
        a={"r": 2, "lora_alpha": 4, "learning_rate": 1e-4}, b={"r": 8, "lora_alpha": 16, "learning_rate": 1e-4},
        c={"r": 8, "lora_alpha": 16, "learning_rate": 3e-4},
    )  # fmt: skip
    assert labels(found) == ["rank + alpha", "learning rate"]
    (rank, rate) = found.factors
    assert rank.tied and rank.log and [level.text for level in rank.levels] == ["2 + 4", "8 + 16"] and not rate.tied
    assert [level.dose for level in rate.levels] == [1e-4, 3e-4] and found.default_reference.name == "b"


def test_settings_that_move_apart_once_are_two_factors() -> None:
    found = design(a={"r": 2, "lora_alpha": 4}, b={"r": 8, "lora_alpha": 16}, c={"r": 8, "lora_alpha": 4})
    assert labels(found) == ["rank", "alpha"]
    assert [(k, group.name) for k, group in found.neighbours(found.by_name["c"])] == [(0, "a"), (1, "b")]
    assert found.neighbours(found.by_name["a"]) == [(0, found.by_name["c"])], "a and b differ in two choices"


def test_what_follows_from_other_settings_is_no_choice_of_its_own() -> None:
    """With rank and alpha apart, scale changes with both; it is shown and never counted."""
    found = design(
        a={"r": 2, "lora_alpha": 16, "scale": 8.0, "train_samples": 100, "global_step": 10},
        b={"r": 8, "lora_alpha": 16, "scale": 2.0, "train_samples": 100, "global_step": 10},
        c={"r": 8, "lora_alpha": 32, "scale": 4.0, "train_samples": 100, "global_step": 10},
        d={"r": 8, "lora_alpha": 16, "scale": 2.0, "train_samples": 200, "global_step": 20},
    )
    assert labels(found) == ["rank", "alpha", "data rows + steps"]
    assert {column.name for column in found.columns if column.derived} == {"scale", "global_step"}
    assert [group.name for _, group in found.neighbours(found.by_name["b"])] == ["a", "c", "d"]


def test_steps_that_no_other_setting_explains_are_a_choice() -> None:
    found = design(a={"global_step": 10}, b={"global_step": 20})
    assert labels(found) == ["steps"] and found.factors[0].log


def test_rows_are_worked_out_from_steps_where_no_file_says_them() -> None:
    common = {"batch_size": 8, "num_train_epochs": 2.0}
    found = design(a={"global_step": 50, **common}, b={"global_step": 100, **common})
    assert labels(found) == ["data rows + steps"]
    assert found.cells["b"]["train_samples"].value == 400 and "worked out" in found.cells["b"]["train_samples"].source


def test_seeds_are_set_aside() -> None:
    found = design(a={"r": 8, "seed": 0}, b={"r": 8, "seed": 1}, c={"r": 2, "seed": 0})
    assert [(group.variants, group.n_seeds, group.seeds_stated) for group in found.groups] == [
        (("a", "b"), 2, True),
        (("c",), 1, True),
    ]
    same = design(a={"r": 8, "seed": 0}, b={"r": 8, "seed": 0})
    assert [(group.n_seeds, group.seeds_stated) for group in same.groups] == [(1, False)]


def test_a_factor_with_one_level_is_a_constant() -> None:
    found = design(a={"r": 8, "lora_dropout": 0.05}, b={"r": 8, "lora_dropout": 0.05})
    assert found.factors == () and found.columns == ()
    assert {column.name: column.constant.text for column in found.constants if column.constant} == {
        "r": "8",
        "lora_dropout": "0.05",
    }
    assert len(found.groups) == 1


def test_a_key_that_an_older_peft_did_not_write_is_no_difference() -> None:
    flag, number = Cell(False, "false", CONFIG), Cell(16, "16", CONFIG)
    assert labels(design(a={"use_dora": flag, "r": 8, "some_new_key": number}, b={"r": 8})) == []
    on = Cell(True, "true", CONFIG)
    assert labels(design(a={"use_dora": on, "r": 8}, b={"r": 8})) == ["DoRA"], "what it did not write is off"


def test_what_is_not_known_of_one_is_never_taken_for_equal() -> None:
    found = design(a={"r": 8, "learning_rate": 1e-4}, b={"r": 8}, c={"r": 8, "learning_rate": 1e-3})
    assert len(found.groups) == 3 and [level.text for level in found.factors[0].levels] == [
        "0.0001",
        "0.001",
        "not known",
    ]
    assert [group.name for _, group in found.neighbours(found.by_name["a"])] == ["c"], "nobody knows what b differs in"
    assert found.factors[0].numeric and not found.factors[0].levels[2].known


@pytest.mark.parametrize(("one", "other"), [(8, 8.0), (("q", "v"), ("v", "q")), ("COSINE", "cosine"), (1e-4, 0.0001)])
def test_the_same_value_written_otherwise_is_no_level(one: Any, other: Any) -> None:
    assert labels(design(a={"x": one}, b={"x": other})) == []


def test_an_unknown_setting_that_differs_is_a_factor_too() -> None:
    found = design(a={"r": 2, "neftune_alpha": 5}, b={"r": 8, "neftune_alpha": 5}, c={"r": 8, "neftune_alpha": 0})
    assert labels(found) == ["rank", "neftune alpha"]
