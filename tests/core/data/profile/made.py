"""Rows and a tokenizer of single bytes, without torch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from core.data.profile.view import RowView, view_row
from core.data.prompt import PromptRenderer

PLAIN = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKED = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['role'] == 'assistant' %}{% generation %}"
    "{{ m['content'] }}<|im_end|>{% endgeneration %}{% else %}{{ m['content'] }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
UNSTOPPED = MARKED.replace("<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>")


def renderer(folder: Path, template: str | None = PLAIN, *, bos: bool = False) -> PromptRenderer:
    """Return a renderer whose tokens are bytes, three special tokens apart; ``bos`` puts one before plain texts."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    if bos:
        number = tokenizer.token_to_id("<|endoftext|>")
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", number)]
        )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    return PromptRenderer(folder)


def chat(*texts: str, system: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a conversation whose turns alternate, the user's first."""
    turns = [{"role": ("user", "assistant")[k % 2], "content": text} for k, text in enumerate(texts)]
    before = [] if system is None else [{"role": "system", "content": system}]
    return {"messages": before + turns, **more}


def view(row: Any, line: int = 1) -> RowView:
    """Return one row as the profile reads it."""
    found = view_row(line, row)
    assert found is not None
    return found


def views(rows: Iterable[Any]) -> list[RowView]:
    """Return rows as the profile reads them, from line 1."""
    return [view(row, line) for line, row in enumerate(rows, start=1)]
