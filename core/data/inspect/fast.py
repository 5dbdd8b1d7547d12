"""The quick way over JSONL whose rows all look alike: read by a type made from the first rows, counted in groups.

What does not fit the type, or might hide something (a key twice, an escaped key), is left to the thorough way, line by line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Literal

import msgspec
import numpy as np

from core.data.inspect.flaws import kind_of
from core.data.inspect.roles import order_flaws
from core.data.inspect.tally import SYSTEM_CHARACTERS, Tally, add, rounded_length

Row = dict[str, Any]
_ROLE = attrgetter("role")
_TYPED = str | int | float | bool | None
_MAIN = {"messages": "messages", "text": "text", "plain-text": "text"}
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError)
_QUOTE, _BACKSLASH, _LINE_END, _OPEN, _CLOSE = b'"\\\n{}'


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "user", "assistant"]
    content: str


class FastLines:
    """Reads and counts the sound lines of a ``messages`` or ``text`` file."""

    def __init__(self, name: str, extras: Sequence[str]) -> None:
        """Make the type: the form's own field, and other fields with plain values that every row has.

        Args:
            name: the format, one of those for which `fast_extras` returns a list.
            extras: what it returned.
        """
        self._main = name = _MAIN[name]
        fields: list[tuple[str, Any]] = [(name, list[_Message] if name == "messages" else str)]
        fields += [(f"extra_{place}", _TYPED) for place in range(len(extras))]
        renamed = {f"extra_{place}": extra for place, extra in enumerate(extras)}
        row = msgspec.defstruct("_Row", fields, rename=renamed, forbid_unknown_fields=True, gc=False)
        decoder: Any = msgspec.json.Decoder(row)
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines
        self._extras = tuple(zip(renamed, extras, strict=True))
        self._n_keys = 1 + len(extras)
        self._known: dict[tuple[str, ...], bool] = {}

    def take(self, raw: bytes, tally: Tally) -> list[int]:
        """Count the lines that are sound beyond doubt; return the indices of the others.

        Args:
            raw: some whole lines of the file, without the last line end.
            tally: what counts them.
        """
        rows = self._read(raw)
        sound = self._sound_messages(rows, tally) if self._main == "messages" else self._sound_texts(rows, tally)
        taken = len(sound)
        tally.rows += taken
        if taken:
            tally.add_field(self._main, "list" if self._main == "messages" else "text", taken)
        for attribute, name in self._extras:
            for row in sound:
                tally.add_field(name, kind_of(getattr(row, attribute)))
        if taken == len(rows):
            return []
        counted = set(map(id, sound))
        return [place for place, row in enumerate(rows) if id(row) not in counted]

    def _read(self, raw: bytes) -> list[Any]:
        """Return the rows, with None for each line that does not fit the type or may have a key twice."""
        try:
            rows = self._decode_lines(raw)
        except _REFUSED:
            return [self._read_one(line) for line in raw.split(b"\n")]
        if objects_fill_lines(raw, len(rows)) and self._keys_are_single(raw, rows):
            return rows
        return [self._read_one(line) for line in raw.split(b"\n")]

    def _read_one(self, line: bytes) -> Any:
        try:
            row = self._decode(line)
        except _REFUSED:
            return None
        return row if self._keys_are_single(line, [row]) else None

    def _keys_are_single(self, raw: bytes, rows: list[Any]) -> bool:
        """Whether the bytes hold exactly the quotes that the rows need, so that no key stands twice in an object.

        A second key is read over in silence, and brings at least two quotes that nothing in the rows accounts for.
        """
        needed = 2 * self._n_keys * len(rows)
        if self._main == "messages":
            needed += 8 * sum([len(row.messages) for row in rows])  # two keys, a role and a content
        else:
            needed += 2 * len(rows)
        for name, _ in self._extras:
            needed += 2 * sum([isinstance(getattr(row, name), str) for row in rows])
        return quotes_outside_texts(raw) == needed

    def _sound_messages(self, rows: list[Any], tally: Tally) -> list[Any]:
        groups: dict[tuple[str, ...], list[Any]] = {}
        for row in rows:
            if row is not None:
                roles = tuple(map(_ROLE, row.messages))
                group = groups.get(roles)
                if group is None:
                    group = groups[roles] = []
                group.append(row)
        sound: list[Any] = []
        for roles, group in groups.items():
            if self._in_order(roles):
                _count_group(roles, group, tally)
                sound += group
        return sound

    def _in_order(self, roles: tuple[str, ...]) -> bool:
        known = self._known.get(roles)
        if known is None:
            known = bool(roles) and not order_flaws(roles)
            if len(self._known) < 10_000 and len(roles) < 100:
                self._known[roles] = known
        return known

    def _sound_texts(self, rows: list[Any], tally: Tally) -> list[Any]:
        sound = [row for row in rows if row is not None and row.text and not row.text.isspace()]
        _count_lengths([len(row.text) for row in sound], tally)
        return sound


def fast_extras(name: str, rows: Sequence[Row], *, strict: bool) -> list[str] | None:
    """Return the other fields of a file whose first rows are these, or None where there is no quick way over it."""
    main = _MAIN.get(name)
    fitting = [row for row in rows if main in row]
    if main is None or not fitting or (strict and main == "text" and any(len(row) > 1 for row in fitting)):
        return None
    extras = list(dict.fromkeys(key for row in fitting for key in row if key != main))
    plain = all(key in row and not isinstance(row[key], list | dict) for row in fitting for key in extras)
    return extras if plain and len(extras) <= 20 else None


def objects_fill_lines(raw: bytes, n: int) -> bool:
    """Whether ``n`` objects that were read from some lines stand on a line each.

    Between ``}`` and ``{`` a line end can only stand between two objects; with as many lines as objects each has its own.
    """
    values = np.frombuffer(raw, dtype=np.uint8)
    ends = np.flatnonzero(values == _LINE_END)
    if len(ends) + 1 != n or (n > 1 and not 0 < ends[0] <= ends[-1] < len(values) - 1):
        return False
    return bool((values[ends - 1] == _CLOSE).all() and (values[ends + 1] == _OPEN).all())


def quotes_outside_texts(raw: bytes) -> int:
    """Return how many quotes of some JSON texts begin or end a string: all but those that a backslash precedes."""
    values = np.frombuffer(raw, dtype=np.uint8)
    slashes = values == _BACKSLASH
    if (slashes[1:] & slashes[:-1]).any():  # a backslash that is escaped itself escapes nothing
        return quotes_outside_texts(raw.replace(b"\\\\", b"__"))
    quotes = values == _QUOTE
    return int(np.count_nonzero(quotes)) - int(np.count_nonzero(quotes[1:] & slashes[:-1]))


def _count_group(roles: tuple[str, ...], group: list[Any], tally: Tally) -> None:
    """Count the conversations that have the same roles in the same order."""
    every = [len(message.content) for row in group for message in row.messages]
    columns = [every[place :: len(roles)] for place in range(len(roles))]
    _count_lengths(list(map(sum, zip(*columns, strict=True))), tally)
    for role, column in zip(roles, columns, strict=True):
        add(tally.role_counts, role, len(group))
        add(tally.role_characters, role, sum(column))
    add(tally.turns, len(roles), len(group))
    if roles[0] == "system":
        for prompt, count in Counter([row.messages[0].content[:SYSTEM_CHARACTERS] for row in group]).items():
            add(tally.system_prompts, prompt, count)


def _count_lengths(lengths: list[int], tally: Tally) -> None:
    if not lengths:
        return
    counts = tally.lengths
    for length, count in Counter(lengths).items():
        bucket = rounded_length(length)
        counts[bucket] = counts.get(bucket, 0) + count
    tally.length_sum += sum(lengths)
    least = min(lengths)
    tally.shortest = least if tally.shortest is None else min(tally.shortest, least)
    tally.longest = max(tally.longest, max(lengths))
