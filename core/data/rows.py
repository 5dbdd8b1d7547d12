"""Read a data file into rows, with the place of each: JSONL, a JSON list, CSV or Parquet. Every mistake names file and line.

Rows come out clean: text without lone surrogates, numbers without NaN, nothing that JSON cannot hold.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.errors import InputError

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Row:
    """One row of a data file."""

    place: str
    """Where it stands: ``line 12`` (JSONL, CSV), ``item 3`` (a JSON list), ``row 3`` (Parquet)."""
    fields: dict[str, Any]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a data file; the format goes by the file's ending.

    Raises:
        InputError: the file is missing, of another format, empty, or has a bad line; with the line and what was found.
    """
    return [row.fields for row in read_placed_rows(path)]


def read_placed_rows(path: Path, *, keep_nonfinite: bool = False) -> list[Row]:
    """Return the rows of a data file with their places; as `read_rows` otherwise.

    Args:
        path: the file.
        keep_nonfinite: NaN and infinity stay what they are, also the words that Python's json writes for them, instead of
            being refused (JSON) or read as null (Parquet). For predictions: one bad number is one missing example.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: found the ending {suffix!r}, expected one of {', '.join(SUFFIXES)}.")
    try:
        if suffix == ".parquet":
            rows = _parquet(path)
        else:
            content = path.read_bytes()
            rows = _csv(path, content) if suffix == ".csv" else _json(path, content, suffix, keep_nonfinite)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file. Correct the path, or put the file there.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    if not rows:
        raise InputError(f"{path}: the file has no rows; expected at least one.")
    return [
        Row(row.place, {_clean_text(key): _clean(value, keep_nonfinite) for key, value in row.fields.items()})
        for row in rows
    ]


def _json(path: Path, content: bytes, suffix: str, keep_nonfinite: bool) -> list[Row]:
    body = content.removeprefix(_BOM)
    if suffix == ".json" and body.lstrip()[:1] == b"[":
        listed = _parse(path, "", _decode(path, "", body), keep_nonfinite)
        return [Row(f"item {i}", _as_object(path, f"item {i}", value)) for i, value in enumerate(listed, start=1)]
    rows = []
    for number, line in enumerate(body.split(b"\n"), start=1):  # only \n ends a line: U+2028 may stand inside a text
        text = _decode(path, f"line {number}", line).strip()
        if text:
            place = f"line {number}"
            rows.append(Row(place, _as_object(path, place, _parse(path, place, text, keep_nonfinite))))
    return rows


def _decode(path: Path, place: str, content: bytes) -> str:
    where = f"{path}, {place}" if place else str(path)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{where}: found UTF-16, expected UTF-8. Save the file as UTF-8.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = f"{where}, line {content[: error.start].count(10) + 1}" if not place else where
        raise InputError(
            f"{line}: byte 0x{content[error.start]:02x} at {error.start} is not UTF-8. Save the file as UTF-8."
        ) from None


def _parse(path: Path, place: str, text: str, keep_nonfinite: bool) -> Any:
    try:
        return json.loads(text, parse_constant=float if keep_nonfinite else _refuse_constant)
    except json.JSONDecodeError as error:
        where = f"{place}, column {error.colno}" if place else f"line {error.lineno}, column {error.colno}"
        found = text[error.pos : error.pos + 30].splitlines()
        raise InputError(
            f"{path}, {where}: not valid JSON ({error.msg}); found {found[0] if found else 'the end'!r}. "
            "Expected one JSON object a line, or a list of objects in a file that ends in .json."
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}{', ' if place else ''}{place}: not valid JSON ({error}).") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"found {name}, which JSON does not have; write null where there is no number")


def _as_object(path: Path, place: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
        found = names.get(type(value), "null")
        hint = " A list of objects belongs in a file that ends in .json." if isinstance(value, list) else ""
        raise InputError(f'{path}, {place}: found {found}, expected an object such as {{"prompt": "..."}}.{hint}')
    return value


def _csv(path: Path, content: bytes) -> list[Row]:
    text = _decode(path, "", content.removeprefix(_BOM))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    start = 1
    header: list[str] = []
    try:
        for cells in reader:
            if not cells:
                pass
            elif not header:
                header = _csv_header(path, cells)
            elif len(cells) != len(header):
                raise InputError(
                    f"{path}, line {start}: found {len(cells)} cells, expected {len(header)} as in the header."
                )
            else:
                rows.append(Row(f"line {start}", dict(zip(header, cells, strict=True))))
            start = reader.line_num + 1
    except csv.Error as error:
        hint = " Use JSONL for texts as long as this." if "field limit" in str(error) else ""
        raise InputError(f"{path}, line {start}: not valid CSV ({error}).{hint}") from None
    return rows


def _csv_header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    twice = [name for name in header if header.count(name) > 1]
    if twice or "" in header:
        found = f"the column {twice[0]!r} twice" if twice and twice[0] else "a column without a name"
        raise InputError(f"{path}, line 1: found {found}; expected a header with a different name for each column.")
    return header


def _parquet(path: Path) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowException as error:
        raise InputError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]}).") from None
    return [Row(f"row {number}", fields) for number, fields in enumerate(table.to_pylist(), start=1)]


def _clean_text(text: str) -> str:
    """Replace lone surrogates: they cannot be written as UTF-8, and a browser refuses them."""
    return _SURROGATE.sub("\ufffd", text)


def _clean(value: Any, keep_nonfinite: bool = False) -> Any:
    """Return a value that JSON can hold (or that Python writes as JSON, where numbers need not be finite)."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, dict):
        return {_clean_text(str(key)): _clean(inner, keep_nonfinite) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner, keep_nonfinite) for inner in value]
    if isinstance(value, float):
        return value if keep_nonfinite or math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return value if value is None or isinstance(value, bool | int) else str(value)


def field_names(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return every field that some row has, in the order of first appearance."""
    return tuple(dict.fromkeys(name for row in rows for name in row.fields))
