"""One row of any known form as the profile reads it: turns with roles, what is the prompt and what the answer.

Reading is tolerant: a malformed row gives what can be read of it. Faults of format are the inspection's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.data.inspect.records import Turn
from core.data.profile.words import words

ROLES: Mapping[str, str] = {
    "human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "function": "tool",
    "observation": "tool", "function_call": "assistant",
}  # fmt: skip
"""Other datasets' names for the roles."""
ANSWER_ROLES = frozenset({"assistant", "completion", "chosen", "answer"})
ANSWER_FIELDS = (
    "label", "labels", "category", "class", "sentiment", "target", "answer", "reference", "gold", "output", "response",
)  # fmt: skip
"""Where a row that is no conversation keeps what is wanted, in the order of preference."""
INPUT_FIELDS = ("question", "input", "query", "sentence", "context", "content", "premise", "hypothesis")
LEAST_WORDS = 5
"""A field of another name is read as input where its text has so many words: fewer are a label, a name or a number."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class RowView:
    """One row, read."""

    line: int
    id: str | None
    """The row's own ``id``; None without one."""
    form: str
    """A name of `core.data.inspect.records.FORMATS`; ``unknown`` for a row of other fields."""
    turns: tuple[Turn, ...]
    """In order. Roles: system, user, assistant, tool in conversations; prompt, completion, text, answer elsewhere."""
    rejected: tuple[Turn, ...] = ()
    messages: tuple[Mapping[str, Any], ...] | None = None
    """The conversation as a chat template is given it; None for plain texts."""
    n_prompt_messages: int | None = None
    """How many messages are the prompt, where the form says so."""
    tools: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The row's other fields that hold one text, number or truth value."""

    @property
    def text(self) -> str:
        """All of the row's text."""
        return "\n".join(turn.text for turn in self.turns)

    @property
    def prompt(self) -> str:
        """Everything before the last answer, system prompt included; all of it where there is no answer."""
        return "\n".join(turn.text for turn in (self.turns[:-1] if self._answered else self.turns))

    @property
    def question(self) -> str:
        """What is asked: the prompt without system prompts."""
        turns = self.turns[:-1] if self._answered else self.turns
        return "\n".join(turn.text for turn in turns if turn.role != "system")

    @property
    def answer(self) -> str | None:
        """The last answer; None for a row that has none."""
        return self.turns[-1].text if self._answered else None

    @property
    def _answered(self) -> bool:
        return bool(self.turns) and self.turns[-1].role in ANSWER_ROLES


def view_row(line: int, row: Any) -> RowView | None:
    """Return a row as turns; None for what is no object.

    Args:
        line: where it stands, 1-based.
        row: what the file holds there.
    """
    if not isinstance(row, Mapping):
        return None
    found = row.get("id")
    row_id = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else None
    fields = {
        _clean(str(key)): _clean(value) if isinstance(value, str) else value
        for key, value in row.items() if isinstance(value, str | int | float)
    }  # fmt: skip
    for reader in (_conversation, _preference, _pair, _instruction, _plain):
        read = reader(row)
        if read is not None:
            return RowView(line, row_id, fields=fields, tools=row.get("tools"), **read)
    return RowView(line, row_id, "unknown", ())


def content_text(content: Any) -> str:
    """Return the text of a message's content: a text, or a list of parts of which the texts count."""
    if isinstance(content, str):
        return _clean(content)
    if isinstance(content, list):
        parts = (part.get("text") if isinstance(part, Mapping) else part for part in content)
        return _clean("\n".join(part for part in parts if isinstance(part, str)))
    return "" if content is None else _clean(json.dumps(content, ensure_ascii=False, default=str))


