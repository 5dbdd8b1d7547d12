"""When two names mean one thing: a base model's name in its many wrappings, and a setting that was renamed over the years."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

RENAMED = {
    # transformers' TrainingArguments
    "evaluation_strategy": "eval_strategy", "per_gpu_train_batch_size": "per_device_train_batch_size",
    "per_gpu_eval_batch_size": "per_device_eval_batch_size", "no_cuda": "use_cpu",
    "fp16_backend": "half_precision_backend", "push_to_hub_model_id": "hub_model_id",
    # the Trainer's model card
    "train_batch_size": "per_device_train_batch_size", "eval_batch_size": "per_device_eval_batch_size",
    "num_epochs": "num_train_epochs", "training_steps": "max_steps", "lr_scheduler_warmup_steps": "warmup_steps",
    "lr_scheduler_warmup_ratio": "warmup_ratio", "base_model": "base_model_name_or_path",
    # TRL
    "max_seq_length": "max_length",
    # LLaMA-Factory
    "cutoff_len": "max_length", "lora_rank": "r", "lora_target": "target_modules", "additional_target": "modules_to_save",
    "model_name_or_path": "base_model_name_or_path",
}  # fmt: skip
"""Old or foreign name of a setting: the name that PEFT, transformers or TRL give it today."""


def canonical(name: str) -> str:
    """Return the name that a setting has today, so that old and new names are one factor."""
    return RENAMED.get(name, name)


def short_name(name: str) -> str:
    """Return what two names of one model share: the last part, without an owner, a folder or the Hub cache's wrapping."""
    parts = [part for part in (PureWindowsPath(name) if "\\" in name else PurePosixPath(name)).parts if part != "/"]
    for part in parts:
        if part.startswith("models--"):
            return part.rpartition("--")[2].casefold()
    return parts[-1].removeprefix("cache:").casefold() if parts else ""
