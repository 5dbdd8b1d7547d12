"""Which form a row has, and what breaks that form: TRL's own (as TRL 1.16 reads them), Alpaca, ShareGPT and pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.data.inspect.contracts import (
    SHAREGPT,
    STRICT,
    TRL,
    conversation_flaws,
    list_flaws,
    text_flaws,
)
from core.data.inspect.flaws import Flaw, a_kind, flaw, keys_of
from core.data.inspect.roles import order_flaws

Row = dict[str, Any]
Check = Callable[[Row], list[Flaw]]

PAIRS = (
    ("instruction", "output"), ("instruction", "response"), ("prompt", "response"), ("question", "answer"),
    ("question", "response"), ("query", "response"), ("input", "output"),
)  # fmt: skip
"""Names that pairs of texts go by; the first that a row has counts."""


def form_of(row: Row) -> str:
    """Return the name of the form that a row's fields have, ``unknown`` where they have none; values are not judged."""
    if "messages" in row:
        return "tool-calls" if _has_tools(row) else "messages"
    if "conversations" in row:
        return "sharegpt"
    if "chosen" in row and "rejected" in row:
        explicit = isinstance(row.get("prompt"), list) or (row.get("prompt") and isinstance(row["chosen"], str))
        return "preference" if explicit else "preference-implicit"
    if "prompt" in row:
        if "completions" in row and "labels" in row:
            return "stepwise"
        if "completion" in row:
            return "unpaired-preference" if "label" in row else "prompt-completion"
        return "instruction-output" if pair_of(row) == ("prompt", "response") else "prompt-only"
    if {"instruction", "input", "output"} <= row.keys():
        return "alpaca"
    if pair_of(row):
        return "instruction-output"
    return "text" if "text" in row else "unknown"


def pair_of(row: Row) -> tuple[str, str] | None:
    """Return the names of the two fields of an instruction and output pair."""
    return next(((ask, answer) for ask, answer in PAIRS if ask in row and answer in row), None)


def check_for(name: str, *, strict: bool, evaluation: bool = False) -> Check:
    """Return what judges each row of a file of this format.

    In strict mode there are two contracts alone: the one for ``text`` where the file is of texts, else the one for ``messages``.
    An evaluation file may have fields of its own.
    """
    if strict:
        return _strict_text if name in ("text", "plain-text") else _strict_messages
    return _no_flaws if evaluation and name == "unknown" else _CHECKS[name]


def _no_flaws(_: Row) -> list[Flaw]:
    return []


def _strict_text(row: Row) -> list[Flaw]:
    return text_flaws(row, strict=True)


def _strict_messages(row: Row) -> list[Flaw]:
    return conversation_flaws(row, STRICT)


def _text(row: Row) -> list[Flaw]:
    return text_flaws(row, strict=False)


def _messages(row: Row) -> list[Flaw]:
    return conversation_flaws(row, TRL)


def _sharegpt(row: Row) -> list[Flaw]:
    """TRL renames ``from``, ``value`` and ``conversations``; rows that already have roles and content are read as such."""
    listed = row.get("conversations")
    first = listed[0] if isinstance(listed, list) and listed else None
    has_roles = isinstance(first, dict) and "role" in first
    return conversation_flaws(row, TRL if has_roles else SHAREGPT, "conversations")


def _alpaca(row: Row) -> list[Flaw]:
    flaws = _texts(row, "instruction", "output")
    given = row.get("input")
    if given is not None and not isinstance(given, str):
        flaws.append(flaw("input-not-text", "input", a_kind(given), "a text, empty where there is none"))
    return flaws


def _pair(row: Row) -> list[Flaw]:
    names = pair_of(row)
    return _texts(row, *names) if names else _texts(row, *PAIRS[0])


def _texts(row: Row, *keys: str) -> list[Flaw]:
    """Judge fields that hold texts; an empty one is a matter of quality, not of format."""
    flaws = [flaw(f"missing-{key}", "", keys_of(row), f"the field {key!r}") for key in keys if key not in row]
    for key in keys:
        if key in row and not isinstance(row[key], str):
            flaws.append(flaw(f"{key}-not-text", key, a_kind(row[key]), "a text"))
    return flaws


def _prompt_only(row: Row) -> list[Flaw]:
    return _sides(row, "prompt")


def _prompt_completion(row: Row) -> list[Flaw]:
    return _sides(row, "prompt", "completion")


def _unpaired(row: Row) -> list[Flaw]:
    flaws = _sides(row, "prompt", "completion")
    if "label" not in row:
        flaws.append(flaw("missing-label", "", keys_of(row), "the field 'label' with true or false"))
    elif not isinstance(row["label"], bool):
        flaws.append(flaw("label-not-boolean", "label", a_kind(row["label"]), "true or false"))
    return flaws


def _preference(row: Row) -> list[Flaw]:
    return _sides(row, "prompt", "chosen") + _sides(row, "prompt", "rejected", judged=1)


