"""Near duplicates: MinHash finds candidates, the true Jaccard similarity decides.

MinHash over runs of words (Broder, On the resemblance and containment of documents, 1997), banded (Leskovec, Rajaraman,
Ullman, Mining of Massive Datasets, section 3.4): 20 bands of 6 rows find a pair of similarity 0.8 with probability
1 - (1 - 0.8^6)^20 = 0.998. What is kept of a text in memory is 80 bytes of bands; its runs lie in a scratch file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator

import numpy as np

from core.data.profile.words import ngram_hashes

BANDS, BAND_ROWS = 20, 6
WORDS_A_RUN = 3
CHARACTERS_A_RUN = 5
"""In scripts without spaces, where a character is a word."""
SEED = 42
TEXTS_A_BATCH, WORDS_A_BATCH = 2_000, 500_000
"""A batch ends with the one or the other: its memory is bounded."""
ALL_PAIRS_UP_TO = 16
"""In a bucket of so many texts every pair is compared; in a larger one each with the first and with the one before it."""
_WEIGHTS = np.random.default_rng(SEED).integers(1, 2**63, BAND_ROWS, dtype=np.uint64) | np.uint64(1)


class NearIndex:
    """Texts by the hashes of their words; finds which of them are nearly the same."""

    def __init__(self) -> None:
        """Open a scratch file: it has no name, and is gone when the index is."""
        self._runs = tempfile.TemporaryFile(prefix="lorascope-")  # noqa: SIM115 - lives as long as the index
        self._pending: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self._order: tuple[list[int], list[int]] = ([], [])
        self._held = [0, 0]
        self._bands: list[np.ndarray] = []
        self._numbers: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self.n = 0

    def __enter__(self) -> NearIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the scratch file back."""
        self._runs.close()

    def add(self, words: np.ndarray, *, unspaced: bool) -> None:
        """Add a text; it gets the next number, from 0.

        Args:
            words: hashes of its words, at least one.
            unspaced: whether its script writes no spaces, so that its words are characters.
        """
        self._pending[unspaced].append(words)
        self._order[unspaced].append(self.n)
        self._held[unspaced] += len(words)
        self.n += 1
        if len(self._pending[unspaced]) >= TEXTS_A_BATCH or self._held[unspaced] >= WORDS_A_BATCH:
            self._flush(unspaced)

    def _flush(self, unspaced: bool) -> None:
        from rensa import RMinHash  # type: ignore[attr-defined]

        rows, numbers = self._pending[unspaced], self._order[unspaced]
        if not rows:
            return
        runs, offsets = ngram_hashes(rows, CHARACTERS_A_RUN if unspaced else WORDS_A_RUN)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(runs, offsets.astype(np.uint64), BANDS * BAND_ROWS, SEED)
        signatures = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(rows), BANDS, BAND_ROWS)
        self._bands.append(((signatures * _WEIGHTS).sum(axis=2, dtype=np.uint64) >> np.uint64(32)).astype(np.uint32))
        self._numbers.append(np.array(numbers, dtype=np.int64))
        self._lengths.append(np.diff(offsets))
        self._runs.write(runs.astype(np.uint32).tobytes())
        rows.clear()
        numbers.clear()
        self._held[unspaced] = 0

    def links(
        self, threshold: float, progress: Callable[[int], None] | None = None, chosen: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return pairs of texts of at least ``threshold`` similarity, enough to join all that were found; the index is used up.

        Texts that are joined already through a third are not compared again.

        Args:
            threshold: of the Jaccard similarity of their sets of runs, 0 to 1.
            progress: told how many bands are done.
            chosen: numbers of the texts that are compared, ascending; all of them without it.

        Returns:
            First texts, second texts (int64), similarity (float64), all (pairs,).
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        for unspaced in (False, True):
            self._flush(unspaced)
        n = self.n if chosen is None else len(chosen)
        if n < 2:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        numbers = np.arange(self.n) if chosen is None else chosen
        order = np.argsort(np.concatenate(self._numbers))[numbers]
        bands = np.concatenate(self._bands)[order]
        self._bands = []  # held once only
        sets = _Sets(self._runs, np.concatenate(self._lengths), order)
        first, second, similar = [], [], []
        groups = np.arange(n)
        refused = np.empty(0, np.int64)
        for band in range(BANDS):
            pairs = candidate_pairs(bands[:, band])
            pairs = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]
            keys = pairs[:, 0] * n + pairs[:, 1]
            pairs = pairs[~np.isin(keys, refused)]
            jaccard = sets.similarities(pairs, threshold)
            near = jaccard >= threshold
            first.append(pairs[near, 0])
            second.append(pairs[near, 1])
            similar.append(jaccard[near])
            refused = np.union1d(refused, pairs[~near, 0] * n + pairs[~near, 1])
            ends = np.concatenate(first), np.concatenate(second)
            graph = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(n, n))
            groups = connected_components(graph, directed=False)[1]
            if progress is not None:
                progress(band + 1)
        return numbers[np.concatenate(first)], numbers[np.concatenate(second)], np.concatenate(similar)


def candidate_pairs(keys: np.ndarray) -> np.ndarray:
    """Return pairs of texts with the same key, int64 (pairs, 2), the smaller number first.

    Args:
        keys: one a text, (n,).
    """
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    sizes = np.diff(np.append(starts, len(keys)))
    found = [np.empty((0, 2), np.int64)]
    for size in range(2, ALL_PAIRS_UP_TO + 1):
        members = order[starts[sizes == size][:, None] + np.arange(size)]
        left, right = np.triu_indices(size, 1)
        found.append(np.stack([members[:, left].ravel(), members[:, right].ravel()], axis=1))
    for start, size in zip(starts[sizes > ALL_PAIRS_UP_TO], sizes[sizes > ALL_PAIRS_UP_TO], strict=True):
        members = order[start : start + size]
        found.append(np.stack([np.repeat(members[0], size - 1), members[1:]], axis=1))
        found.append(np.stack([members[1:-1], members[2:]], axis=1))
    return np.concatenate(found)


class _Sets:
    """The sets of runs in the scratch file, read where they are needed."""

    def __init__(self, file: object, lengths: np.ndarray, order: np.ndarray) -> None:
        """Map the file; ``order`` gives for each text its place in the file."""
        file.flush()  # type: ignore[attr-defined]
        self._runs = np.memmap(file, dtype=np.uint32, mode="r")  # type: ignore[call-overload]
        self._starts = (np.cumsum(lengths) - lengths)[order]
        self._sizes = lengths[order]

    def similarities(self, pairs: np.ndarray, threshold: float) -> np.ndarray:
        """Return the Jaccard similarity of each pair; 0 where it cannot reach ``threshold``."""
        result = np.zeros(len(pairs))
        held, left = -1, frozenset[int]()
        for place, first, second in self._by_first(pairs):
            if first != held:
                held, left = first, self._set(first)
            right = self._set(second)
            if min(len(left), len(right)) >= threshold * max(len(left), len(right)):
                common = len(left & right)
                result[place] = common / (len(left) + len(right) - common)
        return result

    def _by_first(self, pairs: np.ndarray) -> Iterator[tuple[int, int, int]]:
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        yield from zip(order.tolist(), pairs[order, 0].tolist(), pairs[order, 1].tolist(), strict=True)

    def _set(self, number: int) -> frozenset[int]:
        start = self._starts[number]
        return frozenset(self._runs[start : start + self._sizes[number]].tolist())
