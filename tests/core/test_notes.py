"""Notes: never lost, never doubled, the latest stands."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from core import notes
from core.errors import RunError
from core.notes import Note, add_note, read_notes
from core.store import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "spec.json").write_text("{}", encoding="utf-8")
    return Run(tmp_path)


def _file(run: Run) -> Path:
    return run.folder / "notes.jsonl"


def test_a_note_comes_back_as_it_was_given(run: Run) -> None:
    text = 'he said "no"\nand\tleft — 很好 \u202e \x00 end'
    saved = add_note(run, Note("reply", "eval-001", "qv-r8", "down", text))
    assert saved.at.endswith("+00:00")
    assert read_notes(run).of("reply", "eval-001", "qv-r8") == saved
    assert saved.text == text


def test_the_latest_note_stands_and_earlier_ones_stay_readable(run: Run) -> None:
    for thumb, text in (("up", "fine"), ("down", "on second thought"), (None, "neither")):
        add_note(run, Note("reply", "a", "v", thumb, text))
    add_note(run, Note("reply", "b", "v", "up"))
    read = read_notes(run)
    assert [note.text for note in read.history] == ["fine", "on second thought", "neither", ""]
    assert read.of("reply", "a", "v").text == "neither"
    assert set(read.latest) == {("reply", "a", "v"), ("reply", "b", "v")}


def test_an_empty_note_takes_an_earlier_one_back(run: Run) -> None:
    add_note(run, Note("reply", "a", "v", "up", "x"))
    add_note(run, Note("reply", "a", "v"))
    read = read_notes(run)
    assert read.latest == {}
    assert len(read.history) == 2


def test_no_notes_are_no_error(run: Run) -> None:
    assert read_notes(run) == notes.Notes((), 0)
    assert read_notes(run).of("a", "b", "c").empty


def test_a_torn_line_costs_only_itself(run: Run) -> None:
    add_note(run, Note("reply", "a", "v", "up"))
    with _file(run).open("ab") as file:
        file.write(b'{"task": "reply", "example_id": "b", "var')
    add_note(run, Note("reply", "c", "v", "down"))
    read = read_notes(run)
    assert [note.example_id for note in read.history] == ["a", "c"]
    assert read.unreadable == 1


@pytest.mark.parametrize(
    "line",
    ["[1, 2]", "7", '{"task": "t"}', '{"task": "t", "example_id": "e", "variant": "v", "thumb": "sideways"}', "\\xff"],
)
def test_a_line_that_is_no_note_is_counted_and_skipped(run: Run, line: str) -> None:
    _file(run).write_text(line + "\n", encoding="utf-8")
    add_note(run, Note("reply", "a", "v", "up"))
    read = read_notes(run)
    assert (len(read.history), read.unreadable) == (1, 1)


def test_a_lone_surrogate_does_not_lose_the_note(run: Run) -> None:
    add_note(run, Note("reply", "a", "v", "up", "before \ud83d after"))
    assert read_notes(run).of("reply", "a", "v").text == "before ? after"


def _short_write(limit: int) -> Callable[[int, bytes], int]:
    """Return a write that takes ``limit`` bytes and then finds the disk full."""
    left = [limit]
    real = os.write

    def write(descriptor: int, content: bytes) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = real(descriptor, content[: left[0]])
        left[0] -= done
        return done

    return write


def test_a_full_disk_is_said_and_leaves_the_file_as_it_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_note(run, Note("reply", "a", "v", "up"))
    before = _file(run).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(notes.os, "write", _short_write(20))
        with pytest.raises(RunError, match="No space left.*Earlier notes are kept"):
            add_note(run, Note("reply", "b", "v", "down"))
    assert _file(run).read_bytes() == before
    add_note(run, Note("reply", "b", "v", "down"))
    assert read_notes(run).of("reply", "b", "v").thumb == "down"


def test_a_write_in_several_pieces_is_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(notes.os, "write", lambda descriptor, content: real(descriptor, content[:7]))
    saved = add_note(run, Note("reply", "a", "v", "up", "a longer remark"))
    assert read_notes(run).history == (saved,)


def test_a_note_is_flushed_before_the_call_returns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    real = os.fsync
    monkeypatch.setattr(notes.os, "fsync", lambda fd: (real(fd), flushed.append(os.fstat(fd).st_size))[0])
    add_note(run, Note("reply", "a", "v", "up"))
    assert flushed == [_file(run).stat().st_size]


def test_a_folder_that_cannot_be_written_is_said(run: Run) -> None:
    _file(run).mkdir()
    with pytest.raises(RunError, match="could not be saved"):
        add_note(run, Note("reply", "a", "v", "up"))


def _write_many(folder: Path, author: int) -> None:
    for number in range(40):
        add_note(Run(folder), Note("reply", f"{author}-{number}", "v", "up", "x" * 5000))


def test_many_writers_lose_nothing(run: Run) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_write_many, [run.folder] * 4, range(4)))
    read = read_notes(run)
    assert read.unreadable == 0
    assert {note.example_id for note in read.history} == {f"{a}-{n}" for a in range(4) for n in range(40)}
    assert len(read.history) == 160


def test_the_file_is_readable_by_anything_that_reads_json_lines(run: Run) -> None:
    add_note(run, Note("reply", "a", "v", "up", "好"))
    line = json.loads(_file(run).read_text(encoding="utf-8"))
    assert {key: line[key] for key in ("task", "example_id", "variant", "thumb", "text")} == {
        "task": "reply", "example_id": "a", "variant": "v", "thumb": "up", "text": "好",
    }  # fmt: skip
