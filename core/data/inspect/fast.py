"""The quick way over JSONL whose rows all look alike: read by a type made from the first rows, many lines at once.

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
from core.data.inspect.lines import LineBlock
from core.data.inspect.proof import objects_fill_lines, quotes_outside_texts
from core.data.inspect.sound import SoundConversations, SoundTexts
from core.data.inspect.tally import Tally

Row = dict[str, Any]
_TYPED = str | int | float | bool | None
_MAIN = {"messages": "messages", "text": "text", "plain-text": "text"}
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError)


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
        self._is_conversational = name == "messages"
        fields: list[tuple[str, Any]] = [(name, list[_Message] if self._is_conversational else str)]
        fields += [(f"extra_{place}", _TYPED) for place in range(len(extras))]
        renamed = {f"extra_{place}": extra for place, extra in enumerate(extras)}
        row = msgspec.defstruct("_Row", fields, rename=renamed, forbid_unknown_fields=True, gc=False)
        decoder: Any = msgspec.json.Decoder(row)
        self._decode_lines = decoder.decode_lines
        self._values = attrgetter(name)
        self._extras = [(attrgetter(attribute), extra) for attribute, extra in renamed.items()]
        self._sound = SoundConversations() if self._is_conversational else SoundTexts()
        self._rows = 0
        self._kinds: dict[str, Counter[type]] = {extra: Counter() for extra in extras}

    def take(self, block: LineBlock) -> list[int]:
        """Count the lines that are sound beyond doubt; return the indices of the others."""
        rows = self._read(memoryview(block.raw), block.ends)
        sound = self._sound.take([row for row in rows if row is not None])
        self._rows += len(sound)
        for value, name in self._extras:
            self._kinds[name].update(map(type, map(value, sound)))
        if len(sound) == len(rows):
            return []
        counted = set(map(id, sound))
        return [place for place, row in enumerate(rows) if id(row) not in counted]

    def counted(self) -> Tally:
        """Return the counts of all lines that were taken; lines themselves are for the caller to count."""
        tally = self._sound.counted()
        tally.rows, tally.fields = self._rows, {}
        if self._rows:
            tally.add_field(self._main, "list" if self._is_conversational else "text", self._rows)
        for name, kinds in self._kinds.items():
            for kind, times in kinds.items():
                tally.add_field(name, _KINDS[kind], times)
        return tally

    def _read(self, raw: memoryview, ends: np.ndarray) -> list[Any]:
        """Return a row for each line, None where it does not fit the type or may have a key twice.

        Lines that cannot be read together are cut near their middle, until those that are to blame stand alone.
        """
        try:
            rows = self._decode_lines(raw)
        except _REFUSED:
            rows = []
        if rows and objects_fill_lines(raw, ends, len(rows)) and self._keys_are_single(raw, rows):
            return rows
        if not len(ends):
            return [None]
        middle = int(np.abs(ends - len(raw) // 2).argmin())
        cut = int(ends[middle])
        return self._read(raw[:cut], ends[:middle]) + self._read(raw[cut + 1 :], ends[middle + 1 :] - cut - 1)

    def _keys_are_single(self, raw: memoryview, rows: list[Any]) -> bool:
        """Whether the bytes hold exactly the quotes that the rows need, so that no key stands twice in an object.

        A second key is read over in silence, and brings at least two quotes that nothing in the rows accounts for.
        """
        needed = 2 * (1 + len(self._extras)) * len(rows)
        if self._is_conversational:
            needed += 8 * sum(map(len, map(self._values, rows)))  # two keys, a role and a content
        else:
            needed += 2 * len(rows)
        for value, _ in self._extras:
            needed += 2 * [*map(type, map(value, rows))].count(str)
        return quotes_outside_texts(raw) == needed


_KINDS = {type(value): kind_of(value) for value in ("", 0, 0.0, True, None)}


def fast_extras(name: str, rows: Sequence[Row], *, strict: bool) -> list[str] | None:
    """Return the other fields of a file whose first rows are these, or None where there is no quick way over it."""
    main = _MAIN.get(name)
    fitting = [row for row in rows if main in row]
    if main is None or not fitting or (strict and main == "text" and any(len(row) > 1 for row in fitting)):
        return None
    extras = list(dict.fromkeys(key for row in fitting for key in row if key != main))
    plain = all(key in row and not isinstance(row[key], list | dict) for row in fitting for key in extras)
    return extras if plain and len(extras) <= 20 else None
