"""Which settings of an adapter are choices of whoever trained it, how they are called, and what each adapter chose.

What a training came to (loss, run time, tokens seen) and where it ran are no choices. A setting that this module does not know counts
as one all the same: a difference that is overlooked would be taken for an effect of another one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.ablation.records import Cell, Level
from core.adapters import AdapterFacts, Setting
from core.adapters.facts import CONFIG, part_order, scale_of
from core.adapters.settings import OBSERVED, contradiction_text, value_text

SEED = "seed"
ROWS, EPOCHS, BATCH, STEPS, SCALE, STRENGTH = (
    "train_samples",
    "num_train_epochs",
    "batch_size",
    "global_step",
    "scale",
    "strength",
)
UNKNOWN = "not known"
WORKED_OUT = "worked out"


@dataclass(frozen=True)
class Choice:
    """One setting that people speak of."""

    name: str
    label: str
    log: bool = False
    """Whether its effect is thought of by doublings."""


CHOICES = (
    Choice("peft_type", "method"),
    Choice("r", "rank", log=True),
    Choice("lora_alpha", "alpha", log=True),
    Choice(SCALE, "scale", log=True),
    Choice("target_modules", "target modules"),
    Choice("use_rslora", "rank-stabilised"),
    Choice("use_dora", "DoRA"),
    Choice("init_lora_weights", "initialisation"),
    Choice("lora_dropout", "dropout"),
    Choice("rank_pattern", "rank pattern"),
    Choice("alpha_pattern", "alpha pattern"),
    Choice("layers_to_transform", "layers"),
    Choice("modules_to_save", "whole modules"),
    Choice("bias", "biases"),
    Choice(ROWS, "data rows", log=True),
    Choice(EPOCHS, "epochs", log=True),
    Choice(STEPS, "steps", log=True),
    Choice(BATCH, "batch size", log=True),
    Choice("learning_rate", "learning rate", log=True),
    Choice("lr_scheduler_type", "schedule"),
    Choice("warmup_steps", "warm-up steps"),
    Choice("warmup_ratio", "warm-up share"),
    Choice("weight_decay", "weight decay"),
    Choice("optim", "optimiser"),
    Choice("max_length", "context length", log=True),
    Choice("datasets", "training data"),
    Choice(STRENGTH, "strength"),
)
"""In the order in which people name them."""
KNOWN = {choice.name: choice for choice in CHOICES}
DERIVED = {
    SCALE: ("r", "lora_alpha", "use_rslora"),
    STEPS: (ROWS, EPOCHS, BATCH),
    "warmup_steps": (STEPS, "warmup_ratio"),
}
"""Settings that follow from others: no choice of their own where they do."""
ALIASES = {choice.label.replace(" ", "_"): choice.name for choice in CHOICES} | {
    "rows": ROWS, "data": ROWS, "train_rows": ROWS, "num_train_samples": ROWS, "optimizer": "optim", "modules": "target_modules",
}  # fmt: skip
"""What a user may call a setting in ``factors`` of the workspace: ``rank`` for ``r``."""

_CONFIG_NOISE = frozenset({
    "auto_mapping", "base_model_name_or_path", "ensure_weight_tying", "fan_in_fan_out", "inference_mode", "megatron_config",
    "megatron_core", "peft_version", "qalora_group_size", "revision", "runtime_config", "task_type", "loftq_config", "corda_config",
    "eva_config", "lora_ga_config",
})  # fmt: skip
_RUN_NOISE = frozenset({
    "data_seed", "full_determinism", "best_metric", "best_model_checkpoint", "best_global_step", "num_input_tokens_seen",
    "per_device_eval_batch_size", "per_device_train_batch_size", "gradient_accumulation_steps", "total_train_batch_size",
    "total_eval_batch_size", "disable_tqdm", "use_cpu", "output_dir", "overwrite_output_dir", "run_name", "project", "trackio_space_id",
    "local_rank", "ddp_backend", "seed", "license", "library_name", "language", "tags", "do_train", "do_eval", "do_predict",
    "gradient_checkpointing",
    "include_num_input_tokens_seen", "load_best_model_at_end", "metric_for_best_model", "greater_is_better", "resume_from_checkpoint",
    "remove_unused_columns", "skip_memory_metrics", "torch_compile", "prediction_loss_only", "max_steps", "distributed_type", "num_devices",
    "jit_mode_eval", "stage", "plot_loss", "include_tokens_per_second", "preprocessing_num_workers", "batch_eval_metrics",
})  # fmt: skip
_NOISE_STARTS = (
    "logging_",
    "log_",
    "save_",
    "eval_",
    "hub_",
    "push_to_",
    "report_",
    "dataloader_",
    "ddp_",
    "fsdp",
    "deepspeed",
    "test_",
)
_NOISE_ENDS = ("_runtime", "_per_second", "_loss", "_samples", "_flos", "_seen")


def is_choice(name: str) -> bool:
    """Tell whether a setting of this name is a choice, seed aside."""
    if name in KNOWN:
        return True
    return not (
        name in OBSERVED
        or name in _CONFIG_NOISE
        or name in _RUN_NOISE
        or name.startswith(_NOISE_STARTS)
        or name.endswith(_NOISE_ENDS)
    )


def label_of(name: str) -> str:
    """Return how people call a setting; an unknown one by its name."""
    return KNOWN[name].label if name in KNOWN else name.replace("_", " ")


def rank_of(name: str) -> tuple[int, str]:
    """Return by what settings are sorted: as `CHOICES`, then by name."""
    names = list(KNOWN)
    return (names.index(name) if name in KNOWN else len(names), name)


def named_as_files_do(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user's statements under the names that files use: ``rank`` becomes ``r``."""
    return {ALIASES.get(name.strip().replace(" ", "_"), name): value for name, value in overrides.items()}


