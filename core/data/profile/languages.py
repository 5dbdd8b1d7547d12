"""Which scripts and languages a file is written in, by a small detector that works offline, and its vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from core.data.profile.view import RowView
from core.data.profile.words import words

ROWS_READ = 20_000
CHARACTERS_READ = 1_000
"""Of each row: enough to tell its language."""
CHARACTERS_DETECTED = 400
"""Of these: the detector's work grows with the text, its certainty hardly."""
LEAST_LETTERS = 12
"""With fewer letters a text is ``undetermined``: the detector would guess."""
LEAST_PROBABILITY = 0.5
LINES_KEPT = 20
TOP_WORDS = 50
MOST_WORDS = 200_000
UNDETERMINED = "undetermined"

_SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x41, 0x5A, "Latin"), (0x61, 0x7A, "Latin"), (0xC0, 0x24F, "Latin"), (0x370, 0x3FF, "Greek"), (0x400, 0x52F, "Cyrillic"),
    (0x531, 0x58F, "Armenian"), (0x590, 0x5FF, "Hebrew"), (0x600, 0x6FF, "Arabic"), (0x750, 0x77F, "Arabic"),
    (0x900, 0x97F, "Devanagari"), (0x980, 0x9FF, "Bengali"), (0xA00, 0xA7F, "Gurmukhi"), (0xA80, 0xAFF, "Gujarati"),
    (0xB00, 0xB7F, "Odia"), (0xB80, 0xBFF, "Tamil"), (0xC00, 0xC7F, "Telugu"), (0xC80, 0xCFF, "Kannada"),
    (0xD00, 0xD7F, "Malayalam"), (0xD80, 0xDFF, "Sinhala"), (0xE00, 0xE7F, "Thai"), (0xE80, 0xEFF, "Lao"),
    (0xF00, 0xFFF, "Tibetan"), (0x1000, 0x109F, "Myanmar"), (0x10A0, 0x10FF, "Georgian"), (0x1100, 0x11FF, "Hangul"),
    (0x1200, 0x137F, "Ethiopic"), (0x1780, 0x17FF, "Khmer"), (0x1E00, 0x1EFF, "Latin"), (0x1F00, 0x1FFF, "Greek"),
    (0x3040, 0x30FF, "Kana"), (0x3400, 0x4DBF, "Han"), (0x4E00, 0x9FFF, "Han"), (0xAC00, 0xD7AF, "Hangul"),
    (0xF900, 0xFAFF, "Han"), (0x20000, 0x3FFFF, "Han"),
)  # fmt: skip
"""Unicode's blocks of letters: first and last code point, script."""
_FIRST = np.array([first for first, _, _ in _SCRIPTS])
_LAST = np.array([last for _, last, _ in _SCRIPTS])


@dataclass(frozen=True)
class Part:
    """The rows of one language or script."""

    name: str
    rows: int
    share: float
    lines: tuple[int, ...]
    """The first of them, at most 20: of a rare language they are the ones to look at."""


@dataclass(frozen=True)
class Languages:
    """What a file is written in."""

    rows: int
    """Rows that were looked at: the first 20,000 with text."""
    sampled: bool
    """Whether the file has more."""
    languages: tuple[Part, ...]
    """ISO 639-1 codes, most frequent first; ``undetermined`` where a text is too short or the detector is unsure."""
    scripts: tuple[Part, ...]
    """The script of most letters of each row; kana makes a row Japanese's ``Kana``."""
    words: int
    distinct_words: int
    top_words: tuple[tuple[str, int], ...]


class LanguageScan:
    """Looks at rows one by one, up to 20,000."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rows = 0
        self._sampled = False
        self._found: dict[str, tuple[Counter[str], dict[str, list[int]]]] = {
            kind: (Counter(), {}) for kind in ("language", "script")
        }
        self.vocabulary: Counter[bytes] = Counter()
        self._words = 0

    def add(self, row: RowView) -> None:
        """Look at one row; rows past the first 20,000 are not looked at."""
        if self._rows >= ROWS_READ:
            self._sampled = True
            return
        text = row.text[:CHARACTERS_READ]
        if not text.strip():
            return
        self._rows += 1
        script = main_script(text)
        self._note("script", script or UNDETERMINED, row.line)
        self._note("language", detect_language(text), row.line)
        found = words(text)
        self._words += len(found)
        if len(self.vocabulary) < MOST_WORDS:
            self.vocabulary.update(found)

    def _note(self, kind: str, name: str, line: int) -> None:
        counts, lines = self._found[kind]
        counts[name] += 1
        kept = lines.setdefault(name, [])
        if len(kept) < LINES_KEPT:
            kept.append(line)

    def result(self) -> Languages:
        """Return the mix of languages and scripts."""
        return Languages(
            self._rows, self._sampled, self._parts("language"), self._parts("script"), self._words, len(self.vocabulary),
            tuple((word.decode(), count) for word, count in self.vocabulary.most_common(TOP_WORDS)),
        )  # fmt: skip

    def _parts(self, kind: str) -> tuple[Part, ...]:
        counts, lines = self._found[kind]
        return tuple(
            Part(name, count, count / self._rows, tuple(lines[name]))
            for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )


@cache
def _detector() -> Any:
    """Return the detector: a table that nobody changes, loaded once (0.5 s)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_language(text: str) -> str:
    """Return the language of a text's first `CHARACTERS_DETECTED` characters.

    Returns:
        An ISO 639-1 code, or ``undetermined`` where there are too few letters or the detector is unsure.
    """
    text = text[:CHARACTERS_DETECTED]
    if sum(map(str.isalpha, text)) < LEAST_LETTERS:
        return UNDETERMINED
    name, probability = _detector().classify(text)
    return name if probability >= LEAST_PROBABILITY else UNDETERMINED


def find_languages(rows: Iterable[RowView]) -> Languages:
    """Return what a file is written in, by its first 20,000 rows with text."""
    scan = LanguageScan()
    for row in rows:
        scan.add(row)
    return scan.result()


def main_script(text: str) -> str | None:
    """Return the script of most letters of a text; None for a text without letters of a known script.

    Japanese mixes kana with Han: a text with at least a tenth of kana among both is ``Kana``.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
    places = np.maximum(np.searchsorted(_FIRST, codes, side="right") - 1, 0)
    inside = (codes >= _FIRST[places]) & (codes <= _LAST[places])
    counts: Counter[str] = Counter()
    for place, count in enumerate(np.bincount(places[inside], minlength=len(_SCRIPTS)).tolist()):
        counts[_SCRIPTS[place][2]] += count
    if counts["Kana"] and counts["Kana"] >= 0.1 * (counts["Kana"] + counts["Han"]):
        counts["Kana"] += counts.pop("Han", 0)
    name, count = counts.most_common(1)[0]
    return name if count else None
