"""Each rule of the two contracts is broken alone, and only that rule is reported, on its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.data.inspect.scan import scan
from tests.core.data.inspect.files import assistant, chat, system, user, write

GOOD = chat(system(), user(), assistant(), user(), assistant())

BROKEN: list[tuple[str, Any]] = [
    ("invalid-json", b'{"messages": [}'),
    ("several-objects", b'{"messages": []} {"messages": []}'),
    ("not-an-object", [1, 2]),
    ("not-an-object", "text"),
    ("blank-line", b""),
    ("missing-messages", {"message": [user(), assistant()]}),
    ("messages-not-a-list", {"messages": "hello"}),
    ("messages-not-a-list", {"messages": None}),
    ("messages-empty", {"messages": []}),
    ("message-not-an-object", chat(user(), "hello")),
    ("missing-role", chat(user(), {"content": "Fine."})),
    ("missing-content", chat(user(), {"role": "assistant"})),
    ("content-not-text", chat(user(), {"role": "assistant", "content": 7})),
    ("role-not-text", chat(user(), {"role": 7, "content": "Fine."})),
    ("unknown-role", chat(user(), {"role": "assisiant", "content": "Fine."})),
    ("unknown-role", chat(user(), {"role": "wizard", "content": "Fine."})),
    ("unknown-role", chat({"role": "human", "content": "Hi"}, assistant())),
    ("from-value-keys", chat({"from": "user", "value": "Hi"}, assistant())),
    ("system-not-first", chat(user(), system(), assistant())),
    ("system-not-first", chat(system(), system(), user(), assistant())),
    ("first-not-user", chat(system(), assistant(), user(), assistant())),
    ("not-alternating", chat(user(), user(), assistant())),
    ("not-alternating", chat(user(), assistant(), assistant())),
    ("unanswered", chat(user(), assistant(), user())),
    ("no-pair", chat(user())),
    ("no-pair", chat(system())),
]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("code", "row"), BROKEN)
def test_a_broken_rule_of_messages_is_reported_alone(tmp_path: Path, code: str, row: Any, strict: bool) -> None:
    found = scan(write(tmp_path, GOOD, row, GOOD), strict=strict)
    assert [(fault.line, fault.code) for fault in found.faults] == [(2, code)]
    assert found.fault_counts == {code: 1} and found.faulty_lines == 1
    fault = found.faults[0]
    assert fault.found in fault.message and fault.expected in fault.message


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("code", "row"), BROKEN)
def test_a_file_that_is_the_broken_row_alone_has_faults(tmp_path: Path, code: str, row: Any, strict: bool) -> None:
    found = scan(write(tmp_path, row), strict=strict)
    assert found.fault_total >= 1
    if code not in ("missing-messages", "messages-not-a-list"):
        assert set(found.fault_counts) == {code}


def test_sound_conversations_have_no_fault(tmp_path: Path) -> None:
    found = scan(write(tmp_path, GOOD, chat(), chat(user("你好"), assistant("")), GOOD | {"id": 7}), strict=True)
    assert found.faults == () and found.rows == 4
    assert found.format.name == "messages" and found.format.confidence == 1.0


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("missing-text", {"texts": "a"}),
        ("text-empty", {"text": ""}),
        ("text-empty", {"text": " \n\t"}),
        ("text-not-text", {"text": 3}),
        ("text-not-text", {"text": None}),
        ("text-not-text", {"text": ["a"]}),
        ("extra-keys", {"text": "a", "id": 3}),
        ("not-an-object", ["a"]),
        ("invalid-json", b'{"text": "a"'),
        ("duplicate-key", b'{"text": "a", "text": "b"}'),
    ],
)
def test_a_broken_rule_of_text_is_reported_alone(tmp_path: Path, code: str, row: Any) -> None:
    found = scan(write(tmp_path, {"text": "one"}, {"text": "two"}, row), strict=True)
    assert [(fault.line, fault.code) for fault in found.faults] == [(3, code)]


def test_only_strict_mode_minds_other_fields_beside_text(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": "a", "id": 1}, {"text": "b", "id": 2})
    assert scan(path).faults == ()
    assert scan(path, strict=True).fault_counts == {"extra-keys": 2}


CALL = {"type": "function", "function": {"name": "weather", "arguments": {"town": "Oslo"}}}
TOOLS = chat(
    user(),
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "name": "weather", "content": "rain"},
    assistant(),
)
PARTS = chat({"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is this?"}]}, assistant())


@pytest.mark.parametrize("row", [TOOLS, PARTS, TOOLS | {"tools": [{"type": "function"}]}])
def test_what_trl_takes_beyond_the_contract_is_a_fault_in_strict_mode_alone(
    tmp_path: Path, row: dict[str, Any]
) -> None:
    path = write(tmp_path, row, chat())
    assert scan(path).faults == ()
    assert scan(path, strict=True).fault_total >= 1


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("tool-call-shape", chat(user(), {"role": "assistant", "content": "", "tool_calls": "weather"})),
        ("tool-call-shape", chat(user(), {"role": "assistant", "content": "", "tool_calls": [{"function": {}}]})),
        ("tool-without-call", chat(user(), {"role": "tool", "content": "rain"}, assistant())),
        ("unanswered", chat(user(), assistant(), {"role": "tool", "content": "rain"})),
        ("content-part", chat({"role": "user", "content": [{"text": "a"}]}, assistant())),
        ("content-part", chat({"role": "user", "content": [{"type": "text"}]}, assistant())),
        ("tools-not-a-list", TOOLS | {"tools": 3}),
    ],
)
def test_tools_and_parts_have_rules_too(tmp_path: Path, code: str, row: dict[str, Any]) -> None:
    found = scan(write(tmp_path, TOOLS, row))
    assert [(fault.line, fault.code) for fault in found.faults] == [(2, code)]


def test_all_independent_faults_of_a_row_are_reported(tmp_path: Path) -> None:
    row = chat({"role": "usr", "content": 3}, system(), {"role": "assistant"}, {"role": "assistant", "content": "a"})
    codes = sorted(fault.code for fault in scan(write(tmp_path, row)).faults)
    assert codes == ["content-not-text", "missing-content", "not-alternating", "system-not-first", "unknown-role"]


def test_a_row_of_endless_faults_does_not_fill_the_memory(tmp_path: Path) -> None:
    found = scan(write(tmp_path, {"messages": [1] * 50_000}))
    assert found.fault_counts == {"message-not-an-object": 1001, "many-faults": 1}
