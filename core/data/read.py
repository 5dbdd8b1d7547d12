"""Turn a dataset's rows into the examples of a task: reference, options, tags, language and group, each checked.

Prompts are not rendered here (see `core.plan`): that needs the model's tokenizer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.conversation import check_messages, check_tools, parted
from core.data.rows import Row, field_names, read_placed_rows, read_rows
from core.errors import InputError, nearest
from core.records import Example
from core.spec import DatasetSpec, TaskSpec

if TYPE_CHECKING:
    from pathlib import Path

    from core.workspace import Workspace

__all__ = ["examples_of_rows", "load_examples", "read_rows"]


def load_examples(workspace: Workspace, task_name: str, limit: int | None = None) -> list[Example]:
    """Return the examples of one task, the first ``limit`` of its dataset, with ``prompt`` left empty.

    Raises:
        InputError: the task is unknown, or the data does not fit it; the message names file, line and field.
    """
    tasks = workspace.spec.tasks
    if task_name not in tasks:
        raise InputError(
            f"{workspace.path}: there is no task {task_name!r}{nearest(task_name, tasks)}; there are: {', '.join(tasks)}."
        )
    task = tasks[task_name]
    dataset = workspace.spec.datasets[task.dataset]
    path = workspace.resolve(dataset.path)
    return examples_of_rows(path, read_placed_rows(path), dataset, task_name, task, limit)


def examples_of_rows(
    path: Path, rows: Sequence[Row], dataset: DatasetSpec, task_name: str, task: TaskSpec, limit: int | None = None
) -> list[Example]:
    """Return the examples that a task makes of a dataset's rows; ``path`` is for messages alone. See `load_examples`."""
    _check_declared_fields(path, rows, dataset)
    ids = _ids(path, rows, dataset)
    examples = []
    for row, example_id in list(zip(rows, ids, strict=True))[:limit]:
        reader = _RowReader(f"{path}, {row.place}", row.fields, task)
        reader.check_conversation()
        options = reader.options()
        examples.append(
            Example(
                task=task_name, id=example_id, prompt="", fields=row.fields, reference=reader.reference(options), options=options,
                tags=tuple(_tags(row.fields, dataset.tags)), language=_text_or_none(row.fields, dataset.language),
                group=_text_or_none(row.fields, dataset.group),
            )
        )  # fmt: skip
    return examples


def _check_declared_fields(path: Path, rows: Sequence[Row], dataset: DatasetSpec) -> None:
    there = field_names(rows)
    for key, names in (("language", (dataset.language,)), ("group", (dataset.group,)), ("tags", dataset.tags)):
        for name in names:
            if name is not None and name not in there:
                raise InputError(
                    f"{path}: the dataset's {key} names the field {name!r}{nearest(name, there)}, which no row has; "
                    f"the rows have {_listed(there)}."
                )


def _ids(path: Path, rows: Sequence[Row], dataset: DatasetSpec) -> list[str]:
    """Return each row's id; rows without one are numbered from 1."""
    places: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        found = row.fields.get(dataset.id)
        if isinstance(found, dict | list | bool):
            raise InputError(f"{path}, {row.place}: {dataset.id!r} is {_show(found)}, expected a text or a number.")
        example_id = str(number) if found in (None, "") else _as_text(found)
        if example_id in places:
            raise InputError(
                f"{path}: the id {example_id!r} stands in {places[example_id]} and in {row.place}; each row needs an id of its own."
            )
        places[example_id] = row.place
    return list(places)


