"""Conversions: nothing is lost, there and back again; what would lose something is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.inspect.convert import TARGETS, convert
from core.data.inspect.read import iter_rows
from core.data.inspect.scan import scan
from core.errors import InputError
from tests.core.data.inspect.files import assistant, chat, system, user, write

Row = dict[str, Any]
EXAMPLES: dict[str, Row] = {
    "messages": chat(user("Hi"), assistant("Hello")) | {"id": 7},
    "sharegpt": {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}], "id": 7},
    "alpaca": {"instruction": "Hi", "input": "", "output": "Hello", "id": 7},
    "instruction-output": {"instruction": "Hi", "output": "Hello", "id": 7},
    "prompt-completion": {"prompt": "Hi", "completion": "Hello", "id": 7},
    "preference": {"prompt": [user()], "chosen": [assistant("a")], "rejected": [assistant("b")], "id": 7},
    "preference-implicit": {"chosen": [user(), assistant("a")], "rejected": [user(), assistant("b")], "id": 7},
}


def converted(folder: Path, to: str, *rows: Row) -> list[Row]:
    out = folder / f"to-{to}.jsonl"
    out.unlink(missing_ok=True)
    convert(write(folder, *rows), to, out)
    return [row for _, row in iter_rows(out)]


PAIRS = [(name, to) for name in EXAMPLES for to in TARGETS[name]]


@pytest.mark.parametrize(("name", "to"), PAIRS)
def test_there_and_back_again_nothing_is_lost(tmp_path: Path, name: str, to: str) -> None:
    report = convert(write(tmp_path, EXAMPLES[name]), to, tmp_path / "there.jsonl")
    assert (report.from_format, report.to_format, report.rows) == (name, to, 1)
    found = scan(tmp_path / "there.jsonl")
    assert (found.format.name, found.faults) == (to, ())
    convert(tmp_path / "there.jsonl", name, tmp_path / "back.jsonl")
    ((_, back),) = iter_rows(tmp_path / "back.jsonl")
    chats = ("messages", "sharegpt")
    if name == "prompt-completion" and to in chats:  # texts come back as the messages they became
        assert back == {"prompt": [user("Hi")], "completion": [assistant("Hello")], "id": 7}
    else:
        assert back == EXAMPLES[name]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TURNS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3)


@given(turns=TURNS, opening=st.none() | TEXT, note=st.none() | st.integers())
@settings(max_examples=60, deadline=None)
def test_any_conversation_goes_to_sharegpt_and_prompts_and_back(
    turns: list[tuple[str, str]], opening: str | None, note: Any
) -> None:
    messages = [system(opening)] if opening is not None else []
    messages += [message for ask, answer in turns for message in (user(ask), assistant(answer))]
    row = chat(*messages) | {"note": note}
    with TemporaryDirectory() as name:
        for to in ("sharegpt", "prompt-completion"):
            (there,) = converted(Path(name), to, row)
            assert converted(Path(name), "messages", there) == [row]


def test_an_input_is_joined_by_an_empty_line(tmp_path: Path) -> None:
    (row,) = converted(tmp_path, "messages", {"instruction": "Add\nthese", "input": "1 and 2", "output": "3"})
    assert row == chat(user("Add\nthese\n\n1 and 2"), assistant("3"))


def test_messages_keep_all_they_have(tmp_path: Path) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": {}}}
    row = chat(user(), {"role": "assistant", "content": "", "tool_calls": [call], "weight": 0}) | {"tools": []}
    (there,) = converted(tmp_path, "prompt-completion", row)
    assert there == {"prompt": row["messages"][:1], "completion": row["messages"][1:], "tools": []}


@pytest.mark.parametrize(
    ("row", "to", "told"),
    [
        (chat(system(), user(), assistant()), "alpaca", "the system message"),
        (chat(user(), assistant(), user(), assistant()), "instruction-output", "4 messages"),
        (chat(user(), assistant() | {"weight": 1}), "alpaca", "the field 'weight'"),
        (chat(user(), assistant() | {"value": 1}), "sharegpt", "not one text"),
        (chat({"role": "user", "content": [{"type": "image"}]}, assistant()), "sharegpt", "not one text"),
        (chat(user(), assistant()) | {"input": "x"}, "alpaca", "its own field 'input'"),
        ({"instruction": "a\n\nb", "input": "c", "output": "d"}, "messages", "border between instruction and input"),
        (
            {"prompt": [user()], "completion": [assistant(), user(), assistant()]},
            "messages",
            "border between prompt and completion",
        ),
        ({"prompt": "a", "chosen": "b", "rejected": "c"}, "preference-implicit", "texts do not mark"),
        (
            {"prompt": [user()], "chosen": [assistant()], "rejected": [assistant()]},
            "preference-implicit",
            "begin alike",
        ),
        ({"chosen": "a", "rejected": "b"}, "preference", "texts do not mark"),
        (
            {"chosen": [user("a"), assistant()], "rejected": [user("b"), assistant()]},
            "preference",
            "share no beginning",
        ),
    ],
)
def test_what_would_lose_something_is_refused_with_its_line(tmp_path: Path, row: Row, to: str, told: str) -> None:
    with pytest.raises(InputError, match=f"line 1.*would lose.*{told}"):
        convert(write(tmp_path, row), to, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists(), "nothing half is left"


@pytest.mark.parametrize(
    ("row", "to", "told"),
    [
        ({"text": "a"}, "messages", "already rendered"),
        (chat(), "preference", "cannot become 'preference'"),
        (chat(), "text", "expected one of"),
        (chat(), "mesages", "did you mean 'messages'"),
        (chat(user()), "sharegpt", "line 1.*Mend the faults"),
    ],
)
def test_what_cannot_be_converted_at_all(tmp_path: Path, row: Row, to: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        convert(write(tmp_path, row), to, tmp_path / "out.jsonl")


def test_the_same_format_turns_a_csv_into_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,completion\nHi,Hello\n")
    convert(tmp_path / "a.csv", "prompt-completion", tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"prompt": "Hi", "completion": "Hello"}