def _preference_implicit(row: Row) -> list[Flaw]:
    flaws: list[Flaw] = []
    roles: dict[str, bool] = {}
    for key in ("chosen", "rejected"):
        if isinstance(row.get(key), list):
            found, told = list_flaws(row[key], TRL, key)
            flaws += found + (order_flaws(told, key) if told is not None else [])
            roles[key] = True
        else:
            flaws += _texts(row, key)
            roles[key] = False
    if not flaws and roles["chosen"] != roles["rejected"]:
        flaws.append(_mixed("chosen", "rejected"))
    return flaws


def _stepwise(row: Row) -> list[Flaw]:
    flaws = _texts(row, "prompt")
    steps, labels = row.get("completions"), row.get("labels")
    for key, value, item, expected in (
        ("completions", steps, str, "a list of texts, one a step"), ("labels", labels, bool, "a list of true and false, one a step"),
    ):  # fmt: skip
        if key not in row:
            flaws.append(flaw(f"missing-{key}", "", keys_of(row), f"the field {key!r} with {expected}"))
        elif not isinstance(value, list) or not value:
            flaws.append(flaw(f"{key}-not-a-list", key, a_kind(value), expected))
        elif wrong := next((place for place, one in enumerate(value, start=1) if not isinstance(one, item)), None):
            flaws.append(flaw(f"{key}-items", f"{key}, step {wrong}", a_kind(value[wrong - 1]), expected))
    if isinstance(steps, list) and isinstance(labels, list) and steps and labels and len(steps) != len(labels):
        found = " and ".join(
            f"{len(one)} {noun}{'s' if len(one) > 1 else ''}"
            for one, noun in ((steps, "completion"), (labels, "label"))
        )
        flaws.append(flaw("steps-differ", "", found, "a label for each completion"))
    return flaws


def _unknown(row: Row) -> list[Flaw]:
    known = "'messages', 'text', 'prompt' and 'completion', or others that trainers read"
    return [flaw("unknown-form", "", keys_of(row), f"the fields {known}")]


def _sides(row: Row, *keys: str, judged: int = 0) -> list[Flaw]:
    """Judge a prompt and what follows it: both texts, or both lists of messages in one order.

    Args:
        row: the row.
        keys: the fields in the order in which their messages stand.
        judged: the first field whose own faults are reported; those before it were reported with another answer.
    """
    flaws: list[Flaw] = []
    lists = [isinstance(row.get(key), list) for key in keys]
    if not any(lists):
        return _texts(row, *keys[judged:])
    if not all(lists) and all(isinstance(row.get(key), list | str) for key in keys):
        return [_mixed(*keys)]
    roles: list[str] | None = []
    for place, key in enumerate(keys):
        if key not in row:
            found, told = [flaw(f"missing-{key}", "", keys_of(row), f"the field {key!r}")], None
        else:
            found, told = list_flaws(row[key], TRL, key)
        flaws += found if place >= judged else []
        roles = [*roles, *told] if roles is not None and told is not None else None
    if roles is None:
        return flaws
    return flaws + _border_flaws(roles, len(row[keys[0]]), keys, judged)


def _border_flaws(roles: list[str], prompt: int, keys: tuple[str, ...], judged: int) -> list[Flaw]:
    """Judge the order of a prompt's messages and of those that follow; the first ``prompt`` roles are the prompt's."""
    if roles[prompt - 1] == "system":  # TRL's apply_chat_template raises on it
        return [] if judged else [flaw("prompt-ends-with-system", keys[0], "'system' as the last message", "'user'")]
    if judged and order_flaws(roles[:prompt], whole=False):
        return []
    order = order_flaws(roles, " + ".join(keys), whole=len(keys) > 1)
    if "system" in roles[prompt:]:  # to move it would change the prompt for the other answer
        order = [one._replace(repair=None) for one in order]
    if len(keys) > 1 and roles[prompt] != "assistant" and not order:
        found = f"{roles[prompt]!r} as the first message of {keys[1]}"
        order.append(
            flaw("answer-not-assistant", keys[1], found, "'assistant': the border belongs after the user's message")
        )
    return order


def _mixed(*keys: str) -> Flaw:
    named = " and ".join(f"{key!r}" for key in keys)
    return flaw("mixed-forms", "", f"a text and a list of messages in {named}", "the same form in both")


def _has_tools(row: Row) -> bool:
    if row.get("tools"):
        return True
    messages = row["messages"] if isinstance(row["messages"], list) else []
    return any(isinstance(one, dict) and (one.get("role") == "tool" or one.get("tool_calls")) for one in messages)


_CHECKS: Mapping[str, Check] = {
    "messages": _messages,
    "tool-calls": _messages,
    "text": _text,
    "plain-text": _text,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "instruction-output": _pair,
    "prompt-only": _prompt_only,
    "prompt-completion": _prompt_completion,
    "unpaired-preference": _unpaired,
    "preference": _preference,
    "preference-implicit": _preference_implicit,
    "stepwise": _stepwise,
    "unknown": _unknown,
}
