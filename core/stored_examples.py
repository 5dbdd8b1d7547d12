"""Reads what a run asked out of its examples.parquet, in blocks, and keeps equal labels, options and tags once.

Of a million examples the objects of Python are gigabytes where each has an own copy of its options; and metrics look at neither prompts
nor fields, which are most of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import pyarrow as pa
import pyarrow.parquet as pq

from core.parquet_rows import rows_where
from core.records import Example
from core.text_columns import text_column, text_list_column

_BLOCK = 65_536
_MOST_KEPT = 10_000
"""Different values that are looked for: texts that are all different are not worth a place each."""
_TEXTS = ("prompt", "fields")

Value = TypeVar("Value")


class Once:
    """Gives equal values as one object, so that a million of them take the memory of those that differ."""

    def __init__(self) -> None:
        """Start with none."""
        self._known: dict[Any, Any] = {}

    def __call__(self, value: Value) -> Value:
        """Return a value equal to ``value``, which can be hashed: the first of its kind."""
        found = self._known.get(value)
        if found is None and len(self._known) < _MOST_KEPT:
            self._known[value] = value
        return value if found is None else found


def count_examples(path: Path) -> int:
    """Return how many examples of all tasks a file has, without reading them; 0 where there is no file."""
    return pq.read_metadata(path).num_rows if path.is_file() else 0


def read_examples(path: Path, task: str | None = None, *, texts: bool = True) -> tuple[Example, ...]:
    """Return the examples of a run in the order of the file; none where there is no file.

    Args:
        path: of the file, see `core.store.EXAMPLE_SCHEMA`.
        task: whose examples; None is all.
        texts: whether prompts and fields are wanted; without them both are empty.
    """
    if not path.is_file():
        return ()
    columns = [name for name in pq.read_schema(path).names if texts or name not in _TEXTS]
    table = rows_where(path, columns, {} if task is None else {"task": task})
    once = Once()
    return tuple(one for block in table.to_batches(max_chunksize=_BLOCK) for one in _examples(block, once))


def examples_table(examples: Sequence[Example], schema: pa.Schema) -> pa.Table:
    """Return examples as a table, in their order.

    Args:
        examples: of a run.
        schema: `core.store.EXAMPLE_SCHEMA`.
    """
    blocks = [
        block
        for first in range(0, len(examples), _BLOCK)
        for block in _blocks(examples[first : first + _BLOCK], schema)
    ]
    return pa.Table.from_batches(blocks, schema)


def _blocks(examples: Sequence[Example], schema: pa.Schema) -> list[pa.RecordBatch]:
    try:
        columns = [
            text_column([one.task for one in examples]),
            text_column([one.id for one in examples]),
            text_column([one.prompt for one in examples]),
            text_column([json.dumps(one.fields, ensure_ascii=False) for one in examples]),
            text_column([json.dumps(one.reference, ensure_ascii=False) for one in examples]),
            text_list_column([one.options for one in examples]),
            text_list_column([one.tags for one in examples]),
            text_column([one.language for one in examples]),
            text_column([one.group for one in examples]),
        ]
    except OverflowError:  # more text than a column holds
        half = len(examples) // 2
        return [*_blocks(examples[:half], schema), *_blocks(examples[half:], schema)]
    return [pa.RecordBatch.from_arrays(columns, schema=schema)]


def _examples(block: pa.RecordBatch, once: Once) -> Iterator[Example]:
    names = set(block.schema.names)
    known = {name: block[name].to_pylist() for name in ("task", "id", "language", "group")}
    prompts: Sequence[str] = block["prompt"].to_pylist() if "prompt" in names else [""] * len(block)
    fields: Sequence[Any] = (
        _documents(block["fields"]) if "fields" in names else [cast("dict[str, Any]", {})] * len(block)
    )
    references = [once(one) if isinstance(one, str) else one for one in _documents(block["reference"])]
    options, tags = (lists_once(block[name], once) for name in ("options", "tags"))
    tasks, languages, groups = (map(once, known[name]) for name in ("task", "language", "group"))
    return map(Example, tasks, known["id"], prompts, fields, references, options, tags, languages, groups)


def lists_once(column: pa.Array, once: Once) -> list[tuple[Any, ...]]:
    """Return a column of lists as tuples, equal ones as one object; an empty one where there is no list."""
    return [once(tuple(some or ())) for some in column.to_pylist()]


def _documents(column: pa.Array) -> list[Any]:
    # One JSON document of all rows: seven times as fast as one a row.
    return json.loads(f"[{','.join(column.to_pylist())}]")
