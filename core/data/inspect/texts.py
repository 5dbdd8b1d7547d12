"""A row's texts by role, whatever its form: what lengths are counted over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.data.inspect.forms import PAIRS, pair_of
from core.data.inspect.records import Turn
from core.data.inspect.roles import SHAREGPT_ROLES

Row = dict[str, Any]
_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "prompt-completion": ("completion",),
    "unpaired-preference": ("completion",),
    "preference": ("chosen", "rejected"),
    "preference-implicit": ("chosen", "rejected"),
}


def turns_of(row: Row, name: str) -> tuple[Turn, ...]:
    """Return a row of a format as turns; what does not fit the format is left out, nothing is raised.

    Args:
        row: a row as `iter_rows` gives it.
        name: the format's name, as in ``Scan.format.name``.
    """
    if name in ("messages", "tool-calls"):
        return _listed(row.get("messages"))
    if name == "sharegpt":
        return _listed(row.get("conversations"))
    if name in ("text", "plain-text"):
        return _one("text", row.get("text"))
    if name in ("alpaca", "instruction-output"):
        *asked, answer = ("instruction", "input", "output") if name == "alpaca" else pair_of(row) or PAIRS[0]
        return (*(turn for key in asked for turn in _one("user", row.get(key))), *_one("assistant", row.get(answer)))
    if name == "stepwise":
        steps = row.get("completions")
        said = [turn for step in steps for turn in _one("assistant", step)] if isinstance(steps, list) else []
        return (*_one("user", row.get("prompt")), *said)
    answers = _ANSWERS.get(name, ())
    prompt = () if name == "preference-implicit" else _side("user", row.get("prompt"))
    return (*prompt, *(turn for key in answers for turn in _side("assistant", row.get(key))))


def part_text(content: Any) -> str:
    """Return a message's content as one text: content parts are joined, images and the like left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(part for part in parts if isinstance(part, str))


def _side(role: str, value: Any) -> tuple[Turn, ...]:
    return _listed(value) if isinstance(value, list) else _one(role, value)


def _one(role: str, text: Any) -> tuple[Turn, ...]:
    return (Turn(role, text),) if isinstance(text, str) else ()


def _listed(messages: Any) -> tuple[Turn, ...]:
    if not isinstance(messages, list):
        return ()
    turns = []
    for message in messages:
        if isinstance(message, dict):
            role = message.get("role", message.get("from"))
            content = message.get("content", message.get("value"))
            if isinstance(role, str):
                turns.append(Turn(SHAREGPT_ROLES.get(role, role), part_text(content)))
    return tuple(turns)
