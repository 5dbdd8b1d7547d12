"""Cuts text where its script allows: words where there are spaces, single characters where a script writes none.

Everything is cut into whole graphemes, so that no accent loses its letter and no emoji its parts.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import regex

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\u30FC\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts that write no spaces between words, as the inside of a character class."""
_IN_WORD = rf"(?:(?![{UNSPACED}\s\p{{P}}\p{{S}}])\X)"
_WITHIN = r"(?:['’\-]|(?<=\d)[.,](?=\d))"
"""What joins two halves of a word: an apostrophe, a hyphen, the point or comma of a number."""
_PIECE = regex.compile(
    rf"(?P<space>\s+)|(?P<character>(?=[{UNSPACED}])\X)|(?P<word>{_IN_WORD}+(?:{_WITHIN}{_IN_WORD}+)*)|(?P<mark>\X)"
)
_UNSPACED = regex.compile(rf"[{UNSPACED}]")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_LETTER = regex.compile(r"\p{L}")
_GRAPHEME = regex.compile(r"\X")

PieceKind = Literal["space", "character", "word", "mark"]


class Piece(NamedTuple):
    """A piece of a text: white space, one character of a script without spaces, a word, or a mark (punctuation, symbol)."""

    text: str
    kind: PieceKind


def pieces(text: str) -> list[Piece]:
    """Return a text cut into pieces; joined they are the text again."""
    return [Piece(match.group(), match.lastgroup) for match in _PIECE.finditer(text)]  # type: ignore[arg-type]


def joined(parts: list[Piece]) -> str:
    """Return the text that pieces make."""
    return "".join(part.text for part in parts)


def word_places(parts: list[Piece]) -> list[int]:
    """Return the positions of words, and of characters of scripts without spaces."""
    return [place for place, part in enumerate(parts) if part.kind in ("word", "character")]


def graphemes(text: str) -> list[str]:
    """Return the characters of a text as a reader counts them."""
    return _GRAPHEME.findall(text)


def is_letter(grapheme: str) -> bool:
    """Tell whether a grapheme is a letter, of any script."""
    return _LETTER.match(grapheme) is not None


def is_unspaced(text: str) -> bool:
    """Tell whether most letters of a text are of a script without spaces."""
    return 2 * len(_UNSPACED.findall(text)) > len(_LETTER.findall(text))


def language_of(text: str, declared: str | None) -> str:
    """Return the primary language subtag that was declared (``zh`` of ``zh-Hans``), or else what the script suggests."""
    if declared:
        return regex.split(r"[-_]", declared.strip().lower())[0]
    if not is_unspaced(text):
        return "en"
    return "ja" if _KANA.search(text) else "zh"
