from __future__ import annotations

from typing import Any

import pytest

from core.data.profile.view import view_row
from tests.core.data.profile.made import chat, view


@pytest.mark.parametrize(
    ("row", "form", "roles", "question", "answer"),
    [
        (chat("q", "a", system="s"), "messages", ["system", "user", "assistant"], "q", "a"),
        (chat("q", "a", "q2"), "messages", ["user", "assistant", "user"], "q\na\nq2", None),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, "sharegpt",
         ["user", "assistant"], "q", "a"),
        ({"prompt": "q", "completion": "a"}, "prompt-completion", ["prompt", "completion"], "q", "a"),
        ({"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]},
         "prompt-completion", ["user", "assistant"], "q", "a"),
        ({"prompt": "q", "completion": "a", "label": True}, "unpaired-preference", ["prompt", "completion"], "q", "a"),
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "preference", ["prompt", "chosen"], "q", "a"),
        ({"chosen": chat("q", "a")["messages"], "rejected": chat("q", "b")["messages"]}, "preference-implicit",
         ["user", "assistant"], "q", "a"),
        ({"prompt": "q", "completions": ["one", "two"], "labels": [True, False]}, "stepwise", ["prompt", "completion"],
         "q", "one\ntwo"),
        ({"prompt": "q"}, "prompt-only", ["prompt"], "q", None),
        ({"instruction": "do", "input": "this", "output": "a"}, "alpaca", ["user", "assistant"], "do\n\nthis", "a"),
        ({"instruction": "do", "output": "a"}, "instruction-output", ["user", "assistant"], "do", "a"),
        ({"text": "t"}, "text", ["text"], "t", None),
        ({"text": "t", "label": 3}, "text", ["text", "answer"], "t", "3"),
        ({"question": "q", "answer": "a"}, "unknown", ["prompt", "answer"], "q", "a"),
        ({"id": "e1", "ticket": "my order has not come", "language": "en", "category": "late"}, "unknown",
         ["prompt", "answer"], "my order has not come", "late"),
        ({"score": 1.5}, "unknown", [], "", None),
    ],
)  # fmt: skip
def test_every_form_is_read_as_turns(
    row: dict[str, Any], form: str, roles: list[str], question: str, answer: str
) -> None:
    found = view(row)
    assert (found.form, [turn.role for turn in found.turns], found.question, found.answer) == (
        form,
        roles,
        question,
        answer,
    )


def test_tool_calls_and_parts_are_read_as_text() -> None:
    call = {"type": "function", "function": {"name": "search", "arguments": {"q": "x"}}}
    row = {"messages": [{"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image"}]},
                        {"role": "assistant", "content": None, "tool_calls": [call]}]}  # fmt: skip
    found = view(row)
    assert found.form == "tool-calls"
    assert found.turns[0].text == "look"
    assert '"search"' in found.turns[1].text


@pytest.mark.parametrize(
    "row",
    [{"messages": [1, None, {"role": 3}]}, {"messages": []}, {"messages": "x"}, {"prompt": None, "completion": 7},
     {"text": None}, {"chosen": [], "rejected": {}}, {"instruction": ["x"], "output": None}, {}],
)  # fmt: skip
def test_malformed_rows_are_read_as_far_as_they_go(row: dict[str, Any]) -> None:
    found = view(row)
    assert isinstance(found.text, str)
    assert isinstance(found.question, str)


def test_what_is_no_object_is_no_row() -> None:
    assert view_row(1, [1, 2]) is None
    assert view_row(1, "text") is None


def test_lone_surrogates_become_replacement_characters() -> None:
    assert view({"text": "a\ud800b"}).text == "a\ufffdb"
    assert view(chat("a\udfff", "b")).messages[0]["content"] == "a\ufffd"  # type: ignore[index]


def test_ids_and_fields_are_kept() -> None:
    found = view({"id": 7, "text": "t", "label": "x", "tags": ["no"], "flag": True})
    assert found.id == "7"
    assert dict(found.fields) == {"id": 7, "text": "t", "label": "x", "flag": True}
    assert view({"id": True, "text": "t"}).id is None
