"""Cut a stream of text into numbered lines with bounded memory. Only a line feed ends a line: U+2028 may stand in a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.data.inspect.stream import Readable, blocks

MAX_LINE_BYTES = 16 << 20
"""A longer line is passed over and reported: whoever trains would have to hold it whole, several times."""
_LINE_END = ord("\n")


@dataclass(frozen=True, eq=False)
class LineBlock:
    """Some successive lines."""

    first: int
    """The 1-based number of the first of them."""
    raw: bytes
    """Their bytes in one piece, without the last line end."""
    too_long: bool = False
    """Whether it is one line of more than `MAX_LINE_BYTES`, whose bytes are left out."""

    @cached_property
    def ends(self) -> np.ndarray:
        """The places of the line ends within the bytes: one less than there are lines."""
        return np.flatnonzero(np.frombuffer(self.raw, dtype=np.uint8) == _LINE_END)

    @property
    def n(self) -> int:
        """The number of lines."""
        return len(self.ends) + 1

    @cached_property
    def lines(self) -> list[bytes | None]:
        """Each line without its end; None stands for one that is too long."""
        return [None] if self.too_long else [*self.raw.split(b"\n")]


def line_blocks(stream: Readable, first: int = 1) -> Iterator[LineBlock]:
    """Yield the lines of a stream by blocks; what follows the last line end is a line where it is not empty."""
    pieces: list[bytes] = []
    held = 0
    too_long = False
    for block in blocks(stream):
        cut = block.rfind(b"\n")
        if cut >= 0 and too_long:
            yield LineBlock(first, b"", too_long=True)
            first, too_long, held = first + 1, False, 0
            start = block.find(b"\n") + 1
            block, cut = block[start:], cut - start
        if cut < 0:
            held += len(block)
            too_long = too_long or held > MAX_LINE_BYTES
            pieces = [] if too_long else [*pieces, block] if block else pieces
            continue
        lines = LineBlock(first, b"".join([*pieces, memoryview(block)[:cut]]))
        yield lines
        first += lines.n
        pieces = [rest] if (rest := block[cut + 1 :]) else []
        held = len(rest)
    if too_long:
        yield LineBlock(first, b"", too_long=True)
    elif pieces:
        yield LineBlock(first, b"".join(pieces))


def numbered_lines(stream: Readable) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its 1-based number; None stands for a line of more than `MAX_LINE_BYTES`."""
    for block in line_blocks(stream):
        yield from enumerate(block.lines, start=block.first)
