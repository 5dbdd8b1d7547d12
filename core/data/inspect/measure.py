"""Judge and count every row of a dataset, or of a stretch of a JSONL file, against one format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.data.inspect.fast import FastLines
from core.data.inspect.flaws import BLANK_LINE
from core.data.inspect.forms import Check
from core.data.inspect.jsonline import JsonReader
from core.data.inspect.ledger import Ledger
from core.data.inspect.lines import line_blocks
from core.data.inspect.read import Item, items, read_line
from core.data.inspect.source import Source
from core.data.inspect.stream import Readable
from core.data.inspect.tally import Tally
from core.errors import RunError

Progress = Callable[[float], bool | None]
"""Told the share that is done, 0 to 1; an answer of False stops the work."""


class Measure:
    """Takes the places of a dataset one by one."""

    def __init__(self, check: Check, name: str, *, conversational: bool, spill: Path) -> None:
        """Judge rows by ``check`` and count them as rows of the format ``name``; spill many faults to a file."""
        self.tally = Tally()
        self.ledger = Ledger(spill)
        self._check, self._name, self._conversational = check, name, conversational

    def take(self, item: Item) -> None:
        """Judge and count what stands at one place."""
        flaws = item.flaws
        self.tally.lines += 1
        self.tally.blank_lines += BLANK_LINE in flaws
        if item.row is not None:
            flaws = flaws + self._check(item.row)
            self.tally.add_row(item.row, self._name, conversational=self._conversational)
        if flaws:
            self.ledger.add(item.place, flaws)


def measure_source(measure: Measure, source: Source, progress: Progress | None = None, total: int = 0) -> None:
    """Take every place of a dataset; ``total`` places make a progress of 1, unknown where it is 0."""
    for number, item in enumerate(items(source), start=1):
        measure.take(item)
        if progress and number % 1000 == 0:
            tell(progress, number / total if total else 0.0)


def measure_lines(
    measure: Measure, stream: Readable, fast: FastLines | None, n_bytes: int, progress: Progress | None = None
) -> None:
    """Take every line of a stream of JSONL, the quick way where there is one."""
    reader = JsonReader()
    done = 0
    for block in line_blocks(stream):
        left = range(block.n) if fast is None else fast.take(block)
        measure.tally.lines += block.n - len(left)
        for place in left:
            measure.take(read_line(reader, block.first + place, block.lines[place]))
        done += len(block.raw)
        if progress:
            tell(progress, min(done / n_bytes, 1.0) if n_bytes else 0.0)
    if fast is not None:
        counted = fast.counted()
        counted.merge(measure.tally)
        measure.tally = counted


def tell(progress: Progress | None, share: float) -> None:
    """Report progress; raise RunError where the answer is to stop."""
    if progress and progress(share) is False:
        raise RunError("The inspection was stopped; nothing of it is kept.")
