"""One row as the text that the trainer cuts into tokens, and where in it each part stands.

As TRL 1.16's SFTTrainer prepares it: conversations go through the chat template without a generation prompt; plain texts
get the end-of-sequence token unless they end in it, and whatever the tokenizer puts around a plain text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

from core.data.profile.view import ANSWER_ROLES, ROLES, RowView, content_text
from core.data.prompt import PromptRenderer, free_marks, take_marks
from core.errors import InputError


@dataclass(frozen=True)
class Span:
    """The words of one turn in a rendered text, in characters."""

    role: str
    start: int
    end: int


@dataclass(frozen=True)
class Rendered:
    """A row's text before it is cut into tokens."""

    text: str
    spans: tuple[Span, ...]
    completion_start: int | None
    """The character at which the completion (the last answer of a conversation) begins; None where there is none."""
    plain: bool
    """Whether the tokenizer puts its own tokens (such as BOS) around the text: it does with plain texts."""
    notes: tuple[str, ...] = ()


def render_row(row: RowView, renderer: PromptRenderer) -> Rendered:
    """Return the text that training sees of a row.

    Raises:
        InputError: the chat template refuses the conversation.
    """
    if row.messages is None:
        return _plain(row, renderer.special("eos_token") or "")
    if not renderer.template:
        joined = _plain(row, "")
        note = "The tokenizer has no chat template: the words of the messages are counted alone."
        return Rendered(joined.text, joined.spans, joined.completion_start, plain=False, notes=(note,))
    return _conversation(row, row.messages, renderer)


def _plain(row: RowView, end: str) -> Rendered:
    between = "" if row.form in ("prompt-completion", "unpaired-preference", "preference") else "\n"
    text, spans, start = "", [], None
    turns = row.turns[:1] if row.form == "text" else row.turns
    for number, turn in enumerate(turns):
        text += between if number else ""
        if number == len(turns) - 1 and turn.role in ANSWER_ROLES:
            start = len(text)
        spans.append(Span(turn.role, len(text), len(text) + len(turn.text)))
        text += turn.text
    return Rendered(text if text.endswith(end) else text + end, tuple(spans), start, plain=True)


def _conversation(row: RowView, messages: tuple[Mapping[str, Any], ...], renderer: PromptRenderer) -> Rendered:
    text = renderer.render(messages, add_generation_prompt=False, tools=row.tools)
    spans = _marked_spans(messages, row.tools, renderer, text) or _found_spans(messages, text)
    start = None
    if row.n_prompt_messages is not None:
        prompt = renderer.render(messages[: row.n_prompt_messages], tools=row.tools)
        start = len(commonprefix([prompt, text]))
    elif spans and spans[-1].role in ANSWER_ROLES:
        start = spans[-1].start
    return Rendered(text, spans, start, plain=False)


def _role(message: Mapping[str, Any]) -> str:
    role = str(message.get("role", ""))
    return ROLES.get(role, role)


def _marked_spans(
    messages: tuple[Mapping[str, Any], ...], tools: Any, renderer: PromptRenderer, text: str
) -> tuple[Span, ...]:
    """Return where each message's words stand, by marking them; nothing where marks would change what the template does."""
    if not all(isinstance(message.get("content"), str) for message in messages):
        return ()
    try:
        marks = free_marks((messages, tools))
        marked = [{**message, "content": marks[0] + message["content"] + marks[1]} for message in messages]
        bare, places = take_marks(renderer.render(marked, add_generation_prompt=False, tools=tools), marks)
    except InputError:
        return ()
    if bare != text or len(places) != len(messages):
        return ()
    return tuple(
        Span(_role(message), start, end) for message, (start, end) in zip(messages, places, strict=True)
    )  # fmt: skip


def _found_spans(messages: tuple[Mapping[str, Any], ...], text: str) -> tuple[Span, ...]:
    """Return where each message's words stand, by looking for them one after the other; a message not found has none."""
    spans, place = [], 0
    for message in messages:
        words = content_text(message.get("content")).strip()
        start = text.find(words, place) if words else -1
        if start >= 0:
            place = start + len(words)
            spans.append(Span(_role(message), start, place))
    return tuple(spans)
