"""Writes and reads the table of actions as JSONL, CSV and Parquet. What is written and read again is the same."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError
from core.ratings.exchange.table import COLUMNS, FLAGS, LISTS, WHOLE
from core.store import write_atomically, write_table

_QUOTED_FORMULA = re.compile(r"'+[=+\-@\t\r]")
LARGEST_CELL = 16 * 1024 * 1024
"""Characters; Python's csv gives up at 131,072 unless told."""


def write_jsonl(path: Path, table: pd.DataFrame) -> None:
    """Write one JSON object a line."""
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _plain_rows(table)).encode())


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write CSV in which no text is a formula to a spreadsheet; lists and ranks are JSON."""
    from core.charts.export import to_csv  # brings plotly with it

    cells = [{name: _cell(value) for name, value in row.items()} for row in _plain_rows(table)]
    write_atomically(path, to_csv(pd.DataFrame(cells, columns=list(table.columns), dtype=object)).encode())


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write Parquet; ``value`` is text there, of a ranking its JSON."""
    rows = list(_plain_rows(table))
    for row in rows:
        row["value"] = None if row["value"] is None else _cell_text(row["value"])
    write_table(path, pa.Table.from_pylist(rows, schema=_schema()))


def read_rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a file, each with where it stands (``line 3``).

    Raises:
        InputError: the file is not there, of another kind, or broken.
    """
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path}: found a file {path.suffix or 'without an ending'}, expected {', '.join(readers)}.")
    try:
        return list(readers[path.suffix.lower()](path))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (UnicodeDecodeError, csv.Error, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read as {path.suffix[1:]} ({error}).") from None


def _plain_rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in table.to_dict("records"):
        yield {str(name): _plain(str(name), value) for name, value in row.items()}


def _plain(name: str, value: Any) -> Any:
    """Return a value as JSON knows it: missing is null, whole numbers and flags are such."""
    if isinstance(value, tuple | list):
        return list(value)
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if name in FLAGS:
        return bool(value)
    return int(value) if name in WHOLE else value


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    # An apostrophe before a formula is taken off again when the file is read; one that was there needs a second.
    return f"'{value}" if isinstance(value, str) and _QUOTED_FORMULA.match(value) else value


def _cell_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _schema() -> pa.Schema:
    kinds = {
        **dict.fromkeys(COLUMNS, pa.string()),
        **dict.fromkeys(LISTS, pa.list_(pa.string())),
        **dict.fromkeys(FLAGS, pa.bool_()),
        **dict.fromkeys(WHOLE, pa.int64()),
    }
    return pa.schema(list(kinds.items()))


def _read_jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: not a JSON object ({error}).") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {number}: found {type(row).__name__}, expected a JSON object.")
        yield f"line {number}", row


def _read_csv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    before = csv.field_size_limit(LARGEST_CELL)
    try:
        reader = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        for row in reader:
            if None in row:
                raise InputError(f"{path}, line {reader.line_num}: the row has more cells than the header.")
            yield f"line {reader.line_num}", {name: _from_cell(cell) for name, cell in row.items()}
    finally:
        csv.field_size_limit(before)


def _from_cell(cell: str | None) -> str | None:
    if not cell:
        return None
    return cell[1:] if _QUOTED_FORMULA.match(cell) else cell


def _read_parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(pq.ParquetFile(path).read().to_pylist(), start=1):
        yield f"row {number}", row
