"""Roles of a conversation: which there are, what a misspelt one means, and the order they must stand in."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import lru_cache

from core.data.inspect.flaws import Flaw, flaw, quoted

ROLES = ("system", "user", "assistant")
"""What the multi-turn contract takes."""
ROLES_WITH_TOOL = (*ROLES, "tool")
"""What TRL takes (``prepare_multimodal_messages`` of TRL 1.16 names these four)."""
SHAREGPT_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "tool": "tool",
}

_ALIASES = {
    "human": "user", "usr": "user", "customer": "user", "instruction": "user", "question": "user", "prompter": "user",
    "gpt": "assistant", "bot": "assistant", "model": "assistant", "ai": "assistant", "chatgpt": "assistant", "chatbot": "assistant",
    "agent": "assistant", "answer": "assistant", "assist": "assistant", "asst": "assistant", "sys": "system",
}  # fmt: skip
_NEAR = 0.75


@lru_cache(maxsize=1024)
def meant_role(role: str, allowed: tuple[str, ...]) -> str | None:
    """Return the role that a wrong one stands for: in other case, by an alias, or misspelt; None where that is a guess."""
    plain = role.strip().casefold()
    if plain in allowed:
        return plain
    if plain in _ALIASES:
        return _ALIASES[plain]
    near = difflib.get_close_matches(plain, allowed, n=2, cutoff=_NEAR)
    return near[0] if near else None


def unknown_role(where: str, role: str, allowed: tuple[str, ...]) -> Flaw:
    """Return the flaw of a role that is none."""
    meant = meant_role(role, allowed)
    repair = f"write {meant!r}" if meant else None
    expected = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    return flaw("unknown-role", where, f"the role {quoted(role)}", expected, repair)


def order_flaws(roles: Sequence[str], where: str = "messages", *, whole: bool = True) -> list[Flaw]:
    """Return what breaks the order: the system first, then the user, then user and assistant in turn, in pairs.

    Messages of tools belong to the assistant's turn that they stand in. Places in sentences count from 1.

    Args:
        roles: the roles as meant, each one of `ROLES_WITH_TOOL`.
        where: the name of the list, for the sentences.
        whole: whether an assistant has to answer; False for a prompt that stands alone.
    """
    flaws = _system_flaws(roles, where)
    spoken = [(place, role) for place, role in enumerate(roles, start=1) if role != "system"]
    if spoken and spoken[0][1] != "user":
        flaws.append(
            flaw(
                "first-not-user",
                f"{where}, message {spoken[0][0]}",
                f"{spoken[0][1]!r} as the first to speak",
                "'user'",
            )
        )
    begun = next((i for i, (_, role) in enumerate(spoken) if role == "user"), len(spoken))
    answered = any(role == "assistant" for _, role in spoken[begun:])
    flaws += _turn_flaws(spoken[begun:], where)
    if whole and not answered:
        found = "no assistant's answer to a user" if spoken else "no message of a user or an assistant"
        flaws.append(flaw("no-pair", where, found, "at least one pair of user and assistant"))
    elif whole and spoken[-1][1] in ("user", "tool"):
        found = f"{spoken[-1][1]!r} as the last to speak"
        flaws.append(flaw("unanswered", f"{where}, message {spoken[-1][0]}", found, "an answer of the assistant"))
    return flaws


def _system_flaws(roles: Sequence[str], where: str) -> list[Flaw]:
    places = [place for place, role in enumerate(roles, start=1) if role == "system"]
    late = [place for place in places if place != 1]
    repair = "move it to the front" if len(places) == 1 else None
    return [
        flaw("system-not-first", f"{where}, message {place}", "a system message after others",
             "at most one, as the first message", repair)
        for place in late
    ]  # fmt: skip


def _turn_flaws(spoken: Sequence[tuple[int, str]], where: str) -> list[Flaw]:
    flaws = []
    turn, before = "", ""
    for place, role in spoken:
        if role == "tool":
            if turn != "assistant":
                at = f"{where}, message {place}"
                flaws.append(
                    flaw("tool-without-call", at, "a tool's message after the user's", "one after the assistant's")
                )
        elif role == turn and not (role == "assistant" and before == "tool"):
            other = "assistant" if role == "user" else "user"
            flaws.append(flaw("not-alternating", f"{where}, message {place}", f"{role!r} twice in a row", f"{other!r}"))
        if role != "tool":
            turn = role
        before = role
    return flaws
