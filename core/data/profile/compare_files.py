"""Two files side by side: have length, language, labels and vocabulary shifted? A test and its effect size for each.

Rows are taken as independent. P-values are adjusted over all tests of one comparison (Holm).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.data.profile.labels import LabelScan
from core.data.profile.languages import LanguageScan
from core.data.profile.tokenise import token_lengths
from core.data.profile.view import RowView
from core.data.profile.vocabulary import VocabularySample, VocabularyShift, vocabulary_shift
from core.data.prompt import PromptRenderer
from core.stats.multiple import holm

VALUES_COMPARED = 50


@dataclass(frozen=True)
class LengthShift:
    """Are the rows of one file longer?"""

    unit: str
    """``characters`` or ``tokens``."""
    rows: tuple[int, int]
    medians: tuple[float, float]
    p: float | None
    """Mann-Whitney U, two-sided; None where a file has no rows."""
    p_adjusted: float | None
    cliffs_delta: float | None
    """P(a row of the second file is longer) - P(it is shorter): -1 to 1 (Cliff, 1993)."""
    ks_statistic: float | None
    """The largest distance of the two distributions, 0 to 1 (Kolmogorov and Smirnov)."""
    ks_p: float | None
    """Of that distance, unadjusted: it also sees a change of spread."""


@dataclass(frozen=True)
class TableShift:
    """Do the shares of some values differ?"""

    field: str
    """``language``, ``script`` or the name of a label field."""
    values: tuple[tuple[str, int, int], ...]
    """Value, rows in the first file, rows in the second; most frequent first, at most 50 with the rest as one."""
    chi_squared: float | None
    dof: int | None
    p: float | None
    """Pearson's chi-squared without a correction; None where fewer than two values or files have rows."""
    p_adjusted: float | None
    cramers_v: float | None
    """0 to 1 (Cramér, 1946)."""
    note: str | None


@dataclass(frozen=True)
class FileComparison:
    """What differs between two files."""

    length: LengthShift
    tables: tuple[TableShift, ...]
    """Language, script, then the label fields that both files have."""
    vocabulary: VocabularyShift


@dataclass(frozen=True)
class _File:
    lengths: np.ndarray
    tables: Mapping[str, Mapping[str, int]]
    words: VocabularySample


def compare_files(
    first: Iterable[RowView], second: Iterable[RowView], *, renderer: PromptRenderer | None = None, seed: int = 0
) -> FileComparison:
    """Return what differs between two files.

    Args:
        first: rows of the first file; read once.
        second: rows of the second file; read once.
        renderer: a tokenizer and chat template: lengths are in tokens with it, else in characters.
        seed: of the rows drawn for the vocabulary and of the permutations of its test.
    """
    one, other = _read(first, renderer, seed), _read(second, renderer, seed + 1)
    shared = [name for name in one.tables if name in other.tables]
    length = _length_shift(one.lengths, other.lengths, "tokens" if renderer else "characters")
    tables = [_table_shift(name, one.tables[name], other.tables[name]) for name in shared]
    vocabulary = vocabulary_shift(one.words, other.words, seed=seed)
    raw = [length.p, *(table.p for table in tables), vocabulary.p]
    adjusted = [None if np.isnan(value) else float(value) for value in holm([np.nan if p is None else p for p in raw])]
    return FileComparison(
        replace(length, p_adjusted=adjusted[0]),
        tuple(replace(table, p_adjusted=p) for table, p in zip(tables, adjusted[1:-1], strict=True)),
        replace(vocabulary, p_adjusted=adjusted[-1]),
    )


def _read(rows: Iterable[RowView], renderer: PromptRenderer | None, seed: int) -> _File:
    languages, labels, words = LanguageScan(), LabelScan(), VocabularySample(seed)
    characters: list[int] = []

    def passing() -> Iterable[RowView]:
        for row in rows:
            languages.add(row)
            labels.add(row)
            words.add(row)
            characters.append(len(row.text))
            yield row

    if renderer is not None:
        lengths = token_lengths(passing(), renderer).totals
    else:
        for _ in passing():
            pass
        lengths = np.array(characters, dtype=np.int64)
    mix = languages.result()
    tables = {
        "language": {part.name: part.rows for part in mix.languages},
        "script": {part.name: part.rows for part in mix.scripts},
        **{one.field: {share.value: share.rows for share in one.values} for one in labels.result()},
    }
    return _File(lengths, tables, words)


def _length_shift(first: np.ndarray, second: np.ndarray, unit: str) -> LengthShift:
    from scipy.stats import ks_2samp, mannwhitneyu

    rows = len(first), len(second)
    if not min(rows):
        return LengthShift(unit, rows, (0.0, 0.0), None, None, None, None, None)
    test: Any = mannwhitneyu(second, first, alternative="two-sided", method="asymptotic")
    p = float(test.pvalue)
    distance: Any = ks_2samp(first, second)
    return LengthShift(
        unit, rows, (float(np.median(first)), float(np.median(second))),
        1.0 if np.isnan(p) else p,  # all lengths equal: nothing to tell apart
        None, 2 * float(test.statistic) / (rows[0] * rows[1]) - 1, float(distance.statistic), float(distance.pvalue),
    )  # fmt: skip


def _table_shift(field: str, first: Mapping[str, int], second: Mapping[str, int]) -> TableShift:
    from scipy.stats import chi2_contingency

    ranked = [value for value, _ in (Counter(first) + Counter(second)).most_common()]
    counts = [(value, first.get(value, 0), second.get(value, 0)) for value in ranked[:VALUES_COMPARED]]
    if rest := ranked[VALUES_COMPARED:]:
        counts.append(("(others)", sum(first.get(v, 0) for v in rest), sum(second.get(v, 0) for v in rest)))
    table = np.array([row[1:] for row in counts], dtype=np.float64).reshape(-1, 2)
    if len(table) < 2 or not table.sum(axis=0).all():
        note = "There is one value only: nothing can shift." if len(table) == 1 else "A file has no values to compare."
        return TableShift(field, tuple(counts), None, None, None, None, None, note)
    test: Any = chi2_contingency(table, correction=False)
    few = int((test.expected_freq < 5).sum())
    note = f"{few} of {table.size} expected counts are below 5: the p-value is rough." if few else None
    statistic = float(test.statistic)
    v = float(np.sqrt(statistic / table.sum()))  # two files: the smaller side of the table less one is 1
    return TableShift(field, tuple(counts), statistic, int(test.dof), float(test.pvalue), None, v, note)
