"""What each adapter chose, with its source: the user before files, old and new names one setting, contradictions flagged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.ablation.choices import cells_of, is_choice, named_as_files_do
from core.ablation.factors import Cell
from core.adapters import read_adapter
from tests.core.ablation.made import write_adapter


def cells(folder: Path, overrides: dict[str, Any] | None = None, **recipe: Any) -> dict[str, Cell]:
    write_adapter(folder, recipe, 1)
    return cells_of(read_adapter(folder, named_as_files_do(overrides or {})))


def test_the_user_comes_before_config_and_arguments(tmp_path: Path) -> None:
    stated = {"rank": 16, "learning rate": 3e-4, "seed": 7, "data_rows": 500}
    found = cells(tmp_path / "a", stated, rank=4, learning_rate=1e-4, seed=1, lora_rank=8)
    assert {name: found[name].value for name in ("r", "learning_rate", "seed", "train_samples")} == {
        "r": 16, "learning_rate": 3e-4, "seed": 7, "train_samples": 500,
    }  # fmt: skip
    assert {found[name].source for name in ("r", "learning_rate", "seed", "train_samples")} == {"your override"}
    assert found["scale"].value == 0.5, "alpha 8 / the rank that counts"


def test_old_and_foreign_names_are_one_setting(tmp_path: Path) -> None:
    found = cells(
        tmp_path / "a", rank=4, num_epochs=3, train_batch_size=4, gradient_accumulation_steps=2, max_seq_length=512
    )
    assert (found["num_train_epochs"].value, found["batch_size"].value, found["max_length"].value) == (3, 8, 512)
    assert "accumulation" in found["batch_size"].source and "per_device_train_batch_size" not in found


def test_contradictions_are_said_at_the_value(tmp_path: Path) -> None:
    found = cells(tmp_path / "a", rank=4, lora_rank=8)
    assert found["r"].value == 4 and "training_args.yaml says 8" in found["r"].conflict
    folder = write_adapter(tmp_path / "b", {"rank": 3, "config": {"r": 16}}, 1)
    odd = cells_of(read_adapter(folder))
    assert "says r = 16, but the tensors have rank 3" in odd["r"].conflict


def test_projections_are_listed_in_the_order_of_a_layer_even_of_all_linear(tmp_path: Path) -> None:
    found = cells(tmp_path / "a", config={"target_modules": "all-linear"})
    assert found["target_modules"].value == ("q_proj", "v_proj")


def test_another_method_has_no_rank(tmp_path: Path) -> None:
    found = cells(tmp_path / "a", config={"peft_type": "IA3", "r": None, "lora_alpha": None})
    assert found["peft_type"].text == "IA3" and (found["r"].value, found["r"].text, found["r"].source) == (
        None,
        "none",
        "IA3 has none",
    )


@pytest.mark.parametrize(
    "name",
    ["train_loss", "eval_runtime", "output_dir", "logging_steps", "peft_version", "hub_model_id", "total_flos", "seed"],
)
def test_what_a_training_came_to_and_where_it_ran_is_no_choice(name: str) -> None:
    assert not is_choice(name)


@pytest.mark.parametrize(("epoch", "meant"), [(2.98, 3.0), (3.0, 3.0), (0.5, 0.5), (1.5, 1.5)])
def test_epochs_as_a_trainer_counted_them(tmp_path: Path, epoch: float, meant: float) -> None:
    folder = write_adapter(tmp_path / "a", {}, 1)
    (folder / "train_results.json").write_text(f'{{"epoch": {epoch}, "train_loss": 1.0}}')
    assert cells_of(read_adapter(folder))["num_train_epochs"].value == meant
