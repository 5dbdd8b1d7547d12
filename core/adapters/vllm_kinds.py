"""Which adapters vLLM applies as PEFT does; of the rest why not, before anything is loaded.

vLLM takes plain LoRA. What an adapter ships beside its low-rank factors it refuses or, as with whole embeddings, leaves out
without a word (vLLM 0.32, lora/peft_helper.py and lora/lora_model.py).
"""

from __future__ import annotations

from core.adapters.facts import AdapterFacts
from core.adapters.kinds import LORA, changes_base, kind_of, shares_layers

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""For which vLLM sets memory aside (its ``max_lora_rank``)."""
_BESIDE = {
    "use_dora": "DoRA (use_dora)",
    "lora_bias": "biases (lora_bias)",
    "modules_to_save": "whole layers (modules_to_save)",
    "trainable_token_indices": "tokens of its own (trainable_token_indices)",
    "target_parameters": "parameters outside of layers (target_parameters)",
    "layer_replication": "layers that it repeats (layer_replication)",
    "alora_invocation_tokens": "tokens that switch it on (alora_invocation_tokens)",
    "use_bdlora": "block-diagonal factors (use_bdlora)",
    "use_qalora": "quantised groups (use_qalora)",
}
_OUTER = ("lm_head", "embed_out")
"""What output layers are called."""


def why_not_in_vllm(facts: AdapterFacts) -> str | None:
    """Return why vLLM cannot answer with an adapter, as the end of a sentence; None where it can."""
    config = facts.config
    if kind_of(facts) != LORA:
        return f"vLLM applies LoRA alone; this adapter is of type {facts.peft_type}"
    for key, what in _BESIDE.items():
        if config.get(key):
            return f"vLLM applies plain LoRA alone, and this adapter has {what}"
    if config.get("bias", "none") != "none":
        return f"vLLM applies plain LoRA alone, and this adapter ships biases (bias: {config['bias']})"
    if changes_base(facts):
        return f"it changes the base's own weights (init_lora_weights: {config['init_lora_weights']}), which vLLM does not do"
    if not shares_layers(facts):
        odd = next((name for name in facts.tensors if ".lora_" not in name), "")
        return f"it ships more than low-rank factors ({odd}), which vLLM would leave out"
    outer = next((one for one in facts.pairs if one in facts.embeddings or one.rpartition(".")[2] in _OUTER), None)
    if outer is not None:
        return f"it adapts {outer}; with vLLM only adapters of the layers between embeddings and output were compared with PEFT"
    if facts.ranks and facts.ranks[-1] > RANKS[-1]:
        return f"its rank is {facts.ranks[-1]}, and vLLM goes up to {RANKS[-1]}"
    return None


def rank_for(rank: int) -> int:
    """Return the smallest rank that vLLM sets memory aside for and that holds adapters of ``rank``, at most `RANKS`' last."""
    return next((one for one in RANKS if one >= rank), RANKS[-1])
