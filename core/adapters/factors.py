"""The low-rank factors of an adapter's changes, ready to be computed with: scale and rank of each module, A and B as matrices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import regex

from core.adapters.facts import AdapterFacts, scale_of
from core.errors import InputError
from core.weights import TensorInfo

OTHER_FORMULAS = ("use_qalora", "use_bdlora", "kasa_config", "monteclora_config", "arrow_config")
"""Settings of PEFT 0.21 under which the change is not scale x B A."""
_BASE_CHANGING = ("pissa", "olora", "corda", "lora_ga", "loftq", "eva_residual")
_PATTERN_SECONDS = 1.0


@dataclass(frozen=True)
class Factors:
    """One module's change: scale x b @ a."""

    module: str
    a: np.ndarray
    """rank x inputs, float64."""
    b: np.ndarray
    """outputs x rank, float64."""
    scale: float
    magnitude: np.ndarray | None = None
    """DoRA's length of each row of the weight (outputs); None without."""

    @property
    def rank(self) -> int:
        """Columns of b."""
        return self.b.shape[1]


def module_factors(facts: AdapterFacts) -> Iterator[Factors]:
    """Yield the factors of each module, in the file's order of names; an embedding's as if it were a linear layer (out x in).

    Raises:
        InputError: not LoRA, a variant whose change is another formula, a factor without its partner, a pattern that is none.
    """
    if not facts.is_lora:
        raise InputError(
            f"{facts.folder}: found peft_type {facts.peft_type}; what an adapter changes is measured for LoRA, whose change is a "
            "product of two factors."
        )
    if other := [name for name in OTHER_FORMULAS if facts.config.get(name)]:
        raise InputError(
            f"{facts.folder}: trained with {other[0]}, under which the change is not alpha / r times B A; it is not measured."
        )
    for module, sides in sorted(facts.pairs.items()):
        if "A" not in sides or "B" not in sides:
            there = "A" if "A" in sides else "B"
            raise InputError(f"{facts.folder}: {module} has lora_{there} without its partner. Save the adapter again.")
        a, b = _matrix(sides["A"]), _matrix(sides["B"])
        if a.shape[0] != b.shape[1]:
            raise InputError(
                f"{facts.folder}: {module}: lora_A {list(a.shape)} and lora_B {list(b.shape)} do not multiply."
            )
        yield Factors(module, a, b, module_scale(facts, module, a.shape[0]), _magnitude(facts, module))


def module_scale(facts: AdapterFacts, module: str, rank: int) -> float:
    """Return what multiplies B A in a module: alpha / r, each possibly the module's own (``alpha_pattern``, true rank).

    Raises:
        InputError: adapter_config.json has no lora_alpha.
    """
    alpha = _patterned(facts.config.get("alpha_pattern"), module, facts.alpha)
    scale = scale_of(rank, alpha, bool(facts.config.get("use_rslora")))
    if scale is None:
        raise InputError(
            f"{facts.folder}: adapter_config.json has no lora_alpha, so the strength of the change is not known."
        )
    return scale


def remarks(facts: AdapterFacts) -> tuple[str, ...]:
    """Return what of an adapter its factors do not show, each a sentence."""
    told = []
    init = str(facts.config.get("init_lora_weights")).lower()
    if init.startswith(_BASE_CHANGING):
        told.append(
            f"Trained with init_lora_weights {init!r}, which takes a part out of the base first: unless it was converted when it was "
            "saved, the change shown is against what was left of the base."
        )
    if facts.config.get("lora_bias") or facts.config.get("bias", "none") != "none":
        told.append("It changes biases too, which are not part of these numbers.")
    whole = [name for name in facts.tensors if ".lora_" not in name]
    if whole:
        told.append(
            f"It ships {len(whole)} whole tensor{'' if len(whole) == 1 else 's'}, whose change is not part of these numbers."
        )
    if facts.config.get("alora_invocation_tokens"):
        told.append("It works only after its invocation tokens (aLoRA): before them the base is unchanged.")
    return tuple(told)


def _patterned(pattern: Any, module: str, default: float | None) -> float | None:
    """Return the value of the first key that fits the end of a module's path, as PEFT matches them."""
    for key, value in pattern.items() if isinstance(pattern, Mapping) else ():
        try:
            fits = regex.match(rf"(.*\.)?({key})$", module, timeout=_PATTERN_SECONDS)
        except (regex.error, TimeoutError) as error:
            raise InputError(
                f"adapter_config.json: alpha_pattern: {str(key)[:80]!r} is no pattern ({error})."
            ) from None
        if fits and isinstance(value, int | float):
            return float(value)
    return default


def _matrix(info: TensorInfo) -> np.ndarray:
    """Return a factor as a matrix; of a convolution the kernel's places count as inputs."""
    values = info.array().astype(np.float64)
    return values.reshape(values.shape[0], -1)


def _magnitude(facts: AdapterFacts, module: str) -> np.ndarray | None:
    if not facts.config.get("use_dora"):
        return None
    for name, info in facts.tensors.items():
        if f"{module}.lora_magnitude_vector" in name:
            return info.array().astype(np.float64).ravel()
    raise InputError(f"{facts.folder}: {module} has no lora_magnitude_vector, although use_dora is set. Save it again.")
