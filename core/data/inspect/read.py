"""Stream the rows of any dataset, each with its place and what is wrong with how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from core.data.inspect.flaws import BLANK_LINE, BYTE_ORDER_MARK, Flaw, flaw
from core.data.inspect.jsonline import MAX_DEPTH, JsonReader, read_object
from core.data.inspect.jsonlist import list_items
from core.data.inspect.lines import MAX_LINE_BYTES, numbered_lines
from core.data.inspect.marks import BOM
from core.data.inspect.source import Source, check_unchanged, open_bytes, open_source
from core.data.inspect.stream import Readable


@dataclass(frozen=True, slots=True)
class Item:
    """What stands at one place of a dataset."""

    place: int
    """1-based line (JSONL, CSV), item (a JSON list) or row (Parquet, Arrow)."""
    row: dict[str, Any] | None
    """The fields, or None where they cannot be read."""
    flaws: list[Flaw] = field(default_factory=list)
    """What is wrong with how it is written; its form is judged elsewhere."""
    raw: bytes | None = None
    """The bytes of a JSON text."""
    blank: bool = False
    """Whether no row is missing here: an empty line, or a CSV header with something wrong about it."""


def iter_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (place, fields) of every row that can be read, streamed; rows with faults of form are among them.

    The place is what ``Fault.line`` holds: the 1-based line (JSONL, CSV), item (a JSON list) or row (Parquet, Arrow).

    Raises:
        InputError: as `open_source`, or the file cannot be read to its end, or changes meanwhile.
    """
    source = open_source(path)
    if source.kind == "jsonl":
        yield from _line_rows(source)
    else:
        yield from ((item.place, item.row) for item in items(source) if item.row is not None)
    check_unchanged(source)


def _line_rows(source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of JSON Lines: a sound line by the fastest reader, any other as the rules read it."""
    reader = JsonReader()
    decode = msgspec.json.Decoder().decode
    with open_bytes(source) as stream:
        for number, line in numbered_lines(stream):
            row: Any = None
            if line and line.count(b"[") + line.count(b"{") <= MAX_DEPTH:
                with suppress(msgspec.DecodeError, UnicodeDecodeError):
                    row = decode(line)
            if not isinstance(row, dict):
                row = read_line(reader, number, line).row
            if row is not None:
                yield number, row


def items(source: Source) -> Iterator[Item]:
    """Yield every place of a dataset, readable or not."""
    if source.kind in ("parquet", "arrow"):
        from core.data.inspect.tables import arrow_rows, parquet_rows

        rows = parquet_rows(source) if source.kind == "parquet" else arrow_rows(source)
        yield from (Item(place, row) for place, row in enumerate(rows, start=1))
        return
    with open_bytes(source) as stream:
        if source.kind == "jsonl":
            reader = JsonReader()
            for number, line in numbered_lines(stream):
                yield read_line(reader, number, line)
        elif source.kind == "json":
            yield from _listed(source, stream)
        else:
            from core.data.inspect.tables import csv_rows

            for line, row, flaws in csv_rows(stream, source.path):
                empty = row is None and all(one in (BLANK_LINE, BYTE_ORDER_MARK) for one in flaws)
                yield Item(line, row, flaws, blank=empty)


def read_line(reader: JsonReader, number: int, line: bytes | None) -> Item:
    """Return what stands on a line of JSONL; None stands for a line that is too long to be read."""
    if line is None:
        found = f"a line of more than {MAX_LINE_BYTES >> 20} MiB"
        return Item(number, None, [flaw("line-too-long", "", found, "rows that a trainer can hold in memory")])
    if not line.strip():
        return Item(number, None, [BLANK_LINE], line, True)
    row, flaws = read_object(reader, line)
    return Item(number, row, flaws, line)


def _listed(source: Source, stream: Readable) -> Iterator[Item]:
    with open_bytes(source) as head:
        early = [BYTE_ORDER_MARK] if head.read(len(BOM)) == BOM else []
    reader = JsonReader()
    for place, content in enumerate(list_items(stream, source.path), start=1):
        if content:
            row, flaws = read_object(reader, content)
        else:
            found = "a comma with nothing before or after it"
            row, flaws = None, [flaw("trailing-comma", "", found, "an item", "leave the comma out")]
        yield Item(place, row, early + flaws, content, not content)
        early = []
