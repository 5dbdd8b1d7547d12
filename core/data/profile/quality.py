"""Rows worth a look: empty and very short answers, refusals, echoes, repetition, broken encodings, personal data, secrets.

These are warnings. Addresses, numbers and secrets are masked, so that a report of them does not spread them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from core.data.profile import patterns
from core.data.profile.progress import Progress, report
from core.data.profile.view import RowView
from core.data.profile.words import hashes_of, ngram_hashes, normalised, words

EXAMPLES_KEPT = 20
LINES_KEPT = 1_000
SHORT_CHARACTERS = 3
RUN_WORDS, RUN_TIMES, RUN_SHARE = 4, 5, 0.3
"""A row repeats itself where one run of 4 words stands 5 times and more and makes up 30 % of its words."""
EXCERPT = 80
LABEL_ROWS, LABEL_SHARE = 5, 0.01
"""A short answer of more rows than both is a label (yes, no, A, B), not a slip."""
_SHORT_KEPT = 1_000

FINDINGS: Mapping[str, str] = {
    "empty-answer": "The answer is empty: the model would learn to say nothing.",
    "short-answer": f"The answer has fewer than {SHORT_CHARACTERS} characters, and few other rows have the same.",
    "refusal": "The answer is a refusal.",
    "answer-equals-prompt": "The answer repeats what was asked.",
    "repetition": f"One run of {RUN_WORDS} words stands {RUN_TIMES} times and more, or one letter 40 times in a row.",
    "mojibake": "Text was read in the wrong encoding at some time (Ã© for é), or holds the replacement character.",
    "control-characters": "The text holds control characters.",
    "email": "The text holds an e-mail address.",
    "phone": "The text holds what is written as telephone numbers are.",
    "secret": "The text holds what looks like a key, a token or a password.",
}
"""What each code means."""


@dataclass(frozen=True)
class Spot:
    """One place worth a look."""

    line: int
    role: str
    """Whose words they are."""
    excerpt: str
    """What was found there, at most 80 characters; masked where it is personal or secret."""


@dataclass(frozen=True)
class QualityFinding:
    """All rows with one peculiarity."""

    code: str
    """A key of `FINDINGS`."""
    message: str
    rows: int
    share: float
    """Of the rows that could have it: of all rows, or of those with an answer."""
    lines: tuple[int, ...]
    """At most 1,000."""
    examples: tuple[Spot, ...]
    """The first of them, at most 20."""


@dataclass(frozen=True)
class Quality:
    """What is worth a look in one file."""

    rows: int
    answers: int
    """Rows that have an answer, an empty one included."""
    findings: tuple[QualityFinding, ...]
    """Most frequent first; what was not found is left out."""


@dataclass
class _Found:
    """Rows of one kind, as they are met."""

    count: int = 0
    lines: list[int] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)

    def add(self, spot: Spot) -> None:
        self.count += 1
        if len(self.lines) < LINES_KEPT:
            self.lines.append(spot.line)
        if len(self.spots) < EXAMPLES_KEPT:
            self.spots.append(spot)


class QualityScan:
    """Looks at rows one by one."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._rows = self._answers = 0
        self._found: dict[str, _Found] = {}
        self._short: dict[str, _Found] = {}

    def add(self, row: RowView) -> None:
        """Look at one row."""
        self._rows += 1
        found = dict(self._of_answer(row))
        for turn in row.turns:
            for code, excerpt in _of_text(turn.text):
                found.setdefault(code, Spot(row.line, turn.role, excerpt[:EXCERPT]))
        for code, spot in found.items():
            self._found.setdefault(code, _Found()).add(spot)

    def _of_answer(self, row: RowView) -> Iterator[tuple[str, Spot]]:
        answer = row.answer
        if answer is None:
            return
        self._answers += 1
        said, role = answer.strip(), row.turns[-1].role
        if not said:
            yield "empty-answer", Spot(row.line, role, "")
            return
        if len(said) < SHORT_CHARACTERS and (said in self._short or len(self._short) < _SHORT_KEPT):
            self._short.setdefault(said, _Found()).add(Spot(row.line, role, said))
        if patterns.is_refusal(said):
            yield "refusal", Spot(row.line, role, said[:EXCERPT])
        asked = row.turns[-2].text if len(row.turns) > 1 else ""
        if len(asked.strip()) >= SHORT_CHARACTERS and _same(said, asked):
            yield "answer-equals-prompt", Spot(row.line, role, said[:EXCERPT])

    def result(self) -> Quality:
        """Return what was found."""
        of_answers = {"empty-answer", "short-answer", "refusal", "answer-equals-prompt"}
        found = dict(self._found)
        short = [one for one in self._short.values() if one.count <= max(LABEL_ROWS, LABEL_SHARE * self._answers)]
        if short:
            spots = sorted((spot for one in short for spot in one.spots), key=lambda spot: spot.line)
            lines = sorted(line for one in short for line in one.lines)
            found["short-answer"] = _Found(sum(one.count for one in short), lines[:LINES_KEPT], spots[:EXAMPLES_KEPT])
        findings = [
            QualityFinding(
                code, FINDINGS[code], one.count, one.count / (self._answers if code in of_answers else self._rows),
                tuple(one.lines), tuple(one.spots),
            )
            for code, one in found.items()
        ]  # fmt: skip
        return Quality(self._rows, self._answers, tuple(sorted(findings, key=lambda one: (-one.rows, one.code))))


def find_outliers(rows: Iterable[RowView], progress: Progress | None = None) -> Quality:
    """Return the rows of a file that are worth a look.

    Raises:
        Cancelled: ``progress`` asked to stop.
    """
    scan = QualityScan()
    for number, row in enumerate(rows, start=1):
        scan.add(row)
        if number % 10_000 == 0:
            report(progress, "quality", number)
    return scan.result()


def _same(answer: str, asked: str) -> bool:
    near = abs(len(answer) - len(asked)) <= len(asked) // 2  # white space apart, equal texts are of about equal length
    return near and normalised(answer) == normalised(asked)


def _of_text(text: str) -> Iterator[tuple[str, str]]:
    if control := patterns.control_character(text):
        yield "control-characters", control
    if broken := patterns.mojibake(text):
        yield "mojibake", broken
    if repeated := _repetition(text):
        yield "repetition", repeated
    kind, secret = next(patterns.secrets(text), ("", ""))
    for address in patterns.email_addresses(text):
        name, _, domain = address.partition("@")
        if not secret.endswith(f"{name}@"):  # the password of an address such as ftp://name:password@host
            yield "email", f"{name[:1]}\u2026@\u2026.{domain.rpartition('.')[2]}"
            break
    if number := next(patterns.phone_numbers(text), None):
        yield "phone", f"\u2026{number[-2:]}"
    if secret:
        yield "secret", f"{kind}: {patterns.masked(secret)}"


def _repetition(text: str) -> str | None:
    if len(text) < RUN_WORDS * RUN_TIMES:
        return None
    found = words(text)
    if max(map(len, found), default=0) >= patterns.REPEATED_TIMES and patterns.repeated_letter(text):
        return "one letter over and over"
    least = max(RUN_TIMES, math.ceil(RUN_SHARE * len(found) / RUN_WORDS))
    often = sum(count for count in Counter(found).values() if count >= least)
    if often < least * RUN_WORDS:  # a run that often needs words that often: most texts end here
        return None
    runs, _ = ngram_hashes([hashes_of(found)], RUN_WORDS)
    _, counts = np.unique(runs, return_counts=True)
    times = int(counts.max())
    return f"{RUN_WORDS} words {times} times among {len(found):,}" if times >= least else None
