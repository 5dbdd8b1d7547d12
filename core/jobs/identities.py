"""What makes each variant of a run the model that it is: the key of everything that is kept of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from core.evidence_cache import VariantIdentity
from core.model_set import ModelSet
from core.records import BASELINE

SERVED_DEVICE_AND_DTYPE = ("server", "unknown")
"""What a run says where nothing is computed on this machine."""


def identify(models: ModelSet, environment: Mapping[str, Any], variant: str) -> VariantIdentity:
    """Return the identity of a variant of a run.

    An adapter of which nothing is on is the baseline, and a part that leaves nothing out is the adapter, under whatever name:
    they share what was computed once.

    Args:
        models: Of the run.
        environment: The content of its environment.json.
        variant: A name of ``models.variants``.
    """
    if variant in models.served:
        # No weights are at hand to be hashed: what its server says of itself stands for them.
        told = environment["served"][variant]["fingerprint"]
        return VariantIdentity(f"served/{told}", None, 1.0, *reversed(SERVED_DEVICE_AND_DTYPE))
    hashes = environment["hashes"]
    weights = hashes["checkpoints"].get(variant, hashes["base"])
    config = hashes["model_configs"].get(variant, hashes["model_configs"][BASELINE])
    if held := models.quantised.get(variant if variant in models.checkpoints else BASELINE):
        config = f"{config}/{held}"
    ref = models.adapters.get(variant)
    adapter, scale = None, 1.0
    if variant in models.mixtures:
        adapter = _mixture(models, hashes, variant)
    elif ref is not None:
        left = (environment.get("parts") or {}).get(variant)
        if ref.scale != 0 and left != "":
            adapter = _adapter(hashes, variant) if left is None else f"{_adapter(hashes, variant)}/{left}"
            scale = ref.scale
    # Another engine's arithmetic moves last bits, as another kind of device does.
    device = "/".join([environment["device"].partition(":")[0], *filter(None, [environment.get("engine")])])
    return VariantIdentity(f"{weights}/{config}", adapter, scale, environment["dtype"], device)


def _adapter(hashes: Mapping[str, Any], name: str) -> str:
    return f"{hashes['adapters'][name]}/{hashes['adapter_configs'][name]}"


def _mixture(models: ModelSet, hashes: Mapping[str, Any], name: str) -> str:
    mixture = models.mixtures[name]
    # In the order that was asked for: the order of a sum moves its last bits.
    mixed = [[_adapter(hashes, one), models.adapters[one].scale, weight] for one, weight in mixture.weights.items()]
    content = json.dumps([mixture.method, mixture.density, mixture.seed, mixed])
    return f"mixture/{hashlib.sha256(content.encode()).hexdigest()}"
