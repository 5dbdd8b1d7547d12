"""Feedback: never lost, never doubled, the latest of each source counts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import RunError
from core.feedback import PAGE, Feedback, give_feedback, read_feedback
from core.store import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "spec.json").write_text("{}", encoding="utf-8")
    return Run(tmp_path)


def _file(run: Run) -> Path:
    return run.folder / "feedback.jsonl"


def test_it_comes_back_as_it_was_given(run: Run) -> None:
    note = 'she said "no"\nand\tleft — 很好 \u202e \x00 end'
    saved = give_feedback(run, "reply", "eval-001", "qv-r8", "down", note)
    assert saved.time.endswith("+00:00") and saved.source == PAGE and len(saved.id) == 32 and saved.supersedes is None
    assert read_feedback(run).of("reply", "eval-001", "qv-r8") == saved
    assert set(json.loads(_file(run).read_text(encoding="utf-8"))) == {
        "id", "time", "task", "example_id", "variant", "thumb", "note", "source", "supersedes",
    }  # fmt: skip


def test_a_changed_mind_names_what_it_supersedes_and_sources_stand_beside_each_other(run: Run) -> None:
    first = give_feedback(run, "reply", "a", "v", "up", "fine")
    other = give_feedback(run, "reply", "a", "v", "up", source="ann")
    second = give_feedback(run, "reply", "a", "v", "down", "on second thought")
    assert second.supersedes == first.id and other.supersedes is None
    read = read_feedback(run)
    assert [entry.note for entry in read.history] == ["fine", "", "on second thought"]
    assert set(read.latest.values()) == {second, other}
    assert read.of("reply", "a", "v", "ann") == other


def test_an_empty_entry_takes_an_earlier_one_back(run: Run) -> None:
    give_feedback(run, "reply", "a", "v", "up", "x")
    give_feedback(run, "reply", "a", "v")
    read = read_feedback(run)
    assert read.latest == {} and len(read.history) == 2 and read.of("reply", "a", "v").empty


def test_no_feedback_is_no_error(run: Run) -> None:
    assert read_feedback(run) == Feedback(())
    assert not _file(run).exists()


def test_a_torn_last_line_costs_only_itself_and_is_told(run: Run) -> None:
    give_feedback(run, "reply", "a", "v", "up")
    with _file(run).open("ab") as file:
        file.write(b'{"task": "reply", "example_id": "b", "var')
    assert "line 2: the line breaks off, as after a crash; it was left out." in read_feedback(run).warnings[0]
    give_feedback(run, "reply", "c", "v", "down")
    read = read_feedback(run)
    assert [entry.example_id for entry in read.history] == ["a", "c"] and len(read.warnings) == 1


@pytest.mark.parametrize(
    "line",
    [
        "[1, 2]",
        "7",
        '{"task": "t"}',
        '{"task": "t", "example_id": "e", "variant": "v", "thumb": "sideways"}',
        '{"task": "t", "example_id": "e", "variant": "v", "thumb": "up", "note": ["x"]}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_feedback_is_told_and_skipped(run: Run, line: str) -> None:
    _file(run).write_text(line + "\n", encoding="utf-8")
    give_feedback(run, "reply", "a", "v", "up")
    read = read_feedback(run)
    assert len(read.history) == 1 and "line 1: found no feedback, expected an object" in read.warnings[0]


def test_a_lone_surrogate_does_not_lose_the_note(run: Run) -> None:
    give_feedback(run, "reply", "a", "v", "up", "before \ud83d after")
    assert read_feedback(run).of("reply", "a", "v").note == "before ? after"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_said(run: Run) -> None:
    run.folder.chmod(0o500)
    try:
        with pytest.raises(RunError, match="could not be saved.*Earlier feedback is kept"):
            give_feedback(run, "reply", "a", "v", "up")
    finally:
        run.folder.chmod(0o700)


def test_a_file_that_is_a_folder_is_said(run: Run) -> None:
    _file(run).mkdir()
    with pytest.raises(RunError, match="could not be saved"):
        give_feedback(run, "reply", "a", "v", "up")


def test_notes_of_earlier_versions_are_read_first(run: Run) -> None:
    line = {
        "task": "reply",
        "example_id": "a",
        "variant": "v",
        "thumb": "up",
        "text": "early",
        "at": "2026-01-02T03:04:05+00:00",
    }
    (run.folder / "notes.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    entry = read_feedback(run).of("reply", "a", "v")
    assert (entry.thumb, entry.note, entry.time, entry.source) == ("up", "early", "2026-01-02T03:04:05+00:00", PAGE)
    assert give_feedback(run, "reply", "a", "v", "down").supersedes is None
    assert read_feedback(run).of("reply", "a", "v").thumb == "down"
