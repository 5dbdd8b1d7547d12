"""Feedback from elsewhere: rows of JSONL, CSV or Parquet with an example, a variant, a thumb and a note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.rows import Row, field_names, read_placed_rows
from core.derived import example_index
from core.errors import InputError, nearest
from core.feedback.log import Entry, Output, Thumb, add_entries
from core.imports.cells import as_text, is_empty
from core.store import Run

_THUMBS: Mapping[str, Thumb] = {
    **dict.fromkeys(("up", "1", "+1", "true", "yes"), "up"), **dict.fromkeys(("down", "0", "-1", "false", "no"), "down"),
}  # fmt: skip
_EXPECTED = "up or down (or 1 and 0, true and false)"
_ID_FIELDS = ("id", "example_id")


@dataclass(frozen=True)
class ImportReport:
    """What became of a file's rows."""

    imported: int
    unchanged: int
    """Rows that say what is known already."""
    skipped: tuple[str, ...]
    """One sentence for each row that was left out, with its place in the file and what was expected."""


def import_feedback(run: Run, path: Path) -> ImportReport:
    """Read feedback rows into the run.

    A row has ``id`` (or ``example_id``), ``variant``, ``thumb`` (up or down; 1 or 0, true or false, +1 or -1) and as needed
    ``note``, ``source``, ``task`` (needed where several tasks have this example and not one alone of them generates texts).
    Rows without a source count each as somebody else's: several thumbs on one output are all kept. Of several rows of one
    source the last counts. Importing a file again changes nothing.

    Raises:
        InputError: the file cannot be read, or none of its rows has a field that is needed.
        RunError: the run's folder cannot be written.
    """
    rows = read_placed_rows(path)
    _check_fields(path, rows)
    outputs = _Outputs(run)
    skipped: list[str] = []
    entries: dict[tuple[str, Output], tuple[str, Entry]] = {}
    repeats: Counter[Output] = Counter()
    for row in rows:
        entry = _entry(row, outputs)
        if isinstance(entry, str):
            skipped.append(f"{path.name}, {row.place}: {entry}; left out.")
            continue
        if not entry.source:
            repeats[entry.output] += 1
            number = repeats[entry.output]
            entry = Entry(*entry.output, entry.thumb, entry.note, path.name + (f"#{number}" if number > 1 else ""))
        key = (entry.source, entry.output)
        if key in entries:
            skipped.append(
                f"{path.name}, {entries[key][0]}: {row.place} is of the same source and output and counts instead; left out."
            )
        entries[key] = (row.place, entry)
    written = add_entries(run, [entry for _, entry in entries.values()], new_only=True)
    return ImportReport(len(written), len(entries) - len(written), tuple(skipped))


def _check_fields(path: Path, rows: Sequence[Row]) -> None:
    there = field_names(rows)
    missing = [name for name, choices in (("id", _ID_FIELDS), ("variant", ("variant",)), ("thumb", ("thumb", "note")))
               if not any(choice in there for choice in choices)]  # fmt: skip
    if missing:
        raise InputError(
            f"{path}: no row has the field {missing[0]!r}{nearest(missing[0], there)}; expected id, variant and thumb (and as needed note, "
            f"source, task), found {', '.join(there)}."
        )


def _entry(row: Row, outputs: _Outputs) -> Entry | str:
    """Return a row as an entry, without a source where it names none; or why it is left out."""
    fields = {name: value for name, value in row.fields.items() if not is_empty(value)}
    if bad := next((name for name in (*_ID_FIELDS, "variant", "note", "source", "task")
                    if isinstance(fields.get(name), dict | list)), None):  # fmt: skip
        return f"{bad!r} is {'a list' if isinstance(fields[bad], list) else 'an object'}, expected a text"
    texts = {name: as_text(value).strip() for name, value in fields.items() if not isinstance(value, dict | list)}
    example_id = texts.get("id") or texts.get("example_id")
    if example_id is None:
        return "it has no id, expected that of an example"
    if "variant" not in texts:
        return "it has no variant"
    thumb = _thumb(row.fields.get("thumb"))
    if thumb is None and not is_empty(row.fields.get("thumb")):
        return f"found the thumb {row.fields['thumb']!r}, expected {_EXPECTED}"
    note = texts.get("note", "")
    if thumb is None and not note:
        return "it has neither thumb nor note"
    found = outputs.find(example_id, texts["variant"], texts.get("task"))
    return found if isinstance(found, str) else Entry(*found, thumb, note, texts.get("source", ""))


def _thumb(value: Any) -> Thumb | None:
    return None if is_empty(value) or isinstance(value, dict | list) else _THUMBS.get(as_text(value).strip().casefold())


class _Outputs:
    """Which outputs a run has."""

    def __init__(self, run: Run) -> None:
        self.tasks = run.spec.clean_tasks
        self.ids = {task: frozenset(example_index(run, task).ids) for task in self.tasks}
        # Systems whose predictions came from elsewhere may be named as their file named them.
        named = ((run.read_json("environment") or {}).get("imported") or {}).get("variants") or {}
        self.variants = {shown: name for name, shown in named.items()} | {
            name: name for name in run.spec.models.variants
        }

    def find(self, example_id: str, variant: str, task: str | None) -> Output | str:
        """Return the output that is meant, or why there is none."""
        if variant not in self.variants:
            return f"the run has no variant {variant!r}{nearest(variant, self.variants)}"
        if task is not None and task not in self.tasks:
            return f"the run has no task {task!r}{nearest(task, self.tasks)}"
        having = [name for name in self._candidates(task) if example_id in self.ids[name]]
        if not having:
            ids = frozenset[str]().union(*(self.ids[name] for name in self._candidates(task)))
            return f"the run has no example {example_id!r}{nearest(example_id, ids)}" + (f" in {task}" if task else "")
        generating = [name for name in having if self.tasks[name].generates]
        chosen = having if len(having) == 1 else generating
        if len(chosen) != 1:
            return f"several tasks have the example {example_id!r}: say which one in a field task, one of {', '.join(having)}"
        return chosen[0], example_id, self.variants[variant]

    def _candidates(self, task: str | None) -> Iterator[str]:
        yield from self.tasks if task is None else (task,)
