"""Keep the faults of a file: the first in memory, all of them on disk once there are many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from core.data.inspect.flaws import Flaw
from core.data.inspect.records import FAULTS_KEPT, FIRST_OF_GROUP, Fault, FaultGroup


class Ledger:
    """Faults in the order of their lines; write it with `add`, and `close` it before it is read."""

    def __init__(self, spill: Path, kept: int = FAULTS_KEPT) -> None:
        """Hold up to ``kept`` faults; with more, write all of them to ``spill``, one JSON object a line."""
        self.spill = spill
        self.kept: list[Fault] = []
        self.counts: dict[str, int] = {}
        self.faulty_lines = 0
        self._bound = kept
        self._first: dict[str, list[Fault]] = {}
        self._last_line = 0
        self._file: BinaryIO | None = None
        self._encode = msgspec.json.Encoder().encode

    def add(self, line: int, flaws: Iterable[Flaw]) -> None:
        """Take what is wrong with a line."""
        for one in flaws:
            self.add_fault(one.at(line))

    def add_fault(self, fault: Fault) -> None:
        """Take one fault; its line is not before the last one's."""
        self.faulty_lines += fault.line != self._last_line
        self._last_line = fault.line
        self.counts[fault.code] = self.counts.get(fault.code, 0) + 1
        first = self._first.setdefault(fault.code, [])
        if len(first) < FIRST_OF_GROUP:
            first.append(fault)
        if len(self.kept) < self._bound:
            self.kept.append(fault)
            return
        if self._file is None:
            self._file = self.spill.open("wb")
            for earlier in self.kept:
                self._write(earlier)
        self._write(fault)

    def close(self) -> None:
        """Finish the file, where there is one."""
        if self._file is not None:
            self._file.close()

    @property
    def spilled(self) -> bool:
        """Whether ``spill`` was written."""
        return self._file is not None

    def groups(self) -> tuple[FaultGroup, ...]:
        """Return the faults by code, the most frequent first."""
        counted = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(FaultGroup(code, count, tuple(self._first[code])) for code, count in counted)

    def _write(self, fault: Fault) -> None:
        assert self._file is not None
        self._file.write(self._encode(fault) + b"\n")


def read_faults(path: Path) -> Iterator[Fault]:
    """Yield the faults of a file that a ledger wrote."""
    decode = msgspec.json.Decoder(Fault).decode
    with path.open("rb") as stream:
        for line in stream:
            yield decode(line)
