"""Thumbs and notes that readers leave on single outputs, kept in the run's folder so that they travel with it.

``feedback.jsonl`` is only ever appended to: a changed mind is another line that names the one it supersedes, the latest line
of a source, example and variant counts, and what was thought before stays readable. A line is on disk before `give_feedback`
returns. Lines of ``notes.jsonl``, where earlier versions kept the pages' thumbs and notes, are read before them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import uuid4

from core.append import appending
from core.errors import RunError
from core.store import Run

Thumb = Literal["up", "down"]
Output = tuple[str, str, str]
"""Task, example id and variant: one output."""
PAGE = "page"
"""The source of what is given in the pages."""
FILE_NAME, EARLIER_NAME = "feedback.jsonl", "notes.jsonl"


@dataclass(frozen=True)
class Entry:
    """What one source thinks of one variant's output for one example."""

    task: str
    example_id: str
    variant: str
    thumb: Thumb | None = None
    note: str = ""
    """Neither thumb nor note takes an earlier entry back."""
    source: str = PAGE
    """Who says so: ``page``, a rater's name, an imported file's name."""
    id: str = ""
    time: str = ""
    """UTC, ISO 8601."""
    supersedes: str | None = None
    """The id of the entry of the same source and output that this one replaces."""

    @property
    def output(self) -> Output:
        """Which output it is about."""
        return (self.task, self.example_id, self.variant)

    @property
    def empty(self) -> bool:
        """Whether it says nothing (any more)."""
        return self.thumb is None and not self.note


@dataclass(frozen=True)
class Feedback:
    """All feedback of a run."""

    history: tuple[Entry, ...]
    """In the order it was written."""
    warnings: tuple[str, ...] = ()
    """Sentences about lines that could not be read: torn by a crash, or edited by hand."""

    @cached_property
    def latest(self) -> Mapping[tuple[str, Output], Entry]:
        """The entry that counts for each source and output; those that were taken back are left out."""
        standing = {(entry.source, entry.output): entry for entry in self.history}
        return {key: entry for key, entry in standing.items() if not entry.empty}

    def of(self, task: str, example_id: str, variant: str, source: str = PAGE) -> Entry:
        """Return the entry that counts for one source and output, an empty one if there is none."""
        found = self.latest.get((source, (task, example_id, variant)))
        return found or Entry(task, example_id, variant, source=source)


def give_feedback(
    run: Run, task: str, example_id: str, variant: str, thumb: Thumb | None = None, note: str = "", source: str = PAGE
) -> Entry:
    """Append feedback to the run and return it with its id and time; it is on disk when this returns.

    Appends of several processes go one after the other (an exclusive lock on the file). A line that a crash left torn is
    closed first, so that it can only cost itself; a write that fails half-way is taken back.

    Raises:
        RunError: the file cannot be written (a full disk, a folder without write permission); earlier feedback is kept.
    """
    return add_entries(run, [Entry(task, example_id, variant, thumb, note, source)])[0]


def add_entries(run: Run, entries: Iterable[Entry], *, new_only: bool = False) -> tuple[Entry, ...]:
    """Append several entries at once, all or none, and return those that were written, with ids and times.

    Args:
        run: whose outputs they are about.
        entries: each of another source or output.
        new_only: leaves out an entry that says what counts already.

    Raises:
        RunError: as `give_feedback`.
    """
    path = run.folder / FILE_NAME
    try:
        with appending(path) as file:
            known = {(entry.source, entry.output): entry for entry in _read(run, file.read()).history}
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            written = []
            for entry in entries:
                before = known.get((entry.source, entry.output))
                if new_only and before is not None and (before.thumb, before.note) == (entry.thumb, entry.note):
                    continue
                supersedes = before.id or None if before is not None else None
                written.append(replace(entry, id=uuid4().hex, time=now, supersedes=supersedes))
            # A lone surrogate has no UTF-8 form; a note must not be lost for it.
            lines = "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in written)
            if written:
                file.append(lines.encode("utf-8", errors="replace"))
    except OSError as error:
        raise RunError(
            f"{path}: the feedback could not be saved ({error.strerror}). Earlier feedback is kept. "
            "Free some space or allow writing to the run's folder, then save again."
        ) from None
    return tuple(written)


def read_feedback(run: Run) -> Feedback:
    """Return the feedback of a run; lines that cannot be read are skipped with a warning, never fatal."""
    try:
        return _read(run, (run.folder / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return _read(run, b"")


def _read(run: Run, content: bytes) -> Feedback:
    earlier = run.folder / EARLIER_NAME
    warnings: list[str] = []
    history = list(_entries(earlier, earlier.read_bytes(), warnings)) if earlier.is_file() else []
    history += _entries(run.folder / FILE_NAME, content, warnings)
    return Feedback(tuple(history), tuple(warnings))


def _entries(path: Path, content: bytes, warnings: list[str]) -> Iterator[Entry]:
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entry = _entry(line)
        if entry is not None:
            yield entry
        elif number == len(lines):
            warnings.append(f"{path}, line {number}: the line breaks off, as after a crash; it was left out.")
        else:
            warnings.append(
                f"{path}, line {number}: found no feedback, expected an object with task, example_id, variant, thumb and note; it was "
                "left out."
            )


def _entry(line: bytes) -> Entry | None:
    try:
        content: dict[str, Any] = json.loads(line)
        output, thumb = [content.get(name) for name in ("task", "example_id", "variant")], content.get("thumb")
    except (ValueError, AttributeError, RecursionError):
        return None
    if not all(isinstance(one, str) for one in output) or thumb not in (None, *get_args(Thumb)):
        return None
    note, time = content.get("note", content.get("text")), content.get("time", content.get("at"))
    told = {"note": note, "source": content.get("source", PAGE), "id": content.get("id"), "time": time}
    if not all(one is None or isinstance(one, str) for one in (*told.values(), content.get("supersedes"))):
        return None
    texts = {name: one or "" for name, one in told.items()}
    return Entry(*map(str, output), thumb=thumb, supersedes=content.get("supersedes"), **texts)
