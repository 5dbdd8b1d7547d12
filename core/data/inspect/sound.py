"""Count the sound rows of a ``messages`` or ``text`` file in bulk: held until there are many, then summed by numpy.

Counting row by row, as `Tally.add_row` does, takes longer than reading the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from core.data.inspect.tally import SYSTEM_CHARACTERS, Tally, add, rounded_length

HELD = 100_000
"""So many lengths are held before they are summed."""


def in_turn(n: int) -> tuple[str, ...]:
    """Return the one order of roles in which `order_flaws` finds nothing, for ``n`` messages from two on."""
    return ("system",) * (n % 2) + ("user", "assistant") * (n // 2)


_IN_TURN = tuple(map(in_turn, range(64)))


class SoundTexts:
    """Takes rows with one text."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._tally = Tally()
        self._lengths: list[int] = []

    def take(self, rows: list[Any]) -> list[Any]:
        """Count the rows whose text says something; return them."""
        sound = [row for row in rows if row.text and not row.text.isspace()]
        self._lengths += [len(row.text) for row in sound]
        if len(self._lengths) > HELD:
            self._sum()
        return sound

    def counted(self) -> Tally:
        """Return what was counted so far; rows and fields are for the caller to count."""
        self._sum()
        return self._tally

    def _sum(self) -> None:
        _add_lengths(np.array(self._lengths, dtype=np.int64), self._tally)
        self._lengths = []


class SoundConversations:
    """Takes rows with messages whose roles and contents are known to be of the right types."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._tally = Tally()
        self._n_messages: list[int] = []
        self._lengths: list[int] = []
        self._prompts: Counter[str] = Counter()

    def take(self, rows: list[Any]) -> list[Any]:
        """Count the rows whose messages stand in order; return them."""
        sound, n_messages, messages = rows, *_flat(rows)
        if not _are_in_turn(n_messages, messages):
            sound = [row for row in rows if _are_in_turn([len(row.messages)], row.messages)]
            n_messages, messages = _flat(sound)
        self._n_messages += n_messages
        self._lengths += [len(message.content) for message in messages]
        self._prompts.update(
            [row.messages[0].content[:SYSTEM_CHARACTERS] for row, n in zip(sound, n_messages, strict=True) if n % 2]
        )
        if len(self._lengths) > HELD:
            self._sum()
        return sound

    def counted(self) -> Tally:
        """Return what was counted so far; rows and fields are for the caller to count."""
        self._sum()
        return self._tally

    def _sum(self) -> None:
        if not self._n_messages:
            return
        tally = self._tally
        n_messages = np.array(self._n_messages, dtype=np.int64)
        lengths = np.array(self._lengths, dtype=np.int64)
        begins = np.cumsum(n_messages) - n_messages
        _add_lengths(np.add.reduceat(lengths, begins), tally)
        for n, count in zip(*map(np.ndarray.tolist, np.unique(n_messages, return_counts=True)), strict=True):
            add(tally.turns, n, count)
            for role, times in Counter(in_turn(n)).items():
                add(tally.role_counts, role, times * count)
        has_system = (n_messages & 1).astype(bool)
        spoken = np.arange(len(lengths)) - np.repeat(begins + has_system, n_messages)  # -1 is the system's
        system = int(lengths[begins[has_system]].sum())
        odd = int(lengths @ (spoken & 1))
        for role, characters in (("system", system), ("user", int(lengths.sum()) - odd), ("assistant", odd - system)):
            if role in tally.role_counts:
                add(tally.role_characters, role, characters)
        for prompt, count in self._prompts.items():
            add(tally.system_prompts, prompt, count)
        self._n_messages, self._lengths, self._prompts = [], [], Counter()


def _flat(rows: list[Any]) -> tuple[list[int], list[Any]]:
    """Return how many messages each row has, and the messages of all of them."""
    lists = [row.messages for row in rows]
    return [*map(len, lists)], [*chain.from_iterable(lists)]


def _are_in_turn(n_messages: Sequence[int], messages: Sequence[Any]) -> bool:
    """Whether the roles of every conversation stand in order: one comparison for all of them."""
    if min(n_messages, default=2) < 2:
        return False
    is_short = max(n_messages, default=0) < len(_IN_TURN)
    expected = chain.from_iterable(map(_IN_TURN.__getitem__ if is_short else in_turn, n_messages))
    return [message.role for message in messages] == [*expected]


def _add_lengths(lengths: np.ndarray, tally: Tally) -> None:
    """Count the lengths of some rows in characters."""
    if not len(lengths):
        return
    for length, count in zip(*map(np.ndarray.tolist, np.unique(lengths, return_counts=True)), strict=True):
        bucket = rounded_length(length)
        tally.lengths[bucket] = tally.lengths.get(bucket, 0) + count
    tally.length_sum += int(lengths.sum())
    least = int(lengths.min())
    tally.shortest = least if tally.shortest is None else min(tally.shortest, least)
    tally.longest = max(tally.longest, int(lengths.max()))
