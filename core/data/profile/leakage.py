"""Which rows of an evaluation file stand in a training file: word for word, but for case and space, or in long runs of words.

The measure is the n-gram overlap of Brown et al., Language Models are Few-Shot Learners, 2020, appendix C: runs of 13 words.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from core.data.profile.passage import Passage, longest_passage
from core.data.profile.progress import Progress, report
from core.data.profile.runs import RunIndex
from core.data.profile.view import RowView
from core.data.profile.words import normalised, text_hash, word_hashes, words, writes_without_spaces

WORDS_A_RUN = 13
CHARACTERS_A_RUN = 20
"""In scripts without spaces, where a character is a word."""
LEAST_WORDS, LEAST_CHARACTERS = 6, 10
"""A shorter row is compared as a whole only: a few words stand in many texts."""
LEAST_SHARE = 0.5
ROWS_KEPT = 200
ROWS_A_BATCH, WORDS_A_BATCH = 1_000, 500_000
"""A batch of training rows ends with the one or the other: its memory is bounded."""
Kind = Literal["exact", "normalised", "overlap"]


@dataclass(frozen=True)
class LeakedRow:
    """One row of the evaluation file that stands in the training file."""

    line: int
    id: str | None
    kind: Kind
    """``exact``: the question word for word. ``normalised``: but for case, space, compatibility characters. ``overlap``."""
    share: float
    """Of the row's runs of words that stand in the training file: 1 for a question that stands there as a whole."""
    train_line: int
    """A line of the training file that holds it: the first, or for ``overlap`` the one with the most of it."""
    passage: Passage | None = None
    """The longest run of words that both rows share; None where it was not looked for."""


@dataclass(frozen=True)
class Leakage:
    """What of an evaluation file stands in a training file."""

    evaluation_rows: int
    train_rows: int
    counts: dict[str, int]
    """Rows by ``exact``, ``normalised``, ``overlap``."""
    share: float | None
    """Leaked rows of all rows; None for an evaluation file without rows."""
    rows: tuple[LeakedRow, ...]
    """Worst first, at most 200."""
    leave_out: tuple[str, ...]
    """The ids of all leaked rows, in the file's order; the line of a row without an id."""
    touched: int
    """Rows that share a run of words with the training file, but less than ``least_share``."""
    common_runs: int
    """Runs of words left out because they stand in too many rows of the evaluation file: its own template."""
    words_a_run: int
    least_share: float


def train_text(row: RowView) -> str:
    """Return what of a training row is compared: all turns but the system prompts."""
    return "\n".join(turn.text for turn in row.turns if turn.role != "system")


def evaluation_text(row: RowView) -> str:
    """Return what of an evaluation row is compared: the question; with the answer where the question has few words."""
    return row.question if len(words(row.question)) >= LEAST_WORDS else train_text(row)


