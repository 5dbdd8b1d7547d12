"""The rules for a conversation and for a text: the two contracts to the letter, and what TRL takes beyond them.

Multi-turn (``messages``): a non-empty list of messages with ``role`` and ``content``; roles system, user, assistant; the system
first, the user next, then in turn. Text (``text``): one key with a non-empty value. TRL takes tools and content in parts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.data.inspect.flaws import Flaw, a_kind, flaw, keys_of
from core.data.inspect.roles import ROLES, ROLES_WITH_TOOL, SHAREGPT_ROLES, meant_role, order_flaws, unknown_role

FLAWS_OF_A_ROW = 1000
"""The reading of one list stops after so many: a hostile row must not fill the memory with messages about itself."""


@dataclass(frozen=True)
class MessageRules:
    """What one message may be."""

    roles: tuple[str, ...]
    """The roles, as the rows spell them."""
    role_key: str = "role"
    content_key: str = "content"
    tools: bool = False
    """Whether ``tool_calls`` may stand in for content, and content may be a list of parts."""


STRICT = MessageRules(ROLES)
TRL = MessageRules(ROLES_WITH_TOOL, tools=True)
SHAREGPT = MessageRules(tuple(SHAREGPT_ROLES), "from", "value")


def conversation_flaws(row: dict[str, Any], rules: MessageRules, key: str = "messages") -> list[Flaw]:
    """Return every breach of the multi-turn contract in a row; ``key`` holds the list of messages."""
    if key not in row:
        repair = "rename it, and 'from' and 'value' within" if isinstance(row.get("conversations"), list) else None
        return [flaw(f"missing-{key}", "", keys_of(row), f"the field {key!r} with a list of messages", repair)]
    flaws, roles = list_flaws(row[key], rules, key)
    if roles is not None:
        flaws += order_flaws(roles, key)
    if rules.tools and row.get("tools") is not None and not isinstance(row["tools"], list | str):
        flaws.append(flaw("tools-not-a-list", "tools", a_kind(row["tools"]), "a list of JSON schemas"))
    return flaws


def text_flaws(row: dict[str, Any], *, strict: bool) -> list[Flaw]:
    """Return every breach of the instruction contract in a row; other fields beside ``text`` are breaches in strict mode."""
    if "text" not in row:
        return [flaw("missing-text", "", keys_of(row), "the field 'text'")]
    flaws = []
    if strict and len(row) > 1:
        flaws.append(flaw("extra-keys", "", keys_of(row), "'text' as the only field"))
    return flaws + filled_text("text", row["text"])


def filled_text(key: str, value: Any) -> list[Flaw]:
    """Return what is wrong with a field that has to hold a text that is not empty."""
    if isinstance(value, str) and value.strip():
        return []
    if isinstance(value, str):
        return [
            flaw(
                f"{key}-empty",
                key,
                "an empty text" if not value else "nothing but white space",
                "a text that says something",
            )
        ]
    return [flaw(f"{key}-not-text", key, a_kind(value), "a text")]


def list_flaws(value: Any, rules: MessageRules, key: str) -> tuple[list[Flaw], Sequence[str] | None]:
    """Return what is wrong with a list of messages one by one, and the roles as they are meant.

    The roles are None where some message has none that can be told: then its order cannot be judged.
    """
    if not isinstance(value, list):
        return [flaw(f"{key}-not-a-list", key, a_kind(value), "a list of messages")], None
    if not value:
        return [flaw(f"{key}-empty", key, "an empty list", "at least one pair of user and assistant")], None
    flaws: list[Flaw] = []
    roles: list[str | None] = []
    for place, message in enumerate(value, start=1):
        found, role = _message_flaws(message, rules, f"{key}, message {place}")
        flaws += found
        roles.append(role)
        if len(flaws) > FLAWS_OF_A_ROW:
            flaws.append(
                flaw("many-faults", f"{key}, after message {place}", "more faults in this row than are listed", "fewer")
            )
            return flaws, None
    told = [role for role in roles if role is not None]
    return flaws, told if len(told) == len(roles) else None


def _message_flaws(message: Any, rules: MessageRules, where: str) -> tuple[list[Flaw], str | None]:
    if not isinstance(message, dict):
        return [flaw("message-not-an-object", where, a_kind(message), f"an object with {_pair(rules)}")], None
    role_key, content_key = rules.role_key, rules.content_key
    flaws: list[Flaw] = []
    if (
        role_key == "role"
        and "role" not in message
        and "content" not in message
        and {"from", "value"} <= message.keys()
    ):
        repair = "rename them to 'role' and 'content'"
        flaws.append(flaw("from-value-keys", where, "the keys 'from' and 'value'", _pair(rules), repair))
        role_key, content_key = "from", "value"
    role: str | None = None
    if role_key not in message:
        flaws.append(flaw("missing-role", where, keys_of(message), f"the field {role_key!r}"))
    elif not isinstance(given := message[role_key], str):
        flaws.append(flaw("role-not-text", where, a_kind(given), "a text as role"))
    elif given in rules.roles:
        role = SHAREGPT_ROLES.get(given, given)
    else:
        flaws.append(unknown_role(where, given, rules.roles))
        meant = meant_role(given, rules.roles)
        role = SHAREGPT_ROLES.get(meant, meant) if meant else None
    return flaws + _content_flaws(message, content_key, rules, where), role


def _content_flaws(message: dict[str, Any], key: str, rules: MessageRules, where: str) -> list[Flaw]:
    content = message.get(key)
    calls = message.get("tool_calls") if rules.tools else None
    flaws = _call_flaws(calls, where) if calls is not None else []
    if isinstance(content, str) or (content is None and calls):
        return flaws
    if rules.tools and isinstance(content, list) and content:
        return flaws + _part_flaws(content, where)
    if key not in message:
        return [*flaws, flaw("missing-content", where, keys_of(message), f"the field {key!r}")]
    return [*flaws, flaw("content-not-text", where, f"{a_kind(content)} as {key}", "a text")]


def _part_flaws(parts: list[Any], where: str) -> list[Flaw]:
    """TRL hands a list of parts to the template: objects with a ``type``, those of type text with a ``text``."""
    flaws = []
    for place, part in enumerate(parts, start=1):
        at = f"{where}, part {place}"
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            found = f"an object without a 'type' in words, {keys_of(part)}" if isinstance(part, dict) else a_kind(part)
            flaws.append(flaw("content-part", at, found, 'a part such as {"type": "text", "text": "..."}'))
        elif part["type"] == "text" and not isinstance(part.get("text"), str):
            flaws.append(flaw("content-part", at, "a text part without a text", "the field 'text'"))
    return flaws


def _call_flaws(calls: Any, where: str) -> list[Flaw]:
    """A call is ``{"type": "function", "function": {"name": ..., "arguments": ...}}``, or its inner object alone."""
    expected = 'a list of calls such as {"type": "function", "function": {"name": "...", "arguments": {}}}'
    if not isinstance(calls, list):
        return [flaw("tool-call-shape", f"{where}, tool_calls", a_kind(calls), expected)]
    flaws = []
    for place, call in enumerate(calls, start=1):
        function = call.get("function", call) if isinstance(call, dict) else None
        named = isinstance(function, dict) and isinstance(function.get("name"), str)
        if not named or not isinstance((function or {}).get("arguments", {}), dict | str | None):
            flaws.append(flaw("tool-call-shape", f"{where}, call {place}", a_kind(call), expected))
    return flaws


def _pair(rules: MessageRules) -> str:
    return f"{rules.role_key!r} and {rules.content_key!r}"
