"""The conversation that an example asks with: a row's own messages, or the task's prompt with its fields filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.data.placeholders import fill
from core.errors import InputError
from core.records import Example
from core.spec import TaskSpec

ASKING = ("user", "tool", "ipython", "function", "observation")
"""Roles after which the assistant answers."""
_SHOWN = 80


def conversation(example: Example, task: TaskSpec, option: str | None = None) -> list[dict[str, Any]]:
    """Return the messages that the chat template is given; ``option`` is the tag that a multilabel task asks about.

    Raises:
        InputError: the prompt names a field that the row lacks.
    """
    system: list[dict[str, Any]] = [{"role": "system", "content": task.system}] if task.system else []
    if task.messages is not None:
        asked, _ = parted(example.fields[task.messages])
        return asked if asked[0]["role"] in ("system", "developer") else [*system, *asked]
    prompt, where = task.prompt or "", f"task {example.task}, example {example.id}"
    messages = system
    for shot in task.few_shot:
        messages.append({"role": "user", "content": fill(prompt, shot.fields, f"{where}, few_shot")})
        messages.append({"role": "assistant", "content": shot.answer})
    fields = dict(example.fields) | ({"option": option} if option is not None else {})
    return [*messages, {"role": "user", "content": fill(prompt, fields, where)}]


def offered_tools(example: Example, task: TaskSpec) -> list[dict[str, Any]] | None:
    """Return the tools that an example offers; None where there are none."""
    if isinstance(task.tools, str):
        return example.fields.get(task.tools) or None
    return [dict(tool) for tool in task.tools] if task.tools else None


def parted(messages: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], str | None]:
    """Return a row's messages without the assistant's turn at their end, and the text of that turn.

    Keys without a value are left out, as transformers does: in Parquet every message has the keys of all, and templates ask whether
    one is there.
    """
    told = [{key: value for key, value in message.items() if value is not None} for message in messages]
    if told[-1]["role"] != "assistant":
        return told, None
    return told[:-1], message_text(told[-1])


def message_text(message: Mapping[str, Any]) -> str:
    """Return what a message says, as text: its content, parts joined, or else its tool calls as JSON."""
    content = message.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = "\n".join(text for text in texts if isinstance(text, str))
    if content:
        return str(content)
    calls = message.get("tool_calls")
    return json.dumps(calls, ensure_ascii=False) if calls else ""


def check_messages(where: str, value: Any) -> None:
    """Check that a field holds a conversation that can be answered.

    Args:
        where: file, row and field, for messages.
        value: what the field holds.

    Raises:
        InputError: it is no list of messages, or nobody is to be answered.
    """
    if not isinstance(value, list) or not value:
        raise InputError(f"{where} is {_shown(value)}, expected a list of messages, each with 'role' and 'content'.")
    for number, message in enumerate(value, start=1):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            hint = " Messages with 'from' and 'value' are ShareGPT's form." if _is_sharegpt(message) else ""
            raise InputError(
                f"{where}: message {number} is {_shown(message)}, expected an object with 'role' and 'content'.{hint}"
            )
        content = message.get("content")
        if not isinstance(content, str | list) and not message.get("tool_calls"):
            raise InputError(
                f"{where}: the content of message {number} is {_shown(content)}, expected a text or a list of parts."
            )
    asked = [message["role"] for message in (value[:-1] if value[-1]["role"] == "assistant" else value)]
    if not asked or asked[-1] not in ASKING:
        last = f"ends with a turn of {asked[-1]!r}" if asked else "holds the assistant's turn alone"
        raise InputError(
            f"{where}: the conversation {last}; expected one that ends with a user's or a tool's turn, or with the assistant's "
            "answer to it."
        )


def check_tools(where: str, value: Any) -> None:
    """Check that a row's tools are a list of JSON schemas, or nothing.

    Raises:
        InputError: they are something else.
    """
    if value is not None and (not isinstance(value, list) or any(not isinstance(tool, Mapping) for tool in value)):
        raise InputError(f"{where} is {_shown(value)}, expected a list of tools, each a JSON schema.")


def _is_sharegpt(message: Any) -> bool:
    return isinstance(message, Mapping) and "from" in message and "value" in message


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