class EvaluationIndex:
    """An evaluation file, ready to be looked for in training files. Holds about 20 bytes a word, and twice as much while it is made."""

    def __init__(self, rows: Iterable[RowView], *, words_a_run: int = WORDS_A_RUN) -> None:
        """Read the evaluation rows; ``words_a_run`` is the length of the runs that are compared, at least 2."""
        if words_a_run < 2:
            raise ValueError(f"words_a_run is at least 2; found {words_a_run}")
        self.words_a_run = words_a_run
        self.lines = array("q")
        self.ids: list[str | None] = []
        self.questions: list[tuple[int, int]] = []
        self.runs = RunIndex()
        for row in rows:
            asked = row.question
            plain = normalised(asked)
            self.questions.append((text_hash(asked), text_hash(plain)) if plain else (-1, -1))
            self.lines.append(row.line)
            self.ids.append(row.id)
            found = word_hashes(text := evaluation_text(row))
            whole, least = words_a_run, LEAST_WORDS
            if writes_without_spaces(text):
                whole, least = CHARACTERS_A_RUN, LEAST_CHARACTERS
            self.runs.add(found, min(whole, len(found)) if len(found) >= min(least, whole) else 0)
        self.wanted = {key for pair in self.questions for key in pair if key >= 0}
        self.runs.close()

    def find(
        self, rows: Iterable[RowView], *, least_share: float = LEAST_SHARE, progress: Progress | None = None
    ) -> Leakage:
        """Return which evaluation rows stand in a training file.

        Args:
            rows: the training file's rows; read once.
            least_share: of a row's runs that must stand there for the row to count as leaked, above 0 and at most 1.
            progress: told the training rows done.

        Raises:
            Cancelled: ``progress`` asked to stop.
        """
        exact: dict[int, int] = {}
        normal: dict[int, int] = {}
        seen = self.runs.search()
        pending: list[np.ndarray] = []
        lines: list[int] = []
        n = held = 0
        for n, row in enumerate(rows, start=1):  # noqa: B007 - the count is used after the loop
            for text in {row.question, *(turn.text for turn in row.turns)}:
                if (key := text_hash(text)) in self.wanted:
                    exact.setdefault(key, row.line)
                if (key := text_hash(normalised(text))) in self.wanted:
                    normal.setdefault(key, row.line)
            pending.append(word_hashes(train_text(row)))
            lines.append(row.line)
            held += len(pending[-1])
            if len(pending) >= ROWS_A_BATCH or held >= WORDS_A_BATCH:
                seen.look(pending, lines)
                pending, lines, held = [], [], 0
                report(progress, "leakage", n)
        seen.look(pending, lines)
        shares, train_lines, common = seen.result()
        leaked, touched = self._leaked(exact, normal, shares, train_lines, least_share)
        counts = Counter(row.kind for row in leaked)
        worst = sorted(leaked, key=lambda row: (_ORDER[row.kind], -row.share, row.line))
        return Leakage(
            len(self.lines), n, {kind: counts[kind] for kind in _ORDER},
            len(leaked) / len(self.lines) if self.lines else None, tuple(worst[:ROWS_KEPT]),
            tuple(row.id if row.id is not None else str(row.line) for row in leaked),
            touched, common, self.words_a_run, least_share,
        )  # fmt: skip

    def _leaked(
        self, exact: dict[int, int], normal: dict[int, int], shares: np.ndarray, lines: np.ndarray, least: float
    ) -> tuple[list[LeakedRow], int]:
        leaked, touched = [], 0
        for number, (raw, plain) in enumerate(self.questions):
            line, row_id, share = self.lines[number], self.ids[number], float(shares[number])
            if raw in exact:
                leaked.append(LeakedRow(line, row_id, "exact", 1.0, exact[raw]))
            elif plain in normal:
                leaked.append(LeakedRow(line, row_id, "normalised", 1.0, normal[plain]))
            elif share >= least:
                leaked.append(LeakedRow(line, row_id, "overlap", share, int(lines[number])))
            else:
                touched += share > 0
        return leaked, touched


_ORDER: dict[Kind, int] = {"exact": 0, "normalised": 1, "overlap": 2}


def find_leakage(
    evaluation: Callable[[], Iterable[RowView]],
    train: Callable[[], Iterable[RowView]],
    *,
    words_a_run: int = WORDS_A_RUN,
    least_share: float = LEAST_SHARE,
    progress: Progress | None = None,
) -> Leakage:
    """Return which rows of an evaluation file stand in a training file, each with the passage that both share.

    Args:
        evaluation: opens the evaluation file's rows; called twice.
        train: opens the training file's rows; called twice where something leaked.
        words_a_run: the length of the runs that are compared, at least 2.
        least_share: see `EvaluationIndex.find`.
        progress: told the training rows done.

    Raises:
        Cancelled: ``progress`` asked to stop.
    """
    found = EvaluationIndex(evaluation(), words_a_run=words_a_run).find(
        train(), least_share=least_share, progress=progress
    )
    texts = _texts(evaluation(), {row.line for row in found.rows}, evaluation_text)
    train_texts = _texts(train(), {row.train_line for row in found.rows}, train_text)
    rows = tuple(
        replace(row, passage=longest_passage(texts.get(row.line, ""), train_texts.get(row.train_line, "")))
        for row in found.rows
    )
    return replace(found, rows=rows)


def _texts(rows: Iterable[RowView], lines: set[int], read: Callable[[RowView], str]) -> dict[int, str]:
    """Return the compared texts of some lines; reading ends with the last of them."""
    texts: dict[int, str] = {}
    if lines:
        for row in rows:
            if row.line in lines:
                texts[row.line] = read(row)
                if len(texts) == len(lines):
                    break
    return texts


def leakage_json(leakage: Leakage, most_ids: int = 10_000) -> dict[str, Any]:
    """Return the finding as plain values; ``leave_out`` holds at most ``most_ids``, with the number of all beside it."""
    from dataclasses import asdict

    content = asdict(leakage)
    content["leave_out"] = list(leakage.leave_out[:most_ids])
    content["n_leave_out"] = len(leakage.leave_out)
    return content
