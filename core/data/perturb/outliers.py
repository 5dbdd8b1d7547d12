"""Outliers: inputs of the right sort, far outside of what a model was trained on."""

from __future__ import annotations

from random import Random

import regex

from core.data.perturb.neutral import neutral_sentences
from core.data.perturb.perturbation import Asked, Perturbation, some_of
from core.data.perturb.scripts import UNSPACED, Piece, is_unspaced, joined, pieces

LONG_CHARACTERS = 2_000
"""How much `very_long` adds: about 450 tokens of English."""
LONG_CHARACTERS_UNSPACED = 700
SHORT_WORDS = 6
"""What `very_short` keeps at most; two characters of a script without spaces count as a word."""
SCRIPT_RATE = 0.3
"""Share of the words that have letters with a double in another script."""
_CLAUSE_END = frozenset(".!?;:,。！？；：，、…")
_NUMBER = regex.compile(rf"(?<![[\p{{L}}_\d.,]--[{UNSPACED}]])(?<!\p{{L}}-)\d+(?:[.,]\d+)*", regex.V1)
_DOUBLES = str.maketrans(
    "aceopxyijsABCEHIKMOPTXY" + "асеорхуАВСЕНКМОРТХ" + "0123456789"
    + "这来们个时说会对过么没还经学发后里现样开关问题请谢买卖钱订单货质换费员电话邮账户网页东车门长见书几为与业务无错让",
    "асеорхуіјѕАВСЕНІКМОРТХУ" + "aceopxyABCEHKMOPTX" + "０１２３４５６７８９"
    + "這來們個時說會對過麼沒還經學發後裡現樣開關問題請謝買賣錢訂單貨質換費員電話郵賬戶網頁東車門長見書幾為與業務無錯讓",
)  # fmt: skip
"""Letters that look alike in Latin and Cyrillic (either way), full-width digits, traditional characters for simplified."""


def very_long(text: str, asked: Asked, rng: Random) -> str:
    """Return a text in the middle of 2,000 characters (700 where a script writes no spaces) of neutral sentences.

    In a language without such sentences the text itself is repeated.
    """
    unspaced = is_unspaced(text)
    wanted, gap = (LONG_CHARACTERS_UNSPACED, "") if unspaced else (LONG_CHARACTERS, " ")
    sentences = neutral_sentences(text, asked.language) or (text,)
    before: list[str] = []
    after: list[str] = []
    while sum(map(len, before)) + sum(map(len, after)) < wanted:
        some = rng.sample(sentences, len(sentences))
        before += some[::2]
        after += some[1::2] or some
    return gap.join(before) + "\n" + text + "\n" + gap.join(after)


def very_short(text: str, asked: Asked, rng: Random) -> str:
    """Return the first clause of a text, six words of it at most (twelve characters where a script writes no spaces)."""
    kept: list[Piece] = []
    cost = 0.0
    for place, part in enumerate(parts := pieces(text)):
        cost += {"word": 1.0, "character": 0.5}.get(part.kind, 0.0)
        ends = place + 1 == len(parts) or parts[place + 1].kind != "word"  # the point of 3.5 ends nothing
        if cost > SHORT_WORDS or (cost > 0 and ((part.text in _CLAUSE_END and ends) or "\n" in part.text)):
            break
        kept.append(part)
    return joined(kept).strip()


def out_of_range(text: str, asked: Asked, rng: Random) -> str:
    """Return a text whose numbers are a million times as large, or negative; numbers within words stay."""

    def extreme(match: regex.Match[str]) -> str:
        number = match.group()
        is_signed = text[: match.start()].endswith(("-", "−", "–"))
        return _million_fold(number) if is_signed or rng.random() < 0.5 else "-" + number

    return _NUMBER.sub(extreme, text)


def _million_fold(number: str) -> str:
    whole = regex.match(r"\d+", number)
    digits = whole.group() if whole else ""
    return digits + "000000" + number[len(digits) :]


def mixed_scripts(text: str, asked: Asked, rng: Random) -> str:
    """Return a text with a third of its words in letters of another script that look alike."""
    parts = pieces(text)
    places = [place for place, part in enumerate(parts) if part.text.translate(_DOUBLES) != part.text]
    for place in some_of(places, SCRIPT_RATE, rng):
        parts[place] = Piece(parts[place].text.translate(_DOUBLES), parts[place].kind)
    return joined(parts)


OUTLIERS = (
    Perturbation(
        "very_long",
        "outliers",
        "Very long",
        "Put in the middle of 2,000 characters of unrelated neutral sentences.",
        very_long,
        scope="longest field",
    ),
    Perturbation(
        "very_short",
        "outliers",
        "Very short",
        "Cut to its first clause, six words at most.",
        very_short,
    ),
    Perturbation(
        "out_of_range",
        "outliers",
        "Out of range",
        "Numbers a million times as large, or negative.",
        out_of_range,
    ),
    Perturbation(
        "mixed_scripts",
        "outliers",
        "Mixed scripts",
        "A third of the words in look-alike letters of another script, full-width digits or traditional characters.",
        mixed_scripts,
    ),
)
