"""What a person reads of a file: its first line, and faults in words that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.data.inspect.headline import headline
from core.data.inspect.scan import scan
from tests.core.data.inspect.files import assistant, chat, write

OWN = {"id": "a", "ticket": "Where is it?"}


def test_the_first_line_of_an_evaluation_file_calls_its_fields_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, OWN, OWN)
    assert headline(scan(path)) == "2 rows of a form that no trainer reads, 2 faults on 2 lines"
    own = headline(scan(path, evaluation=True), evaluation=True)
    assert own == "2 rows with fields of their own, for evaluation, no faults"
    known = scan(write(tmp_path, chat(), name="known.jsonl"), evaluation=True)
    assert headline(known, evaluation=True) == "1 row of conversational SFT (`messages`), no faults"


def test_a_file_without_a_readable_row_is_not_called_a_form(tmp_path: Path) -> None:
    found = scan(write(tmp_path, b"{", b"1"))
    assert headline(found) == "No row that can be read, 2 faults on 2 lines"
    assert found.format.stage == "unknown" and "mend the faults first" in found.format.stage_reason


STEPS = {"prompt": "a", "completions": ["b"], "labels": [True]}


@pytest.mark.parametrize(
    ("sound", "row", "sentence"),
    [
        (
            chat(),
            b'{"messages": [{"role": "user", "content": "Where',
            "Column 43: found a text that is never closed, '\"Where'; expected a quote at its end.",
        ),
        (
            STEPS,
            {"prompt": "a", "completions": ["b", "c"], "labels": [True]},
            "Found 2 completions and 1 label; expected a label for each completion.",
        ),
        (
            chat(),
            chat({"role": "user", "content": [{"image": "a.png"}]}, assistant()),
            "messages, message 1, part 1: found an object without a 'type' in words, the field 'image'; "
            'expected a part such as {"type": "text", "text": "..."}.',
        ),
        (
            OWN,
            OWN,
            "Found the fields 'id', 'ticket'; expected the fields 'messages', 'text', 'prompt' and 'completion', "
            "or others that trainers read.",
        ),
    ],
)
def test_what_a_fault_says(tmp_path: Path, sound: Any, row: Any, sentence: str) -> None:
    assert scan(write(tmp_path, sound, sound, row)).faults[-1].message == sentence
