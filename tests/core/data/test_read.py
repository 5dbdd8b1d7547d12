"""Rows become examples, and a row that does not fit its task is told with file, line and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.data.read import load_examples
from core.errors import InputError
from core.records import Example
from core.spec import DatasetSpec, ModelRef, ModelSet, TaskSpec, WorkspaceSpec
from core.workspace import Workspace

ROW = {
    "id": "t1", "ticket": "Where is it?", "category": "delivery", "urgency": 4, "tags": ["late", "gift"], "answers": ["x", "y"],
    "grades": [0, 2], "reply": "Soon.", "language": "en", "shop": 7, "hard": True,
}  # fmt: skip


def _task(kind: str, reference: str, **more: Any) -> TaskSpec:
    return TaskSpec.model_validate(
        {"dataset": "d", "kind": kind, "reference": reference, "prompt": "{ticket} {option}"} | more
    )


def _load(
    folder: Path,
    rows: list[dict[str, Any]],
    task: TaskSpec,
    dataset: dict[str, Any] | None = None,
    limit: int | None = None,
) -> list[Example]:
    (folder / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = WorkspaceSpec(
        models=ModelSet(base=ModelRef(path="base")),
        datasets={"d": DatasetSpec.model_validate({"path": "d.jsonl"} | (dataset or {}))},
        tasks={"task": task},
    )
    return load_examples(Workspace(folder, spec, folder / "workspace.yaml"), "task", limit)


CATEGORY = _task("classification", "category", options=["delivery", "returns"])


def test_an_example_carries_its_row(tmp_path: Path) -> None:
    dataset = {"language": "language", "group": "shop", "tags": ["category", "tags", "hard"]}
    (example,) = _load(tmp_path, [ROW], CATEGORY, dataset)
    assert example == Example(
        task="task", id="t1", prompt="", fields=ROW, reference="delivery", options=("delivery", "returns"),
        tags=("category=delivery", "tags=late", "tags=gift", "hard=true"), language="en", group="7",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("task", "reference", "options"),
    [
        (_task("regression", "urgency", options=[0, 4, 10]), 4, ("0", "4", "10")),
        (_task("multilabel", "tags", options=["late", "gift", "angry"]), ["late", "gift"], ("late", "gift", "angry")),
        (_task("ranking", "grades", options="{answers}"), [0, 2], ("x", "y")),
        (_task("generation", "reply"), "Soon.", ()),
        (_task("generation", "tags"), ["late", "gift"], ()),
        (_task("generation", "urgency"), "4", ()),
        (_task("likelihood", "reply", template="none"), "Soon.", ()),
        (_task("classification", "hard", options=["true", "false"]), "true", ("true", "false")),
    ],
)
def test_reference_and_options_of_each_kind(
    tmp_path: Path, task: TaskSpec, reference: Any, options: tuple[str, ...]
) -> None:
    (example,) = _load(tmp_path, [ROW], task)
    assert example.reference == reference
    assert type(example.reference) is type(reference)
    assert example.options == options


def test_numbers_and_labels_read_from_text(tmp_path: Path) -> None:
    (example,) = _load(tmp_path, [ROW | {"urgency": "4.0"}], _task("regression", "urgency", options=[4]))
    assert example.reference == 4 and isinstance(example.reference, int)
    (example,) = _load(tmp_path, [ROW | {"urgency": 4.0}], _task("classification", "urgency", options=[3, 4]))
    assert example.reference == "4"


def test_ids_are_numbered_where_there_are_none_and_limit_takes_the_first(tmp_path: Path) -> None:
    rows = [{key: value for key, value in ROW.items() if key != "id"} for _ in range(3)]
    assert [example.id for example in _load(tmp_path, rows, CATEGORY)] == ["1", "2", "3"]
    assert [example.id for example in _load(tmp_path, rows, CATEGORY, limit=2)] == ["1", "2"]
    assert [example.id for example in _load(tmp_path, [ROW | {"id": 5}], CATEGORY)] == ["5"]


def test_the_same_id_twice_names_both_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'t1' stands in line 1 and in line 3"):
        _load(tmp_path, [ROW, ROW | {"id": "t2"}, ROW], CATEGORY, limit=1)


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ROW.items() if key != name}


@pytest.mark.parametrize(
    ("row", "task", "expected"),
    [
        (
            _without("category") | {"categori": "x"},
            CATEGORY,
            ["'category'", "is missing", "did you mean 'categori'", "'ticket'"],
        ),
        (ROW | {"category": None}, CATEGORY, ["'category'", "is null"]),
        (ROW | {"category": "return"}, CATEGORY, ["'return'", "did you mean 'returns'", "delivery, returns"]),
        (ROW | {"category": ["delivery"]}, CATEGORY, ["'category'", "expected a text"]),
        (ROW | {"urgency": "soon"}, _task("regression", "urgency", options=[1]), ['"soon"', "expected a number"]),
        (ROW | {"urgency": "nan"}, _task("regression", "urgency", options=[1]), ["expected a number"]),
        (ROW | {"urgency": True}, _task("regression", "urgency", options=[1]), ["expected a number"]),
        (
            ROW | {"tags": "late"},
            _task("multilabel", "tags", options=["late", "gift"]),
            ['"late"', "expected a list of labels"],
        ),
        (
            ROW | {"tags": ["lat"]},
            _task("multilabel", "tags", options=["late", "gift"]),
            ["'lat'", "did you mean 'late'"],
        ),
        (_without("answers"), _task("ranking", "grades", options="{answers}"), ["'answers'", "options", "is missing"]),
        (ROW | {"answers": "x"}, _task("ranking", "grades", options="{answers}"), ["expected a list of options"]),
        (ROW | {"answers": ["x", "x"]}, _task("ranking", "grades", options="{answers}"), ["'x' stands twice"]),
        (ROW | {"grades": [1]}, _task("ranking", "grades", options="{answers}"), ["a list of 2 numbers"]),
        (ROW | {"reply": {"a": 1}}, _task("generation", "reply"), ["expected a text"]),
        (ROW | {"id": ["a"]}, CATEGORY, ["'id'", "expected a text or a number"]),
    ],
)
def test_a_row_that_does_not_fit_is_told(
    tmp_path: Path, row: dict[str, Any], task: TaskSpec, expected: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        _load(tmp_path, [ROW | {"id": "first"}, row], task)
    for part in [str(tmp_path / "d.jsonl"), "line 2", *expected]:
        assert part in str(caught.value)


@pytest.mark.parametrize("dataset", [{"language": "langage"}, {"group": "langage"}, {"tags": ["langage"]}])
def test_a_declared_field_that_no_row_has_is_told(tmp_path: Path, dataset: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"{next(iter(dataset))} names the field 'langage' \(did you mean 'language'"):
        _load(tmp_path, [ROW], CATEGORY, dataset)


def test_an_unknown_task_is_told(tmp_path: Path) -> None:
    _load(tmp_path, [ROW], CATEGORY)
    spec = WorkspaceSpec(
        models=ModelSet(base=ModelRef(path="b")), datasets={"d": DatasetSpec(path="d.jsonl")}, tasks={"reply": CATEGORY}
    )
    with pytest.raises(InputError, match="did you mean 'reply'"):
        load_examples(Workspace(tmp_path, spec, tmp_path / "workspace.yaml"), "repli", None)
