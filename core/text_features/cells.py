"""Which of two variants' answers have a feature: both, one alone, or neither."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

Cell = Literal["both", "variant", "reference", "neither"]
CELLS: tuple[Cell, ...] = ("both", "variant", "reference", "neither")
"""The four cells of the paired table; ``variant`` and ``reference`` are the ones where that one alone has it."""


def in_cell(hits: pd.DataFrame, variant: str, reference: str, cell: Cell) -> np.ndarray:
    """Return the examples in one cell, bool (n,); an example without an answer of either is in none.

    Args:
        hits: rows examples, columns variants: the share of an example's answers that have the feature, NaN without an answer.
            An example counts as having it where any of its answers does.
        variant: which one.
        reference: the other one.
        cell: which cell.
    """
    ours, theirs = (hits[name].to_numpy(dtype=np.float64) for name in (variant, reference))
    there = np.isfinite(ours) & np.isfinite(theirs)
    return there & ((ours > 0) == (cell in ("both", "variant"))) & ((theirs > 0) == (cell in ("both", "reference")))


def cell_counts(hits: pd.DataFrame, positions: np.ndarray, variant: str, reference: str) -> dict[Cell, int]:
    """Return how many of the examples at ``positions`` each cell has."""
    listed = hits.iloc[positions]
    return {cell: int(np.count_nonzero(in_cell(listed, variant, reference, cell))) for cell in CELLS}
