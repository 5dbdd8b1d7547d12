"""Which examples ask about the same things: the nearest by shared words, for "more like this".

A word that every example has (a chat template's, an instruction's) says nothing and weighs nothing; rare ones weigh most.
Scripts without spaces are compared by pairs of characters, so that Chinese and Japanese work too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.profile.words import NO_SPACES
from core.example_texts import read_frame
from core.store import Run

CHARACTERS_READ = 2_000
"""Of each text: enough to tell what it is about, and so that 100,000 are read in seconds."""
NEAREST = 50
_TERM = re.compile(f"[{NO_SPACES}]+|[^\\W{NO_SPACES}]+")
_UNSPACED = re.compile(f"[{NO_SPACES}]")


@dataclass(frozen=True)
class LikenessIndex:
    """The words of every example of a task, weighed by how rare they are."""

    weights: Any
    """scipy sparse, float32 (n, words): term frequency times inverse document frequency, rows of length 1 (or all zero)."""

    def nearest(self, position: int, count: int = NEAREST) -> np.ndarray:
        """Return the positions of the examples that share most with one, nearest first and without itself, int64.

        Cosine of tf-idf (Salton & Buckley, 1988). Those that share no word that matters are left out, so there may be fewer
        than ``count``. Ties keep the dataset's order.
        """
        shared = (self.weights @ self.weights[position].T).toarray().ravel()
        shared[position] = 0.0
        order = np.argsort(-shared, kind="stable")[:count]
        return order[shared[order] > 0].astype(np.int64)


def terms(text: str) -> list[str]:
    """Return the words of a text's first `CHARACTERS_READ` characters, case folded; of scripts without spaces the pairs."""
    found: list[str] = []
    for term in _TERM.findall(text[:CHARACTERS_READ].casefold()):
        if len(term) > 1 and _UNSPACED.match(term):
            found += [term[start : start + 2] for start in range(len(term) - 1)]
        else:
            found.append(term)
    return found


def likeness_index(texts: Sequence[str]) -> LikenessIndex:
    """Return the index of some texts, a row for each."""
    from scipy.sparse import csr_matrix

    numbers: dict[str, int] = {}
    columns: list[int] = []
    ends = [0]
    for text in texts:
        columns += [numbers.setdefault(term, len(numbers)) for term in terms(text)]
        ends.append(len(columns))
    shape = (len(texts), max(1, len(numbers)))
    counts = csr_matrix((np.ones(len(columns), dtype=np.float32), columns, ends), shape=shape)
    counts.sum_duplicates()
    having = np.bincount(counts.indices, minlength=shape[1])
    rarity = np.log(len(texts) / np.maximum(having, 1)).astype(np.float32)
    weights = (1 + np.log(counts.data)) * rarity[counts.indices]
    rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, weights=weights**2, minlength=len(texts)))
    counts.data = (weights / np.where(lengths > 0, lengths, 1.0)[rows]).astype(np.float32)
    return LikenessIndex(counts)


def read_asked(run: Run, task: str, fields: Sequence[str]) -> list[str]:
    """Return what each example of a task asks about, in the dataset's order.

    Args:
        run: finished or not.
        task: of the run.
        fields: of the dataset that stand in the task's prompt; an example without a text in any of them is told by its whole
            prompt, and one without a prompt by its reference.
    """
    places = ", ".join(f"json_extract_string(fields, $f{number})" for number in range(len(fields)))
    own = f"trim(concat_ws(' ', {places}))" if fields else "''"
    sql = (
        f"SELECT coalesce(nullif({own}, ''), nullif(prompt, ''), json_extract_string(reference, '$'), '') AS asked "
        "FROM examples WHERE task = $task ORDER BY file_row_number"
    )
    named = {f"f{number}": f'$."{name}"' for number, name in enumerate(fields)}
    return [str(text) for text in read_frame(run, sql, {"task": task, **named})["asked"]]
