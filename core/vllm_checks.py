"""What can be said before a run begins of a run whose models vLLM computes (``settings.engine: vllm``); imports no vLLM."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.adapters import read_adapter
from core.adapters.vllm_kinds import why_not_in_vllm
from core.cluster import ClusterChoice
from core.errors import InputError
from core.records import BASELINE
from core.spec import ModelSet, Settings
from core.workspace import Workspace

DEVICES = ("auto", "cuda", "cpu")
_INSTEAD = "With engine: transformers it can be evaluated"
_HEAD = "ForSequenceClassification"


def settings_for(workspace: Workspace, models: ModelSet, settings: Settings) -> Settings:
    """Return the settings as the engine can follow them: with vLLM without the probe of speed and memory.

    vLLM sets memory aside before anything is asked, and answers many prompts at a time: what one variant alone needs is not seen.

    Raises:
        InputError: vLLM is to compute a model, and is not installed, or does not do what the model or the device asks for.
    """
    if settings.engine != "vllm" or BASELINE in models.served:
        return settings
    _check_vllm(workspace, models, settings)
    return settings.model_copy(update={"probe": False})


def _check_vllm(workspace: Workspace, models: ModelSet, settings: Settings) -> None:
    where = f"{workspace.path}: settings.engine: vllm"
    if find_spec("vllm") is None:
        raise InputError(
            f"{where}: the package vllm is not installed: pip install 'lorascope[vllm]', in an environment of its own, since it brings "
            "the torch and transformers that it was built with. It wants a GPU; without one use engine: transformers."
        )
    if settings.device not in DEVICES:
        raise InputError(
            f"settings.device: found {settings.device!r}; with engine: vllm expected one of {', '.join(DEVICES)}. Which GPU it takes "
            "is said by the environment variable CUDA_VISIBLE_DEVICES."
        )
    if models.quantised:
        variant, held = next(iter(models.quantised.items()))
        raise InputError(
            f"{where}: {variant!r} is held by bitsandbytes ({held}), whose arithmetic vLLM does not share. {_INSTEAD}."
        )
    base = workspace.model_location(models.base)
    if isinstance(base, Path) and _config(base).get("is_encoder_decoder"):
        raise InputError(f"{where}: the base has an encoder and a decoder, which vLLM does not run. {_INSTEAD}.")
    _check_adapters(workspace, models, where)
    for name, ref in models.checkpoints.items():
        folder = workspace.model_location(ref)
        kinds = _config(folder).get("architectures") or [] if isinstance(folder, Path) else []
        if any(str(kind).endswith(_HEAD) for kind in kinds):
            raise InputError(f"{where}: checkpoint {name!r} answers by a classification head. {_INSTEAD}.")


def _check_adapters(workspace: Workspace, models: ModelSet, where: str) -> None:
    made = next((name for name, ref in models.adapters.items() if ref.part is not None or not ref.is_whole), None)
    if apart := made or next(iter(models.mixtures), None):
        raise InputError(
            f"{where}: {apart!r} is a part or a mixture of adapters, and vLLM applies whole ones alone. {_INSTEAD}."
        )
    for name, ref in models.adapters.items():
        if ref.scale not in (0, 1):
            raise InputError(
                f"{where}: adapter {name!r}: scale: found {ref.scale:g}; vLLM applies adapters as they were trained. Leave the key out, "
                f"or set it to 0 for the baseline. {_INSTEAD}."
            )
        facts = read_adapter(workspace.adapter_folder(name))
        if facts.config.get("task_type") == "SEQ_CLS":
            raise InputError(f"{where}: adapter {name!r} answers by a classification head. {_INSTEAD}.")
        if (reason := why_not_in_vllm(facts)) is not None:
            raise InputError(f"{where}: adapter {name!r}: {reason}. {_INSTEAD}.")


def refuse_apart(settings: Settings) -> None:
    """Refuse vLLM for a run that takes adapters apart.

    Raises:
        InputError: it was asked for.
    """
    if settings.engine == "vllm":
        raise InputError(
            "settings.engine: found 'vllm', which applies whole adapters alone; an ablation takes them apart. Set it to transformers."
        )


def refuse_cluster(settings: Settings, cluster: ClusterChoice | None) -> None:
    """Refuse a Ray cluster beside vLLM.

    Raises:
        InputError: both were asked for.
    """
    if cluster is not None and settings.engine == "vllm":
        raise InputError(
            "--ray: found together with engine: vllm, which computes a run in one process. Leave --ray out, or use engine: transformers."
        )


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # `core.model_checks` says what is amiss
        return {}
    return found if isinstance(found, dict) else {}
