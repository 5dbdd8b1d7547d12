"""A fault before its line is known, and how values are named and quoted in messages."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.data.inspect.records import Fault

QUOTED = 60
"""So many characters of what was found are shown."""


class Flaw(NamedTuple):
    """What is wrong with one row; `at` gives it its line."""

    code: str
    message: str
    found: str
    expected: str
    repair: str | None = None
    column: int | None = None

    def at(self, line: int) -> Fault:
        """Return the fault at a line."""
        return Fault(line, self.column, self.code, self.message, self.found, self.expected, self.repair)


def flaw(
    code: str, where: str, found: str, expected: str, repair: str | None = None, column: int | None = None
) -> Flaw:
    """Return a flaw with the sentence made of its parts; ``where`` begins it and may be empty."""
    begun = f"{where}: found" if where else "Found"
    return Flaw(code, f"{begun} {found}; expected {expected}.", found, expected, repair, column)


BYTE_ORDER_MARK = flaw("bom", "", "a byte order mark", "plain UTF-8", "leave the mark out", column=1)
BLANK_LINE = flaw("blank-line", "", "an empty line", "a row", "leave the line out")


def not_utf8(content: bytes, error: UnicodeDecodeError) -> Flaw:
    """Return the flaw of a line that is not UTF-8: which byte, and where."""
    found = f"byte 0x{content[error.start]:02x}, byte {error.start + 1} of the line, which is not UTF-8"
    return flaw("not-utf8", "", found, "UTF-8", column=len(content[: error.start].decode("utf-8")) + 1)


def quoted(text: str) -> str:
    """Return a text as a person reads it in a sentence: in quotes, on one line, cut."""
    shown = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text[:QUOTED])
    return f"'{shown}{'...' if len(text) > QUOTED else ''}'"


def kind_of(value: Any) -> str:
    """Return the JSON type of a value: ``object``, ``list``, ``text``, ``number``, ``boolean`` or ``null``."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "object"
    return "list" if isinstance(value, list) else "number"


def a_kind(value: Any) -> str:
    """Return a value's JSON type with its article, empty texts and lists by name."""
    if value == "" and isinstance(value, str):
        return "an empty text"
    if isinstance(value, list | dict) and not value:
        return f"an empty {kind_of(value)}"
    kind = kind_of(value)
    return kind if kind == "null" else f"an {kind}" if kind == "object" else f"a {kind}"


def keys_of(row: dict[str, Any]) -> str:
    """Return the names of a row's fields for a sentence."""
    if not row:
        return "no fields"
    names = [quoted(name) for name in list(row)[:6]]
    more = f" and {len(row) - 6} more" if len(row) > 6 else ""
    return f"the field{'s' if len(row) > 1 else ''} {', '.join(names)}{more}"
