"""Read a table that `build` wrote: search every row's text, give one page of rows, open one row as it stands in its file.

The text that is searched lies in one file beside the Parquet table, a byte that UTF-8 never has after each row: a search is
one scan of memory that the system keeps, and a hit in one row leads on to the next row.
"""

from __future__ import annotations

import mmap
import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from core.data.inspect.jsonline import JsonReader, read_object
from core.errors import InputError

ROWS_FILE, TEXT_FILE = "rows.parquet", "text.bin"
ROW_END = b"\xff"
"""No UTF-8 text holds this byte, so that nothing that is looked for can reach over a row's end."""
_RANGE = re.compile(r"(\d{1,12})(?:-(\d{1,12}))?")
_DASH = re.compile(r"\s*[-\u2013]\s*")
MOST_LINES = 1_000_000
_PROBED_ROWS, _SHORT, _ROWS_AT_ONCE = 5_000, 4, 20_000
"""Bytes so short that stand in a quarter of so many first rows are looked for in another way: see `RowTable._dense_hits`."""


@dataclass(frozen=True)
class RowLine:
    """One row in a list."""

    line: int
    """Where it stands, as ``Fault.line`` counts."""
    turns: int
    characters: int
    readable: bool
    """False for a place that holds no row: broken JSON, an empty line."""
    question: str
    """The beginning of what is asked, or of the row itself where that is not known."""
    answer: str | None


@dataclass(frozen=True)
class OpenRow:
    """One row as it stands in its file."""

    line: int
    raw: str
    """Its JSON; what does not come from JSON is written as such."""
    fields: Mapping[str, Any] | None
    """None where it cannot be read."""


class RowTable:
    """The rows of one file."""

    def __init__(self, folder: Path) -> None:
        """Open the table in ``folder``.

        Raises:
            OSError: it is not there.
        """
        self.folder = folder
        with (folder / TEXT_FILE).open("rb") as stream:
            size = stream.seek(0, 2)
            self._text = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self._path = folder / ROWS_FILE
        found = pq.read_table(self._path, columns=["line", "start"])
        self.lines: np.ndarray = found["line"].to_numpy()
        """int64 (n,): the line of each row, ascending."""
        self._starts = array("q", [*found["start"].to_pylist(), size])

    @property
    def n(self) -> int:
        """How many places the file has, unreadable ones included."""
        return len(self.lines)

    def find(self, text: str = "", only: np.ndarray | None = None) -> np.ndarray:
        """Return the positions of rows, in the file's order.

        Args:
            text: stands somewhere in the row, case aside; empty for all rows.
            only: lines that may be found; None for all.
        """
        wanted = text.strip().casefold().encode("utf-8", "replace")
        positions = self._hits(wanted) if wanted else np.arange(self.n)
        return positions if only is None else positions[np.isin(self.lines[positions], only)]

    def _hits(self, wanted: bytes) -> np.ndarray:
        starts, find = self._starts, self._text.find
        hits: array[int] = array("q")
        row = 0
        while (place := find(wanted, starts[row])) >= 0:
            row = bisect_right(starts, place, row) - 1
            hits.append(row)
            row += 1
            if row >= _PROBED_ROWS and 4 * len(hits) > row and len(wanted) <= _SHORT:
                return np.concatenate([np.array(hits, dtype=np.int64), self._dense_hits(wanted, row)])
        return np.array(hits, dtype=np.int64)

    def _dense_hits(self, wanted: bytes, first: int) -> np.ndarray:
        """Find bytes that stand in many rows, from row ``first`` on: many rows at once rather than from hit to hit."""
        found = [np.empty(0, dtype=np.int64)]
        for begin in range(first, self.n, _ROWS_AT_ONCE):
            end = min(begin + _ROWS_AT_ONCE, self.n)
            starts = np.array(self._starts[begin : end + 1])
            text = np.frombuffer(self._text, dtype=np.uint8, count=int(starts[-1] - starts[0]), offset=int(starts[0]))
            found.append(begin + np.flatnonzero(_in_each(text, starts[:-1] - starts[0], wanted)))
        return np.concatenate(found)

    def position(self, line: int) -> int | None:
        """Return the position of a line; None where the file has nothing there."""
        place = int(np.searchsorted(self.lines, line))
        return place if place < self.n and self.lines[place] == line else None

    def page(self, positions: Sequence[int] | np.ndarray) -> list[RowLine]:
        """Return some rows for a list, in the order that is asked for."""
        names = ["line", "turns", "characters", "readable", "question", "answer"]
        return [RowLine(**row) for row in self._read(positions, names)]

    def open(self, position: int) -> OpenRow:
        """Return the row at a position."""
        (found,) = self._read([position], ["line", "readable", "raw"])
        fields = read_object(JsonReader(), found["raw"].encode())[0] if found["readable"] else None
        return OpenRow(found["line"], found["raw"], fields)

    @cached_property
    def _group_ends(self) -> np.ndarray:
        meta = pq.read_metadata(self._path)
        return np.cumsum([meta.row_group(number).num_rows for number in range(meta.num_row_groups)])

    def _read(self, positions: Sequence[int] | np.ndarray, names: list[str]) -> list[dict[str, Any]]:
        at = np.asarray(positions, dtype=np.int64)
        groups = np.searchsorted(self._group_ends, at, side="right")
        found: dict[int, dict[str, Any]] = {}
        with pq.ParquetFile(self._path) as file:
            for group in np.unique(groups).tolist():
                mine = at[groups == group]
                begin = int(self._group_ends[group - 1]) if group else 0
                rows = file.read_row_group(group, columns=names).take(mine - begin).to_pylist()
                found.update(zip(mine.tolist(), rows, strict=True))
        return [found[place] for place in at.tolist()]


def _in_each(text: np.ndarray, starts: np.ndarray, wanted: bytes) -> np.ndarray:
    """Return for each row whether some bytes stand in it; a row ends with a byte that they do not have."""
    is_there = text == wanted[0]
    for place, byte in enumerate(wanted[1:], start=1):
        is_there[: -place or None] &= text[place:] == byte
        is_there[len(text) - place :] = False
    return np.logical_or.reduceat(is_there, starts)


def parse_ranges(text: str) -> np.ndarray | None:
    """Return the lines that a text such as ``3, 17, 20-25`` names, at most a million; None for an empty one.

    Raises:
        InputError: a piece of it is neither a number nor a range.
    """
    pieces = [piece for piece in re.split(r"[,;\s]+", _DASH.sub("-", text.strip())) if piece]
    if not pieces:
        return None
    made: list[np.ndarray] = []
    left = MOST_LINES
    for piece in pieces:
        match = _RANGE.fullmatch(piece)
        if match is None:
            raise InputError(f"Found {piece[:40]!r} among the lines; expected numbers and ranges such as 3, 17, 20-25.")
        first = int(match[1])
        last = int(match[2] or first)
        run = np.arange(min(first, last), min(max(first, last) + 1, min(first, last) + left))
        left -= len(run)
        made.append(run)
    return np.unique(np.concatenate(made))


def range_text(lines: Sequence[int]) -> str:
    """Return lines as the shortest text that `parse_ranges` reads: ``3,17,20-25``."""
    pieces: list[str] = []
    ordered = sorted(set(lines))
    start = 0
    for place in range(1, len(ordered) + 1):
        if place == len(ordered) or ordered[place] != ordered[place - 1] + 1:
            first, last = ordered[start], ordered[place - 1]
            pieces.append(str(first) if first == last else f"{first}-{last}")
            start = place
    return ",".join(pieces)
