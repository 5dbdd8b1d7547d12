"""The forms that TRL reads and those of others: recognised, judged, and told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.data.inspect.forms import form_of
from core.data.inspect.records import FORMATS
from core.data.inspect.scan import scan
from tests.core.data.inspect.files import assistant, chat, system, user, write

Row = dict[str, Any]
HUMAN, GPT = {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}

SOUND: list[tuple[str, str, Row]] = [
    ("messages", "supervised fine-tuning", chat(system(), user(), assistant())),
    ("tool-calls", "supervised fine-tuning", chat(user(), assistant()) | {"tools": [{"type": "function"}]}),
    ("sharegpt", "supervised fine-tuning", {"conversations": [HUMAN, GPT]}),
    ("sharegpt", "supervised fine-tuning", {"conversations": [user(), assistant()]}),
    ("alpaca", "supervised fine-tuning", {"instruction": "Add", "input": "1 and 2", "output": "3"}),
    ("alpaca", "supervised fine-tuning", {"instruction": "Add", "input": "", "output": ""}),
    ("instruction-output", "supervised fine-tuning", {"instruction": "Add", "output": "3"}),
    ("instruction-output", "supervised fine-tuning", {"question": "1 + 2?", "answer": "3"}),
    ("prompt-completion", "supervised fine-tuning", {"prompt": "The sky is", "completion": " blue."}),
    ("prompt-completion", "supervised fine-tuning", {"prompt": [user()], "completion": [assistant()]}),
    ("prompt-only", "preference", {"prompt": "The sky is"}),
    ("prompt-only", "preference", {"prompt": [system(), user()]}),
    ("preference", "preference", {"prompt": "The sky is", "chosen": " blue.", "rejected": " green."}),
    ("preference", "preference", {"prompt": [user()], "chosen": [assistant("a")], "rejected": [assistant("b")]}),
    ("preference-implicit", "preference", {"chosen": "The sky is blue.", "rejected": "The sky is green."}),
    ("preference-implicit", "preference", {"chosen": [user(), assistant("a")], "rejected": [user(), assistant("b")]}),
    ("preference-implicit", "preference",
     {"prompt": "How are you?", "chosen": [user(), assistant("a")], "rejected": [user(), assistant("b")]}),
    ("unpaired-preference", "preference", {"prompt": "The sky is", "completion": " blue.", "label": True}),
    ("stepwise", "preference", {"prompt": "1 + 2 + 3?", "completions": ["3", "6"], "labels": [True, False]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "stage", "row"), SOUND)
def test_each_form_is_recognised_with_its_stage_and_has_no_fault(
    tmp_path: Path, name: str, stage: str, row: Row
) -> None:
    found = scan(write(tmp_path, row, row))
    assert (found.format.name, found.format.stage, found.faults) == (name, stage, ())
    assert found.format.confidence == 1.0 and found.format.why and found.format.stage_reason
    assert found.characters is not None and found.characters.n == 2
    assert found.format.conversational == bool(found.turns)


def test_every_form_has_a_name_for_people() -> None:
    assert {name for name, _, _ in SOUND} | {"text", "plain-text", "unknown"} == set(FORMATS)


BROKEN: list[tuple[str, Row, Row]] = [
    ("missing-conversations", SOUND[2][2], {"id": 3}),
    ("unknown-role", SOUND[2][2], {"conversations": [{"from": "humna", "value": "Hi"}, GPT]}),
    ("content-not-text", SOUND[2][2], {"conversations": [HUMAN, {"from": "gpt", "value": None}]}),
    ("missing-output", SOUND[4][2], {"instruction": "Add", "input": ""}),
    ("input-not-text", SOUND[4][2], {"instruction": "Add", "input": 3, "output": "3"}),
    ("output-not-text", SOUND[4][2], {"instruction": "Add", "input": "", "output": 3}),
    ("missing-instruction", SOUND[6][2], {"output": "3"}),
    ("missing-completion", SOUND[8][2], {"prompt": "a"}),
    ("prompt-not-text", SOUND[8][2], {"prompt": 3, "completion": "a"}),
    ("mixed-forms", SOUND[8][2], {"prompt": [user()], "completion": "a"}),
    ("not-alternating", SOUND[9][2], {"prompt": [user(), user()], "completion": [assistant()]}),
    ("answer-not-assistant", SOUND[9][2], {"prompt": [user(), assistant()], "completion": [user(), assistant()]}),
    ("completion-empty", SOUND[9][2], {"prompt": [user()], "completion": []}),
    ("prompt-ends-with-system", SOUND[11][2], {"prompt": [system()]}),
    ("first-not-user", SOUND[11][2], {"prompt": [assistant(), user()]}),
    ("missing-chosen", SOUND[12][2], {"prompt": "a", "rejected": "b"}),
    ("rejected-not-text", SOUND[12][2], {"prompt": "a", "chosen": "b", "rejected": None}),
    (
        "unknown-role",
        SOUND[13][2],
        {"prompt": [{"role": "usr", "content": "a"}], "chosen": [assistant()], "rejected": [assistant()]},
    ),
    ("mixed-forms", SOUND[13][2], {"prompt": [user()], "chosen": "a", "rejected": [assistant()]}),
    (
        "first-not-user",
        SOUND[13][2],
        {"prompt": [assistant(), user()], "chosen": [assistant()], "rejected": [assistant()]},
    ),
    ("mixed-forms", SOUND[15][2], {"chosen": [user(), assistant()], "rejected": "b"}),
    ("unanswered", SOUND[15][2], {"chosen": [user(), assistant(), user()], "rejected": [user(), assistant()]}),
    ("label-not-boolean", SOUND[17][2], {"prompt": "a", "completion": "b", "label": 1}),
    ("missing-label", SOUND[17][2], {"prompt": "a", "completion": "b"}),
    ("steps-differ", SOUND[18][2], {"prompt": "a", "completions": ["b", "c"], "labels": [True]}),
    ("labels-items", SOUND[18][2], {"prompt": "a", "completions": ["b"], "labels": [1]}),
    ("completions-not-a-list", SOUND[18][2], {"prompt": "a", "completions": "b", "labels": [True]}),
    ("missing-labels", SOUND[18][2], {"prompt": "a", "completions": ["b"]}),
    ("unknown-form", {"x": 1}, {"y": 2}),
]


@pytest.mark.parametrize(("code", "sound", "broken"), BROKEN)
def test_a_broken_rule_of_a_form_is_reported_alone(tmp_path: Path, code: str, sound: Row, broken: Row) -> None:
    found = scan(write(tmp_path, sound, sound, broken))
    assert [fault.code for fault in found.faults if fault.line == 3] == [code]


def test_a_row_of_another_form_is_a_fault_of_the_files_form(tmp_path: Path) -> None:
    found = scan(write(tmp_path, chat(), chat(), {"text": "a"}))
    assert found.format.name == "messages" and found.format.confidence == pytest.approx(2 / 3, abs=1e-3)
    assert [(fault.line, fault.code) for fault in found.faults] == [(3, "missing-messages")]


def test_a_row_that_could_be_read_in_two_ways_makes_the_guess_less_sure(tmp_path: Path) -> None:
    found = scan(write(tmp_path, chat() | {"text": "User: a"}))
    assert found.format.name == "messages" and found.format.confidence < 1
    assert "another form" in found.format.why


@pytest.mark.parametrize(
    "marker", ["<|im_start|>user\n", "[INST] a [/INST]", "### Instruction:\n", "User: a\nAssistant: b"]
)
def test_markers_decide_for_fine_tuning_and_both_stages_are_named(tmp_path: Path, marker: str) -> None:
    guess = scan(write(tmp_path, {"text": f"{marker} How are you?"})).format
    assert (guess.name, guess.stage) == ("text", "supervised fine-tuning")
    assert "pre-training and supervised fine-tuning" in guess.stage_reason and "markers" in guess.stage_reason


def test_lengths_decide_for_pre_training_and_short_texts_decide_nothing(tmp_path: Path) -> None:
    long = scan(write(tmp_path, {"text": "A long story. " * 200})).format
    assert (long.name, long.stage) == ("plain-text", "pre-training") and "lengths decide" in long.stage_reason
    short = scan(write(tmp_path, {"text": "A short story."})).format
    assert (short.name, short.stage) == ("text", "pre-training or supervised fine-tuning")
    assert "Nothing decides" in short.stage_reason


def test_nothing_that_can_be_read_is_an_unknown_format(tmp_path: Path) -> None:
    found = scan(write(tmp_path, b"{", b"}"))
    assert found.format.name == "unknown" and found.format.confidence == 0 and found.rows == 0
    assert form_of({}) == "unknown"


def test_lengths_roles_and_system_prompts_are_counted(tmp_path: Path) -> None:
    rows = [
        chat(system("AB"), user("你好"), assistant("abc")),
        chat(system("AB"), user(""), assistant("")),
        chat(user("x"), assistant("y")),
    ]
    found = scan(write(tmp_path, *rows))
    assert found.role_counts == {"system": 2, "user": 3, "assistant": 3}
    assert found.role_characters == {"system": 4, "user": 3, "assistant": 4}
    assert found.turns == {2: 1, 3: 2} and found.system_prompts == (("AB", 2),)
    size = found.characters
    assert size is not None and (size.n, size.total, size.smallest, size.largest) == (3, 11, 2, 7)
    assert size.percentiles["p50"] == 2 and size.percentiles["p95"] == 7
    assert found.fields == {"messages": {"list": 3}}
