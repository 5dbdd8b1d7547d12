"""Flags on examples: the last word counts, and nothing is lost over a line that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import RunError
from core.flags import read_flags, set_flag
from core.store import Run, create_run
from tests.core.mini import spec, task


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "run", spec({"reply": task("generation")}))


def test_the_last_word_counts_and_another_task_is_another_example(run: Run) -> None:
    assert read_flags(run).examples == frozenset()
    set_flag(run, "reply", "e1", True)
    set_flag(run, "reply", "\ud800", True)
    set_flag(run, "category", "e1", True)
    set_flag(run, "reply", "e2", True)
    set_flag(run, "reply", "e1", False)
    assert read_flags(run).of("reply") == {"e2", "?"}
    assert read_flags(run).of("category") == {"e1"}
    assert len((run.folder / "flags.jsonl").read_text().splitlines()) == 5, "what was thought before stays readable"


@pytest.mark.parametrize(
    "line", ["torn", "[]", '{"task": 1, "example_id": "e", "flagged": true}', '{"task": "t"}', "[" * 100_000]
)
def test_a_line_that_cannot_be_read_is_said_and_costs_only_itself(run: Run, line: str) -> None:
    set_flag(run, "reply", "e1", True)
    with (run.folder / "flags.jsonl").open("a") as file:
        file.write(line + "\n")
    set_flag(run, "reply", "e2", True)
    found = read_flags(run)
    assert found.of("reply") == {"e1", "e2"}
    assert len(found.warnings) == 1
    assert (
        "flags.jsonl, line 2: found no flag, expected an object with task, example_id and flagged" in found.warnings[0]
    )


def test_a_flag_that_cannot_be_saved_is_said(run: Run) -> None:
    (run.folder / "flags.jsonl").mkdir()
    with pytest.raises(RunError, match="the flag could not be saved .* Earlier flags are kept"):
        set_flag(run, "reply", "e1", True)
    assert read_flags(run).examples == frozenset()
