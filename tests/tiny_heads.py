"""Classification heads of the tiny random Llama of `tests.tiny`: adapters with task_type SEQ_CLS, and whole checkpoints."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification


def make_head_adapter(base: Path, folder: Path, n_outputs: int, *, seed: int = 7) -> Path:
    """Write a LoRA adapter with random factors and a random last layer of ``n_outputs``."""
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=n_outputs)
    torch.nn.init.normal_(model.score.weight, std=0.5)
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="SEQ_CLS"))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    return folder


def make_head_checkpoint(base: Path, folder: Path, labels: tuple[str, ...], *, seed: int = 8, **config: Any) -> Path:
    """Write a whole classifier over the base's body, with the names of its labels and other settings of its config."""
    torch.manual_seed(seed)
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: k for k, label in enumerate(labels)}}
    model = AutoModelForSequenceClassification.from_pretrained(base, **names, **config)
    torch.nn.init.normal_(model.score.weight, std=0.5)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / name, folder / name)
    return folder


def without_tensor(folder: Path, name: str) -> Path:
    """Take a tensor out of an adapter's file."""
    path = folder / "adapter_model.safetensors"
    save_file({key: tensor for key, tensor in load_file(path).items() if key != name}, path)
    return folder
