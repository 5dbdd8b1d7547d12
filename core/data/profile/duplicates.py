"""Rows that say the same: letter for letter, but for case and white space, nearly; and inputs with conflicting answers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.data.profile.near import NearIndex
from core.data.profile.progress import Progress, report
from core.data.profile.view import RowView
from core.data.profile.words import normalised, text_hash, word_hashes, writes_without_spaces

THRESHOLD = 0.8
GROUPS_KEPT = 1_000
LINES_KEPT = 50
Kind = Literal["exact", "normalised", "near"]


@dataclass(frozen=True)
class DuplicateGroup:
    """Rows that say the same."""

    kind: Kind
    """``exact``: letter for letter. ``normalised``: but for case, white space and compatibility characters. ``near``."""
    count: int
    lines: tuple[int, ...]
    """At most 50."""
    similarity: float | None
    """Of ``near``: the smallest Jaccard similarity that was found between two that it joins."""


@dataclass(frozen=True)
class Conflict:
    """Rows with the same input and different answers."""

    count: int
    answers: int
    """How many different answers there are."""
    lines: tuple[int, ...]
    """At most 50, of different answers first."""


@dataclass(frozen=True)
class Duplicates:
    """What says the same in one file."""

    rows: int
    """Rows with text."""
    exact_rows: int
    """Rows that could go: they repeat an earlier row letter for letter."""
    normalised_rows: int
    """Rows that repeat an earlier row but for case and white space, exact ones included."""
    near_rows: int
    """Rows that nearly repeat an earlier row, exact and normalised ones included."""
    groups: tuple[DuplicateGroup, ...]
    """Largest first, at most 1,000."""
    n_groups: int
    conflicts: tuple[Conflict, ...]
    """Largest first, at most 1,000."""
    n_conflicts: int
    conflicting_rows: int
    threshold: float


class DuplicateFinder:
    """Reads rows one by one and then says which repeat each other; holds hashes, not texts."""

    def __init__(self, *, threshold: float = THRESHOLD) -> None:
        """Take the Jaccard similarity from which two rows are near duplicates, above 0 and at most 1."""
        self.threshold = threshold
        self._lines, self._exact, self._text = array("q"), array("q"), array("q")
        self._input_lines, self._inputs, self._answers = array("q"), array("q"), array("q")
        self._near = NearIndex()
        self._numbers = array("q")

    def add(self, row: RowView) -> None:
        """Read one row; one without words is left out."""
        text = row.text
        plain = normalised(text)
        if not plain:
            return
        self._lines.append(row.line)
        self._exact.append(text_hash("\x00".join(f"{turn.role}\x01{turn.text}" for turn in row.turns)))
        key = text_hash(plain)
        self._text.append(key)
        found = word_hashes(text)
        self._numbers.append(self._near.n if len(found) else -1)
        if len(found):
            self._near.add(found, unspaced=writes_without_spaces(text))
        if row.answer is not None and (asked := normalised(row.prompt)):
            self._input_lines.append(row.line)
            self._inputs.append(text_hash(asked))
            self._answers.append(text_hash(normalised(row.answer)))

    def result(self, progress: Progress | None = None) -> Duplicates:
        """Return what repeats; the finder is used up.

        Raises:
            Cancelled: ``progress`` asked to stop.
        """
        rows = len(self._lines)
        lines, exact, text = (np.array(values, dtype=np.int64) for values in (self._lines, self._exact, self._text))
        own = np.array(self._numbers, dtype=np.int64)
        _, firsts, text_ids = np.unique(text, return_index=True, return_inverse=True)
        chosen = np.sort(own[firsts])
        with self._near as near:
            links = near.links(self.threshold, lambda _: report(progress, "near duplicates", rows), chosen[chosen >= 0])
        first, second, similar = links
        component = _components(near.n, first, second)
        numbers = own[firsts][text_ids]
        joined = np.where(numbers >= 0, component[numbers] if near.n else 0, text_ids + near.n)
        lowest = np.full(near.n + 1, np.inf)
        np.minimum.at(lowest, component[first], similar)
        groups = _groups(lines, exact, text, joined, lowest)
        conflicts, n_conflicts, conflicting = self._conflicts()
        return Duplicates(
            rows, rows - len(np.unique(exact)), rows - len(np.unique(text)), rows - len(np.unique(joined)),
            groups[0], groups[1], conflicts, n_conflicts, conflicting, self.threshold,
        )  # fmt: skip

    def _conflicts(self) -> tuple[tuple[Conflict, ...], int, int]:
        lines, inputs, answers = (
            np.array(values, dtype=np.int64) for values in (self._input_lines, self._inputs, self._answers)
        )
        found = []
        for places in _runs(inputs):
            _, firsts = np.unique(answers[places], return_index=True)
            if len(firsts) > 1:
                shown = np.concatenate([np.sort(firsts), np.setdiff1d(np.arange(len(places)), firsts)])[:LINES_KEPT]
                found.append(Conflict(len(places), len(firsts), tuple(lines[places][shown].tolist())))
        found.sort(key=lambda one: (-one.count, one.lines))
        return tuple(found[:GROUPS_KEPT]), len(found), sum(one.count for one in found)


def find_duplicates(
    rows: Iterable[RowView], *, threshold: float = THRESHOLD, progress: Progress | None = None
) -> Duplicates:
    """Return which rows repeat each other; see `DuplicateFinder`.

    Raises:
        Cancelled: ``progress`` asked to stop.
    """
    finder = DuplicateFinder(threshold=threshold)
    for number, row in enumerate(rows, start=1):
        finder.add(row)
        if number % 10_000 == 0:
            report(progress, "duplicates", number)
    return finder.result(progress)


def _components(n: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not n:
        return np.empty(0, np.int64)
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _runs(keys: np.ndarray) -> list[np.ndarray]:
    """Return the places of each key that stands more than once."""
    order = np.argsort(keys, kind="stable")
    _, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
    several = counts > 1
    return [order[start : start + count] for start, count in zip(starts[several], counts[several], strict=True)]


def _groups(
    lines: np.ndarray, exact: np.ndarray, text: np.ndarray, joined: np.ndarray, lowest: np.ndarray
) -> tuple[tuple[DuplicateGroup, ...], int]:
    groups = []
    for places in _runs(joined):
        kind: Kind = "near"
        if len(np.unique(text[places])) == 1:
            kind = "exact" if len(np.unique(exact[places])) == 1 else "normalised"
        similarity = float(lowest[joined[places[0]]]) if kind == "near" else None
        groups.append(DuplicateGroup(kind, len(places), tuple(lines[places[:LINES_KEPT]].tolist()), similarity))
    groups.sort(key=lambda group: (-group.count, group.lines))
    return tuple(groups[:GROUPS_KEPT]), len(groups)
