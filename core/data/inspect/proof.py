"""Prove by counting bytes what a reader of JSON passes over: that each line holds one object, and that no key stands twice.

The bytes are compared by numpy in place; nothing is read a second time.
"""

from __future__ import annotations

import numpy as np

_QUOTE, _BACKSLASH, _OPEN, _CLOSE = b'"\\{}'


def objects_fill_lines(raw: bytes | memoryview, ends: np.ndarray, n: int) -> bool:
    """Whether ``n`` objects that were read from some lines stand on a line each; ``ends`` are the places of the line ends.

    Between ``}`` and ``{`` a line end can only stand between two objects; with as many lines as objects each has its own.
    """
    values = np.frombuffer(raw, dtype=np.uint8)
    if len(ends) + 1 != n or (n > 1 and not 0 < ends[0] <= ends[-1] < len(values) - 1):
        return False
    return bool((values[ends - 1] == _CLOSE).all() and (values[ends + 1] == _OPEN).all())


def quotes_outside_texts(raw: bytes | memoryview) -> int:
    """Return how many quotes of some JSON texts begin or end a string: all but those that a backslash precedes."""
    values = np.frombuffer(raw, dtype=np.uint8)
    slashes = values == _BACKSLASH
    if (slashes[1:] & slashes[:-1]).any():  # a backslash that is escaped itself escapes nothing
        return quotes_outside_texts(bytes(raw).replace(b"\\\\", b"__"))
    quotes = values == _QUOTE
    return int(np.count_nonzero(quotes[1:] > slashes[:-1])) + int(np.count_nonzero(quotes[:1]))
