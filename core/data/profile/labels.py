"""Fields with few different values, and answers that are labels: how balanced they are."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.data.profile.view import RowView

MOST_VALUES = 50
LONGEST_VALUE = 80
FIELDS_READ = 64
LINES_KEPT = 20
ANSWER = "(answer)"
"""The answers of the rows themselves, where they are labels."""


@dataclass(frozen=True)
class LabelShare:
    """One value of a field."""

    value: str
    rows: int
    share: float
    lines: tuple[int, ...]
    """The first of them, at most 20."""


@dataclass(frozen=True)
class LabelBalance:
    """The values of one field."""

    field: str
    """The field's name; ``(answer)`` for answers that are labels."""
    rows: int
    values: tuple[LabelShare, ...]
    """Most frequent first."""
    evenness: float
    """Entropy of the shares over that of equal ones (Pielou, 1966): 1 for perfect balance."""


@dataclass
class _Values:
    counts: Counter[str]
    lines: dict[str, array[int]]
    rows: int = 0


class LabelScan:
    """Counts values one row after the other; a field that shows more than 50 is dropped."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._fields: dict[str, _Values] = {}
        self._dropped: set[str] = set()

    def add(self, row: RowView) -> None:
        """Read one row."""
        for name, value in row.fields.items():
            if not isinstance(value, float) and name not in ("id", "text", "prompt"):
                self._count(name, str(value).lower() if isinstance(value, bool) else str(value), row.line)
        if row.answer is not None and row.turns[-1].role != "answer":
            self._count(ANSWER, row.answer.strip(), row.line)

    def _count(self, name: str, value: str, line: int) -> None:
        if name in self._dropped:
            return
        found = self._fields.get(name)
        if found is None:
            if len(self._fields) >= FIELDS_READ:
                return
            found = self._fields[name] = _Values(Counter(), {})
        found.rows += 1
        found.counts[value] += 1
        if len(found.counts) > MOST_VALUES or len(value) > LONGEST_VALUE:
            del self._fields[name]
            self._dropped.add(name)
            return
        lines = found.lines.setdefault(value, array("q"))
        if len(lines) < LINES_KEPT:
            lines.append(line)

    def result(self) -> tuple[LabelBalance, ...]:
        """Return the fields that look like labels: 2 to 50 values, each in two rows on average at least."""
        return tuple(
            LabelBalance(name, found.rows, _shares(found), evenness(found.counts))
            for name, found in self._fields.items() if 2 <= len(found.counts) <= found.rows / 2
        )  # fmt: skip


def find_labels(rows: Iterable[RowView]) -> tuple[LabelBalance, ...]:
    """Return the fields of a file that look like labels, with the balance of their values."""
    scan = LabelScan()
    for row in rows:
        scan.add(row)
    return scan.result()


def _shares(found: _Values) -> tuple[LabelShare, ...]:
    return tuple(
        LabelShare(value, count, count / found.rows, tuple(found.lines[value]))
        for value, count in sorted(found.counts.items(), key=lambda item: (-item[1], item[0]))
    )


def evenness(counts: Mapping[str, int]) -> float:
    """Return the entropy of shares divided by that of equal shares; 1 for fewer than two values."""
    total = sum(counts.values())
    if len(counts) < 2 or not total:
        return 1.0
    shares = [count / total for count in counts.values() if count]
    return -sum(share * math.log(share) for share in shares) / math.log(len(counts))
