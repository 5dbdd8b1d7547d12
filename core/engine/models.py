"""Load one base model and its adapters once, and switch between variants without copying a weight."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils import get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM

from core.errors import InputError
from core.records import BASELINE

TREE_MODELS = frozenset(
    {"llama", "qwen2", "qwen3", "mistral", "gemma", "phi3", "granite", "olmo2", "smollm3", "stablelm"}
)
"""Architectures whose every layer sees a token's ancestors and its position alone, so that a tree in one row is exact.

Others (sliding windows, state-space layers, position by place in the row) are scored one sequence a row.
"""


@dataclass(frozen=True)
class AdapterSource:
    """An adapter's folder and the factor on its scale."""

    folder: Path
    scale: float


class Models:
    """A base model with its adapters attached; `variant` says which of them is on."""

    def __init__(
        self, base: Path, adapters: Mapping[str, AdapterSource], checkpoints: Mapping[str, Path],
        device: torch.device, dtype: torch.dtype,
    ) -> None:  # fmt: skip
        """Load the base and attach every adapter.

        Raises:
            InputError: a folder cannot be loaded; the message names it and says why.
        """
        self.device, self.dtype = device, dtype
        self.checkpoints = dict(checkpoints)
        self.adapters = dict(adapters)
        self._loaded = load_causal(base, device, dtype)
        self.trees = supports_trees(self._loaded.config)
        for name, source in adapters.items():
            self._attach(name, source)
        self._loaded.eval()

    def _attach(self, name: str, source: AdapterSource) -> None:
        # PEFT would upcast adapters to float32; in the base's own precision there is no cast in every layer.
        options: dict[str, Any] = {"adapter_name": name, "is_trainable": False, "autocast_adapter_dtype": False}
        try:
            if isinstance(self._loaded, PeftModel):
                self._loaded.load_adapter(str(source.folder), **options, torch_device=str(self.device))
            else:
                self._loaded = PeftModel.from_pretrained(
                    self._loaded, str(source.folder), **options, torch_device=str(self.device)
                )
        except (RuntimeError, ValueError, KeyError, OSError, TypeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"adapter {name!r} ({source.folder}): PEFT cannot attach it to this base: {reason}"
            ) from None
        # Parameters alone: a cast of the rotary frequencies, a buffer in float32, would bend every position.
        for parameter in self._loaded.parameters():
            parameter.data = parameter.data.to(self.dtype)
        if source.scale != 1.0:
            for module in self._loaded.modules():
                if isinstance(module, LoraLayer) and name in module.scaling:
                    module.set_scale(name, source.scale)

    @contextmanager
    def variant(self, name: str) -> Iterator[Any]:
        """Yield the model as the named variant; the baseline is the same weights with adapters off."""
        if name in self.checkpoints:
            model = load_causal(self.checkpoints[name], self.device, self.dtype)
            try:
                yield model
            finally:
                del model
                gc.collect()
        elif not isinstance(self._loaded, PeftModel):
            yield self._loaded
        elif name == BASELINE:
            with self._loaded.disable_adapter():
                yield self._loaded
        else:
            self._loaded.set_adapter(name, inference_mode=True)
            yield self._loaded

    def keys_not_loaded(self, name: str) -> list[str]:
        """Return the tensors of an adapter's file that found no place in the model (an empty list is as it should be)."""
        with safe_open(self.adapters[name].folder / "adapter_model.safetensors", framework="pt") as file:
            stored = set(file.keys())
        assert isinstance(self._loaded, PeftModel)
        return sorted(
            stored - set(get_peft_model_state_dict(self._loaded, adapter_name=name, save_embedding_layers=False))
        )


def supports_trees(config: Any) -> bool:
    """Tell whether several sequences may share a row of this architecture as one tree."""
    layers = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    return config.model_type in TREE_MODELS and layers == {"full_attention"} and window is None


def load_causal(folder: Path, device: torch.device, dtype: torch.dtype) -> Any:
    """Load a causal language model from a local folder: safetensors alone, none of the folder's own code.

    Raises:
        InputError: it cannot be loaded; the message says why.
    """
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, config=config, dtype=dtype, use_safetensors=True, trust_remote_code=False, local_files_only=True,
            attn_implementation="sdpa",
        )  # fmt: skip
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{folder}: transformers cannot load a causal language model from here: {reason}") from None
    # Frozen, as PEFT freezes a base: with gradients on, torch folds some products differently and the last bits differ.
    return model.to(device).requires_grad_(False).eval()
