"""The tasks guessed from the form of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.data.guess import GuessedData, guess_tasks
from core.data.rows import Row
from core.errors import InputError

PATH = Path("rows.jsonl")


def _guess(rows: list[dict[str, Any]]) -> GuessedData:
    return guess_tasks(PATH, [Row(f"line {number}", row) for number, row in enumerate(rows, start=1)])


def _chat(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in turns]


def test_messages_become_flat_rows_with_the_shared_system_message_in_the_task() -> None:
    rows = [
        {"id": "a", "messages": _chat(("system", "S"), ("user", "q1"), ("assistant", "a1"))},
        {
            "id": "b",
            "messages": _chat(
                ("system", "S"), ("user", "old"), ("assistant", "x"), ("user", "q2"), ("assistant", "a2")
            ),
        },
        {"id": "c", "messages": _chat(("system", "S"), ("user", "unanswered"))},
    ]
    guessed = _guess(rows)
    assert guessed.flat_rows == [
        {"id": "a", "system": "S", "prompt": "q1", "reference": "a1"},
        {"id": "b", "system": "S", "prompt": "q2", "reference": "a2"},
    ]
    task = guessed.tasks["reply"]
    assert (task.kind, task.system, task.prompt, task.reference) == ("generation", "S", "{prompt}", "reference")
    assert "perplexity" in task.metrics
    assert any("1 rows have no answer" in note and "line 3" in note for note in guessed.notes)
    assert any("1 conversations have earlier turns" in note for note in guessed.notes)


def test_conversations_of_several_turns_are_asked_as_they_stand() -> None:
    turns = _chat(("user", "old"), ("assistant", "x"), ("user", "q"), ("assistant", "a"))
    guessed = _guess([{"messages": turns}, {"messages": turns[2:]}])
    task = guessed.tasks["reply"]
    assert (task.messages, task.reference, task.prompt, guessed.flat_rows) == ("messages", "messages", None, None)
    shared = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    assert _guess([{"conversations": shared * 2}]).flat_rows is not None


def test_differing_system_messages_go_into_the_prompt() -> None:
    rows = [{"messages": _chat(("system", s), ("user", "q"), ("assistant", "a"))} for s in "ST"]
    guessed = _guess(rows)
    assert guessed.tasks["reply"].system is None
    assert guessed.tasks["reply"].prompt == "{system}\n\n{prompt}"
    assert [row["system"] for row in guessed.flat_rows or []] == ["S", "T"]


def test_sharegpt_and_parts_of_text_are_read() -> None:
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    assert _guess([{"conversations": turns}]).flat_rows == [{"system": "", "prompt": "q", "reference": "a"}]
    parts = [{"type": "text", "text": "q"}, {"type": "image"}, {"type": "text", "text": "!"}]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": "a"}]
    assert _guess([{"messages": messages}]).flat_rows == [{"system": "", "prompt": "q!", "reference": "a"}]


def test_pairs_are_used_as_they_are_and_alpaca_is_joined() -> None:
    plain = _guess([{"prompt": "p", "completion": "c"}])
    assert plain.flat_rows is None
    assert (plain.tasks["reply"].prompt, plain.tasks["reply"].reference) == ("{prompt}", "completion")
    assert _guess([{"instruction": "i", "input": "", "output": "o"}]).flat_rows is None
    alpaca = _guess(
        [{"instruction": "i", "input": "x", "output": "o"}, {"instruction": "j", "input": "", "output": "o"}]
    )
    assert alpaca.flat_rows == [{"prompt": "i\n\nx", "reference": "o"}, {"prompt": "j", "reference": "o"}]
    halves = _guess([{"prompt": _chat(("user", "q")), "completion": _chat(("assistant", "a"))}])
    assert halves.flat_rows == [{"system": "", "prompt": "q", "reference": "a"}]


def test_text_is_scored_and_labels_are_offered() -> None:
    rows = [{"text": f"t{i}", "label": "ham" if i % 2 else "spam", "language": "en"} for i in range(6)]
    guessed = _guess(rows)
    assert guessed.tasks["text"].kind == "likelihood" and guessed.tasks["text"].template == "none"
    label = guessed.tasks["label"]
    assert (label.kind, label.options, label.reference) == ("classification", ("ham", "spam"), "label")
    assert "{text}" in (label.prompt or "")
    assert (guessed.language, guessed.tags) == ("language", ("label",))


@pytest.mark.parametrize(
    "labels", [["a"] * 6, [f"l{i}" for i in range(6)], [1, 2] * 3, ["a", "b" * 41] * 3, ["a", "b", None] * 2]
)
def test_a_field_that_is_no_closed_set_is_not_offered(labels: list[Any]) -> None:
    assert "label" not in _guess([{"text": "t", "label": label} for label in labels]).tasks


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"foo": 1, "bar": 2}], "the fields 'foo', 'bar'"),
        ([{"prompt": "p", "completion": "c"}, {"prompt": "p"}], "'prompt', 'completion'"),
        ([{"messages": "hello"}], "line 1: the conversation is str"),
        ([{"messages": [{"role": "user"}]}], "line 1: found the message"),
        ([{"messages": _chat(("user", "q"))}], "no conversation ends with an answer"),
    ],
)
def test_rows_of_no_known_form_are_told(rows: list[dict[str, Any]], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        _guess(rows)
    assert expected in str(caught.value)
