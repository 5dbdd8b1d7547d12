"""The longest run of words that two texts share, with its place in both."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from core.data.profile.words import WORD, mix, run_hashes

WORDS_READ = 20_000
"""Of each text: the cost is bounded, and a passage so far in is rare."""
CHARACTERS_SHOWN = 600


@dataclass(frozen=True)
class Passage:
    """Words that stand in both texts."""

    text: str
    """As the evaluation file writes them, at most 600 characters."""
    words: int
    start: int
    """Characters of the text of the evaluation row that is compared."""
    end: int
    train_start: int
    """Characters of the text of the training row that is compared."""
    train_end: int


def longest_passage(text: str, train: str) -> Passage | None:
    """Return the longest run of words that stands in both texts, case aside; None where they share no word.

    A run of a length stands in both only if one of each shorter length does: the length is found by halving.

    Args:
        text: the evaluation row's text; its first 20,000 words are read.
        train: the training row's text; likewise.
    """
    (ours, our_places), (theirs, their_places) = _words(text), _words(train)
    best, beyond = 0, min(len(ours), len(theirs)) + 1
    at = train_at = 0
    while beyond - best > 1:
        length = (best + beyond) // 2
        here, there = run_hashes(ours, length), run_hashes(theirs, length)
        _, first, second = np.intersect1d(here, there, return_indices=True)
        if len(first):
            best, place = length, int(np.argmin(first))
            at, train_at = int(first[place]), int(second[place])
        else:
            beyond = length
    if not best:
        return None
    start, end = our_places[at][0], our_places[at + best - 1][1]
    train_start, train_end = their_places[train_at][0], their_places[train_at + best - 1][1]
    return Passage(text[start:end][:CHARACTERS_SHOWN], best, start, end, train_start, train_end)


def _words(text: str) -> tuple[np.ndarray, list[tuple[int, int]]]:
    hashes, places = [], []
    for match in WORD.finditer(text):
        hashes.append(crc32(match.group().casefold().encode()))
        places.append(match.span())
        if len(places) == WORDS_READ:
            break
    return mix(np.array(hashes, dtype=np.uint64)), places
