"""Cuts rows into blocks, so that a working array fits into memory. Imports nothing: `core.stats`, which uses it too, needs scipy."""

from __future__ import annotations

from collections.abc import Sequence

BLOCK_ELEMENTS = 2_000_000
"""Elements of a working array (16 MB of float64): larger products are taken in blocks of whole rows."""


def row_blocks(rows: int, row_elements: int) -> Sequence[slice]:
    """Return slices that cut ``rows`` rows of ``row_elements`` elements into blocks of at most `BLOCK_ELEMENTS`."""
    step = max(1, BLOCK_ELEMENTS // max(1, row_elements))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
