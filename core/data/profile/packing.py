"""What padding costs, and what packing rows into blocks of max_length tokens would save.

Packing as TRL 1.16 does it (``packing_strategy="bfd"``): best-fit decreasing within each 1,000 rows, longer rows cut off.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROWS_A_BATCH = 1000
"""TRL packs within the batches of ``Dataset.map``, whose default is 1,000 rows."""
MOST_BATCHES = 100
"""Of a longer file so many batches, spread evenly, stand for all."""
DEFAULT_BATCH_SIZE = 8
"""``per_device_train_batch_size`` of transformers' TrainingArguments."""


@dataclass(frozen=True)
class Packing:
    """The cost of one max_length."""

    max_length: int
    rows: int
    """Rows that this was computed on: all, or those of 100 batches of 1,000."""
    sampled: bool
    tokens: int
    """Tokens left after the cut at ``max_length``."""
    batch_size: int
    padded_share: float | None
    """Share of padding among the tokens of shuffled batches, each padded to its longest row; None without tokens."""
    blocks: int
    """Blocks of ``max_length`` tokens that packing makes."""
    packed_share: float | None
    """Share of each block that stays empty, on average: what packing leaves of the padding; None without tokens."""
    rows_a_block: float | None


def pack(lengths: Sequence[int] | np.ndarray, max_length: int) -> list[list[int]]:
    """Return which lengths share a block: best-fit decreasing (Johnson, Near-optimal bin packing algorithms, 1973).

    Args:
        lengths: tokens of each row; what is longer than ``max_length`` is cut to it, what is empty is left out.
        max_length: tokens of a block, at least 1.
    """
    bins: list[list[int]] = []
    spaces: list[tuple[int, int]] = []  # (space left, number of the bin), sorted
    for length in sorted((min(int(length), max_length) for length in lengths if length > 0), reverse=True):
        place = bisect_left(spaces, (length, -1))
        if place < len(spaces):
            space, number = spaces.pop(place)
        else:
            space, number = max_length, len(bins)
            bins.append([])
        bins[number].append(length)
        if space > length:
            insort(spaces, (space - length, number))
    return bins


def packing_cost(
    lengths: np.ndarray, max_length: int, *, batch_size: int = DEFAULT_BATCH_SIZE, seed: int = 0
) -> Packing:
    """Return the share of padding with and without packing.

    Args:
        lengths: int (n,), tokens of each row in the file's order.
        max_length: the cut, at least 1.
        batch_size: rows of a batch that is padded to its longest row.
        seed: of the shuffle that makes those batches.

    Raises:
        ValueError: ``max_length`` or ``batch_size`` is below 1.
    """
    if max_length < 1 or batch_size < 1:
        raise ValueError(f"max_length and batch_size are at least 1; found {max_length} and {batch_size}")
    batches = [lengths[start : start + ROWS_A_BATCH] for start in range(0, len(lengths), ROWS_A_BATCH)]
    sampled = len(batches) > MOST_BATCHES
    if sampled:
        batches = [batches[number] for number in np.linspace(0, len(batches) - 1, MOST_BATCHES).astype(int)]
    cut = np.minimum(np.concatenate([*batches, np.empty(0, np.int64)]), max_length).astype(np.int64)
    tokens = int(cut.sum())
    blocks = sum(len(pack(batch, max_length)) for batch in batches)
    shuffled = np.random.default_rng(seed).permutation(cut)
    starts = np.arange(0, len(cut), batch_size)
    longest = np.maximum.reduceat(shuffled, starts) if len(cut) else cut
    sizes = np.diff(np.append(starts, len(cut)))
    padded = int((longest * sizes).sum())
    return Packing(
        max_length, len(cut), sampled, tokens, batch_size,
        padded_share=1 - tokens / padded if padded else None,
        blocks=blocks,
        packed_share=1 - tokens / (blocks * max_length) if blocks else None,
        rows_a_block=int((cut > 0).sum()) / blocks if blocks else None,
    )  # fmt: skip
