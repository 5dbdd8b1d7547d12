"""What was rated, as counts of each pair's verdicts: checked, named and summed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.stats.arrays import counts_array


@dataclass(frozen=True)
class Comparisons:
    """Verdicts on pairs of variants; row after row as they were given."""

    variants: tuple[str, ...]
    sides: np.ndarray
    """int64 (rows, 2), the numbers of the left and of the right variant."""
    counts: np.ndarray
    """float64 (rows, 3): left wins, right wins, ties (both-bad among them)."""
    with_ties: bool
    """Whether a tie could be given; without, the third column is 0."""


@dataclass(frozen=True)
class Design:
    """The distinct pairs of comparisons, and what the model makes of each."""

    row_of: np.ndarray
    """int64 (rows,), the distinct pair of each row of comparisons."""
    flipped: np.ndarray
    """bool (rows,), whether the row's sides stand the other way round in its distinct pair."""
    matrix: np.ndarray
    """float64 (distinct pairs, parameters): what each strength, and last the position, adds to the left one's log-odds."""

    def summed(self, counts: np.ndarray) -> np.ndarray:
        """Return counts (rows, 3) as those of the distinct pairs, (distinct pairs, 3)."""
        turned = turn(counts, self.flipped)
        summed = np.zeros((len(self.matrix), 3))
        np.add.at(summed, self.row_of, turned)
        return summed


def comparisons(
    left: Iterable[str], right: Iterable[str], counts: ArrayLike, variants: Sequence[str] | None = None
) -> Comparisons:
    """Check and name what was rated.

    Args:
        left: (rows,) the variant on the left.
        right: (rows,) the variant on the right.
        counts: (rows, 2) wins of left and of right; or (rows, 3) with ties; or (rows, 4) with ties and both-bad, which is
            counted as a tie.
        variants: all of them in the order wanted; by default in order of first appearance.

    Raises:
        ValueError: lengths differ, counts are none, a variant stands against itself, is not among ``variants`` or is there twice.
    """
    lefts, rights = list(left), list(right)
    table = counts_array(counts, "counts")
    if table.ndim != 2 or table.shape[1] not in (2, 3, 4):
        raise ValueError(
            "counts must have the shape (rows, 2), (rows, 3) or (rows, 4): wins of left, wins of right, ties, both bad; "
            f"found the shape {table.shape}"
        )
    if not len(lefts) == len(rights) == len(table):
        raise ValueError(
            f"left, right and counts must be equally long; found {len(lefts)}, {len(rights)} and {len(table)}"
        )
    seen = dict.fromkeys(name for pair in zip(lefts, rights, strict=True) for name in pair)
    names = tuple(seen) if variants is None else tuple(variants)
    number = {name: position for position, name in enumerate(names)}
    if len(number) < len(names):
        raise ValueError(f"variants must be named once each; found {list(names)}")
    if unknown := [name for name in seen if name not in number]:
        raise ValueError(f"{unknown[0]!r} was rated but is not among the variants {list(names)}")
    sides = np.array([[number[a], number[b]] for a, b in zip(lefts, rights, strict=True)], dtype=np.int64).reshape(
        -1, 2
    )
    if len(alone := np.flatnonzero(sides[:, 0] == sides[:, 1])):
        raise ValueError(f"row {alone[0]} (counted from 0) compares {lefts[alone[0]]!r} with itself")
    three = np.column_stack([table[:, :2], table[:, 2:].sum(axis=1)])
    return Comparisons(names, sides, three, table.shape[1] > 2)


def design(rated: Comparisons, position: bool) -> Design:
    """Return the distinct pairs; without a position term the two orders of a pair are one."""
    sides = rated.sides
    flipped = np.zeros(len(sides), dtype=bool) if position else sides[:, 0] > sides[:, 1]
    ordered = np.where(flipped[:, None], sides[:, ::-1], sides)
    distinct, row_of = np.unique(ordered, axis=0, return_inverse=True)
    matrix = np.zeros((len(distinct), len(rated.variants) + position))
    rows = np.arange(len(distinct))
    matrix[rows, distinct[:, 0]] = 1
    matrix[rows, distinct[:, 1]] = -1
    if position:
        matrix[:, -1] = 1
    return Design(row_of.ravel(), flipped, matrix)


def turn(counts: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Return counts (rows, 3) with wins of left and right exchanged where ``flipped`` (rows,) says so."""
    return np.where(flipped[:, None], counts[:, [1, 0, 2]], counts)
