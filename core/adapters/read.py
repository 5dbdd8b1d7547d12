"""Read an adapter's folder as PEFT and a trainer leave it; nothing in it is run, and no tensor's values are read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.adapters.facts import CONFIG, LORA, AdapterFacts, scale_of, split_module
from core.adapters.settings import OVERRIDE, contradiction_text, merge_settings, state_settings
from core.adapters.sources import RESULTS, read_sources
from core.adapters.training_log import TrainingLog, read_training_log
from core.errors import InputError
from core.weights import TensorInfo, read_headers, weight_files

_SUMMARISED = ("train_loss", "train_runtime")


def read_adapter(folder: Path, overrides: Mapping[str, Any] | None = None) -> AdapterFacts:
    """Read the adapter in ``folder``, of any PEFT type. No tensor's values are read, no pickle is loaded.

    Args:
        folder: with adapter_config.json and adapter_model.safetensors.
        overrides: settings that the user knows better than the files.

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
    log, log_notes = read_training_log(folder)
    warnings = list(log_notes)
    sources = read_sources(folder, warnings)
    rank, alpha = _whole(config.get("r")), _number(config.get("lora_alpha"))
    settings = merge_settings(_by_trust(overrides or {}, config, sources, log))
    facts = AdapterFacts(
        folder=folder, config=config, peft_type=str(config.get("peft_type") or "unknown"),
        base_name=_text(config.get("base_model_name_or_path")), rank=rank, alpha=alpha,
        scale=scale_of(rank, alpha, bool(config.get("use_rslora"))), target_modules=_target_modules(config, tensors),
        parameters=sum(info.n_values for info in tensors.values()), n_bytes=sum(info.n_bytes for info in tensors.values()),
        n_tensors=len(tensors), tensors=tensors, training_log=log,
        training_seconds=_training_seconds(log, sources.get("train_results.json", {}), sources.get("all_results.json", {})),
        settings=settings,
    )  # fmt: skip
    told = (contradiction_text(one) for one in settings if one.contradictions)
    return AdapterFacts(**{**_fields(facts), "warnings": (*warnings, *_tensor_conflicts(facts), *told)})


def training_seconds(folder: Path) -> float | None:
    """Return how long the training took that left an adapter or a model in ``folder``; None where its files do not say.

    The Trainer notes ``train_runtime`` in trainer_state.json and, where its script saved the metrics, in train_results.json
    and all_results.json.
    """
    folder = Path(folder)
    results = [_json_if_there(folder / name) for name in ("train_results.json", "all_results.json")]
    return _training_seconds(read_training_log(folder)[0], *results)


def _fields(facts: AdapterFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in AdapterFacts.__dataclass_fields__}


def _by_trust(
    overrides: Mapping[str, Any], config: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]], log: TrainingLog
) -> dict[str, Mapping[str, Any]]:
    """Return what each source says, the most trusted first: the user, config and tensors, arguments, log, results, card."""
    # What a tensor's shape says of r is held against the config by `_tensor_conflicts`, which knows of rank_pattern.
    ordered: dict[str, Mapping[str, Any]] = {OVERRIDE: overrides, CONFIG: config}
    ordered |= {name: values for name, values in sources.items() if name.startswith("training_args")}
    if log.state is not None:
        ordered[log.source] = state_settings(log.state) | {
            name: value for name in _SUMMARISED if (value := (log.summary or {}).get(name)) is not None
        }
    ordered |= {name: values for name, values in sources.items() if name in RESULTS}
    return ordered | {name: values for name, values in sources.items() if name not in ordered}


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
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error}). Copy the file again.") from None
    if not isinstance(config, dict):
        raise InputError(f"{path}: found {type(config).__name__}, expected an object with PEFT's settings.")
    return config


def _json_if_there(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _training_seconds(log: TrainingLog, *results: Mapping[str, Any]) -> float | None:
    """Return the run time that the trainer noted, in its log or else in its results."""
    if log.seconds is not None:
        return log.seconds
    return next((seconds for one in results if (seconds := _number(one.get("train_runtime"))) is not None), None)


def _target_modules(config: Mapping[str, Any], tensors: Mapping[str, TensorInfo]) -> tuple[str, ...]:
    """Return the names that the config lists; a pattern such as ``all-linear`` is answered from the tensors."""
    listed = config.get("target_modules")
    if isinstance(listed, list):
        return tuple(sorted(map(str, listed)))
    return tuple(sorted({match["module"].rpartition(".")[2] for name in tensors if (match := LORA.match(name))}))


def _tensor_conflicts(facts: AdapterFacts) -> list[str]:
    """Hold the config's r and target_modules against the tensors; modules of ``rank_pattern`` have ranks of their own."""
    told: list[str] = []
    if facts.rank is not None and facts.ranks and not facts.config.get("rank_pattern") and facts.ranks != (facts.rank,):
        found = ", ".join(map(str, facts.ranks))
        told.append(
            f"{CONFIG} says r = {facts.rank}, but the tensors have rank {found}: config and weights may be of different trainings."
        )
    listed = facts.config.get("target_modules")
    if isinstance(listed, list) and facts.pairs:
        targets = [str(target) for target in listed]
        idle = [target for target in targets if not any(_is_target(module, target) for module in facts.pairs)]
        extra = sorted({split_module(module)[1] for module in facts.pairs
                        if not any(_is_target(module, target) for target in targets)})  # fmt: skip
        if idle:
            told.append(f"{CONFIG} targets {_some(sorted(idle))}, of which there is no tensor.")
        if extra:
            told.append(f"The tensors change {_some(extra)}, which {CONFIG} does not target.")
    return told


def _is_target(module: str, target: str) -> bool:
    return module == target or module.endswith(f".{target}")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        else None
    )
