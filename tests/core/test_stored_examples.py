"""What a run asked, read back: the same examples, equal values as one object, and of one task without its texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core import predict
from core.predict import asked_examples, observations
from core.records import Example
from core.store import Run
from core.stored_examples import count_examples, read_examples
from tests.core import mini

LABELS = ("yes", "no", "maybe")
EXAMPLES = [
    *(mini.example("one", number, "yes", tags=("field=a",), language="en", group="g") for number in range(4)),
    *(mini.example("two", number, {"x": [number]}, options=()) for number in range(3)),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    spec = mini.spec({"one": mini.task(), "two": mini.task("generation")})
    evidence = [mini.chosen("one", "lora", number, LABELS[number % 2]) for number in range(4)]
    return mini.write(tmp_path / "run", spec, EXAMPLES, evidence)


def test_examples_come_back_as_they_were_written(run: Run) -> None:
    assert list(run.examples) == EXAMPLES
    assert count_examples(run.folder / "examples.parquet") == len(EXAMPLES)


def test_equal_options_tags_and_labels_are_one_object(run: Run) -> None:
    first, *others = (one for one in run.examples if one.task == "one")
    for name in ("options", "tags", "reference", "language", "group", "task"):
        assert all(getattr(one, name) is getattr(first, name) for one in others)


def test_a_task_is_read_without_texts(run: Run) -> None:
    found = read_examples(run.folder / "examples.parquet", "two", texts=False)
    assert list(found) == [replace(one, prompt="", fields={}) for one in EXAMPLES if one.task == "two"]


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert read_examples(tmp_path / "examples.parquet") == ()
    assert count_examples(tmp_path / "examples.parquet") == 0


def test_metrics_see_the_same_of_many_examples_and_of_few(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    few = observations(run, "one", "lora")
    monkeypatch.setattr(predict, "MANY_EXAMPLES", len(EXAMPLES) - 1)
    monkeypatch.setattr(Run, "examples", property(lambda _: pytest.fail("every text of the run was read")))
    assert all(isinstance(one, Example) for one in asked_examples(Run(run.folder), "one"))
    assert observations(Run(run.folder), "one", "lora") == few
    assert few.predictions == ["yes", "no", "yes", "no"]
