"""Which kinds of adapters can be evaluated exactly, beside others on the same base; of the rest why not, before torch is loaded.

What is listed was compared with PEFT itself, unbatched in float32 (tests/core/engine/test_kinds.py).
"""

from __future__ import annotations

from core.adapters.facts import AdapterFacts

LORA = "LORA"
PREFIX_KINDS = frozenset({"PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "CPT", "CARTRIDGE"})
"""Kinds that put virtual tokens before every prompt and change no layer."""
LAYER_KINDS = frozenset(
    {
        LORA, "ADALORA", "ADAMSS", "ADAPTION_PROMPT", "BEFT", "BOFT", "C3A", "DEFT", "DELORA", "FOURIERFT", "FROD", "GLORA",
        "GRALORA", "HIRA", "HRA", "IA3", "LN_TUNING", "LOHA", "LOKR", "MISS", "OFT", "OSF", "PEANUT", "PSOFT", "PVERA",
        "RANDLORA", "ROAD", "SHIRA", "SUPERTUNING", "TINYLORA", "TRAINABLE_TOKENS", "UNILORA", "VBLORA", "VERA", "WAVEFT",
    }
)  # fmt: skip
"""Kinds that change layers of the base."""
_REFUSED = {
    "LILY": "it routes by the mean over all tokens of a batch, so a token's score depends on what follows it and stands beside it",
    "POLY": "it mixes skills by the number of a task, which a prompt does not have",
    "MULTITASK_PROMPT_TUNING": "its virtual tokens depend on the number of a task, which a prompt does not have",
    "XLORA": "it mixes other adapters by a first pass over each prompt, so its scores depend on how prompts are batched",
    "SHADOW": "it runs a second model beside the base, whose state cannot be kept from one token to the next",
}
_REFUSED_SETTINGS = {
    "alora_invocation_tokens": "it is switched on by tokens in the prompt (alora_invocation_tokens), so its scores depend on where "
    "they stand in a batch",
    "loftq_config": "it quantises the base when it is loaded (loftq_config)",
    "arrow_config": "it routes between other adapters (arrow_config)",
}
_WHOLE = ("modules_to_save", "trainable_token_indices", "target_parameters", "layer_replication")
"""Settings under which a LoRA adapter is more than the update of layers."""
_BASE_CHANGING = ("pissa", "olora", "corda", "lora_ga", "loftq", "eva_residual")
"""Of init_lora_weights: what takes a part out of the base's weights when the adapter is attached."""


def kind_of(facts: AdapterFacts) -> str:
    """Return the adapter's PEFT type in capitals."""
    return facts.peft_type.upper()


def why_not_evaluated(facts: AdapterFacts) -> str | None:
    """Return why an adapter of this kind cannot be evaluated, as the end of a sentence; None where it can."""
    kind = kind_of(facts)
    if kind in _REFUSED:
        return _REFUSED[kind]
    if kind not in LAYER_KINDS | PREFIX_KINDS:
        return "this kind was never compared with PEFT's own results here"
    if kind == LORA and not facts.pairs and not facts.config.get("trainable_token_indices"):
        return "its file has no lora_A and lora_B tensors"
    return next((reason for key, reason in _REFUSED_SETTINGS.items() if facts.config.get(key)), None)


def why_not_on(facts: AdapterFacts, quantisation: str | None) -> str | None:
    """Return why an adapter cannot be evaluated on a base held in fewer bits, as the end of a sentence; None where it can."""
    if quantisation is None:
        return None
    if facts.config.get("task_type") == "SEQ_CLS":
        return "a classification head is evaluated on a base in its own precision alone"
    if quantisation == "int8" and (not shares_layers(facts) or facts.config.get("use_dora")):
        return "on a base in 8 bits plain LoRA alone is evaluated, without DoRA, biases or whole layers; nf4 takes more kinds"
    return None


def why_no_scale(facts: AdapterFacts) -> str | None:
    """Return why an adapter has no strength that a factor could change, as the end of a sentence; None where it has one."""
    if kind_of(facts) != LORA:
        return f"a factor on its scale has a meaning for LoRA alone; this adapter is of type {facts.peft_type}"
    whole = next((key for key in ("modules_to_save", "trainable_token_indices") if facts.config.get(key)), None)
    if whole is not None:
        return f"it ships whole weights ({whole}), which have no scale"
    if facts.config.get("bias", "none") != "none":
        return f"it ships biases (bias: {facts.config['bias']}), which have no scale"
    return None


def shares_layers(facts: AdapterFacts) -> bool:
    """Tell whether an adapter may hang in the same layers as others: plain LoRA, which changes nothing else of the base."""
    config = facts.config
    return (
        kind_of(facts) == LORA
        and config.get("bias", "none") == "none"
        and not config.get("use_dora")  # it reads the base's weights, which plain LoRA does not
        and not any(config.get(key) for key in _WHOLE)
        and not changes_base(facts)
        and all(".lora_" in name for name in facts.tensors)
    )


def changes_base(facts: AdapterFacts) -> bool:
    """Tell whether attaching it takes a part out of the weights that it adapts (PiSSA and its kind)."""
    return kind_of(facts) == LORA and str(facts.config.get("init_lora_weights")).lower().startswith(_BASE_CHANGING)
