"""Conversations of rows: read, checked, parted from the answer; and what a task may say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.conversation import check_messages, check_tools, conversation, message_text, offered_tools, parted
from core.data.perturb import get_perturbation, why_not
from core.data.read import examples_of_rows
from core.data.rows import Row
from core.errors import InputError
from core.experiment.prompts import prompt_changes
from core.records import Example
from core.spec import DatasetSpec, Settings, TaskSpec
from tests.chat_templates import CALLS, TURNS, WEATHER


def task(**changed: Any) -> TaskSpec:
    given = {"dataset": "d", "kind": "generation", "messages": "messages", "reference": "messages"}
    return TaskSpec.model_validate({**given, **changed})


def read(fields: dict[str, Any], **changed: Any) -> Example:
    return examples_of_rows(
        Path("d.jsonl"), [Row("line 3", fields)], DatasetSpec(path="d.jsonl"), "t", task(**changed)
    )[0]


ANSWERED = [*TURNS, {"role": "assistant", "content": "Five.", "tool_calls": None}]


def test_the_last_turn_of_the_assistant_is_the_reference_and_no_part_of_the_prompt() -> None:
    example = read({"messages": ANSWERED})
    assert example.reference == "Five."
    assert conversation(example, task()) == TURNS
    other = read({"messages": ANSWERED, "gold": "5"}, reference="gold")
    assert (other.reference, conversation(other, task())) == ("5", TURNS)


def test_a_system_message_is_added_where_the_row_has_none() -> None:
    assert conversation(read({"messages": ANSWERED}), task(system="Other."))[0]["content"] == "Be brief."
    told = conversation(read({"messages": ANSWERED[1:]}), task(system="Other."))
    assert told == [{"role": "system", "content": "Other."}, *TURNS[1:]]


def test_calls_of_tools_and_their_results_stay_as_they_are() -> None:
    example = read({"messages": CALLS, "gold": "yes", "tools": [WEATHER]}, reference="gold", tools="tools")
    asked = conversation(example, task())
    assert asked[1] == {"role": "assistant", "tool_calls": CALLS[1]["tool_calls"]}
    assert offered_tools(example, task(tools="tools")) == [WEATHER]
    assert offered_tools(example, task(tools=[WEATHER])) == [WEATHER]
    assert offered_tools(example, task()) is None and offered_tools(example, task(tools="absent")) is None
    assert '"Ulm"' in message_text(asked[1])
    assert message_text({"content": [{"type": "text", "text": "a"}, {"type": "image"}]}) == "a"


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ("hello", 'is "hello", expected a list of messages'),
        ([], "expected a list of messages"),
        ([{"from": "human", "value": "x"}], "message 1 is .* ShareGPT's form"),
        ([{"role": "user", "content": 3}], "the content of message 1 is 3, expected a text"),
        ([{"role": "user"}], "the content of message 1 is null"),
        ([{"role": "assistant", "content": "x"}], "holds the assistant's turn alone"),
        ([{"role": "system", "content": "x"}], "ends with a turn of 'system'"),
        ([TURNS[1], TURNS[2], TURNS[2]], "ends with a turn of 'assistant'"),
    ],
)
def test_what_is_no_conversation_is_said(messages: Any, words: str) -> None:
    with pytest.raises(InputError, match=rf"^here:? .*{words}"):
        check_messages("here", messages)


def test_a_row_says_file_line_and_field() -> None:
    with pytest.raises(InputError, match=r"d\.jsonl, line 3: 'messages': message 1 is \"x\", expected an object"):
        read({"messages": ["x"]})
    with pytest.raises(InputError, match=r"d\.jsonl, line 3: the field 'messages' \(the task's messages\) is missing"):
        read({"text": "x"})
    with pytest.raises(InputError, match="ends without an assistant's turn, which the task's reference should be"):
        read({"messages": TURNS})
    with pytest.raises(InputError, match=r"line 3: 'tools' is .*expected a list of tools"):
        read({"messages": ANSWERED, "tools": "weather"}, tools="tools")
    check_tools("here", None)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"prompt": "{x}"}, "found both 'prompt' and 'messages'"),
        ({"few_shot": [{"fields": {}, "answer": "x"}]}, "'few_shot' fills the fields of a prompt"),
        ({"template": "none"}, "'messages' is for the chat template"),
        ({"kind": "multilabel", "options": ["a"]}, "needs a prompt with"),
        ({"messages": None, "kind": "likelihood", "tools": "tools"}, "'tools' needs a prompt"),
        ({"messages": None}, "needs the key 'prompt'"),
        ({"template_variables": {"tools": 1}}, "'tools' is what every chat template is given"),
        (
            {"messages": None, "prompt": "x", "template": "none", "template_variables": {"a": 1}},
            "'template_variables' is for",
        ),
    ],
)
def test_what_a_task_may_not_say(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        task(**changed)


@pytest.mark.parametrize(
    "changed", [{"too_long": "cut"}, {"thinking": ["<a>"]}, {"thinking": ["", "b"]}, {"thinking": "on"}]
)
def test_what_settings_may_not_say(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(changed)
    with pytest.raises(ValidationError, match="'messages' is what every chat template is given"):
        Settings.model_validate({"template_variables": {"messages": 1}})


def test_parted_leaves_out_keys_without_a_value() -> None:
    assert parted(ANSWERED) == (TURNS, "Five.")
    assert parted([{"role": "user", "content": "x", "tool_calls": None}]) == ([{"role": "user", "content": "x"}], None)


def test_what_changes_prompts_knows_what_a_conversation_has() -> None:
    assert "conversations of the dataset" in str(why_not(get_perturbation("typos"), task()))
    assert list(prompt_changes(task(system="S."))) == []
    asked = task(messages=None, prompt="{x}", reference="y", tools="tools", template_variables={"a": 1})
    bare = next(change for change in prompt_changes(asked) if change.name == "no-template")
    twin = TaskSpec.model_validate(asked.model_copy(update=dict(bare.changed)).model_dump())
    assert twin.is_plain and not twin.tools and not twin.template_variables
