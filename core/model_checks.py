"""What can be checked of a run's models before it begins, without torch and without asking any server."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from core.adapters import check_against_base, read_adapter
from core.adapters.kinds import why_no_scale, why_not_on
from core.adapters.parts import why_no_parts
from core.adapters.vocabulary import tokenizer_change
from core.errors import InputError
from core.records import BASELINE
from core.spec import ModelSet
from core.workspace import Workspace


def check_models(workspace: Workspace, models: ModelSet) -> None:
    """Check base, adapters and checkpoints as far as files tell.

    Raises:
        InputError: one is missing, cannot be trusted, was made for another base, or does nothing.
    """
    base = workspace.model_location(models.base)
    check_served(workspace, models)
    if isinstance(base, Path) and BASELINE not in models.served:
        _check_model_folder(base, f"{workspace.path}: models.base.path", models.base.path)
    for name, ref in models.checkpoints.items():
        location = workspace.model_location(ref)
        if isinstance(location, Path):
            _check_model_folder(location, f"{workspace.path}: models.checkpoints.{name}.path", ref.path)
            if isinstance(base, Path):
                _check_tokenizer(location, base, f"{workspace.path}: models.checkpoints.{name}.path")
    if models.quantised and find_spec("bitsandbytes") is None:
        variant, held = next(iter(models.quantised.items()))
        key = "models.base" if variant == BASELINE else f"models.checkpoints.{variant}"
        raise InputError(
            f"{workspace.path}: {key}.quantisation: {held} needs the package bitsandbytes, which is not installed: "
            "pip install 'lorascope[quantised]'."
        )
    for name, ref in models.adapters.items():
        if not ref.is_whole:
            continue
        facts = read_adapter(workspace.adapter_folder(name))
        if ref.part is not None and (reason := why_no_parts(facts)) is not None:
            raise InputError(
                f"adapter {name!r}: no part of it can be switched off: {reason}. Leave the key `part` out."
            )
        if ref.scale not in (0, 1) and (reason := why_no_scale(facts)) is not None:
            raise InputError(
                f"adapter {name!r}: scale: found {ref.scale:g}; {reason}. Leave the key `scale` out, or set it to 0 for the baseline."
            )
        if (reason := why_not_on(facts, models.base.quantisation)) is not None:
            raise InputError(f"adapter {name!r}: {reason} (models.base.quantisation: {models.base.quantisation}).")
        if isinstance(base, Path):
            faults = [finding for finding in check_against_base(facts, base) if finding.level == "error"]
            if faults:
                raise InputError(f"adapter {name!r}: {faults[0].sentence}")


def _check_model_folder(folder: Path, where: str, written: str) -> None:
    if (folder / "config.json").is_file():
        return
    if written.startswith("cache:"):
        raise InputError(
            f"{where}: the sample's base model is not in the cache yet. Fetch it once with: lorascope demo --fetch-only"
        )
    if not folder.is_dir():
        raise InputError(
            f"{where}: found no folder {folder}; expected a model's folder (config.json, *.safetensors) or a Hub id."
        )
    raise InputError(f"{where}: {folder} has no config.json; expected a model's folder as transformers saves it.")


def _check_tokenizer(folder: Path, base: Path, where: str) -> None:
    change = tokenizer_change(folder, base)
    if change is not None and change.clash is not None:
        raise InputError(
            f"{where}: {folder} was trained with another tokenizer than the base's: {change.clash}. All variants are asked by the tokens "
            "of the base's tokenizer, which mean other texts to this one. Compare it in a run of its own."
        )


def check_served(workspace: Workspace, models: ModelSet) -> None:
    """Check that the keys of the servers are set, and that who is asked in tokens has a tokenizer.

    Raises:
        InputError: a key is not set, or there is no tokenizer.
    """
    local = [*models.adapters, *models.mixtures, *models.checkpoints]
    if BASELINE in models.served and local:
        raise InputError(
            f"{workspace.path}: models.served.baseline: the base is served, and {local[0]!r} is a folder on this disk, which needs the "
            "base's weights beside it. Name it under `served` too, or leave the served baseline out."
        )
    for variant, ref in models.served.items():
        server, where = models.servers[ref.server], f"{workspace.path}: models.servers.{ref.server}"
        if server.key is not None and not os.environ.get(server.key, "").strip():
            raise InputError(
                f"{where}.key: the environment variable {server.key} is not set, and {variant!r} answers from there. Set it where "
                "lorascope is started; the key itself belongs in no file."
            )
        base = workspace.model_location(models.base)
        if server.api == "completions" and not (isinstance(base, Path) and (base / "tokenizer.json").is_file()):
            raise InputError(
                f"{where}.api: with 'completions' {variant!r} is asked in tokens, and {workspace.resolve(models.base.path)} holds no "
                "tokenizer.json to cut them with. Put the base's tokenizer there (its weights are not needed), or use api: chat."
            )