def cells_of(facts: AdapterFacts, strength: float = 1.0) -> dict[str, Cell]:
    """Return what an adapter's files (and overrides) say of each choice, by setting, the seed included.

    Args:
        facts: read with the user's overrides.
        strength: what the run multiplies the adapter's own scale by.
    """
    cells = {one.name: _cell(one) for one in facts.settings if is_choice(one.name) or one.name == SEED}
    if facts.peft_type.upper() == "LORA" and facts.target_modules and not _overridden(facts, "target_modules"):
        modules = tuple(sorted(facts.target_modules, key=part_order))
        known = cells.get("target_modules")
        cells["target_modules"] = Cell(
            modules, value_text(modules), known.source if known else CONFIG, known.conflict if known else ""
        )
    if "r" in cells and (
        told := next((text for text in facts.warnings if text.startswith(f"{CONFIG} says r =")), None)
    ):
        cells["r"] = Cell(cells["r"].value, cells["r"].text, cells["r"].source, told)
    cells |= _worked_out(facts, cells)
    if facts.peft_type.upper() != "LORA":
        cells |= {
            name: Cell(None, "none", f"{facts.peft_type} has none")
            for name in ("r", "lora_alpha", SCALE)
            if name not in cells
        }
    cells[STRENGTH] = plain_cell(strength, "the run")
    return cells


def plain_cell(value: Level, source: str) -> Cell:
    """Return a cell without a conflict."""
    return Cell(value, UNKNOWN if value is None else value_text(value), source)


def has_source_in_config(cell: Cell) -> bool:
    """Tell whether a value is from PEFT's own file, whose older versions lack keys that newer ones have."""
    return cell.source == CONFIG


def _cell(setting: Setting) -> Cell:
    conflict = contradiction_text(setting) if setting.contradictions else ""
    return Cell(setting.value, value_text(setting.value), setting.source, conflict)


def _overridden(facts: AdapterFacts, name: str) -> bool:
    setting = facts.setting(name)
    return setting is not None and setting.source != CONFIG


def _worked_out(facts: AdapterFacts, cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """Return scale, batch size, rows and epochs where no file says them outright."""
    found: dict[str, Cell] = {}
    stabilised = "use_rslora" in cells and cells["use_rslora"].value is True
    if (
        SCALE not in cells
        and (scale := scale_of(_whole(cells.get("r")), number(cells.get("lora_alpha")), stabilised)) is not None
    ):
        found[SCALE] = plain_cell(scale, f"{WORKED_OUT}: alpha / {'sqrt(rank)' if stabilised else 'rank'}")
    device = facts.setting("per_device_train_batch_size")
    steps_each = facts.setting("gradient_accumulation_steps")
    if BATCH not in cells and device is not None and isinstance(device.value, int):
        times = steps_each.value if steps_each is not None and isinstance(steps_each.value, int) else 1
        found[BATCH] = plain_cell(
            device.value * times, device.source if times == 1 else f"{WORKED_OUT}: batch x accumulation"
        )
    if EPOCHS not in cells and (epoch := facts.setting("epoch")) is not None and isinstance(epoch.value, int | float):
        found[EPOCHS] = plain_cell(_whole_epochs(float(epoch.value)), epoch.source)
    if ROWS not in cells:
        other = facts.setting("num_train_samples") or facts.setting("train_dataset_size")
        if other is not None:
            found[ROWS] = _cell(other)
    return found


def rows_from_steps(cells: Mapping[str, Cell]) -> Cell | None:
    """Return how many rows steps, batch size and epochs come to; None where one of them is not known.

    A last batch that is not full makes it too many by less than a batch.
    """
    steps, batch, epochs = (number(cells.get(name)) for name in (STEPS, BATCH, EPOCHS))
    if not steps or not batch or not epochs:
        return None
    return plain_cell(round(steps * batch / epochs), f"{WORKED_OUT}: steps x batch / epochs")


def number(cell: Cell | None) -> float | None:
    """Return a cell's value where it is a finite number."""
    value = None if cell is None else cell.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _whole(cell: Cell | None) -> int | None:
    found = number(cell)
    return None if found is None else int(found)


def _whole_epochs(epoch: float) -> float:
    """Return the epochs that a trainer's count means: a last batch left out makes 2.98 of 3."""
    nearest = round(epoch)
    return float(nearest) if nearest >= 1 and abs(epoch - nearest) <= 0.05 * nearest else round(epoch, 3)
