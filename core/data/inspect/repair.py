"""Write a repaired copy of a dataset: only repairs that cannot change what a row says; the original is never touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.data.inspect.flaws import Flaw
from core.data.inspect.forms import Check, check_for
from core.data.inspect.jsonline import without_trailing_commas
from core.data.inspect.marks import without_marks
from core.data.inspect.output import json_line, new_file
from core.data.inspect.read import Item, items
from core.data.inspect.recognise import recognise
from core.data.inspect.records import FAULTS_KEPT, Repair, RepairReport
from core.data.inspect.roles import ROLES, ROLES_WITH_TOOL, SHAREGPT_ROLES, meant_role
from core.data.inspect.scan import sample
from core.data.inspect.source import check_unchanged, layout_flaws, open_source
from core.errors import InputError

_OF_TEXT = {"bom", "trailing-comma", "blank-line"}
"""Faults that are mended in the text itself; a row with any other fault of JSON is left as it stands."""
_SHOWN = 80


def repair(path: Path, out: Path, *, strict: bool = False) -> RepairReport:
    """Write a copy of a dataset as JSON Lines in which every fault with a safe repair is mended.

    Misspelt and foreign roles are put right, ``from`` and ``value`` renamed, a lone system message moved to the front; trailing
    commas, byte order marks and empty lines are left out. Rows without a repair are copied as they are, byte for byte where the
    source is JSON Lines.

    Raises:
        InputError: the source cannot be read or changes meanwhile, a place cannot be written as a line of JSON, or ``out`` exists.
    """
    source = open_source(path)
    rows, unread = sample(source)
    name = recognise(rows, unread=unread).name
    mender = _Mender(path, name, check_for(name, strict=strict), strict=strict)
    mender.note_layout(layout_flaws(source, strict=strict))
    with new_file(out) as stream:
        for item in items(source):
            stream.write(mender.mend(item))
        check_unchanged(source)
    return RepairReport(
        path, out, mender.rows, dict(mender.counts), tuple(mender.repairs), dict(sorted(mender.left.items()))
    )


class _Mender:
    """Mends one place after the other and remembers what it did."""

    def __init__(self, path: Path, name: str, check: Check, *, strict: bool) -> None:
        self.rows = 0
        self.counts: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.repairs: list[Repair] = []
        self._path, self._check, self._strict = path, check, strict
        self._keys = _list_keys(name, strict)
        self._roles = ROLES if strict else ROLES_WITH_TOOL

    def note_layout(self, flaws: list[Flaw]) -> None:
        """Remember that the copy is JSON Lines where the source is not."""
        for one in flaws:
            self._note(1, one.code, one.found, "one JSON object on each line")

    def mend(self, item: Item) -> bytes:
        """Return the line for one place; nothing where it is left out."""
        codes = {one.code for one in item.flaws}
        if item.row is None and item.raw is None and not item.blank:
            raise InputError(
                f"{self._path}, line {item.place}: {item.flaws[0].message} Such a row cannot be copied into JSON Lines: "
                "mend it by hand first."
            )
        if item.blank or "blank-line" in codes:
            for code in sorted(codes & _OF_TEXT):
                self._note(item.place, code, "", "left out")
            return b""
        self.rows += 1
        line = self._mend_text(item)
        if item.row is None or codes - _OF_TEXT:
            self.left.update(sorted(codes - _OF_TEXT))
            if item.row is not None:
                self.left.update(one.code for one in self._check(item.row))
            return line
        mended = self._mend_row(item.place, item.row)
        self.left.update(one.code for one in self._check(mended))
        return line if mended is item.row else json_line(mended)

    def _mend_text(self, item: Item) -> bytes:
        codes = {one.code for one in item.flaws}
        if "bom" in codes:
            self._note(item.place, "bom", "a byte order mark", "left out")
        if item.raw is None:
            return json_line(item.row or {})
        text = without_marks(item.raw) if "bom" in codes else item.raw
        if "trailing-comma" in codes:
            before = text.decode("utf-8")
            text = without_trailing_commas(before).encode("utf-8")
            self._note(item.place, "trailing-comma", before.rstrip()[-_SHOWN:], text.decode("utf-8").rstrip()[-_SHOWN:])
        return text.replace(b"\n", b" ") + b"\n"  # an item of a list may stand on several lines

    def _mend_row(self, place: int, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row itself, or a mended copy."""
        if self._strict and "messages" not in row and isinstance(row.get("conversations"), list):
            row = {"messages" if key == "conversations" else key: value for key, value in row.items()}
            self._note(place, "missing-messages", "'conversations'", "'messages'")
        for key, movable in self._keys.items():
            if isinstance(row.get(key), list):
                messages = self._mend_list(place, row[key], sharegpt=key == "conversations", movable=movable)
                if messages is not row[key]:
                    row = row | {key: messages}
        return row

    def _mend_list(self, place: int, messages: list[Any], *, sharegpt: bool, movable: bool) -> list[Any]:
        named = [isinstance(message, dict) and "role" in message for message in messages[:1]]
        sharegpt = sharegpt and not any(named)
        mended = [self._mend_message(place, message, sharegpt=sharegpt) for message in messages]
        role_key = "from" if sharegpt else "role"
        systems = [i for i, one in enumerate(mended) if isinstance(one, dict) and one.get(role_key) == "system"]
        if movable and len(systems) == 1 and systems[0] > 0:
            mended.insert(0, mended.pop(systems[0]))
            self._note(place, "system-not-first", f"message {systems[0] + 1}", "message 1")
            return mended
        return messages if all(one is other for one, other in zip(mended, messages, strict=True)) else mended

    def _mend_message(self, place: int, message: Any, *, sharegpt: bool) -> Any:
        if not isinstance(message, dict):
            return message
        if not sharegpt and {"from", "value"} <= message.keys() and not {"role", "content"} & message.keys():
            renamed = {"from": "role", "value": "content"}
            message = {renamed.get(key, key): value for key, value in message.items()}
            self._note(place, "from-value-keys", "'from' and 'value'", "'role' and 'content'")
        key, allowed = ("from", tuple(SHAREGPT_ROLES)) if sharegpt else ("role", self._roles)
        role = message.get(key)
        if isinstance(role, str) and role not in allowed and (meant := meant_role(role, allowed)):
            self._note(place, "unknown-role", repr(role[:_SHOWN]), repr(meant))
            return message | {key: meant}
        return message

    def _note(self, place: int, code: str, before: str, after: str) -> None:
        self.counts[code] += 1
        if len(self.repairs) < FAULTS_KEPT:
            self.repairs.append(Repair(place, code, before, after))


def _list_keys(name: str, strict: bool) -> Mapping[str, bool]:
    """Return the fields of a format that may hold messages, and whether a system message may be moved to the front of each."""
    if strict or name in ("messages", "tool-calls"):
        return {"messages": True}
    return {
        "sharegpt": {"conversations": True},
        "prompt-only": {"prompt": True},
        "prompt-completion": {"prompt": True, "completion": False},
        "unpaired-preference": {"prompt": True, "completion": False},
        "preference": {"prompt": True, "chosen": False, "rejected": False},
        "preference-implicit": {"chosen": True, "rejected": True},
    }.get(name, {})
