"""Runs of words of one file, looked for in another: arrays of hashes, no texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.data.profile.words import ngram_hashes

COMMON_ROWS, COMMON_SHARE = 20, 0.05
"""A run that stands in more rows than both is the file's own template (the words around every question), no leak."""
_FILTER_BITS = 22
_ROWS_A_BATCH = 1_000


class RunIndex:
    """The runs of words of a file's rows; each row has runs of one length."""

    def __init__(self) -> None:
        """Start without rows."""
        self._rows: dict[int, tuple[list[int], list[np.ndarray]]] = {}
        self.n = 0
        self.tables: list[RunTable] = []

    def add(self, words: np.ndarray, length: int) -> None:
        """Add the next row; ``length`` is that of its runs, in words, or 0 for a row that has none to compare."""
        if length:
            numbers, rows = self._rows.setdefault(length, ([], []))
            numbers.append(self.n)
            rows.append(words)
        self.n += 1

    def close(self) -> None:
        """Make the tables: no row is added after this."""
        for length in sorted(self._rows):
            numbers, rows = self._rows[length]
            self.tables.append(RunTable(length, np.array(numbers, dtype=np.int64), rows))
        self._rows.clear()

    def search(self) -> RunSearch:
        """Return a fresh search for these runs."""
        return RunSearch(self.n, self.tables)


class RunTable:
    """All runs of one length."""

    def __init__(self, length: int, numbers: np.ndarray, rows: Sequence[np.ndarray]) -> None:
        """Hash the runs of the rows with these ``numbers``."""
        self.length = length
        made = [
            ngram_hashes(rows[start : start + _ROWS_A_BATCH], length) for start in range(0, len(rows), _ROWS_A_BATCH)
        ]
        counts = np.concatenate([np.diff(offsets) for _, offsets in made])
        self.runs, inverse = np.unique(np.concatenate([runs for runs, _ in made]), return_inverse=True)
        self.inverse = inverse.astype(np.int32)
        self.row_of = np.repeat(numbers, counts)
        self.filter = np.zeros(1 << _FILTER_BITS, dtype=bool)
        self.filter[self.runs >> np.uint64(64 - _FILTER_BITS)] = True

    def find(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which of ``hashes`` stand in the table: their places among ``hashes``, and in the table."""
        maybe = np.flatnonzero(self.filter[hashes >> np.uint64(64 - _FILTER_BITS)])
        places = np.minimum(np.searchsorted(self.runs, hashes[maybe]), len(self.runs) - 1)
        hit = self.runs[places] == hashes[maybe]
        return maybe[hit], places[hit]

    def common(self, n_rows: int) -> np.ndarray:
        """Return for each run whether it stands in so many rows that it is the file's own template."""
        pairs = np.unique(self.inverse.astype(np.int64) * n_rows + self.row_of)
        rows = np.bincount(pairs // n_rows, minlength=len(self.runs))
        return rows > max(COMMON_ROWS, COMMON_SHARE * n_rows)


class RunSearch:
    """Which runs were seen in another file, and on which line first."""

    def __init__(self, n: int, tables: Sequence[RunTable]) -> None:
        """Start with nothing seen; ``n`` is the number of rows whose runs are looked for."""
        self._n = n
        self._tables = tables
        self._first = [np.zeros(len(table.runs), dtype=np.int64) for table in tables]

    def look(self, rows: Sequence[np.ndarray], lines: Sequence[int]) -> None:
        """Look for the runs in some rows of the other file: hashes of their words, and their lines (1-based)."""
        for table, first in zip(self._tables, self._first, strict=True):
            numbers = [number for number, row in enumerate(rows) if len(row) >= table.length]
            hashes, offsets = ngram_hashes([rows[number] for number in numbers], table.length)
            if not len(hashes):
                continue
            at, places = table.find(hashes)
            new = first[places] == 0
            owners = np.array(numbers)[np.searchsorted(offsets, at[new], side="right") - 1]
            # In reverse, so that of several lines in this batch the first one stays.
            first[places[new][::-1]] = np.array(lines, dtype=np.int64)[owners][::-1]

    def result(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Return for each row the share of its runs that were seen and the line with most of them; and the common runs.

        Common runs count neither as seen nor as the row's. A row without runs has share 0 and line 0.
        """
        shares, lines, n_common = np.zeros(self._n), np.zeros(self._n, dtype=np.int64), 0
        for table, first in zip(self._tables, self._first, strict=True):
            common = table.common(self._n)
            n_common += int(common.sum())
            own = ~common[table.inverse]
            rows, seen = table.row_of[own], first[table.inverse[own]]
            total = np.bincount(rows, minlength=self._n)
            hits = np.bincount(rows[seen > 0], minlength=self._n)
            shares += np.divide(hits, total, out=np.zeros(self._n), where=total > 0)
            span = int(seen.max(initial=0)) + 1
            pairs, counts = np.unique(rows[seen > 0] * span + seen[seen > 0], return_counts=True)
            order = np.lexsort((-pairs, counts))  # the line with most of it last, the earlier one of equals
            lines[pairs[order] // span] = pairs[order] % span
        return shares, lines, n_common
