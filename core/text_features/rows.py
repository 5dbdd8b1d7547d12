"""Whose each answer of a task is, in the order in which the texts are read: found once, so that a feature reads texts alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.example_texts import read_frame
from core.store import Run

ANSWERS = "FROM evidence WHERE task = $task AND kind IN ('generation', 'imported') AND text IS NOT NULL"
"""A query's end; it gives the same answers in the same order each time, as long as the evidence is the same."""


@dataclass(frozen=True)
class AnswerRows:
    """The answers of a task, one entry each."""

    ids: pd.Index
    """The task's examples."""
    variants: tuple[str, ...]
    cell: np.ndarray
    """int64 (answers,): the example's place times the number of variants, plus the variant's; -1 where either is unknown."""

    def shares(self, hit: np.ndarray) -> pd.DataFrame:
        """Return the share of each example's answers that are hit.

        Args:
            hit: bool (answers,).

        Returns:
            float64, rows as ``ids``, columns the variants; NaN where there is no answer.
        """
        known = self.cell >= 0
        size = len(self.ids) * len(self.variants)
        counts = np.bincount(self.cell[known], minlength=size)
        sums = np.bincount(self.cell[known], weights=hit[known].astype(np.float64), minlength=size)
        shares = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
        shape = (len(self.ids), len(self.variants))
        return pd.DataFrame(shares.reshape(shape), index=self.ids, columns=list(self.variants))


def answer_rows(run: Run, task: str, ids: pd.Index) -> AnswerRows:
    """Return whose each answer of a task is.

    Args:
        run: finished or not.
        task: of the run.
        ids: the task's examples, in the order that is asked for.
    """
    found = read_frame(run, f"SELECT example_id, variant {ANSWERS}", {"task": task})
    variants = run.spec.models.variants
    rows = ids.get_indexer(pd.Index(found["example_id"], dtype=object))
    columns = pd.Index(variants, dtype=object).get_indexer(pd.Index(found["variant"], dtype=object))
    return AnswerRows(ids, variants, np.where((rows >= 0) & (columns >= 0), rows * len(variants) + columns, -1))