def _clean(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()  # ten times as fast as a search for what cannot be encoded
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _as_messages(value: Any) -> tuple[Mapping[str, Any], ...] | None:
    """Return messages as TRL hands them on: ``from`` and ``value`` renamed, roles as they are; None for another thing."""
    if not isinstance(value, list) or not any(isinstance(message, Mapping) for message in value):
        return None
    return tuple(_as_message(message) for message in value if isinstance(message, Mapping))


def _as_message(message: Mapping[Any, Any]) -> dict[str, Any]:
    renamed = {"from": "role", "value": "content"}
    named = ((str(key), inner) for key, inner in message.items())
    return {renamed.get(key, key): _clean(inner) if isinstance(inner, str) else inner for key, inner in named}


def _turns(messages: tuple[Mapping[str, Any], ...]) -> tuple[Turn, ...]:
    turns = []
    for message in messages:
        role = str(message.get("role", ""))
        text = content_text(message.get("content"))
        if calls := message.get("tool_calls"):
            text = "\n".join(filter(None, [text, _clean(json.dumps(calls, ensure_ascii=False, default=str))]))
        turns.append(Turn(ROLES.get(role, role), text))
    return tuple(turns)


def _conversation(row: Mapping[str, Any]) -> dict[str, Any] | None:
    for key in ("messages", "conversations"):
        messages = _as_messages(row.get(key))
        if messages is not None:
            shared = any(isinstance(one, Mapping) and "from" in one for one in row[key])
            calls = any("tool_calls" in message for message in messages)
            form = "sharegpt" if shared else "tool-calls" if calls else "messages"
            return {"form": form, "turns": _turns(messages), "messages": messages}
    return None


def _side(value: Any, role: str) -> tuple[tuple[Turn, ...], tuple[Mapping[str, Any], ...] | None]:
    """Return one side of a pair: its turns, and its messages where it is a conversation."""
    messages = _as_messages(value)
    if messages is not None:
        return _turns(messages), messages
    return (Turn(role, content_text(value)),), None


def _joined(row: Mapping[str, Any], first: str, second: str) -> dict[str, Any]:
    before, before_messages = _side(row[first], "prompt")
    after, after_messages = _side(row[second], "chosen" if second == "chosen" else "completion")
    turns = (*before, *after)
    if before_messages is None or after_messages is None:
        return {"turns": turns}
    return {"turns": turns, "messages": (*before_messages, *after_messages), "n_prompt_messages": len(before_messages)}


def _preference(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if "chosen" not in row or "rejected" not in row:
        return None
    rejected, _ = _side(row["rejected"], "rejected")
    if "prompt" in row:
        return {"form": "preference", "rejected": rejected, **_joined(row, "prompt", "chosen")}
    turns, messages = _side(row["chosen"], "chosen")
    return {"form": "preference-implicit", "turns": turns, "rejected": rejected, "messages": messages}


def _pair(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if "prompt" not in row:
        return None
    if "completion" in row:
        form = "unpaired-preference" if isinstance(row.get("label"), bool) else "prompt-completion"
        return {"form": form, **_joined(row, "prompt", "completion")}
    turns, messages = _side(row["prompt"], "prompt")
    if isinstance(row.get("completions"), list):
        answer = "\n".join(content_text(step) for step in row["completions"])
        return {"form": "stepwise", "turns": (*turns, Turn("completion", answer))}
    return {"form": "prompt-only", "turns": (*turns, *_answer(row)), "messages": messages}


def _instruction(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if "instruction" not in row or "output" not in row:
        return None
    form = "alpaca" if "input" in row else "instruction-output"
    asked = "\n\n".join(filter(None, (content_text(row["instruction"]), content_text(row.get("input")))))
    turns = (Turn("user", asked), Turn("assistant", content_text(row["output"])))
    return {"form": form, "turns": turns, "messages": tuple({"role": t.role, "content": t.text} for t in turns)}


def _plain(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if isinstance(row.get("text"), str):
        return {"form": "text", "turns": (Turn("text", _clean(row["text"])), *_answer(row))}
    names = [name for name in INPUT_FIELDS if isinstance(row.get(name), str)] or [
        name for name, value in row.items()
        if isinstance(value, str) and name not in ANSWER_FIELDS and len(words(value)) >= LEAST_WORDS
    ]  # fmt: skip
    asked = [content_text(row[name]) for name in names]
    if not asked:
        return None
    return {"form": "unknown", "turns": (Turn("prompt", "\n".join(asked)), *_answer(row))}


def _answer(row: Mapping[str, Any]) -> tuple[Turn, ...]:
    for name in ANSWER_FIELDS:
        found = row.get(name)
        if isinstance(found, str | int | float):
            return (Turn("answer", content_text(found) if isinstance(found, str) else json.dumps(found)),)
    return ()
