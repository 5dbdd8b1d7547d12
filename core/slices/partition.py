"""How the examples of one dataset can be parted: every slice as a row of truth values, found without any text being kept.

Slices belong to a dataset rather than to a task: tasks that ask about the same examples have the same slices, and a slice of the
prompt's length holds the same examples in all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.imports.cells import as_text, is_empty
from core.slices.results import SliceKind
from core.spec import TaskSpec
from core.store import Run

MOST_VALUES = 20
"""A field with more different values parts by quarters if it holds numbers, and else not at all."""
_LABELLED = ("classification", "medical")
_ORDINALS = ("1st", "2nd", "3rd", "4th")


@dataclass(frozen=True)
class Part:
    """One slice of one dataset."""

    name: str
    dimension: str
    kind: SliceKind
    inside: np.ndarray
    """bool, over the dataset's examples."""
    repeats: bool = False
    """Whether a slice before it holds the same examples: it can be asked for, but is not counted as another one."""


@dataclass(frozen=True)
class Partition:
    """The examples of one dataset and every way to part them, small slices included."""

    dataset: str
    position: Mapping[str, int]
    """Of each example's id."""
    parts: tuple[Part, ...]
    """Each name once; of those that hold the same examples the plainest name comes first."""
    labels: Mapping[str, np.ndarray]
    """For each classification task the number of each example's right label, int; -1 where the task does not have it."""

    def rows(self, ids: Sequence[str]) -> np.ndarray:
        """Return where some examples stand in ``inside`` of each part, int (len(ids),)."""
        return np.array([self.position[name] for name in ids], dtype=np.int64)

    def separates(self, part: Part, task: str, rows: np.ndarray) -> bool:
        """Whether all examples inside a slice, or all others, have one label: a macro F1 of one label is another number.

        Args:
            part: the slice.
            task: which task's labels.
            rows: the examples that take part, see `rows`.
        """
        if task not in self.labels:
            return False
        labels, inside = self.labels[task][rows], part.inside[rows]
        return len(np.unique(labels[inside])) < 2 or len(np.unique(labels[~inside])) < 2


def partition(run: Run, dataset: str) -> Partition:
    """Return how the examples of a dataset can be parted; its clean tasks are looked at."""
    tasks = {name: task for name, task in run.spec.clean_tasks.items() if task.dataset == dataset}
    rows = _Rows(run, tasks)
    found: dict[str, Part] = {}
    known: set[bytes] = set()
    for part in _parts(run, dataset, tasks, rows):
        key = np.packbits(part.inside).tobytes()
        if part.name not in found and part.inside.any():
            found[part.name] = replace(part, repeats=key in known)
            known.add(key)
    labels = {task: rows.labels(task) for task, asked in tasks.items() if asked.kind in _LABELLED}
    return Partition(dataset, rows.position, tuple(found.values()), {task: _codes(labels[task]) for task in labels})


class _Rows:
    """What parts examples beside their texts, each example once."""

    def __init__(self, run: Run, tasks: Mapping[str, TaskSpec]) -> None:
        self.run = run
        self.position: dict[str, int] = {}
        self.tags: list[Sequence[str]] = []
        self.languages: list[str | None] = []
        self.groups: list[str | None] = []
        self.fields: list[dict[str, Any]] = []
        self._ids: dict[str, list[str]] = {}
        for task in tasks:
            if all(name in self.position for name in self.ids(task)):
                continue
            table = self.table(task, "tags", "language", "group", "fields")
            columns = (column.to_pylist() for column in table.columns)
            for name, tags, language, group, fields in zip(self.ids(task), *columns, strict=True):
                if name not in self.position:
                    self.position[name] = len(self.position)
                    self.tags.append(tags or ())
                    self.languages.append(language)
                    self.groups.append(group)
                    self.fields.append(json.loads(fields))

    def table(self, task: str, *columns: str) -> pa.Table:
        path = self.run.folder / "examples.parquet"
        wanted = list(columns)
        if not path.is_file():
            return pa.table({name: pa.array([], pa.string()) for name in wanted})
        return pq.read_table(path, columns=wanted, filters=[("task", "=", task)])

    def ids(self, task: str) -> list[str]:
        """Return the ids of a task's examples in the order of their rows; read once."""
        if task not in self._ids:
            self._ids[task] = self.column(task, "id")
        return self._ids[task]

    def column(self, task: str, name: str) -> list[Any]:
        return self.table(task, name)[name].to_pylist()

    def labels(self, task: str) -> list[Any]:
        """Return the right label of each example, None where the task does not have it."""
        return self.spread(task, (json.loads(one) for one in self.column(task, "reference")))

    def spread(self, task: str, values: Iterable[Any]) -> list[Any]:
        """Return a task's values in the dataset's order, None where the task has no such example."""
        out: list[Any] = [None] * len(self.position)
        for name, value in zip(self.ids(task), values, strict=True):
            out[self.position[name]] = value
        return out


