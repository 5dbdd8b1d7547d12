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
from peft.utils import get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM

from core.engine.parts import mixture_on, part_on
from core.errors import InputError
from core.model_set import AdapterPart, Mixture
from core.records import BASELINE

TREE_MODELS = frozenset(
    {"llama", "qwen2", "qwen3", "mistral", "gemma", "phi3", "granite", "olmo2", "smollm3", "stablelm"}
)
"""Architectures whose every layer sees a token's ancestors and its position alone, so that a tree in one row is exact.

Others (sliding windows, state-space layers, position by place in the row) are scored one sequence a row.
"""


@dataclass(frozen=True)
class AdapterSource:
    """An adapter's folder, the factor on its scale, and what of it is on (None is all)."""

    folder: Path
    scale: float
    part: AdapterPart | None = None


class Models:
    """A base model with its adapters attached; `variant` says which of them is on."""

    def __init__(
        self, base: Path, adapters: Mapping[str, AdapterSource], checkpoints: Mapping[str, Path],
        device: torch.device, dtype: torch.dtype, mixtures: Mapping[str, Mixture] | None = None,
    ) -> None:  # fmt: skip
        """Load the base and attach every adapter's folder once, however many variants are made of it.

        Raises:
            InputError: a folder cannot be loaded; the message names it and says why.
        """
        self.device, self.dtype = device, dtype
        self.checkpoints = dict(checkpoints)
        self.adapters = dict(adapters)
        self.mixtures = dict(mixtures or {})
        self._loaded = load_causal(base, device, dtype)
        self.trees = supports_trees(self._loaded.config)
        self._attached: dict[Path, str] = {}
        for name, source in adapters.items():
            if source.folder not in self._attached:
                self._attach(name, source)
        self._loaded.eval()

    def _attach(self, name: str, source: AdapterSource) -> None:
        # PEFT's own name for it: a variant's may hold dots, which torch does not take in a module's name.
        attached = f"adapter_{len(self._attached)}"
        # PEFT would upcast adapters to float32; in the base's own precision there is no cast in every layer.
        options: dict[str, Any] = {"adapter_name": attached, "is_trainable": False, "autocast_adapter_dtype": False}
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
        self._attached[source.folder] = attached

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
        elif name in self.mixtures:
            mixture = self.mixtures[name]
            weights = {
                self._attached[self.adapters[one].folder]: weight * self.adapters[one].scale
                for one, weight in mixture.weights.items()
            }
            with mixture_on(self._loaded, weights, mixture):
                yield self._loaded
        else:
            source = self.adapters[name]
            with part_on(self._loaded, self._attached[source.folder], source.scale, source.part):
                yield self._loaded

    def keys_not_loaded(self, name: str) -> list[str]:
        """Return the tensors of an adapter's file that found no place in the model (an empty list is as it should be)."""
        with safe_open(self.adapters[name].folder / "adapter_model.safetensors", framework="pt") as file:
            stored = set(file.keys())
        assert isinstance(self._loaded, PeftModel)
        attached = self._attached[self.adapters[name].folder]
        return sorted(
            stored - set(get_peft_model_state_dict(self._loaded, adapter_name=attached, save_embedding_layers=False))
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
