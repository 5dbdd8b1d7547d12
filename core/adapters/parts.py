"""Which part of an adapter a variant keeps, what it is called in the evidence cache, and which parts make no sense, with the reason."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.ablation_spec import AblationPart
from core.adapters.facts import AdapterFacts, split_module
from core.model_set import AdapterPart, Mixture

_SAME_RANK = ("linear", "ties", "dare_linear", "dare_ties", "magnitude_prune")
"""PEFT mixes factors one by one in these methods, so that they need to have the same shape."""
_ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)
_MLP = re.compile(r"mlp|feed_forward|ffn|experts?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Kept:
    """What is left of an adapter after its scale and part are applied."""

    amount: Literal["nothing", "some", "everything"]
    modules: tuple[str, ...]
    """The paths of the modules that stay on, sorted."""
    rank: int | None
    """Set where it cuts at least one of these modules."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of which modules stay and how they are cut: equal for parts that are asked for differently and are the same."""
        return hashlib.sha256(json.dumps([self.modules, self.rank]).encode()).hexdigest()


def keeps(part: AdapterPart, module: str) -> bool:
    """Tell whether a module of this path stays on."""
    layer = split_module(module)[0]
    is_named = part.modules is None or module.rpartition(".")[2] in part.modules
    return is_named and (part.layers is None or layer is None or layer in part.layers)


def kept(facts: AdapterFacts, scale: float, part: AdapterPart | None) -> Kept:
    """Return what is left of an adapter: at scale 0 nothing, whatever the part."""
    part = part or AdapterPart()
    modules = tuple(sorted(module for module in facts.pairs if keeps(part, module)))
    if scale == 0 or (facts.pairs and not modules):
        return Kept("nothing", (), None)
    rank = part.rank if any(_rank(facts, module) > (part.rank or _rank(facts, module)) for module in modules) else None
    is_whole = rank is None and len(modules) == len(facts.pairs)
    return Kept("everything" if is_whole else "some", modules, rank)


def _rank(facts: AdapterFacts, module: str) -> int:
    return facts.pairs[module]["A"].shape[0]


def kept_size(facts: AdapterFacts, left: Kept) -> tuple[int, int]:
    """Return how many numbers of an adapter's factors are on, and their bytes."""
    numbers = n_bytes = 0
    for module in left.modules:
        rank = _rank(facts, module)
        share = min(left.rank or rank, rank)
        for info in facts.pairs[module].values():
            numbers += info.n_values * share // rank
            n_bytes += info.n_bytes * share // rank
    return numbers, n_bytes


def module_groups(facts: AdapterFacts) -> dict[str, tuple[str, ...]]:
    """Return the adapter's modules of attention and of the feed-forward part: ``{"attention": ("q_proj", ...), "MLP": (...)}``."""
    found: dict[str, set[str]] = {"attention": set(), "MLP": set()}
    for module in facts.pairs:
        for name, pattern in (("attention", _ATTENTION), ("MLP", _MLP)):
            if pattern.search(module):
                found[name].add(module.rpartition(".")[2])
    return {
        name: tuple(one for one in facts.module_names if one in members) for name, members in found.items() if members
    }


def why_no_parts(facts: AdapterFacts) -> str | None:
    """Return why an adapter cannot be taken apart at all, as the end of a sentence; None where it can."""
    if not facts.is_lora:
        return f"it is of type {facts.peft_type}; only the update of LoRA is a sum of parts that can be switched off one by one"
    whole = {
        "modules_to_save": "trains whole copies of layers", "trainable_token_indices": "trains single embeddings",
        "target_parameters": "targets parameters and not layers", "alora_invocation_tokens": "is switched on by tokens in the prompt",
        "layer_replication": "replicates layers of the base",
    }  # fmt: skip
    for key, what in whole.items():
        if facts.config.get(key):
            return f"it {what} ({key}), which would stay on whatever is left out"
    if facts.config.get("bias", "none") != "none":
        return f"it trains biases of the base (bias: {facts.config['bias']}), which would stay on whatever is left out"
    return None


def why_not(facts: AdapterFacts, part: AblationPart) -> str | None:
    """Return why one kind of part makes no sense for an adapter, as the end of a sentence; None where it does."""
    if part == "prompt":
        return None
    if (reason := why_no_parts(facts)) is not None:
        return reason
    if facts.config.get("use_dora") and part in ("strength", "rank", "mixing"):
        return "it is a DoRA adapter: its magnitudes are not part of the low-rank update, and have neither strength nor rank"
    if part == "modules" and len(facts.module_names) < 2:
        return f"it changes one kind of module ({', '.join(facts.module_names)}): leaving it out is the baseline"
    if part == "depth" and len(facts.layers) < 2:
        return (
            f"it changes {len(facts.layers)} layer{'' if len(facts.layers) == 1 else 's'}: there is no depth to compare"
        )
    if part == "rank":
        return _why_no_rank(facts)
    if part == "mixing" and facts.config.get("lora_bias"):
        return "its factors have biases (lora_bias), which PEFT's mixing leaves out"
    return None


def _why_no_rank(facts: AdapterFacts) -> str | None:
    if facts.embeddings or any(len(pair["A"].shape) != 2 for pair in facts.pairs.values()):
        return "it changes embeddings or convolutions, whose factors cannot be cut to a rank here"
    if facts.ranks and facts.ranks[-1] < 2:
        return "its rank is 1: there is no smaller one"
    return None


def why_no_mixture(facts: Mapping[str, AdapterFacts], mixture: Mixture) -> str | None:
    """Return why adapters cannot be mixed, as a sentence; None where they can. ``facts`` has those of the mixture."""
    for name in mixture.weights:
        if (reason := why_not(facts[name], "mixing")) is not None:
            return f"{name!r} cannot be mixed: {reason}."
    ranks = {name: facts[name].ranks for name in mixture.weights}
    if mixture.method in _SAME_RANK and len(set(ranks.values())) > 1:
        listed = ", ".join(f"{name} {'/'.join(map(str, found))}" for name, found in ranks.items())
        return f"{mixture.method!r} mixes adapters of one rank; found {listed}. Use cat or svd."
    return None


def windows(layers: Iterable[int], count: int) -> tuple[tuple[int, ...], ...]:
    """Return layers in up to ``count`` windows of neighbours, as even as can be, in order."""
    ordered = sorted(layers)
    count = min(count, len(ordered))
    edges = [round(k * len(ordered) / count) for k in range(count + 1)]
    return tuple(tuple(ordered[low:high]) for low, high in zip(edges, edges[1:], strict=False))
