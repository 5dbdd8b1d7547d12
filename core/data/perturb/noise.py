"""Noise: what careless typing does to a text."""

from __future__ import annotations

from random import Random

import regex

from core.data.perturb.perturbation import Asked, Perturbation, some_of
from core.data.perturb.scripts import Piece, graphemes, is_letter, joined, pieces, word_places

TYPO_RATE = 0.05
"""Share of letters."""
WORD_RATE = 0.1
"""Share of words, or of characters where a script writes no spaces."""
SPACE_RATE = 0.1
MARK_RATE = 0.5
"""Share of punctuation marks."""
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    key: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _KEYBOARD
    for place, key in enumerate(row)
}
_PUNCTUATION = regex.compile(r"\p{P}")


def typos(text: str, asked: Asked, rng: Random) -> str:
    """Return a text with one typing error for every twenty letters, at least one."""
    letters = sum(is_letter(unit) for unit in graphemes(text))
    return edited(text, max(1, round(TYPO_RATE * letters)), rng)


def edited(text: str, count: int, rng: Random) -> str:
    """Return a text with ``count`` letters mistyped: a neighbouring key, two letters exchanged, one left out or doubled.

    Letters without a key of their own on a Latin keyboard are exchanged, left out or doubled. A text without letters stays.
    """
    units = graphemes(text)
    letters = [place for place, unit in enumerate(units) if is_letter(unit)]
    chosen = sorted(rng.sample(letters, min(count, len(letters))), reverse=True)  # from the end: places before it stay
    for place in chosen:
        _mistype(units, place, rng, may_delete=len(letters) > count)
    return "".join(units)


def _mistype(units: list[str], place: int, rng: Random, *, may_delete: bool) -> None:
    unit = units[place]
    following = units[place + 1] if place + 1 < len(units) else ""
    ways = ["double"]
    if unit.lower() in _NEIGHBOURS:
        ways.append("neighbour")
    if is_letter(following) and following != unit:
        ways.append("exchange")
    if may_delete:
        ways.append("delete")
    way = rng.choice(ways)
    if way == "neighbour":
        pressed = rng.choice(_NEIGHBOURS[unit.lower()])
        units[place] = pressed.upper() if unit.isupper() else pressed
    elif way == "exchange":
        units[place : place + 2] = [following, unit]
    else:
        units[place : place + 1] = [unit, unit] if way == "double" else []


def case(text: str, asked: Asked, rng: Random) -> str:
    """Return a text all in capitals, or with capitals at random; scripts without case stay as they are."""
    if rng.random() < 0.5:
        return text.upper()
    return "".join(letter.upper() if rng.random() < 0.5 else letter.lower() for letter in text)


def spacing(text: str, asked: Asked, rng: Random) -> str:
    """Return a text with spaces doubled or left out, and words broken by a space."""
    parts = pieces(text)
    places = [
        place for place, part in enumerate(parts)
        if (part.kind == "space" and "\n" not in part.text) or part.kind == "character"
        or (part.kind == "word" and len(graphemes(part.text)) > 3)
    ]  # fmt: skip
    for place in some_of(places, SPACE_RATE, rng):
        parts[place] = _spaced(parts[place], rng)
    return joined(parts)


def _spaced(part: Piece, rng: Random) -> Piece:
    if part.kind == "space":
        return Piece(part.text * rng.choice((0, 2)), part.kind)
    if part.kind == "character":
        return Piece(part.text + " ", part.kind)
    units = graphemes(part.text)
    cut = rng.randrange(1, len(units))
    return Piece("".join(units[:cut]) + " " + "".join(units[cut:]), part.kind)


def punctuation(text: str, asked: Asked, rng: Random) -> str:
    """Return a text with half of its punctuation marks left out or doubled."""
    parts = pieces(text)
    places = [place for place, part in enumerate(parts) if part.kind == "mark" and _PUNCTUATION.match(part.text)]
    for place in some_of(places, MARK_RATE, rng):
        parts[place] = Piece(parts[place].text * rng.choice((0, 2)), "mark")
    return joined(parts)


def dropped_words(text: str, asked: Asked, rng: Random) -> str:
    """Return a text without a tenth of its words, at least one; a single word stays."""
    parts = pieces(text)
    places = word_places(parts)
    if len(places) < 2:
        return text
    for place in reversed(some_of(places, WORD_RATE, rng)):
        is_followed = place + 1 < len(parts) and parts[place + 1].kind == "space"
        del parts[place : place + (2 if is_followed else 1)]
    return joined(parts)


def swapped_words(text: str, asked: Asked, rng: Random) -> str:
    """Return a text with neighbouring words exchanged, a tenth of them, at least one pair that differs."""
    parts = pieces(text)
    words = word_places(parts)
    pairs = [
        (a, b)
        for a, b in zip(words, words[1:], strict=False)
        if parts[a].text != parts[b].text and all(part.kind == "space" for part in parts[a + 1 : b])
    ]
    chosen = some_of(list(range(len(pairs))), WORD_RATE / 2, rng)
    last = -1
    for a, b in (pairs[number] for number in chosen):
        if a > last:  # a word moves once
            parts[a], parts[b] = parts[b], parts[a]
            last = b
    return joined(parts)


NOISE = (
    Perturbation(
        "typos",
        "noise",
        "Typos",
        "One letter in twenty mistyped: a neighbouring key, exchanged, left out or doubled.",
        typos,
    ),
    Perturbation(
        "case",
        "noise",
        "Case",
        "All in capitals, or capitals at random.",
        case,
    ),
    Perturbation(
        "spacing",
        "noise",
        "Spacing",
        "A tenth of the spaces doubled or left out, words broken by a space.",
        spacing,
    ),
    Perturbation(
        "punctuation",
        "noise",
        "Punctuation",
        "Half of the punctuation marks left out or doubled.",
        punctuation,
    ),
    Perturbation(
        "dropped_words",
        "noise",
        "Dropped words",
        "A tenth of the words left out (of the characters, where a script writes no spaces).",
        dropped_words,
    ),
    Perturbation(
        "swapped_words",
        "noise",
        "Swapped words",
        "A tenth of the words exchanged with their neighbours.",
        swapped_words,
    ),
)
