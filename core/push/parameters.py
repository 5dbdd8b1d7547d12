"""What a variant was made of and asked with: the adapter's settings, hashes of base, adapter and data, decoding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.adapters import AdapterFacts, read_adapter
from core.adapters.settings import value_text
from core.errors import InputError
from core.own.rows import workspace_of
from core.spec import AdapterRef
from core.store import Run
from core.workspace import load_workspace

Plain = str | int | float | bool


def variant_parameters(run: Run, variant: str) -> tuple[dict[str, Plain], dict[str, str]]:
    """Return a variant's parameters, and for what is not known the reason.

    An adapter's settings are read from its folder where that is still there and is the adapter that was evaluated: its tensors
    have the hash that the run noted.
    """
    models, environment = run.spec.models, run.read_json("environment") or {}
    hashes: Mapping[str, Any] = environment.get("hashes") or {}
    found: dict[str, Plain] = {"variant": variant, **_asked(run, environment, hashes)}
    missing: dict[str, str] = {}
    if models.imported:
        return found | {"kind": "imported"}, missing
    found |= {"base": models.base.path} | _text("base_sha256", hashes.get("base"))
    if variant in models.adapters:
        ref = models.adapters[variant]
        expected = (hashes.get("adapters") or {}).get(variant)
        found |= {"kind": "adapter", "path": ref.path, "scale": ref.scale} | _text("adapter_sha256", expected)
        facts = _adapter(run, ref, expected)
        if isinstance(facts, str):
            missing["adapter settings"] = facts
        else:
            found = _settings(facts) | found
    elif variant in models.served:
        told = (environment.get("served") or {}).get(variant) or {}
        found |= {
            "kind": "served",
            "model": models.served[variant].model,
            "url": models.servers[models.served[variant].server].url,
        }
        found |= _text("server_fingerprint", told.get("fingerprint"))
    elif variant in models.checkpoints:
        expected = (hashes.get("checkpoints") or {}).get(variant)
        found |= {"kind": "checkpoint", "path": models.checkpoints[variant].path} | _text("checkpoint_sha256", expected)
    else:
        found["kind"] = "mixture" if variant in models.mixtures else "baseline"
    return found, missing


def _asked(run: Run, environment: Mapping[str, Any], hashes: Mapping[str, Any]) -> dict[str, Plain]:
    settings, found = run.spec.settings, {}
    if not run.spec.models.imported:
        found = {
            "temperature": settings.temperature,
            "max_new_tokens": settings.max_new_tokens,
            "decoding_seed": settings.seed,
        }
        found |= _text("device", environment.get("device")) | _text("dtype", environment.get("dtype"))
    for name, dataset in run.spec.datasets.items():
        found[f"dataset.{name}"] = dataset.path
        found |= _text(f"dataset.{name}.sha256", (hashes.get("datasets") or {}).get(name))
    return found


def _text(name: str, value: Any) -> dict[str, Plain]:
    return {} if value is None else {name: str(value)}


def _settings(facts: AdapterFacts) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    for setting in facts.settings:
        value = setting.value
        found[setting.name] = value if isinstance(value, str | int | float) else value_text(value)
    found |= {"parameters": facts.parameters, "adapter_bytes": facts.n_bytes}
    if facts.training_seconds is not None:
        found["training_seconds"] = facts.training_seconds
    return found


def _adapter(run: Run, ref: AdapterRef, expected: str | None) -> AdapterFacts | str:
    """Return what the adapter's files say, or why nothing is read from them."""
    if (place := workspace_of(run)) is None:
        return "the run lies in no workspace, so that its adapters are not at hand"
    try:
        folder = load_workspace(place).model_location(ref)
        if not isinstance(folder, Path) or not folder.is_dir():
            return f"there is no folder {ref.path} in the workspace"
        facts = read_adapter(folder)
        changed = expected is not None and facts.tensor_hash != expected
    except InputError as error:
        return str(error)
    return f"{ref.path} has changed since the run" if changed else facts
