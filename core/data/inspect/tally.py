"""Count a file's rows: fields and their types, lengths in characters, roles, turns and system prompts. Bounded, and mergeable."""

from __future__ import annotations

from typing import Any

import msgspec

from core.data.inspect.flaws import kind_of
from core.data.inspect.records import LengthSummary
from core.data.inspect.texts import turns_of

MAX_NAMES = 1000
"""So many different field names, roles and system prompts are told apart; a hostile file has more."""
OTHERS = "(others)"
SYSTEM_CHARACTERS = 500
_EXACT = 4096
_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


class Tally(msgspec.Struct):
    """What is counted over rows; two tallies of parts of a file make the tally of the whole."""

    rows: int = 0
    lines: int = 0
    blank_lines: int = 0
    fields: dict[str, dict[str, int]] = {}
    lengths: dict[int, int] = {}
    """Length in characters, by `rounded_length`, -> number of rows."""
    length_sum: int = 0
    shortest: int | None = None
    longest: int = 0
    role_counts: dict[str, int] = {}
    role_characters: dict[str, int] = {}
    turns: dict[int, int] = {}
    system_prompts: dict[str, int] = {}

    def add_row(self, row: dict[str, Any], name: str, *, conversational: bool) -> None:
        """Count a row of a file of the format ``name``."""
        self.rows += 1
        for key, value in row.items():
            self.add_field(key, kind_of(value))
        turns = turns_of(row, name)
        if not turns:
            return
        self.add_length(sum(len(turn.text) for turn in turns))
        if not conversational:
            return
        for turn in turns:
            add(self.role_counts, turn.role)
            add(self.role_characters, turn.role, len(turn.text))
            if turn.role == "system":
                add(self.system_prompts, turn.text[:SYSTEM_CHARACTERS])
        add(self.turns, len(turns))

    def add_field(self, name: str, kind: str, times: int = 1) -> None:
        """Count a field of that name with a value of that JSON type."""
        kinds = self.fields.get(name)
        if kinds is None:
            kinds = self.fields.setdefault(name[:SYSTEM_CHARACTERS] if len(self.fields) < MAX_NAMES else OTHERS, {})
        kinds[kind] = kinds.get(kind, 0) + times

    def add_length(self, length: int) -> None:
        """Count a row's length in characters."""
        bucket = rounded_length(length)
        self.lengths[bucket] = self.lengths.get(bucket, 0) + 1
        self.length_sum += length
        self.shortest = length if self.shortest is None or length < self.shortest else self.shortest
        self.longest = max(self.longest, length)

    def merge(self, other: Tally) -> None:
        """Add the counts of another part of the file."""
        self.rows += other.rows
        self.lines += other.lines
        self.blank_lines += other.blank_lines
        for name, kinds in other.fields.items():
            for kind, count in kinds.items():
                self.add_field(name, kind, count)
        for length, count in other.lengths.items():
            self.lengths[length] = self.lengths.get(length, 0) + count
        self.length_sum += other.length_sum
        self.shortest = min((one for one in (self.shortest, other.shortest) if one is not None), default=None)
        self.longest = max(self.longest, other.longest)
        for turns, count in other.turns.items():
            self.turns[turns] = self.turns.get(turns, 0) + count
        for mine, theirs in (
            (self.role_counts, other.role_counts),
            (self.role_characters, other.role_characters),
            (self.system_prompts, other.system_prompts),
        ):
            for key, count in theirs.items():
                add(mine, key, count)

    def characters(self) -> LengthSummary | None:
        """Return the lengths of the rows in characters."""
        n = sum(self.lengths.values())
        if not n:
            return None
        values = {f"p{share}": self._percentile(n, share) for share in _PERCENTILES}
        return LengthSummary(n, self.length_sum, self.shortest or 0, self.longest, self.length_sum / n, values)

    def _percentile(self, n: int, share: int) -> int:
        """The nearest-rank percentile: the smallest length that at least ``share`` of a hundred rows do not exceed."""
        rank, seen = -(-n * share // 100), 0
        for length in sorted(self.lengths):
            seen += self.lengths[length]
            if seen >= rank:
                return length
        return self.longest


def add(counts: dict[Any, int], key: Any, times: int = 1) -> None:
    """Count a key; keys beyond the first `MAX_NAMES` are counted together."""
    if key not in counts and len(counts) >= MAX_NAMES:
        key = OTHERS if isinstance(key, str) else key
    counts[key] = counts.get(key, 0) + times


def rounded_length(length: int) -> int:
    """Return a length as it is up to 4,096, above that rounded down to seven binary digits: 1.6 % at most."""
    if length <= _EXACT:
        return length
    shift = length.bit_length() - 7
    return length >> shift << shift
