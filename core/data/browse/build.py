"""Write a data set's rows as a table that `table` reads; kept in the cache folder by the file's hash."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.data.browse.table import ROW_END, ROWS_FILE, TEXT_FILE, RowTable
from core.data.inspect.read import Item, items
from core.data.inspect.source import check_unchanged, open_source
from core.data.profile.progress import Progress, report
from core.data.profile.view import RowView, view_row
from core.paths import cache_folder, forget_old

VERSION = 1
"""Of what is kept on disk; raise it when a row would be written in another way."""
SNIPPET = 400
_ROWS_A_GROUP = 2_000
_BYTES_A_GROUP = 32 << 20
_DAYS_KEPT = 30
_SCHEMA = pa.schema([
    ("line", pa.int64()), ("start", pa.int64()), ("turns", pa.int32()), ("characters", pa.int64()), ("readable", pa.bool_()),
    ("question", pa.string()), ("answer", pa.string()), ("raw", pa.string()),
])  # fmt: skip


def row_table(path: Path, file_hash: str, progress: Progress | None = None) -> RowTable:
    """Return the table of a data set's rows, made where it is not there yet.

    Args:
        path: the data set.
        file_hash: SHA-256 of the file, by which the table is kept.
        progress: told the rows done; returning False stops the work.

    Raises:
        InputError: the data set cannot be read or changes meanwhile.
        Cancelled: ``progress`` asked to stop; nothing is kept.
    """
    rooms = cache_folder() / "rows"
    folder = rooms / f"{file_hash[:40]}-{VERSION}"
    try:
        table = RowTable(folder)
    except (OSError, pa.ArrowException, KeyError, ValueError):
        shutil.rmtree(folder, ignore_errors=True)  # half of one, from a disk that was full
    else:
        os.utime(folder)
        return table
    rooms.mkdir(parents=True, exist_ok=True)
    forget_old(rooms, _DAYS_KEPT)
    with tempfile.TemporaryDirectory(dir=rooms) as coming:
        _write(path, Path(coming), progress)
        try:
            Path(coming).rename(folder)
        except OSError:  # another session was first: its table is the same
            return RowTable(folder)
        Path(coming).mkdir()  # what the context manager takes away
    return RowTable(folder)


def _write(path: Path, folder: Path, progress: Progress | None) -> None:
    source = open_source(path)
    with (folder / TEXT_FILE).open("wb") as text, _writer(folder / ROWS_FILE) as writer:
        rows: list[dict[str, Any]] = []
        held = start = 0
        for number, item in enumerate(items(source), start=1):
            view = view_row(item.place, item.row) if item.row is not None else None
            row = _row(item, view, start)
            start += text.write(_searched(view, row["raw"]).casefold().encode("utf-8", "replace") + ROW_END)
            rows.append(row)
            held += len(row["raw"])
            if len(rows) >= _ROWS_A_GROUP or held >= _BYTES_A_GROUP:
                writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))
                rows, held = [], 0
                report(progress, "rows", number)
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))
    check_unchanged(source)


@contextmanager
def _writer(path: Path) -> Iterator[pq.ParquetWriter]:
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd", compression_level=1, use_dictionary=False) as writer:
        yield writer


def _row(item: Item, view: RowView | None, start: int) -> dict[str, Any]:
    raw = _raw(item)
    turns = view.turns if view is not None else ()
    answer = view.answer if view is not None else None
    return {
        "line": item.place, "start": start, "turns": len(turns), "readable": item.row is not None, "raw": raw,
        "characters": sum(len(turn.text) for turn in turns) if turns else len(raw),
        "question": ((view.question if view is not None else "") or raw)[:SNIPPET],
        "answer": answer[:SNIPPET] if answer is not None else None,
    }  # fmt: skip


def _raw(item: Item) -> str:
    if item.raw is not None:
        return item.raw.decode("utf-8", "replace").removeprefix("\ufeff")
    if item.row is None:
        return ""
    return json.dumps(item.row, ensure_ascii=False, default=str).encode("utf-8", "replace").decode("utf-8")


def _searched(view: RowView | None, raw: str) -> str:
    """Return everything of a row that a search looks at: its turns and its other fields, or its bytes as they stand."""
    if view is None or not view.turns:
        return raw
    texts = [turn.text for turn in (*view.turns, *view.rejected)]
    known = set(texts)
    return "\n".join([*texts, *(str(value) for value in view.fields.values() if str(value) not in known)])
