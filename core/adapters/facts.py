"""Read an adapter's folder as PEFT and the Trainer leave it: configuration, tensor shapes, training log."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.weights import TensorInfo, read_headers, tensor_hash, weight_files

CONFIG = "adapter_config.json"
_LORA = re.compile(
    r"^(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<side>[AB])(?:\.\w+)?(?:\.weight)?$"
)


@dataclass(frozen=True)
class AdapterFacts:
    """An adapter as its files describe it."""

    folder: Path
    config: dict[str, Any]
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
    tensor_hash: str
    tensors: dict[str, TensorInfo]
    training_log: tuple[dict[str, Any], ...] = ()
    """trainer_state.json's ``log_history``; empty where there is none."""
    training_seconds: float | None = None
    warnings: tuple[str, ...] = field(default=())
    """What looks odd but does not stand in the way, each a sentence."""

    @property
    def pairs(self) -> dict[str, dict[str, TensorInfo]]:
        """The low-rank factors by module path: ``{"model.layers.0.self_attn.q_proj": {"A": ..., "B": ...}}``."""
        found: dict[str, dict[str, TensorInfo]] = {}
        for name, info in self.tensors.items():
            if match := _LORA.match(name):
                found.setdefault(match["module"], {})[match["side"]] = info
        return found

    @property
    def embeddings(self) -> frozenset[str]:
        """The paths of adapted embedding layers."""
        matches = (_LORA.match(name) for name in self.tensors)
        return frozenset(match["module"] for match in matches if match and match["embedding"])


def read_adapter(folder: Path) -> AdapterFacts:
    """Read the adapter in ``folder``.

    Raises:
        InputError: no such folder, no adapter_config.json, broken JSON, no safetensors, a truncated file, a pickle.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected an adapter, a folder with {CONFIG}.")
    config = _read_config(folder)
    paths = weight_files(folder, "adapter_model")
    tensors = read_headers(paths)
    if not tensors:
        raise InputError(f"{paths[0]}: the file has no tensors, so the adapter does nothing. Save it again.")
    warnings: list[str] = []
    state = _read_json_if_there(folder, _trainer_state(folder), warnings)
    log = tuple(entry for entry in _list(state.get("log_history")) if isinstance(entry, dict))
    rank, alpha = _whole(config.get("r")), _number(config.get("lora_alpha"))
    facts = AdapterFacts(
        folder=folder, config=config, peft_type=str(config.get("peft_type") or "unknown"),
        base_name=config.get("base_model_name_or_path") or None, rank=rank, alpha=alpha,
        scale=_scale(rank, alpha, bool(config.get("use_rslora"))), target_modules=_target_modules(config, tensors),
        parameters=sum(info.n_values for info in tensors.values()), n_bytes=sum(info.n_bytes for info in tensors.values()),
        n_tensors=len(tensors), tensor_hash=tensor_hash(paths), tensors=tensors, training_log=log,
        training_seconds=_training_seconds(folder, log),
    )  # fmt: skip
    return AdapterFacts(**{**vars(facts), "warnings": (*warnings, *_rank_conflicts(facts))})


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = (
            " It looks like a whole model; name it under models.checkpoints."
            if (folder / "config.json").is_file()
            else ""
        )
        raise InputError(f"{folder}: found no {CONFIG}, so this is not an adapter as PEFT saves it.{hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not valid JSON ({error}). Copy the file again.") from None
    if not isinstance(config, dict):
        raise InputError(f"{path}: found {type(config).__name__}, expected an object with PEFT's settings.")
    return config


def _trainer_state(folder: Path) -> Path | None:
    """Return the log of the training: the adapter's own, or its last checkpoint's (TRL's save_model writes none)."""
    own = folder / "trainer_state.json"
    if own.is_file():
        return own
    states = [path for path in folder.glob("checkpoint-*/trainer_state.json") if path.parent.name[11:].isdecimal()]
    return max(states, key=lambda path: int(path.parent.name[11:]), default=None)


def _read_json_if_there(folder: Path, path: Path | None, warnings: list[str]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        warnings.append(f"{path.relative_to(folder)} cannot be read ({error}); the training curves are missing.")
        return {}
    return content if isinstance(content, dict) else {}


def training_seconds(folder: Path) -> float | None:
    """Return how long the training took that left an adapter or a model in ``folder``; None where its files do not say.

    The Trainer notes ``train_runtime`` in trainer_state.json and, where its script saved the metrics, in train_results.json
    and all_results.json.
    """
    folder = Path(folder)
    state = _read_json_if_there(folder, _trainer_state(folder), [])
    return _training_seconds(
        folder, tuple(entry for entry in _list(state.get("log_history")) if isinstance(entry, dict))
    )


def _training_seconds(folder: Path, log: tuple[dict[str, Any], ...]) -> float | None:
    """Return the run time that the Trainer noted: the largest, since some versions note it with every step."""
    noted = [seconds for entry in log if (seconds := _number(entry.get("train_runtime"))) is not None]
    if noted:
        return max(noted)
    for name in ("train_results.json", "all_results.json"):
        path = folder / name
        results = _read_json_if_there(folder, path if path.is_file() else None, [])
        if (seconds := _number(results.get("train_runtime"))) is not None:
            return seconds
    return None


def _scale(rank: int | None, alpha: float | None, stabilised: bool) -> float | None:
    if rank is None or alpha is None or rank <= 0:
        return None
    return alpha / math.sqrt(rank) if stabilised else alpha / rank


def _target_modules(config: Mapping[str, Any], tensors: Mapping[str, TensorInfo]) -> tuple[str, ...]:
    """Return the names that the config lists; a pattern such as ``all-linear`` is answered from the tensors."""
    listed = config.get("target_modules")
    if isinstance(listed, list):
        return tuple(sorted(map(str, listed)))
    return tuple(sorted({match["module"].rpartition(".")[2] for name in tensors if (match := _LORA.match(name))}))


def _rank_conflicts(facts: AdapterFacts) -> list[str]:
    """Compare the config's r with the tensors' own rank; modules of ``rank_pattern`` have ranks of their own."""
    if facts.rank is None or facts.config.get("rank_pattern"):
        return []
    ranks = {
        info.shape[0] for sides in facts.pairs.values() for side, info in sides.items() if side == "A" and info.shape
    }
    if not ranks or ranks == {facts.rank}:
        return []
    found = ", ".join(map(str, sorted(ranks)))
    return [
        f"{CONFIG} says r = {facts.rank}, but the tensors have rank {found}: config and weights may be of different trainings."
    ]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        else None
    )
