"""Cut a JSON list of any size into the bytes of its items, with bounded memory and without reading the items themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.data.inspect.flaws import quoted
from core.data.inspect.lines import MAX_LINE_BYTES
from core.data.inspect.marks import without_marks
from core.data.inspect.stream import Readable, blocks
from core.errors import InputError

_TOKEN = re.compile(rb'"(?>[^"\\]*+(?:\\.[^"\\]*+)*+)"|"|[\[\]{},]', re.DOTALL)


def list_items(stream: Readable, path: object) -> Iterator[bytes]:
    """Yield the bytes of each item of a list, white space around them left out; a comma with nothing before it gives ``b""``.

    An item stretches to the next comma outside of strings and brackets, so that one broken item does not hide the others.

    Raises:
        InputError: the list does not close, something follows it, or one item takes more than `MAX_LINE_BYTES`.
    """
    cutter = _Cutter(path)
    for block in blocks(stream):
        yield from cutter.feed(block)
    cutter.close()


class _Cutter:
    """Where the reading of a list stands."""

    def __init__(self, path: object) -> None:
        self._path = path
        self._held = b""
        self._at = 0
        """Where in ``_held`` the next token is looked for."""
        self._open_brackets = bytearray()
        self._given = 0
        self._closed = False

    def feed(self, block: bytes) -> Iterator[bytes]:
        self._held += block
        if not self._open_brackets and not self._closed and not self._open():
            return
        start = 0
        while not self._closed and (token := _TOKEN.search(self._held, self._at)):
            if token[0] == b'"':  # a string that ends in a later block
                self._at = token.start()
                break
            self._at = token.end()
            self._closed = self._nest(token[0])
            if self._closed or (token[0] == b"," and len(self._open_brackets) == 1):
                item = self._held[start : token.start()].strip()
                start = self._at
                if item or not self._closed or self._given:
                    self._given += 1
                    yield item
        else:
            self._at = len(self._held)
        self._held, self._at = self._held[start:], self._at - start
        self._check()

    def close(self) -> None:
        if not self._closed:
            raise InputError(
                f"{self._path}, item {self._given + 1}: the file ends before the list is closed; expected ']'. "
                "It was cut short: make it or copy it again."
            )

    def _nest(self, token: bytes) -> bool:
        """Follow one token; a closing bracket closes what it fits, also over others that were never closed."""
        if token in (b"[", b"{"):
            self._open_brackets += token
        elif token in (b"]", b"}"):
            fitting = self._open_brackets.rfind(b"[" if token == b"]" else b"{")
            del self._open_brackets[fitting if fitting >= 0 else len(self._open_brackets) :]
        return not self._open_brackets

    def _open(self) -> bool:
        head = without_marks(self._held).lstrip()
        if head:
            self._held, self._at, self._open_brackets = head[1:], 0, bytearray(b"[")
        return bool(head)

    def _check(self) -> None:
        if self._closed and self._held.strip():
            raise InputError(
                f"{self._path}: found {quoted(self._held.strip()[:80].decode('utf-8', 'replace'))} after the list; "
                "expected the end of the file."
            )
        if self._closed:
            self._held, self._at = b"", 0
        if len(self._held) > MAX_LINE_BYTES:
            raise InputError(
                f"{self._path}, item {self._given + 1}: takes more than {MAX_LINE_BYTES >> 20} MiB, or has a quote that is "
                "never closed; expected items that a trainer can hold in memory."
            )
