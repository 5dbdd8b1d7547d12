"""The tiny Llama and its adapters as GGUF files, so that llama.cpp's own server can hold them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType
from safetensors.numpy import load_file

from tests.tiny import CHAT_TEMPLATE, SPECIAL

_NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
_OUTSIDE = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}


def write_base(folder: Path, path: Path) -> Path:
    """Write the model in ``folder`` (as `tests.tiny.make_base` makes it) to a GGUF file."""
    config = json.loads((folder / "config.json").read_text())
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_vocab_size(config["vocab_size"])
    _add_tokenizer(writer, folder)
    for name, weight in load_file(folder / "model.safetensors").items():
        writer.add_tensor(_gguf_name(name), _ordered(name, weight, config))
    return _written(writer, path)


def write_adapter(base: Path, folder: Path, path: Path) -> Path:
    """Write a LoRA adapter of the tiny model to a GGUF file, as llama.cpp's converter does."""
    config = json.loads((base / "config.json").read_text())
    lora = json.loads((folder / "adapter_config.json").read_text())
    writer = GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(lora["lora_alpha"]))
    for name, weight in load_file(folder / "adapter_model.safetensors").items():
        inner = name.removeprefix("base_model.model.")
        module, _, side = inner.removesuffix(".weight").rpartition(".lora_")
        weight = _ordered(f"{module}.weight", weight, config) if side == "B" else weight
        writer.add_tensor(f"{_gguf_name(f'{module}.weight')}.lora_{side.lower()}", weight)
    return _written(writer, path)


def _gguf_name(name: str) -> str:
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    _, _, layer, module = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{_NAMES[module]}.weight"


def _ordered(name: str, weight: np.ndarray, config: dict) -> np.ndarray:
    """Return a weight with the rows of queries and keys in the order of llama.cpp's rotary embedding."""
    weight = np.ascontiguousarray(weight, dtype=np.float32)
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    for module, key in heads.items():
        if f".{module}." in name:
            n, rows = config[key], weight.shape[0]
            halves = weight.reshape(n, 2, rows // n // 2, *weight.shape[1:])
            return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))
    return weight


def _add_tokenizer(writer: GGUFWriter, folder: Path) -> None:
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*tokens, *SPECIAL])
    writer.add_token_types([TokenType.NORMAL] * len(tokens) + [TokenType.CONTROL] * len(SPECIAL))
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_bos_token_id(len(tokens) + 1)
    writer.add_eos_token_id(len(tokens) + 2)
    writer.add_pad_token_id(len(tokens) + 2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _written(writer: GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
