"""Examples that a reader flagged to come back to, kept in the run's folder so that they travel with it.

``flags.jsonl`` is only ever appended to; the latest line of an example counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from core.append import appending
from core.errors import RunError
from core.store import Run

FILE_NAME = "flags.jsonl"


@dataclass(frozen=True)
class Flags:
    """What is flagged in a run."""

    examples: frozenset[tuple[str, str]]
    """(task, example id)."""
    warnings: tuple[str, ...] = ()
    """Sentences about lines that could not be read."""

    def of(self, task: str) -> frozenset[str]:
        """Return the ids of a task's flagged examples."""
        return frozenset(example_id for name, example_id in self.examples if name == task)


def set_flag(run: Run, task: str, example_id: str, flagged: bool) -> None:
    """Flag an example, or take its flag back; it is on disk when this returns.

    Raises:
        RunError: the file cannot be written; earlier flags are kept.
    """
    path = run.folder / FILE_NAME
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = json.dumps({"task": task, "example_id": example_id, "flagged": flagged, "time": time}, ensure_ascii=False)
    try:
        with appending(path) as file:
            file.append(f"{line}\n".encode(errors="replace"))
    except OSError as error:
        raise RunError(
            f"{path}: the flag could not be saved ({error.strerror}). Earlier flags are kept. "
            "Free some space or allow writing to the run's folder, then flag again."
        ) from None


def read_flags(run: Run) -> Flags:
    """Return the flags of a run; lines that cannot be read are left out with a warning."""
    path = run.folder / FILE_NAME
    try:
        lines = path.read_bytes().split(b"\n")
    except (FileNotFoundError, IsADirectoryError):
        return Flags(frozenset())
    standing: dict[tuple[str, str], bool] = {}
    warnings = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _line(line)
        if found is None:
            warnings.append(
                f"{path}, line {number}: found no flag, expected an object with task, example_id and flagged; it was left out."
            )
        else:
            standing[found[0]] = found[1]
    return Flags(frozenset(key for key, flagged in standing.items() if flagged), tuple(warnings))


def _line(line: bytes) -> tuple[tuple[str, str], bool] | None:
    try:
        content = json.loads(line)
        task, example_id, flagged = content["task"], content["example_id"], content["flagged"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if isinstance(task, str) and isinstance(example_id, str) and isinstance(flagged, bool):
        return (task, example_id), flagged
    return None
