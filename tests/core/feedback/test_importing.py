"""Feedback from files of every format: what is read, what is left out and why, and that twice is once."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from core.errors import InputError
from core.feedback import import_feedback, read_feedback
from core.store import Run, write_json
from tests.core import mini


@pytest.fixture
def run(tmp_path: Path) -> Run:
    tasks = {"reply": mini.task("generation", metrics=["exact_match"]), "label": mini.task(metrics=["accuracy"])}
    listed = [mini.example(task, i, "yes") for task in tasks for i in range(4)] + [mini.example("label", 9, "yes")]
    return mini.write(tmp_path / "run", mini.spec(tasks), listed, [])


ROWS = [
    {"id": "e000", "variant": "baseline", "thumb": "up", "note": "good, 很好"},
    {"id": "e000", "variant": "lora", "thumb": "down", "note": ""},
    {"id": "e001", "variant": "lora", "thumb": "up", "note": ""},
    {"id": "e009", "variant": "lora", "thumb": "up", "note": ""},
]


def write(folder: Path, suffix: str, rows: list[dict[str, object]]) -> Path:
    path = folder / f"thumbs.{suffix}"
    if suffix == "jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    elif suffix == "csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        pd.DataFrame(rows).to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_every_format_gives_the_same_and_importing_again_changes_nothing(run: Run, suffix: str) -> None:
    path = write(run.folder.parent, suffix, ROWS)
    report = import_feedback(run, path)
    assert (report.imported, report.unchanged, report.skipped) == (4, 0, ())
    found = read_feedback(run)
    # Of the tasks that have an example the one that generates texts is meant.
    assert [entry.output for entry in found.history] == [
        ("reply", "e000", "baseline"), ("reply", "e000", "lora"), ("reply", "e001", "lora"), ("label", "e009", "lora"),
    ]  # fmt: skip
    assert found.history[0].note == "good, 很好" and {entry.source for entry in found.history} == {path.name}
    again = import_feedback(run, path)
    assert (again.imported, again.unchanged) == (0, 4) and read_feedback(run) == found


@pytest.mark.parametrize(
    ("value", "thumb"),
    [
        ("up", "up"),
        ("DOWN", "down"),
        (1, "up"),
        (0, "down"),
        (-1, "down"),
        (1.0, "up"),
        (True, "up"),
        (False, "down"),
        ("+1", "up"),
    ],
)
def test_thumbs_are_written_in_many_ways(run: Run, value: object, thumb: str) -> None:
    import_feedback(run, write(run.folder.parent, "jsonl", [{"example_id": "e002", "variant": "lora", "thumb": value}]))
    assert read_feedback(run).history[0].thumb == thumb


def test_rows_without_a_source_are_each_somebody_elses(run: Run) -> None:
    rows = [{"id": "e000", "variant": "lora", "thumb": thumb} for thumb in ("up", "down", "up")]
    path = write(run.folder.parent, "jsonl", rows)
    assert import_feedback(run, path).imported == 3
    assert [entry.source for entry in read_feedback(run).latest.values()] == [
        "thumbs.jsonl",
        "thumbs.jsonl#2",
        "thumbs.jsonl#3",
    ]
    assert import_feedback(run, path).unchanged == 3


def test_of_one_source_the_last_row_counts(run: Run) -> None:
    rows = [{"id": "e000", "variant": "lora", "thumb": thumb, "source": "ann"} for thumb in ("up", "down")]
    path = write(run.folder.parent, "jsonl", rows)
    report = import_feedback(run, path)
    assert (
        report.imported == 1
        and "line 1: line 2 is of the same source and output and counts instead" in report.skipped[0]
    )
    assert read_feedback(run).of("reply", "e000", "lora", "ann").thumb == "down"
    assert import_feedback(run, path).imported == 0
    changed = write(run.folder.parent, "jsonl", rows[:1])
    assert import_feedback(run, changed).imported == 1
    assert read_feedback(run).of("reply", "e000", "lora", "ann").supersedes is not None


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"id": "e0000"}, "the run has no example 'e0000' (did you mean 'e000'?)"),
        ({"variant": "loar"}, "the run has no variant 'loar' (did you mean 'lora'?)"),
        ({"task": "replies"}, "the run has no task 'replies' (did you mean 'reply'?)"),
        ({"id": "e009", "task": "reply"}, "the run has no example 'e009'"),
        ({"id": None}, "it has no id, expected that of an example"),
        ({"variant": ""}, "it has no variant"),
        ({"thumb": "meh"}, "found the thumb 'meh', expected up or down (or 1 and 0, true and false)"),
        ({"thumb": 2}, "found the thumb 2, expected up or down"),
        ({"thumb": ["up"]}, "found the thumb ['up'], expected up or down"),
        ({"thumb": None}, "it has neither thumb nor note"),
        ({"note": ["x"]}, "'note' is a list, expected a text"),
        ({"id": {"x": 1}}, "'id' is an object, expected a text"),
    ],
)
def test_a_row_that_fits_nothing_is_listed_with_its_place_and_spoils_no_other(
    run: Run, row: dict[str, object], sentence: str
) -> None:
    rows = [{"id": "e000", "variant": "lora", "thumb": "up"}, {"id": "e001", "variant": "lora", "thumb": "up"} | row]
    report = import_feedback(run, write(run.folder.parent, "jsonl", rows))
    assert report.imported == 1 and len(report.skipped) == 1
    assert report.skipped[0].startswith("thumbs.jsonl, line 2: ") and sentence in report.skipped[0]


def test_where_several_tasks_generate_the_row_has_to_say_which(tmp_path: Path) -> None:
    tasks = {name: mini.task("generation", metrics=["exact_match"]) for name in ("a", "b")}
    run = mini.write(tmp_path / "run", mini.spec(tasks), [mini.example(task, 0, "x") for task in tasks], [])
    report = import_feedback(run, write(tmp_path, "jsonl", [{"id": "e000", "variant": "lora", "thumb": "up"}]))
    assert "several tasks have the example 'e000': say which one in a field task, one of a, b" in report.skipped[0]
    path = write(tmp_path, "jsonl", [{"id": "e000", "variant": "lora", "thumb": "up", "task": "b"}])
    assert import_feedback(run, path).imported == 1


def test_a_system_may_be_named_as_its_file_named_it(run: Run) -> None:
    write_json(run.folder / "environment.json", {"imported": {"variants": {"lora": "org/lora 7B"}}})
    path = write(run.folder.parent, "jsonl", [{"id": "e000", "variant": "org/lora 7B", "thumb": "up"}])
    assert import_feedback(run, path).imported == 1 and read_feedback(run).history[0].variant == "lora"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"variant": "lora", "thumb": "up"}], "no row has the field 'id'; expected id, variant and thumb"),
        (
            [{"id": "e000", "varient": "lora", "thumb": "up"}],
            "no row has the field 'variant' (did you mean 'varient'?)",
        ),
        ([{"id": "e000", "variant": "lora"}], "no row has the field 'thumb'"),
    ],
)
def test_a_file_without_a_needed_field_is_refused(run: Run, rows: list[dict[str, object]], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        import_feedback(run, write(run.folder.parent, "jsonl", rows))
    assert sentence in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        import_feedback(run, run.folder / "gone.csv")
