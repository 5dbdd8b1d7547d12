"""Read one JSON text (a line, or an item of a list) and say exactly what is wrong with it.

Stricter than Python's own reader: no duplicate keys, no NaN, no lone surrogates, no number beyond a double, no deep nesting.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from core.data.inspect.flaws import BLANK_LINE, BYTE_ORDER_MARK, Flaw, a_kind, flaw, not_utf8, quoted

MAX_DEPTH = 100
"""Deeper nesting is a fault: readers of JSON are recursive and give up, or crash, somewhere beyond."""
MISSING: Final = object()
"""What stands for the value of a text that is not JSON."""

_STRING = r'"(?>[^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\Z)'
_BRACKETS = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_COMMAS = re.compile(rf"{_STRING}|,(?=\s*(?:[\]}}]|\Z))", re.DOTALL)
_CONSTANTS = re.compile(rf"{_STRING}|-?Infinity|NaN", re.DOTALL)
_LONE = re.compile("[\ud800-\udfff]")
_OBJECT = 'one object such as {"messages": [...]}'


class _Notes:
    """What the reader saw in passing: duplicate keys and numbers that JSON does not have."""

    def __init__(self) -> None:
        self.duplicates: list[str] = []
        self.constants: list[str] = []
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs, parse_constant=self._constant, parse_float=self._float
        )

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) != len(pairs):
            seen: set[str] = set()
            self.duplicates.extend(key for key, _ in pairs if key in seen or seen.add(key))
        return built

    def _constant(self, name: str) -> None:
        self.constants.append(name)

    def _float(self, text: str) -> float | None:
        value = float(text)
        if math.isfinite(value):
            return value
        self.constants.append(text)
        return None


class JsonReader:
    """Reads JSON texts one after another; keeps nothing between them."""

    def read(self, content: bytes) -> tuple[Any, list[Flaw]]:
        """Return the value of a JSON text, or `MISSING`, and what is wrong with it.

        NaN and Infinity come out as None, of a duplicate key the last value, a lone surrogate as U+FFFD.
        """
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            return MISSING, [not_utf8(content, error)]
        flaws: list[Flaw] = []
        if text.startswith("\ufeff"):
            flaws.append(BYTE_ORDER_MARK)
            text = text.lstrip("\ufeff")
        if not text.strip():
            return MISSING, [*flaws, BLANK_LINE]
        if "\0" in text:
            return MISSING, [*flaws, flaw("nul-byte", "", "a NUL byte", "text", column=text.index("\0") + 1)]
        if text.count("[") + text.count("{") > MAX_DEPTH and _too_deep(text):
            return MISSING, [*flaws, flaw("too-deep", "", f"more than {MAX_DEPTH} levels of nesting", "fewer")]
        value, found = _parse(text)
        return value, flaws + found


def read_object(reader: JsonReader, content: bytes) -> tuple[dict[str, Any] | None, list[Flaw]]:
    """Return the object of a JSON text, or None where it is none, and what is wrong with it."""
    value, flaws = reader.read(content)
    if value is MISSING or isinstance(value, dict):
        return (value if isinstance(value, dict) else None), flaws
    hint = " (a list of objects belongs in a file that ends in .json)" if isinstance(value, list) else ""
    return None, [*flaws, flaw("not-an-object", "", a_kind(value), _OBJECT + hint)]


def without_trailing_commas(text: str) -> str:
    """Return a JSON text without the commas that stand before a closing bracket or at its end."""
    return _COMMAS.sub(lambda match: "" if match[0] == "," else match[0], text)


def _too_deep(text: str) -> bool:
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += 1 if match[0] in "[{" else -1 if match[0] in "]}" else 0
        if depth > MAX_DEPTH:
            return True
    return False


def _parse(text: str) -> tuple[Any, list[Flaw]]:
    notes = _Notes()
    try:
        value = notes.decoder.decode(text)
    except json.JSONDecodeError as error:
        mended = without_trailing_commas(text)
        if mended != text:
            value, flaws = _parse(mended)
            if value is not MISSING:
                return value, [_trailing_comma(text), *flaws]
        return MISSING, [_broken(text, error)]
    except RecursionError:
        return MISSING, [flaw("too-deep", "", "nesting too deep to be read", f"at most {MAX_DEPTH} levels")]
    except ValueError:  # Python reads no integer of more than 4,300 digits
        return MISSING, [flaw("invalid-json", "", "a number of thousands of digits", "a number that a reader can hold")]
    flaws = [
        flaw("duplicate-key", "", f"the key {quoted(key)} twice in one object", "each key once")
        for key in dict.fromkeys(notes.duplicates)
    ]
    if notes.constants:
        flaws += _constants(text, notes.constants)
    if "\\ud" in text or "\\uD" in text:
        value, lone = _without_lone_surrogates(value)
        if lone:
            flaws.append(flaw("lone-surrogate", "", "half of a surrogate pair", "a whole character"))
    return value, flaws


def _trailing_comma(text: str) -> Flaw:
    places = [match.start() + 1 for match in _COMMAS.finditer(text) if match[0] == ","]
    found = "a comma with nothing after it" if len(places) == 1 else f"{len(places)} commas with nothing after them"
    return flaw("trailing-comma", "", found, "none before a closing bracket", "leave the comma out", places[0])


def _broken(text: str, error: json.JSONDecodeError) -> Flaw:
    column = error.pos + 1
    rest = text[error.pos :].strip()
    if error.msg == "Extra data" and rest[:1] in ("{", "["):
        found = f"a second value on the same line, {quoted(rest)}"
        hint = "; the lines end in carriage returns alone" if text[: error.pos].endswith("\r") else ""
        expected = f"one object on each line, or commas between those of a list{hint}"
        return flaw("several-objects", f"Column {column}", found, expected, column=column)
    if not rest:
        return flaw("invalid-json", f"Column {column}", "the end of the line inside an object", _OBJECT, column=column)
    if error.msg.startswith("Invalid control character"):
        found = f"the control character U+{ord(text[error.pos]):04X} inside a text"
        return flaw("control-character", f"Column {column}", found, "an escape such as \\t or \\n", column=column)
    if error.msg.startswith("Unterminated string"):
        found = f"a text that is never closed, {quoted(rest)}"
        return flaw("invalid-json", f"Column {column}", found, "a quote at its end", column=column)
    hint = " with double quotes" if rest[0] == "'" else ""
    return flaw("invalid-json", f"Column {column}", f"{quoted(rest)} ({error.msg})", f"JSON{hint}", column=column)


def _constants(text: str, names: list[str]) -> list[Flaw]:
    """JSON's grammar has neither NaN nor Infinity, and no reader has a double beyond 1.8e308."""
    places = [match.start() + 1 for match in _CONSTANTS.finditer(text) if match[0][0] != '"']
    columns = [*places, *[None] * (len(names) - len(places))]
    return [
        flaw(
            "not-a-number",
            "",
            name if len(name) < 20 else f"{name[:20]}...",
            "a number that JSON has, or null",
            None,
            column,
        )
        for name, column in zip(names, columns, strict=False)
    ]


def _without_lone_surrogates(value: Any) -> tuple[Any, bool]:
    if isinstance(value, str):
        cleaned = _LONE.sub("\ufffd", value)
        return cleaned, cleaned != value
    if isinstance(value, list):
        pairs = [_without_lone_surrogates(inner) for inner in value]
        return [inner for inner, _ in pairs], any(lone for _, lone in pairs)
    if isinstance(value, dict):
        kept = [(_without_lone_surrogates(key), _without_lone_surrogates(inner)) for key, inner in value.items()]
        return {key[0]: inner[0] for key, inner in kept}, any(key[1] or inner[1] for key, inner in kept)
    return value, False