class _RowReader:
    """Reads what a task needs out of one row."""

    def __init__(self, where: str, fields: dict[str, Any], task: TaskSpec) -> None:
        self.where, self.fields, self.task = where, fields, task

    def check_conversation(self) -> None:
        """Check the fields that the chat template is given as they are."""
        if (name := self.task.messages) is not None:
            check_messages(f"{self.where}: {name!r}", self._field(name, "the task's messages"))
        if isinstance(self.task.tools, str):
            check_tools(f"{self.where}: {self.task.tools!r}", self.fields.get(self.task.tools))

    def options(self) -> tuple[str, ...]:
        """Return the options as texts, from the task or from the row's field."""
        listed = self.task.options
        if isinstance(listed, str):
            name = listed.strip("{}")
            listed = self._field(name, "the task's options")
            if (
                not isinstance(listed, list)
                or not listed
                or any(isinstance(option, list | dict | None) for option in listed)
            ):
                raise InputError(f"{self.where}: {name!r} is {_show(listed)}, expected a list of options.")
        options = tuple(_as_text(option) for option in listed or ())
        if twice := next((option for option in options if options.count(option) > 1), None):
            raise InputError(f"{self.where}: the option {twice!r} stands twice among the options.")
        return options

    def reference(self, options: tuple[str, ...]) -> Any:
        """Return the right answer in the form that `core.records.Example.reference` says for the task's kind."""
        name = self.task.reference
        value = self._last_turn(name) if name == self.task.messages else self._field(name, "the task's reference")
        where = f"{self.where}: {name!r}"
        if self.task.kind == "regression":
            return _number(where, value)
        if self.task.kind == "ranking":
            if not isinstance(value, list) or len(value) != len(options):
                raise InputError(
                    f"{where} is {_show(value)}, expected a list of {len(options)} numbers, one for each option."
                )
            return [_number(where, grade) for grade in value]
        if self.task.kind == "multilabel":
            if not isinstance(value, list):
                raise InputError(f"{where} is {_show(value)}, expected a list of labels.")
            return [self._label(where, label, options) for label in value]
        if self.task.kind == "classification":
            return self._label(where, value, options)
        if isinstance(value, list) and value and self.task.kind == "generation":
            return [self._text(where, text) for text in value]
        return self._text(where, value)

    def _last_turn(self, name: str) -> str:
        answer = parted(self.fields[name])[1]
        if answer is None:
            raise InputError(
                f"{self.where}: the conversation in {name!r} ends without an assistant's turn, which the task's reference should be. "
                "Name another field as the reference, or add the turn."
            )
        return answer

    def _field(self, name: str, asked_by: str) -> Any:
        if self.fields.get(name) is None:
            found = "is null in this row" if name in self.fields else "is missing"
            raise InputError(
                f"{self.where}: the field {name!r} ({asked_by}) {found}{nearest(name, self.fields)}; the row has {_listed(self.fields)}."
            )
        return self.fields[name]

    def _label(self, where: str, value: Any, options: tuple[str, ...]) -> str:
        label = self._text(where, value)
        if options and label not in options:
            raise InputError(
                f"{where} is {label!r}{nearest(label, options)}, expected one of the options: {', '.join(options)}."
            )
        return label

    @staticmethod
    def _text(where: str, value: Any) -> str:
        if isinstance(value, dict | list) or value is None:
            raise InputError(f"{where} is {_show(value)}, expected a text.")
        return _as_text(value)


def _number(where: str, value: Any) -> int | float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            pass
        else:
            value = int(value) if value.is_integer() else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{where} is {_show(value)}, expected a number.")
    return value


def _as_text(value: Any) -> str:
    """Return a scalar as a person writes it: ``3`` for 3.0, ``true`` for True."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def _tags(fields: dict[str, Any], names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        value = fields.get(name)
        for one in value if isinstance(value, list) else [value]:
            if one is not None and not isinstance(one, dict | list):
                found.append(f"{name}={_as_text(one)}")
    return list(dict.fromkeys(found))


def _text_or_none(fields: dict[str, Any], name: str | None) -> str | None:
    value = fields.get(name) if name else None
    return None if value in (None, "") else _as_text(value)


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _listed(names: Sequence[str] | dict[str, Any]) -> str:
    return ", ".join(repr(name) for name in names)