def _parts(run: Run, dataset: str, tasks: Mapping[str, TaskSpec], rows: _Rows) -> Iterator[Part]:
    spec = run.spec.datasets.get(dataset)
    yield from _tags(rows.tags)
    yield from _values("language", "language", rows.languages)
    for task, asked in tasks.items():
        if asked.kind in _LABELLED:
            yield from _values(asked.reference, "label", rows.labels(task))
    yield from _values((spec.group if spec else None) or "group", "group", rows.groups)
    own = {spec.id, spec.language, spec.group} if spec else set()
    for name in dict.fromkeys(name for fields in rows.fields for name in fields):
        if name not in own:
            yield from _field(name, [fields.get(name) for fields in rows.fields])
    yield from _prompt_lengths(tasks, rows)
    yield from _reference_lengths(tasks, rows)


def _tags(tags: Sequence[Sequence[str]]) -> Iterator[Part]:
    inside: dict[str, list[int]] = {}
    for row, names in enumerate(tags):
        for name in names:
            inside.setdefault(name, []).append(row)
    for name in sorted(inside):
        yield Part(name, name.partition("=")[0], "tag", _mask(len(tags), inside[name]))


def _values(dimension: str, kind: SliceKind, values: Sequence[Any]) -> Iterator[Part]:
    """Yield a slice for each value; empty ones are in none."""
    inside: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        if not is_empty(value):
            inside.setdefault(as_text(value), []).append(row)
    for text in sorted(inside):
        yield Part(f"{dimension}={text}", dimension, kind, _mask(len(values), inside[text]))


def _field(name: str, values: Sequence[Any]) -> Iterator[Part]:
    there = [value for value in values if not is_empty(value)]
    if any(isinstance(value, dict | list) for value in there):
        return
    different = len({as_text(value) for value in there})
    if 2 <= different <= MOST_VALUES:
        yield from _values(name, "field", values)
    elif different > MOST_VALUES and all(_is_number(value) for value in there):
        numbers = np.array([float(value) if _is_number(value) else np.nan for value in values])
        yield from _quarters(name, "field", numbers, "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _prompt_lengths(tasks: Mapping[str, TaskSpec], rows: _Rows) -> Iterator[Part]:
    """Yield quarters by the first task that has prompts: those of the others hold the same row."""
    for task in tasks:
        lengths = pc.utf8_length(rows.table(task, "prompt")["prompt"]).to_pylist()  # type: ignore[attr-defined]
        if any(lengths):
            yield from _quarters("prompt length", "length", _numbers(rows.spread(task, lengths)), " characters")
            return


def _reference_lengths(tasks: Mapping[str, TaskSpec], rows: _Rows) -> Iterator[Part]:
    """Yield quarters by the first task whose references are texts; of several references the first counts."""
    for task, asked in tasks.items():
        if asked.kind in ("generation", "likelihood"):
            lengths = [_text_length(json.loads(one)) for one in rows.column(task, "reference")]
            yield from _quarters("reference length", "length", _numbers(rows.spread(task, lengths)), " characters")
            return


def _text_length(reference: Any) -> int | None:
    first = reference[0] if isinstance(reference, list) and reference else reference
    return len(first) if isinstance(first, str) else None


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _quarters(dimension: str, kind: SliceKind, numbers: np.ndarray, unit: str) -> Iterator[Part]:
    """Yield the four quarters by size; equal numbers stay together, so that one may be larger than a quarter, or none."""
    there = np.isfinite(numbers)
    if not there.any() or np.ptp(numbers[there]) == 0:
        return
    edges = np.quantile(numbers[there], (0.25, 0.5, 0.75))
    place = np.searchsorted(edges, numbers, side="left")
    for quarter, ordinal in enumerate(_ORDINALS):
        inside = there & (place == quarter)
        if inside.any():
            low, high = numbers[inside].min(), numbers[inside].max()
            span = f"{low:g}" if low == high else f"{low:g}-{high:g}"
            yield Part(f"{dimension}: {ordinal} quarter ({span}{unit})", dimension, kind, inside)


def _codes(labels: Sequence[Any]) -> np.ndarray:
    numbers: dict[str, int] = {}
    listed = [-1 if is_empty(label) else numbers.setdefault(as_text(label), len(numbers)) for label in labels]
    return np.array(listed, dtype=np.int64)


def _mask(n: int, rows: Sequence[int]) -> np.ndarray:
    inside = np.zeros(n, dtype=bool)
    inside[list(rows)] = True
    return inside
