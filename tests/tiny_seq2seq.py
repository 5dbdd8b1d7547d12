"""Tiny random T5 and BART models with the byte-level tokenizer of `tests.tiny`, and LoRA adapters of them."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, processors
from transformers import (
    AutoModelForSeq2SeqLM,
    BartConfig,
    BartForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from tests.tiny import make_tokenizer

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"


def _tokenizer(folder: Path, around: str) -> tuple[int, dict[str, int]]:
    size = make_tokenizer(folder)
    (folder / "chat_template.jinja").unlink()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = {name: tokenizer.token_to_id(name) for name in (PAD, START, END)}
    used = [(name, number) for name, number in ids.items() if name in around]
    tokenizer.post_processor = processors.TemplateProcessing(single=around, special_tokens=used)
    tokenizer.save(str(folder / "tokenizer.json"))
    return size, ids


def make_t5(folder: Path) -> Path:
    """Write a random T5 of two layers a side; its texts end with the end token."""
    size, ids = _tokenizer(folder, f"$A {END}")
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=size, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, initializer_factor=1.5,
        pad_token_id=ids[PAD], eos_token_id=ids[END], decoder_start_token_id=ids[PAD],
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def make_bart(folder: Path) -> Path:
    """Write a random BART of two layers a side; its texts stand between the start and the end token."""
    size, ids = _tokenizer(folder, f"{START} $A {END}")
    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=size, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=64,
        decoder_attention_heads=4, decoder_ffn_dim=64, max_position_embeddings=128, init_std=0.3, pad_token_id=ids[PAD],
        bos_token_id=ids[START], eos_token_id=ids[END], decoder_start_token_id=ids[END], forced_eos_token_id=None,
        forced_bos_token_id=ids[START],
    )  # fmt: skip
    BartForConditionalGeneration(config).save_pretrained(folder)
    return folder


def make_seq2seq_adapter(base: Path, folder: Path, targets: tuple[str, ...]) -> Path:
    """Write a LoRA adapter with random factors."""
    torch.manual_seed(1)
    model = AutoModelForSeq2SeqLM.from_pretrained(base)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=list(targets), task_type="SEQ_2_SEQ_LM")
    adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    return folder
