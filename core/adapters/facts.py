"""An adapter as its files describe it: configuration, tensors by shape, training log, settings with their sources."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from core.adapters.settings import Setting
from core.adapters.training_log import TrainingLog
from core.weights import TensorInfo, tensor_hash, weight_files

CONFIG = "adapter_config.json"
LORA = re.compile(
    r"^(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<side>[AB])(?:\.\w+)?(?:\.weight)?$"
)
"""The name of one factor: which module it belongs to, and whether it is A or B."""
_LAYER = re.compile(r"(?:^|\.)(\d+)(?:\.|$)")


@dataclass(frozen=True)
class AdapterFacts:
    """An adapter as its files describe it."""

    folder: Path
    config: dict[str, Any]
    """adapter_config.json as it stands, keys that this version of PEFT does not know included."""
    peft_type: str
    base_name: str | None
    """The base it says it was trained on: a Hub id, or a path of the machine that trained it."""
    rank: int | None
    alpha: float | None
    scale: float | None
    """What its update is multiplied by: alpha / r, or alpha / sqrt(r) for rank-stabilised LoRA (arXiv:2312.03732)."""
    target_modules: tuple[str, ...]
    parameters: int
    """Numbers in its tensors: what was trained."""
    n_bytes: int
    """Of its tensors."""
    n_tensors: int
    tensors: dict[str, TensorInfo]
    training_log: TrainingLog
    training_seconds: float | None
    settings: tuple[Setting, ...]
    """What is known of how it was made, each value with its source."""
    warnings: tuple[str, ...] = ()
    """What looks odd but does not stand in the way, contradictions included, each a sentence."""

    @cached_property
    def tensor_hash(self) -> str:
        """SHA-256 of its tensors (`core.weights.tensor_hash`); read when it is asked for, since it reads every byte."""
        return tensor_hash(weight_files(self.folder, "adapter_model"))

    @property
    def is_lora(self) -> bool:
        """Whether it changes weights by products of two low-rank factors."""
        return self.peft_type.upper() == "LORA" and bool(self.pairs)

    @cached_property
    def pairs(self) -> dict[str, dict[str, TensorInfo]]:
        """The low-rank factors by module path: ``{"model.layers.0.self_attn.q_proj": {"A": ..., "B": ...}}``."""
        found: dict[str, dict[str, TensorInfo]] = {}
        for name, info in self.tensors.items():
            if match := LORA.match(name):
                found.setdefault(match["module"], {})[match["side"]] = info
        return found

    @cached_property
    def embeddings(self) -> frozenset[str]:
        """The paths of adapted embedding layers."""
        matches = (LORA.match(name) for name in self.tensors)
        return frozenset(match["module"] for match in matches if match and match["embedding"])

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks that its tensors really have, rising."""
        return tuple(
            sorted({sides["A"].shape[0] for sides in self.pairs.values() if "A" in sides and sides["A"].shape})
        )

    @property
    def layers(self) -> tuple[int, ...]:
        """The numbers of the layers that it changes, rising."""
        return tuple(sorted({layer for module in self.pairs if (layer := split_module(module)[0]) is not None}))

    @property
    def module_names(self) -> tuple[str, ...]:
        """The last parts of the adapted modules' paths, as a layer uses them: ``q_proj``, ``v_proj``."""
        return tuple(sorted({module.rpartition(".")[2] for module in self.pairs}, key=part_order))

    def setting(self, name: str) -> Setting | None:
        """Return a setting by its name of today; None where no file says."""
        return next((one for one in self.settings if one.name == name), None)


_ORDER = (
    "q_proj",
    "k_proj",
    "v_proj",
    "qkv_proj",
    "c_attn",
    "o_proj",
    "gate_proj",
    "up_proj",
    "gate_up_proj",
    "down_proj",
)


def part_order(part: str) -> tuple[int, str]:
    """Return by what modules of a layer are sorted: attention first, then the feed-forward part, then by name."""
    last = part.rpartition(".")[2]
    return (_ORDER.index(last) if last in _ORDER else len(_ORDER), part)


def split_module(module: str) -> tuple[int | None, str]:
    """Return a module's layer (None outside the layers) and its path within it: ``(27, "self_attn.v_proj")``."""
    if match := _LAYER.search(module):
        return int(match[1]), module[match.end() :] or module
    return None, module


def scale_of(rank: int | None, alpha: float | None, stabilised: bool) -> float | None:
    """Return what LoRA multiplies its product by: alpha / r, or alpha / sqrt(r) where it is rank-stabilised."""
    if rank is None or alpha is None or rank <= 0:
        return None
    return alpha / math.sqrt(rank) if stabilised else alpha / rank
