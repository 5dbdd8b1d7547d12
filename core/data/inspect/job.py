"""What `parallel` asks of one of its processes, and what the process answers: both are written as files, never as a pickle."""

from __future__ import annotations

import msgspec

from core.data.inspect.records import Fault
from core.data.inspect.tally import Tally


class Job(msgspec.Struct):
    """What one process does."""

    path: str
    start: int
    end: int
    name: str
    strict: bool
    conversational: bool
    extras: list[str] | None
    """Other fields of the quick way's type; None where there is no quick way."""
    evaluation: bool = False


class Part(msgspec.Struct):
    """What one process found in its stretch; its lines are numbered from 1."""

    tally: Tally
    faults: list[Fault]
    """All of them, unless they were spilled."""
    spilled: bool
