"""Which answers of a run have a text feature, and what is asked first: their usual length.

Everything but patterns and languages is counted where the texts lie, without loading them. A reader's pattern is searched by
RE2 (Cox, 2010, Regular Expression Matching in the Wild), which never backtracks: its time grows with the text and with the
pattern, both of which are limited, and all searches of one pattern together have `PATTERN_SECONDS`.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputError
from core.example_texts import read_frame
from core.store import Run
from core.text_features.feature import PATTERN_CHARACTERS, TextFeature
from core.text_features.kept import AnswerLanguages, answer_languages
from core.text_features.rows import ANSWERS, AnswerRows

PATTERN_SECONDS = 10.0
"""For all answers of a task together; an ordinary pattern searches half a million of them in a second."""
_SLICE_SECONDS = 0.1
"""After so much time the clock is looked at again."""
REFUSAL_WITHIN = 200
_ITEM = r"(?m)^[ \t]*([-*+•]|\d{1,3}[.)])[ \t]+\S"
_HEADING = r"(?m)^[ \t]*(#{1,6}[ \t]+\S.*|\*\*[^*\n]+\*\*:?[ \t\r]*|__[^_\n]+__:?[ \t\r]*)$"
_REFUSAL = (
    r"(?i)("
    r"\bI(['’]m| am) (sorry|afraid)\b.{0,40}\b(can(no|['’])t|cannot|unable|not able)|"
    r"\b(can(no|['’])t|cannot|won['’]t|will not|unable to|not able to|not going to) (help|assist|provide|answer|comply|"
    r"fulfil|fulfill|do that|discuss|engage|support|create|write|generate|share|give)|"
    r"\bas an AI\b|\bI must decline\b|\bI decline\b|"
    r"\b(kann|darf) (ich )?(dir |ihnen |dabei |leider |dazu )*(leider )?(nicht|keine)|"
    r"\bje ne (peux|puis) pas\b|\bno puedo (ayudar|proporcionar|responder|cumplir)|\blo siento, (pero )?no puedo\b|"
    r"抱歉[,，]?.{0,10}(无法|不能)|我(无法|不能)(提供|回答|协助|帮助|满足)"
    r")"
)
_SQL = {
    "contains": "contains(lower(text), lower($argument))",
    "length": "length(text) >= CAST($argument AS BIGINT)",
    "list": "len(regexp_extract_all(text, $argument)) >= 2",
    "heading": "regexp_matches(text, $argument)",
    "refusal": f"regexp_matches(left(text, {REFUSAL_WITHIN}), $argument)",
}
_PATTERNS = {"list": _ITEM, "heading": _HEADING, "refusal": _REFUSAL}


def feature_hits(
    run: Run, task: str, feature: TextFeature, rows: AnswerRows, languages: AnswerLanguages | None = None
) -> pd.DataFrame:
    """Return which answers have a feature.

    Args:
        run: finished or not.
        task: whose answers; texts that were generated, or predictions from elsewhere.
        feature: what to look for.
        rows: whose the answers are, as they are now.
        languages: of the same answers, where they are at hand.

    Returns:
        float64, rows the task's examples, columns the run's variants: the share of an example's answers that have it (0 or 1
        where it was answered once), NaN where there is no answer.

    Raises:
        InputError: a pattern takes longer than `PATTERN_SECONDS`, or the run went on while it was read.
    """
    if feature.kind == "language":
        hit = (answer_languages(run, task) if languages is None else languages).among(feature.argument)
    elif feature.kind == "regex":
        sql = f"SELECT left(text, {PATTERN_CHARACTERS}) AS text {ANSWERS}"
        hit = _searched(feature.argument, read_frame(run, sql, {"task": task})["text"])
    else:
        argument = _PATTERNS.get(feature.kind, feature.argument)
        sql = f"SELECT {_SQL[feature.kind]} AS hit {ANSWERS}"
        hit = read_frame(run, sql, {"task": task, "argument": argument})["hit"].to_numpy(dtype=bool)
    if len(hit) != len(rows.cell):
        raise InputError(f"{task}: new answers came while they were looked at. Look again: draw the page once more.")
    return rows.shares(hit)


def median_length(run: Run, task: str) -> int:
    """Return the median length of a task's answers in characters, at least 1; 1 without any."""
    found = read_frame(run, f"SELECT median(length(text)) AS middle {ANSWERS}", {"task": task})["middle"].iloc[0]
    return 1 if pd.isna(found) else max(1, int(found))


def _searched(pattern: str, texts: pd.Series) -> np.ndarray:
    """Return where a pattern is found, bool (n,)."""
    column, found = pa.array(texts, pa.string()), []
    end, start, rows = time.monotonic() + PATTERN_SECONDS, 0, 1
    while start < len(column):
        began = time.monotonic()
        if began >= end:
            raise InputError(
                f"Pattern: {pattern!r} takes more than {PATTERN_SECONDS:g} s on the answers of this task. Simplify it: fewer or "
                "smaller repetitions such as {100}, or fixed words instead."
            )
        hits = pc.match_substring_regex(column.slice(start, rows), pattern=pattern)  # type: ignore[attr-defined]
        found.append(hits.to_numpy(zero_copy_only=False))
        start += rows
        # By slices that grow while they are quick, so that a slow pattern is known by its first texts.
        rows = rows * 2 if time.monotonic() - began < _SLICE_SECONDS else max(1, rows // 2)
    return np.concatenate(found) if found else np.zeros(0, dtype=bool)
