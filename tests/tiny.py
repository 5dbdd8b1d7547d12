"""A tiny random Llama with a byte-level tokenizer and adapters of it: real components, small enough for unit tests."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def make_tokenizer(folder: Path) -> int:
    """Write a tokenizer of single bytes and three special tokens; return the size of its vocabulary."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    return tokenizer.get_vocab_size()


def make_base(folder: Path, *, seed: int = 0, hidden: int = 32, context: int = 2048) -> Path:
    """Write a random Llama of two layers."""
    size = make_tokenizer(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=size, hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=context, bos_token_id=size - 2, eos_token_id=size - 1,
        pad_token_id=size - 1, tie_word_embeddings=True, initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def make_adapter(base: Path, folder: Path, *, seed: int = 1, rank: int = 4, zero: bool = False) -> Path:
    """Write a LoRA adapter with random factors; ``zero`` leaves B at zero, as an adapter that was never trained."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM.from_pretrained(base)
    adapted = get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=["q_proj", "v_proj"]))
    if not zero:
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    return folder


def make_workspace(folder: Path, *, n: int = 12, adapters: int = 2) -> Path:
    """Write a workspace over a tiny base: every kind of task on ``n`` short examples."""
    base = make_base(folder / "base")
    for number in range(adapters):
        make_adapter(base, folder / "adapters" / f"lora-{number}", seed=number + 1)
    words = ["red", "blue", "green"]
    rows = [
        {
            "id": f"e{k:02d}", "text": f"number {k} " + "la " * (k % 5), "colour": words[k % 3], "level": k % 4,
            "marks": [words[k % 3]] if k % 2 else [], "docs": ["one", "two words", f"three {k}"], "grades": [0, 2, 1],
            "reply": f"reply {k}", "language": "zh" if k % 4 == 3 else "en",
        }
        for k in range(n)
    ]  # fmt: skip
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    listed = "\n".join(f"    lora-{k}: {{path: adapters/lora-{k}}}" for k in range(adapters))
    (folder / "workspace.yaml").write_text(
        f"""models:
  base: {{path: base}}
  adapters:
{listed if adapters else "    {}"}
datasets:
  data: {{path: data.jsonl, language: language, tags: [colour]}}
tasks:
  colour: {{dataset: data, kind: classification, prompt: "{{text}} colour?", options: [red, blue, green], reference: colour,
            metrics: [accuracy, f1_macro]}}
  level: {{dataset: data, kind: regression, prompt: "{{text}} level?", options: [0, 1, 2, 3], reference: level}}
  marks: {{dataset: data, kind: multilabel, prompt: "{{text}} is it {{option}}?", options: [red, blue, green], reference: marks}}
  docs: {{dataset: data, kind: ranking, prompt: "{{text}} which?", options: "{{docs}}", reference: grades}}
  reply: {{dataset: data, kind: generation, prompt: "{{text}} reply!", reference: reply, metrics: [bleu, chrf, perplexity]}}
  plain: {{dataset: data, kind: likelihood, template: none, reference: reply, metrics: [perplexity]}}
settings: {{max_new_tokens: 8, seed: 0, dtype: float32, device: cpu, batch_tokens: 256, probe: false}}
"""
    )
    return folder
