"""How long conversations are, and which system prompts are in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from core.data.profile.view import RowView
from core.data.profile.words import text_hash

SYSTEM_PROMPTS_KEPT = 20
DISTINCT_COUNTED = 100_000
SHOWN_CHARACTERS = 500


@dataclass(frozen=True)
class SystemPrompt:
    """One system prompt in use."""

    text: str
    """At most 500 characters."""
    rows: int
    share: float
    """Of the conversations."""
    first_line: int


@dataclass(frozen=True)
class Turns:
    """The shape of a file's conversations."""

    conversations: int
    histogram: tuple[tuple[int, int], ...]
    """Turns of user and assistant in a conversation, and how many conversations have so many; 50 stands for 50 and more."""
    mean: float | None
    without_system_prompt: int
    distinct_system_prompts: int
    system_prompts: tuple[SystemPrompt, ...]
    """Most frequent first, at most 20."""


class TurnScan:
    """Counts turns one row after the other."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._turns: Counter[int] = Counter()
        self._total = 0
        self._prompts: Counter[int] = Counter()
        self._shown: dict[int, tuple[str, int]] = {}
        self._without = 0

    def add(self, row: RowView) -> None:
        """Read one row; one that is no conversation is left out."""
        if row.messages is None:
            return
        n = sum(turn.role in ("user", "assistant") for turn in row.turns)
        self._turns[min(n, 50)] += 1
        self._total += n
        system = next((turn.text for turn in row.turns if turn.role == "system"), None)
        if system is None:
            self._without += 1
            return
        key = text_hash(system)
        if key in self._prompts or len(self._prompts) < DISTINCT_COUNTED:
            self._prompts[key] += 1
            self._shown.setdefault(key, (system[:SHOWN_CHARACTERS], row.line))

    def result(self) -> Turns:
        """Return the counts."""
        n = self._turns.total()
        prompts = tuple(
            SystemPrompt(self._shown[key][0], count, count / n, self._shown[key][1])
            for key, count in self._prompts.most_common(SYSTEM_PROMPTS_KEPT)
        )
        return Turns(
            n,
            tuple(sorted(self._turns.items())),
            self._total / n if n else None,
            self._without,
            len(self._prompts),
            prompts,
        )


def count_turns(rows: Iterable[RowView]) -> Turns:
    """Return how long the conversations of a file are, and their system prompts."""
    scan = TurnScan()
    for row in rows:
        scan.add(row)
    return scan.result()
