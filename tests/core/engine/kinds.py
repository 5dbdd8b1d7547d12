"""Tiny adapters of every kind that PEFT knows and the engine takes, with weights drawn so that each does something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import torch
from peft import PeftConfig, get_peft_model
from transformers import AutoModelForCausalLM

_QV = ["q_proj", "v_proj"]


def _lora(**settings: Any) -> Callable[[], PeftConfig]:
    return lambda: peft.LoraConfig(**{"r": 4, "lora_alpha": 6, "target_modules": _QV} | settings)


def _kind(name: str, **settings: Any) -> Callable[[], PeftConfig]:
    return lambda: getattr(peft, name)(**settings)


def _prompt(name: str, **settings: Any) -> Callable[[], PeftConfig]:
    return _kind(name, num_virtual_tokens=3, task_type="CAUSAL_LM", **settings)


LORA_VARIANTS: dict[str, Callable[[], PeftConfig]] = {
    "dora": _lora(use_dora=True),
    "rslora": _lora(use_rslora=True),
    "lora_bias": _lora(lora_bias=True),
    "bias": _lora(bias="all"),
    "patterns": _lora(alpha_pattern={"v_proj": 3}, rank_pattern={"q_proj": 2}),
    "excluded": _lora(target_modules="all-linear", exclude_modules=["down_proj"]),
    "parameters": _lora(target_modules=[], target_parameters=["mlp.down_proj.weight"]),
    "pissa": _lora(init_lora_weights="pissa"),
    "replicated": _lora(layer_replication=[[0, 2], [0, 2]]),
    "saved_norm": _lora(modules_to_save=["input_layernorm"]),
}
EMBEDDING_VARIANTS: dict[str, Callable[[], PeftConfig]] = {
    "saved_head": _lora(modules_to_save=["lm_head"]),
    "saved_embeddings": _lora(modules_to_save=["embed_tokens"]),
    "saved_both": _lora(modules_to_save=["embed_tokens", "lm_head"]),
    "lora_embeddings": _lora(target_modules=["embed_tokens", "q_proj"]),
    "lora_head": _lora(target_modules=["lm_head", "q_proj"]),
    "token_rows": _lora(trainable_token_indices=[40, 41]),
}
OTHER_KINDS: dict[str, Callable[[], PeftConfig]] = {
    "adalora": _kind("AdaLoraConfig", target_modules=_QV, init_r=4, target_r=2, total_step=10),
    "adamss": _kind("AdamssConfig", target_modules=_QV, r=4),
    "adaption_prompt": _kind("AdaptionPromptConfig", adapter_len=3, adapter_layers=1, task_type="CAUSAL_LM"),
    "beft": _kind("BeftConfig", target_modules=_QV),
    "boft": _kind("BOFTConfig", target_modules=["q_proj"], boft_block_size=4),
    "c3a": _kind("C3AConfig", target_modules=["q_proj"], block_size=8),
    "deft": _kind("DeftConfig", target_modules=_QV),
    "delora": _kind("DeloraConfig", target_modules=_QV, r=4),
    "fourierft": _kind("FourierFTConfig", target_modules=_QV, n_frequency=20),
    "frod": _kind("FrodConfig", target_modules=_QV, progressbar=False),
    "glora": _kind("GloraConfig", target_modules=_QV, r=4),
    "gralora": _kind("GraloraConfig", target_modules=_QV, r=4),
    "hira": _kind("HiraConfig", target_modules=_QV, r=4),
    "hra": _kind("HRAConfig", target_modules=["q_proj"], r=4),
    "ia3": _kind("IA3Config", target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "ln_tuning": _kind("LNTuningConfig", target_modules=["input_layernorm", "post_attention_layernorm", "norm"]),
    "loha": _kind("LoHaConfig", target_modules=_QV, r=4),
    "lokr": _kind("LoKrConfig", target_modules=_QV, r=4),
    "miss": _kind("MissConfig", target_modules=_QV, r=4),
    "oft": _kind("OFTConfig", target_modules=["q_proj"], oft_block_size=8),
    "osf": _kind("OSFConfig", target_modules=_QV),
    "peanut": _kind("PeanutConfig", target_modules=_QV, r=4),
    "psoft": _kind("PsoftConfig", target_modules=_QV, r=4),
    "pvera": _kind("PveraConfig", target_modules=_QV, r=4),
    "randlora": _kind("RandLoraConfig", target_modules=_QV, r=4),
    "road": _kind("RoadConfig", target_modules=["q_proj"], group_size=8),
    "shira": _kind("ShiraConfig", target_modules=_QV, r=4),
    "supertuning": _kind("SupertuningConfig", target_modules=_QV),
    "tinylora": _kind("TinyLoraConfig", target_modules=_QV),
    "trainable_tokens": _kind("TrainableTokensConfig", token_indices=[40, 41, 42]),
    "unilora": _kind("UniLoraConfig", target_modules=_QV, r=4),
    "vblora": _kind("VBLoRAConfig", target_modules=_QV, r=4, vector_length=8, num_vectors=16),
    "vera": _kind("VeraConfig", target_modules=["q_proj"], r=4),
    "waveft": _kind("WaveFTConfig", target_modules=_QV, n_frequency=20),
}
PROMPT_KINDS: dict[str, Callable[[], PeftConfig]] = {
    "prompt_tuning": _prompt("PromptTuningConfig"),
    "p_tuning": _prompt("PromptEncoderConfig", encoder_hidden_size=16),
    "prefix_tuning": _prompt("PrefixTuningConfig"),
    "prefix_projection": _prompt("PrefixTuningConfig", prefix_projection=True, encoder_hidden_size=16),
    "cartridge": _prompt("CartridgeConfig"),
    "cpt": _kind(
        "CPTConfig", cpt_token_ids=[1, 2, 3], cpt_mask=[1, 1, 1], cpt_tokens_type_mask=[1, 2, 4], task_type="CAUSAL_LM"
    ),
}
ALL_KINDS = LORA_VARIANTS | EMBEDDING_VARIANTS | OTHER_KINDS | PROMPT_KINDS


def make_kind(
    base: Path, folder: Path, config: PeftConfig, *, seed: int = 1, strength: float = 0.2, rows: int | None = None
) -> Path:
    """Write an adapter of any kind whose trained weights are drawn around their start; ``rows`` resizes the vocabulary."""
    torch.manual_seed(seed)
    plain: Any = AutoModelForCausalLM.from_pretrained(base)
    if rows is not None:
        plain.resize_token_embeddings(rows, mean_resizing=False)
    adapted: Any = get_peft_model(plain, config)
    for parameter in adapted.parameters():
        if parameter.requires_grad and parameter.is_floating_point():
            parameter.data += torch.randn_like(parameter) * strength
    adapted.eval().save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    return folder
