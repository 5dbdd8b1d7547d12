"""Joins the parts of a run into one sorted file without ever holding more than a bounded piece of them.

One group (a task and a variant) is read, sorted and written after the other. A group that is larger than the bound is first spread
over files by ranges of example ids, which are then sorted one by one. The file is the same to the last bit as one made of a table
that holds everything, and it appears whole or not at all: whatever a kill leaves behind lies among the parts, and is written over.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.parquet_rows import encoded, rows_where

MOST_BYTES = 1 << 29
"""Of rows that are sorted at once; sorting and writing them takes about three times as much memory."""
_GROUP = ("task", "variant")
_WITHIN = ("example_id", "item", "kind")
SORTED_BY = (*_GROUP, *_WITHIN)
"""The order of the rows, ascending and by bytes, what is null last; rows that are equal in all of it stay as they were."""


@dataclass
class _Group:
    """The rows of one task and variant."""

    task: str
    variant: str
    paths: list[Path] = field(default_factory=list)
    rows: int = 0

    def read(self, path: Path, columns: list[str] | None = None) -> pa.Table:
        """Return the rows of the group that lie in one of its files."""
        return rows_where(path, columns, {"task": self.task, "variant": self.variant})


def join_parts(
    paths: Sequence[Path], target: Path, scratch: Path, schema: pa.Schema, *, rows_a_group: int, most_bytes: int = MOST_BYTES
) -> None:  # fmt: skip
    """Write the rows of Parquet files into one, in the order of `SORTED_BY`; it is on disk when this returns.

    Args:
        paths: of the parts, in the order in which rows that are equal in all keys stay.
        target: the file that appears, whole or not at all.
        scratch: a folder for what is written meanwhile, on the same disk; it is emptied before and removed after.
        schema: of the parts; a column that one of them has not yet is null there.
        rows_a_group: rows of a row group of the file.
        most_bytes: of rows that are held and sorted at once.

    Raises:
        OSError: the disk is full or the folder cannot be written. The parts are as they were.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    joined = scratch / "joined"  # no name that a reader of parts would look for
    try:
        tables = (
            table for group in _groups(paths) for table in _sorted_tables(group, scratch / "ranges", schema, most_bytes)
        )
        with joined.open("wb") as file:
            _write(file, tables, schema, rows_a_group)
            file.flush()
            os.fsync(file.fileno())
        os.replace(joined, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _groups(paths: Sequence[Path]) -> list[_Group]:
    """Return the groups in order, each with the files that have rows of it."""
    found: dict[tuple[str, str], _Group] = {}
    for path in paths:
        tasks, variants = (encoded(pq.ParquetFile(path).read(columns=list(_GROUP)), key) for key in _GROUP)
        pairs, counts = np.unique(np.stack([tasks.codes, variants.codes]), axis=1, return_counts=True)
        for (task, variant), rows in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            key = tasks.values[task], variants.values[variant]
            group = found.setdefault(key, _Group(*key))
            group.paths.append(path)
            group.rows += rows
    return [found[key] for key in sorted(found)]  # code points are in the order of the bytes that Arrow compares


def _sorted_tables(group: _Group, scratch: Path, schema: pa.Schema, most_bytes: int) -> Iterator[pa.Table]:
    """Yield the sorted rows of a group, in one table where they fit the bound."""
    # In the schema of today: what a part has not is null.
    tables = (
        pa.concat_tables([pa.Table.from_batches([], schema), group.read(path)], promote_options="default")
        for path in group.paths
    )
    held: list[pa.Table] = []
    size = rows = 0
    for table in tables:
        held.append(table)
        size, rows = size + table.nbytes, rows + table.num_rows
        if size > most_bytes and rows < group.rows:
            ranges = math.ceil(size * group.rows / rows / most_bytes)
            yield from _by_ranges(chain(_taken(held), tables), _bounds(group, ranges), scratch, schema)
            return
    yield _sorted(held)


def _by_ranges(tables: Iterable[pa.Table], bounds: np.ndarray, scratch: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """Spread tables over files by ranges of ids, then yield the rows of each, sorted."""
    scratch.mkdir()
    paths = [scratch / f"{number}.arrow" for number in range(len(bounds) + 1)]
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with ExitStack() as stack:
        files = [stack.enter_context(pa.ipc.new_file(path, schema, options=options)) for path in paths]
        for table in tables:
            place = np.searchsorted(bounds, table["example_id"].to_numpy(), side="right")
            for number in np.unique(place).tolist():
                files[number].write_table(table.filter(pa.array(place == number)))
    for path in paths:
        with pa.OSFile(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
        path.unlink()
        yield _sorted([table])
    scratch.rmdir()


def _bounds(group: _Group, ranges: int) -> np.ndarray:
    """Return the ids at which the ranges part, ascending, so that all have about as many rows."""
    ids = pa.chunked_array(
        chain.from_iterable(group.read(path, ["example_id"])["example_id"].chunks for path in group.paths)
    )
    ranks = np.linspace(0, len(ids), ranges, endpoint=False).astype(np.int64)[1:]
    ordered = pc.sort_indices(ids).take(pa.array(ranks))  # type: ignore[attr-defined]
    return np.array(sorted(set(ids.take(ordered).to_pylist())), dtype=object)


def _taken(tables: list[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables and let go of each."""
    tables.reverse()
    while tables:
        yield tables.pop()


def _sorted(held: list[pa.Table]) -> pa.Table:
    """Return the rows of some tables of a group, sorted; ``held`` is emptied, so that they are not in memory a third time."""
    table = pa.concat_tables(held).combine_chunks()
    held.clear()
    return table.take(pc.sort_indices(table, sort_keys=[(key, "ascending") for key in _WITHIN]))  # type: ignore[attr-defined]


def _write(file: object, tables: Iterable[pa.Table], schema: pa.Schema, rows_a_group: int) -> None:
    """Write tables in whole row groups, so that the file does not depend on where one table ends."""
    rest = pa.Table.from_batches([], schema)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in tables:
            rows = pa.concat_tables([rest, table])
            whole = rows.num_rows - rows.num_rows % rows_a_group
            for first in range(0, whole, rows_a_group):
                # In one piece, since how a column is cut moves bytes of the file.
                writer.write_table(rows.slice(first, rows_a_group).combine_chunks())
            # A copy: a slice would hold all of the table.
            rest = rows.take(pa.array(np.arange(whole, rows.num_rows))) if whole else rows.combine_chunks()
        writer.write_table(rest)
