"""Reads the rows of a Parquet file whose columns of texts have given values, of the row groups alone that can hold them.

Arrow's own filters, comparisons and groups load pandas, which takes longer than a run from the cache does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Encoded:
    """A column of texts as numbers: which of its different values each row has."""

    values: list[str]
    codes: np.ndarray

    def equal(self, value: str) -> np.ndarray:
        """Return for each row whether it has a value."""
        return self.codes == (self.values.index(value) if value in self.values else -1)


def encoded(table: pa.Table, name: str) -> Encoded:
    """Return a column of texts as numbers; what is null there has no code that any value has."""
    column = table[name].combine_chunks().dictionary_encode(null_encoding="encode")
    codes = np.frombuffer(column.indices.buffers()[1] or b"", dtype=np.int32)[: len(column)]
    return Encoded(column.dictionary.to_pylist(), codes)


def rows_where(path: Path, columns: Sequence[str] | None, where: Mapping[str, str]) -> pa.Table:
    """Return the rows of a file in its order.

    Args:
        path: of the file.
        columns: that are wanted; None is all.
        where: columns of texts and the value that each has to have.
    """
    wanted = None if columns is None else [*columns, *(name for name in where if name not in columns)]
    with pq.ParquetFile(path) as file:
        groups = [group for group in range(file.num_row_groups) if _may_hold(file.metadata.row_group(group), where)]
        table = matching(file.read_row_groups(groups, columns=wanted), where)
    return table if columns is None else table.select(list(columns))


def matching(table: pa.Table, where: Mapping[str, str]) -> pa.Table:
    """Return the rows whose columns have given values."""
    if not where:
        return table
    has_all = reduce(np.logical_and, (encoded(table, name).equal(value) for name, value in where.items()))
    if has_all.all():
        return table
    bits = pa.py_buffer(np.packbits(has_all, bitorder="little").tobytes())
    return table.filter(pa.Array.from_buffers(pa.bool_(), len(has_all), [None, bits]))


def _may_hold(group: pq.RowGroupMetaData, where: Mapping[str, str]) -> bool:
    """Tell by its least and greatest values whether a row group can hold such rows."""
    for place in range(group.num_columns):
        column = group.column(place)
        found = column.statistics if column.path_in_schema in where else None
        if found is not None and found.has_min_max:
            value = where[column.path_in_schema].encode()
            if not found.min.encode() <= value <= found.max.encode():
                return False
    return True
