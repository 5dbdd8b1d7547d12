"""Byte order marks, and encodings that are not UTF-8, told by a file's first bytes."""

from __future__ import annotations

import codecs

BOM = codecs.BOM_UTF8


def wide_encoding(head: bytes) -> str | None:
    """Return the name of an encoding of two or four bytes a character: by its mark, or by the NUL of every ASCII letter."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    nuls = [place for place, byte in enumerate(head) if not byte]
    if not any(head) or 2 * len(nuls) < len(head) - 1 or head.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")):
        return None
    if len(nuls) > 2 * len(head) // 3:
        return "UTF-32"
    return "UTF-16" if len({place % 2 for place in nuls}) == 1 else None


def without_marks(content: bytes) -> bytes:
    """Return bytes without the byte order marks that they begin with: a file that was saved twice has two."""
    while content.startswith(BOM):
        content = content[len(BOM) :]
    return content
