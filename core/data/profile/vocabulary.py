"""Do two files use different words? Jensen-Shannon divergence, with a permutation test over rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.data.profile.view import RowView
from core.data.profile.words import words

ROWS_DRAWN = 2_000
"""Of each file: the test shuffles them."""
CHARACTERS_READ = 4_000
WORDS_COMPARED = 5_000
TOP_WORDS = 25
PERMUTATIONS = 499


@dataclass(frozen=True)
class WordShift:
    """One word that one file uses more."""

    word: str
    shares: tuple[float, float]
    """Of the words of each file."""
    contribution_bits: float
    """Its part of the divergence."""


@dataclass(frozen=True)
class VocabularyShift:
    """How far the words of two files are apart."""

    rows: tuple[int, int]
    """Rows that were compared: at most 2,000 of each, drawn at random."""
    divergence_bits: float | None
    """Jensen-Shannon divergence of the two distributions of words, 0 (the same) to 1 (no word shared) (Lin, 1991)."""
    expected_bits: float | None
    """Its mean where rows are dealt to the files by chance: what sampling alone makes of it."""
    p: float | None
    """Of 499 such deals, with the observed one among them."""
    p_adjusted: float | None
    more_in_first: tuple[WordShift, ...]
    more_in_second: tuple[WordShift, ...]


class VocabularySample:
    """A random sample of a file's rows as words (reservoir sampling; Vitter, 1985, algorithm R)."""

    def __init__(self, seed: int) -> None:
        """Start with no row; ``seed`` decides which rows are drawn."""
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self.rows: list[Counter[bytes]] = []

    def add(self, row: RowView) -> None:
        """Look at one row; one without words is left out."""
        found = words(row.text[:CHARACTERS_READ])
        if not found:
            return
        self._seen += 1
        if len(self.rows) < ROWS_DRAWN:
            self.rows.append(Counter(found))
        elif (place := int(self._random.integers(self._seen))) < ROWS_DRAWN:
            self.rows[place] = Counter(found)


def vocabulary_shift(first: VocabularySample, second: VocabularySample, *, seed: int = 0) -> VocabularyShift:
    """Return how far the words of two samples are apart; ``seed`` is that of the permutations."""
    from scipy.sparse import csr_array

    rows = len(first.rows), len(second.rows)
    if not min(rows):
        return VocabularyShift(rows, None, None, None, None, (), ())
    both = [*first.rows, *second.rows]
    total: Counter[bytes] = Counter()
    for counted in both:
        total.update(counted)
    known = {word: place for place, (word, _) in enumerate(total.most_common(WORDS_COMPARED))}
    rest = len(known)  # all rarer words are one
    entries = [(row, known.get(word, rest), n) for row, counted in enumerate(both) for word, n in counted.items()]
    at, columns, values = np.array(entries, dtype=np.int64).T
    counts = csr_array((values.astype(np.float64), (at, columns)), shape=(len(both), rest + 1))
    dealt = np.zeros((PERMUTATIONS + 1, len(both)))
    dealt[0, : rows[0]] = 1
    random = np.random.default_rng(seed)
    for deal in dealt[1:]:
        deal[random.permutation(len(both))[: rows[0]]] = 1
    in_first = (counts.T @ dealt.T).T
    parts = divergence_parts(in_first, counts.sum(axis=0)[None, :] - in_first)
    bits = parts.sum(axis=1)
    # Sums of the same numbers in another order differ in their last digits: an equal deal counts as equal.
    p = float((bits >= bits[0] - 1e-12).sum() / len(bits))
    names = [word.decode() for word in known] + ["(rarer words)"]
    up, down = _top(names, in_first[0], counts.sum(axis=0) - in_first[0], parts[0])
    return VocabularyShift(rows, float(bits[0]), float(bits[1:].mean()), p, None, up, down)


def divergence_parts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return what each word adds to the Jensen-Shannon divergence of two distributions, in bits.

    Args:
        first: counts of words, (..., words).
        second: likewise.
    """
    p = first / np.maximum(first.sum(axis=-1, keepdims=True), 1)
    q = second / np.maximum(second.sum(axis=-1, keepdims=True), 1)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(p > 0, p * np.log2(p / middle), 0.0)
        right = np.where(q > 0, q * np.log2(q / middle), 0.0)
    return (left + right) / 2


def _top(
    names: Sequence[str], first: np.ndarray, second: np.ndarray, parts: np.ndarray
) -> tuple[tuple[WordShift, ...], tuple[WordShift, ...]]:
    p, q = first / max(first.sum(), 1), second / max(second.sum(), 1)
    ranked = [int(place) for place in np.argsort(-parts, kind="stable") if parts[place] > 0]
    made = [
        (float(p[at] - q[at]), WordShift(names[at], (float(p[at]), float(q[at])), float(parts[at]))) for at in ranked
    ]
    return (
        tuple(word for more, word in made if more > 0)[:TOP_WORDS],
        tuple(word for more, word in made if more < 0)[:TOP_WORDS],
    )
