"""What a reader of a run's results should know of its prompts and answers: sentences that its worker left in notes.json."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import InputError
from core.store import Run, write_json

_NAME = "notes"
_SUBJECTS = ("prompts", "thinking", "tokens")


def add_notes(run: Run, subject: str, sentences: Sequence[str]) -> None:
    """Keep sentences about a subject, in place of those that were kept of it; none leaves the folder as it is."""
    if sentences:
        write_json(run.folder / f"{_NAME}.json", {**(run.read_json(_NAME) or {}), subject: list(sentences)})


def read_notes(run: Run) -> tuple[str, ...]:
    """Return a run's notes; none where there are none, or the file is damaged: results are there without it."""
    try:
        found = run.read_json(_NAME)
    except InputError:
        return ()
    if not isinstance(found, dict):
        return ()
    listed = (found.get(subject) for subject in _SUBJECTS)
    return tuple(str(one) for some in listed if isinstance(some, list) for one in some)
