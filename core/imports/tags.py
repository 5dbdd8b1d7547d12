"""Which fields of imported examples are tags to slice by: every scalar field with few values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.imports.answers import OWN_FIELDS
from core.imports.cells import as_text, is_empty

MOST_VALUES = 50
"""A field with more different values than this is no tag."""


def tags_of(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return each example's tags as ``field=value``.

    A field is a tag where it is scalar, has at most `MOST_VALUES` values, and some two examples share one: what is
    different in every example (a file's name, a text) parts nothing from nothing.

    Args:
        rows: The fields of each example.
    """
    names = dict.fromkeys(name for row in rows for name in row if name not in OWN_FIELDS)
    values = {name: [row.get(name) for row in rows] for name in names}
    chosen = [name for name, listed in values.items() if _is_tag(listed)]
    return [tuple(f"{name}={as_text(row[name])}" for name in chosen if not is_empty(row.get(name))) for row in rows]


def _is_tag(values: Sequence[Any]) -> bool:
    there = [value for value in values if not is_empty(value)]
    if not there or any(isinstance(value, dict | list) for value in there):
        return False
    different = len({as_text(value) for value in there})
    return different <= MOST_VALUES and (different < len(there) or len(values) == 1)
