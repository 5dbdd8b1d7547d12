"""Made-up adapters of a made-up base: small factors as files, for tests that need no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

MODULES = {
    f"model.layers.{layer}.self_attn.{name}": (out, 12) for layer in range(3) for name, out in (("q_proj", 16), ("v_proj", 10))
}  # fmt: skip
"""Path: (outputs, inputs)."""


def made_base(folder: Path, seed: int = 0) -> Path:
    """Write a base whose weights are drawn."""
    folder.mkdir(parents=True)
    drawn = np.random.default_rng(seed)
    save_file(
        {f"{name}.weight": drawn.normal(size=shape).astype(np.float32) for name, shape in MODULES.items()},
        folder / "model.safetensors",
    )
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": 3, "_name_or_path": "org/made"}))
    return folder


def made_adapter(
    folder: Path, *, rank: int = 3, seed: int = 1, tensors: dict[str, np.ndarray] | None = None, **config: Any
) -> Path:
    """Write an adapter whose factors are drawn, or are the given ones."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = np.random.default_rng(seed)
    factors = tensors or {
        f"base_model.model.{name}.lora_{side}.weight": drawn.normal(size=shape).astype(np.float32)
        for name, (out, inner) in MODULES.items() for side, shape in (("A", (rank, inner)), ("B", (out, rank)))
    }  # fmt: skip
    settings = {
        "peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "target_modules": ["v_proj", "q_proj"],
        "base_model_name_or_path": "org/made",
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(settings | config))
    save_file(factors, folder / "adapter_model.safetensors")
    return folder


def dense_change(folder: Path, module: str, scale: float) -> np.ndarray:
    """Return a module's change as the product itself."""
    found = load_file(folder / "adapter_model.safetensors")
    key = f"base_model.model.{module}"
    b, a = (found[f"{key}.lora_{side}.weight"].astype(np.float64) for side in "BA")
    return scale * b @ a
