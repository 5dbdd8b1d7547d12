"""Thumbs and remarks that a reader leaves on single outputs, kept in the run's folder so that they travel with it.

``notes.jsonl`` is only ever appended to: a changed mind is another line, the latest line of an output wins, and what was
thought before stays readable. A line is on disk before `add_note` returns.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from core.errors import RunError
from core.store import Run

Thumb = Literal["up", "down"]
Key = tuple[str, str, str]
"""Task, example id and variant: one output."""


@dataclass(frozen=True)
class Note:
    """What a reader thinks of one variant's output for one example."""

    task: str
    example_id: str
    variant: str
    thumb: Thumb | None = None
    """None with an empty text takes an earlier note back."""
    text: str = ""
    at: str = ""
    """UTC, ISO 8601; `add_note` fills it in."""

    @property
    def key(self) -> Key:
        """Which output the note is about."""
        return (self.task, self.example_id, self.variant)

    @property
    def empty(self) -> bool:
        """Whether it says nothing (any more)."""
        return self.thumb is None and not self.text


@dataclass(frozen=True)
class Notes:
    """All notes of a run."""

    history: tuple[Note, ...]
    """In the order they were written."""
    unreadable: int
    """Lines that are not notes: torn by a crash, or edited by hand."""

    @property
    def latest(self) -> Mapping[Key, Note]:
        """The note that stands for each output; outputs whose note was taken back are left out."""
        standing = {note.key: note for note in self.history}
        return {key: note for key, note in standing.items() if not note.empty}

    def of(self, task: str, example_id: str, variant: str) -> Note:
        """Return the note that stands for one output, an empty one if there is none."""
        return self.latest.get((task, example_id, variant)) or Note(task, example_id, variant)


def add_note(run: Run, note: Note) -> Note:
    """Append a note to the run and return it with its time; it is on disk when this returns.

    Appends of several processes go one after the other (an exclusive lock on the file). A line that a crash left torn is
    closed first, so that it can only cost itself; a write that fails half-way is taken back.

    Raises:
        RunError: the file cannot be written (a full disk, a folder without write permission); earlier notes are kept.
    """
    stamped = replace(note, at=datetime.now(UTC).isoformat(timespec="milliseconds"))
    # A lone surrogate has no UTF-8 form; a remark must not be lost for it.
    line = (json.dumps(asdict(stamped), ensure_ascii=False) + "\n").encode("utf-8", errors="replace")
    path = _path(run)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            with _locked(descriptor):
                _append(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RunError(
            f"{path}: the note could not be saved ({error.strerror}). Earlier notes are kept. "
            "Free some space or allow writing to the run's folder, then save again."
        ) from None
    return stamped


def read_notes(run: Run) -> Notes:
    """Return the notes of a run; lines that cannot be read are counted and skipped, never fatal."""
    try:
        lines = _path(run).read_bytes().split(b"\n")
    except FileNotFoundError:
        return Notes((), 0)
    parsed = [_parse(line) for line in lines if line.strip()]
    notes = tuple(note for note in parsed if note is not None)
    return Notes(notes, len(parsed) - len(notes))


def _path(run: Run) -> Path:
    return run.folder / "notes.jsonl"


def _parse(line: bytes) -> Note | None:
    try:
        content: dict[str, Any] = json.loads(line)
        key, thumb = [content.get(name) for name in ("task", "example_id", "variant")], content.get("thumb")
    except (ValueError, AttributeError):
        return None
    if not all(isinstance(part, str) for part in key) or thumb not in (None, *get_args(Thumb)):
        return None
    return Note(*map(str, key), thumb=thumb, text=str(content.get("text") or ""), at=str(content.get("at") or ""))


def _append(descriptor: int, line: bytes) -> None:
    """Write a whole line at the end or nothing, and wait until the disk has it."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if size:
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":
            line = b"\n" + line
    try:
        written = 0
        while written < len(line):
            written += os.write(descriptor, line[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """Hold the file against other processes and threads; released when the descriptor is closed."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
