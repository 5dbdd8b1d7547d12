"""Turn one format into another as a new file, where nothing is lost; what would lose something is refused, with the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.data.inspect.forms import PAIRS, check_for, pair_of
from core.data.inspect.output import json_line, new_file
from core.data.inspect.read import items
from core.data.inspect.recognise import recognise
from core.data.inspect.records import ConvertReport
from core.data.inspect.roles import SHAREGPT_ROLES
from core.data.inspect.scan import sample
from core.data.inspect.source import check_unchanged, open_source
from core.errors import InputError, nearest

Row = dict[str, Any]
Message = dict[str, Any]

_FROM_CHAT = ("messages", "sharegpt", "alpaca", "instruction-output", "prompt-completion")
_PREFERENCES = ("preference", "preference-implicit")
TARGETS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((*_FROM_CHAT, "tool-calls"), _FROM_CHAT),
    **dict.fromkeys(_PREFERENCES, _PREFERENCES),
}
"""Format -> the formats that its rows can be turned into, as far as each row loses nothing."""
_OWN_FIELDS: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages",), "tool-calls": ("messages",), "sharegpt": ("conversations",),
    "alpaca": ("instruction", "input", "output"), "prompt-completion": ("prompt", "completion"),
    "preference": ("prompt", "chosen", "rejected"), "preference-implicit": ("chosen", "rejected"),
}  # fmt: skip
_SHAREGPT_NAMES = {"user": "human", "assistant": "gpt", "system": "system", "tool": "tool"}


class _Lost(Exception):
    """What a conversion of a row would lose."""


@dataclass(frozen=True)
class _Chat:
    """A row between two formats."""

    messages: list[Message]
    others: Row = field(default_factory=dict)
    """Fields that belong to no format: they are carried over."""
    border: int | None = None
    """So many messages are the prompt, where the format says so."""
    plain: bool = False
    """Whether the row was two texts rather than messages."""


def convert(path: Path, to: str, out: Path) -> ConvertReport:
    """Write the rows of a dataset in another format as JSON Lines.

    Fields that belong to neither format are carried over. An Alpaca ``input`` is joined to its instruction by an empty line.

    Raises:
        InputError: the source cannot be read or changes meanwhile, has a fault, cannot be turned into ``to``, some row would
            lose something (with its line), or ``out`` exists.
    """
    source = open_source(path)
    rows, unread = sample(source)
    name = recognise(rows, unread=unread).name
    _check_target(path, name, to)
    check = check_for(name, strict=False)
    count = 0
    with new_file(out) as stream:
        for item in items(source):
            flaws = item.flaws + (check(item.row) if item.row is not None else [])
            if flaws or item.row is None:
                told = flaws[0].message if flaws else "No row."
                raise InputError(f"{path}, line {item.place}: {told} Mend the faults of the file, then convert it.")
            try:
                stream.write(json_line(item.row if name == to else _turn(item.row, name, to)))
            except _Lost as lost:
                raise InputError(
                    f"{path}, line {item.place}: as `{to}` this row would lose {lost}; a conversion keeps everything. "
                    "Leave such rows out, or choose another format."
                ) from None
            count += 1
        check_unchanged(source)
    return ConvertReport(path, out, name, to, count)


def _check_target(path: Path, name: str, to: str) -> None:
    targets = TARGETS.get(name, ())
    known = {target for each in TARGETS.values() for target in each}
    if to not in known:
        raise InputError(f"Found the format {to!r}, expected one of {', '.join(sorted(known))}{nearest(to, known)}.")
    if to not in targets:
        reason = (
            "a text that is already rendered does not say who speaks"
            if name in ("text", "plain-text")
            else "its rows say other things"
        )
        listed = f" It can become {', '.join(one for one in targets if one != name)}." if targets else ""
        raise InputError(f"{path}: found the format {name!r}, which cannot become {to!r}: {reason}.{listed}")


def _turn(row: Row, name: str, to: str) -> Row:
    if name in _PREFERENCES:
        return _to_implicit(row) if to == "preference-implicit" else _to_explicit(row)
    chat = _read(row, name)
    written = _write(chat, to)
    if clash := sorted(set(written) & set(chat.others)):
        raise _Lost(f"its own field '{clash[0]}', which the new format needs for itself")
    return written | chat.others


def _read(row: Row, name: str) -> _Chat:
    own = _OWN_FIELDS.get(name) or pair_of(row) or PAIRS[0]
    others = {key: value for key, value in row.items() if key not in own}
    if name in ("messages", "tool-calls"):
        return _Chat(row["messages"], others)
    if name == "sharegpt":
        return _Chat([_from_sharegpt(message) for message in row["conversations"]], others)
    if name == "prompt-completion" and isinstance(row["prompt"], list):
        return _Chat([*row["prompt"], *row["completion"]], others, len(row["prompt"]))
    if name == "alpaca":
        return _Chat(_asked(_joined(row["instruction"], row.get("input")), row["output"]), others, plain=True)
    return _Chat(_asked(row[own[0]], row[own[1]]), others, plain=True)


def _write(chat: _Chat, to: str) -> Row:
    if to == "prompt-completion" and not chat.plain:
        border = len(chat.messages) - 1 if chat.border is None else chat.border
        return {"prompt": chat.messages[:border], "completion": chat.messages[border:]}
    if to in ("messages", "sharegpt"):
        if chat.border is not None and chat.border != len(chat.messages) - 1:
            raise _Lost(
                f"the border between prompt and completion, which has {len(chat.messages) - chat.border} messages"
            )
        if to == "messages":
            return {"messages": chat.messages}
        return {"conversations": [_to_sharegpt(message) for message in chat.messages]}
    asked, answered = _one_pair(chat.messages)
    if to == "alpaca":
        return {"instruction": asked, "input": "", "output": answered}
    names = ("prompt", "completion") if to == "prompt-completion" else ("instruction", "output")
    return dict(zip(names, (asked, answered), strict=True))


def _asked(prompt: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def _joined(instruction: str, given: str | None) -> str:
    if not given:
        return instruction
    if "\n\n" in instruction:
        raise _Lost("the border between instruction and input: the instruction has an empty line of its own")
    return f"{instruction}\n\n{given}"


def _from_sharegpt(message: Message) -> Message:
    if "from" not in message:
        return message
    renamed = {"from": "role", "value": "content"}
    turned = {renamed.get(key, key): value for key, value in message.items()}
    return turned | {"role": SHAREGPT_ROLES[message["from"]]}


def _to_sharegpt(message: Message) -> Message:
    if not isinstance(message.get("content"), str) or {"from", "value"} & message.keys():
        raise _Lost("content that is not one text")
    renamed = {"role": "from", "content": "value"}
    turned = {renamed.get(key, key): value for key, value in message.items()}
    return turned | {"from": _SHAREGPT_NAMES[message["role"]]}


def _one_pair(messages: list[Message]) -> tuple[str, str]:
    """Return the texts of a conversation that is one request and one answer and nothing more."""
    if any(message["role"] == "system" for message in messages):
        raise _Lost("the system message")
    if len(messages) != 2:
        raise _Lost(f"the turns: it has {len(messages)} messages, not one request and one answer")
    for message in messages:
        more = sorted(key for key, value in message.items() if key not in ("role", "content") and value is not None)
        if more:
            raise _Lost(f"the field '{more[0]}' of a message")
        if not isinstance(message["content"], str):
            raise _Lost("content that is not one text")
    return messages[0]["content"], messages[1]["content"]


def _to_implicit(row: Row) -> Row:
    prompt, chosen, rejected = row["prompt"], row["chosen"], row["rejected"]
    if not isinstance(prompt, list):
        raise _Lost("the border between prompt and answers, which texts do not mark")
    if chosen[:1] == rejected[:1]:
        raise _Lost("the border between prompt and answers: both answers begin alike")
    others = {key: value for key, value in row.items() if key not in ("prompt", "chosen", "rejected")}
    return {"chosen": prompt + chosen, "rejected": prompt + rejected} | others


def _to_explicit(row: Row) -> Row:
    chosen, rejected = row["chosen"], row["rejected"]
    if not isinstance(chosen, list):
        raise _Lost("the border between prompt and answers, which texts do not mark")
    if row.get("prompt") is not None:
        raise _Lost("its own field 'prompt', which the new format needs for itself")
    pairs = enumerate(zip(chosen, rejected, strict=False))
    shared = next((i for i, (one, other) in pairs if one != other), min(len(chosen), len(rejected)))
    if not 0 < shared < min(len(chosen), len(rejected)):
        raise _Lost("an answer: the two conversations share no beginning, or one is the beginning of the other")
    others = {key: value for key, value in row.items() if key not in ("prompt", "chosen", "rejected")}
    return {"prompt": chosen[:shared], "chosen": chosen[shared:], "rejected": rejected[shared:]} | others
