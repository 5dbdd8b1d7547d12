"""One row as the model will see it: its tokens, whose they are, which are trained on, and where max_length cuts.

The three masks are those of TRL 1.16's SFTTrainer: every token; ``completion_only_loss=True``; ``assistant_only_loss=True``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.profile.rendered import Rendered, render_row
from core.data.profile.view import RowView
from core.data.prompt import PromptRenderer

ALL, COMPLETION, ASSISTANT = "all", "completion-only", "assistant-only"
NO_TAG = "assistant-only mask not defined by this template"
TOKENS_KEPT = 20_000
"""Of a longer row so many tokens are shown."""


@dataclass(frozen=True)
class MaskedToken:
    """One token of a rendered row."""

    id: int
    text: str
    """Its part of the text. A character cut into several tokens stands with the first; the others are empty."""
    special: bool
    role: str | None
    """Whose words it belongs to; None for the template's own."""


@dataclass(frozen=True)
class Mask:
    """Which tokens the loss counts under one option of the trainer."""

    trained: tuple[bool, ...] | None
    """One a token; None where the option has no mask for this row: ``note`` says why."""
    n_trained: int
    """Of the whole row, before the cut."""
    n_trained_after_cut: int
    note: str | None


@dataclass(frozen=True)
class RenderedExample:
    """One row, ready to be shown."""

    line: int
    tokens: tuple[MaskedToken, ...]
    n_tokens: int
    """Of the whole row; more than ``tokens`` holds for a very long one."""
    masks: Mapping[str, Mask]
    """By `ALL`, `COMPLETION`, `ASSISTANT`."""
    cut: int | None
    """Place of the first token that ``max_length`` cuts off; None where all of the row fits."""
    notes: tuple[str, ...]


def render_example(row: RowView, renderer: PromptRenderer, *, max_length: int = 1024) -> RenderedExample:
    """Return a row as training sees it.

    Args:
        row: the row.
        renderer: the model's tokenizer and chat template.
        max_length: where the trainer cuts, in tokens, at least 1.

    Raises:
        InputError: the chat template refuses the conversation.
        ValueError: ``max_length`` is below 1.
    """
    if max_length < 1:
        raise ValueError(f"max_length is at least 1; found {max_length}")
    rendered = render_row(row, renderer)
    encoding = renderer.tokenizer.encode(rendered.text, add_special_tokens=rendered.plain)
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    ids = list(encoding.ids)
    added = renderer.tokenizer.get_added_tokens_decoder()
    specials = {number for number, token in added.items() if token.special}
    tokens = _tokens(rendered, encoding, ids[:TOKENS_KEPT], offsets[:TOKENS_KEPT], specials)
    trained = {
        ALL: (np.ones(len(ids), dtype=bool), None),
        COMPLETION: _completion(row, rendered, renderer, ids),
        ASSISTANT: _assistant(row, renderer, offsets),
    }
    notes = list(rendered.notes)
    if len(ids) > TOKENS_KEPT:
        notes.append(f"The row has {len(ids):,} tokens; the first {TOKENS_KEPT:,} are shown.")
    masks = {name: _mask(bits, note, max_length) for name, (bits, note) in trained.items()}
    return RenderedExample(
        row.line, tokens, len(ids), masks, max_length if len(ids) > max_length else None, tuple(notes)
    )


def _tokens(
    rendered: Rendered, encoding: Any, ids: list[int], offsets: np.ndarray, specials: set[int]
) -> tuple[MaskedToken, ...]:
    tokens, place = [], 0
    for number, (start, end) in zip(ids, offsets.tolist(), strict=True):
        around = start == end and number in specials  # put there by the tokenizer: it has no place in the text
        text = encoding.tokens[len(tokens)] if around else rendered.text[place:end]
        role = (
            next((span.role for span in rendered.spans if span.start <= start < span.end), None)
            if end > start
            else None
        )
        tokens.append(MaskedToken(number, text, number in specials, role))
        place = max(place, end)
    return tuple(tokens)


def _mask(bits: np.ndarray | None, note: str | None, max_length: int) -> Mask:
    if bits is None:
        return Mask(None, 0, 0, note)
    kept = tuple(bits[:TOKENS_KEPT].tolist())
    return Mask(kept, int(bits.sum()), int(bits[:max_length].sum()), note)


def _completion(
    row: RowView, rendered: Rendered, renderer: PromptRenderer, ids: list[int]
) -> tuple[np.ndarray | None, str | None]:
    """Return the completion's tokens as TRL finds them: after what the prompt's tokens and all tokens have in common."""
    if row.form not in ("prompt-completion", "unpaired-preference"):
        if row.form in ("messages", "tool-calls", "sharegpt", "text"):
            what = "messages" if row.form != "text" else "text"
            return np.ones(len(ids), dtype=bool), (
                f"completion_only_loss does nothing on `{what}` rows: TRL 1.16 trains on every token, without a warning."
            )
        return None, "completion-only mask is defined for rows with `prompt` and `completion`"
    length, start = prompt_tokens(row, rendered, renderer, ids)
    note = None
    if start < length:
        note = (
            "The prompt's tokens are not the first tokens of prompt and completion together: the completion begins "
            f"where they differ, {length - start} tokens before the prompt's end."
        )
    return np.arange(len(ids)) >= start, note


def prompt_tokens(row: RowView, rendered: Rendered, renderer: PromptRenderer, ids: list[int]) -> tuple[int, int]:
    """Return how many tokens the prompt alone has, and how many of them begin prompt and completion together too.

    Args:
        row: a row with prompt and completion.
        rendered: the row by `render_row`.
        renderer: the model's tokenizer and chat template.
        ids: the tokens of ``rendered``.

    Raises:
        InputError: the chat template refuses the prompt.
    """
    if row.messages is not None and renderer.template:
        text = renderer.render(row.messages[: row.n_prompt_messages], tools=row.tools)
    else:
        text = row.turns[0].text
    prompt = renderer.tokenizer.encode(text, add_special_tokens=rendered.plain).ids
    pairs = enumerate(zip(prompt, ids, strict=False))
    return len(prompt), next((place for place, (one, other) in pairs if one != other), min(len(prompt), len(ids)))


def _assistant(row: RowView, renderer: PromptRenderer, offsets: np.ndarray) -> tuple[np.ndarray | None, str | None]:
    if row.messages is None:
        return None, "assistant-only mask is defined for conversations; assistant_only_loss=True raises on plain texts"
    if not renderer.marks_generation:
        return None, NO_TAG
    bits = np.zeros(len(offsets), dtype=bool)
    for start, end in renderer.generated_spans(row.messages, row.tools):
        # As transformers' apply_chat_template has it: from the first token of the first character through the first token
        # of the last one, so that of a last character cut into several tokens only the first is trained on.
        first, last = _token_at(offsets, start), _token_at(offsets, end - 1)
        if first is None:
            break
        bits[first : last + 1 if last else None] = True
    if not bits.any():
        return bits, "The template marks no word of this conversation as the assistant's; TRL 1.16 stops at such a row."
    return bits, None


def _token_at(offsets: np.ndarray, character: int) -> int | None:
    found = np.flatnonzero((offsets[:, 0] <= character) & (character < offsets[:, 1]))
    return int(found[0]) if len(found) else None
