"""What a classifier answered, paired: confusion matrices of two variants over the same examples, and their difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import compress

import numpy as np

from core.metrics.class_counts import coded_labels
from core.metrics.confusion import OTHER
from core.metrics.metric import Observations
from core.metrics.probabilities import top_label
from core.metrics.scores import read_scores

UNREADABLE = "nothing readable"
"""The column of answers out of which no label could be read."""
REST = "all other labels"
MOST_LABELS = 20


@dataclass(frozen=True)
class Answers:
    """Reference and answer of each example, as the labels of a matrix; None where the example is missing."""

    ids: tuple[str, ...]
    references: tuple[str | None, ...]
    answers: tuple[str | None, ...]


@dataclass(frozen=True)
class ConfusionPair:
    """How often each reference (row) was given each answer (column) by two variants, over the examples that both have."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    """The rows, and `UNREADABLE` where that occurs."""
    reference: np.ndarray
    """int64 (rows, columns): of the reference variant."""
    variant: np.ndarray
    n_missing: int

    @property
    def difference(self) -> np.ndarray:
        """Variant minus reference."""
        return self.variant - self.reference

    @property
    def n(self) -> int:
        """Pairs."""
        return int(self.variant.sum())


def read_answers(observations: Observations) -> Answers:
    """Return what was answered, with the task's decision threshold where there is one; labels are compared as text."""
    coded = coded_labels(observations)
    known = len(observations.labels) or len(coded.labels)
    names = [*coded.labels[:known], *[OTHER] * (len(coded.labels) - known), UNREADABLE]  # code -1 is the last
    references, answers = (
        tuple(names[code] if reason is None else None for code, reason in zip(codes, coded.reasons, strict=True))
        for codes in (coded.reference.tolist(), coded.answer.tolist())
    )
    return Answers(tuple(observations.example_ids), references, answers)


def confusion_pair(reference: Answers, variant: Answers, labels: Sequence[str] = ()) -> ConfusionPair:
    """Return two confusion matrices over the same examples.

    Args:
        reference: answers of the reference variant.
        variant: answers of the other, for the same examples in the same order.
        labels: the task's, whose order is kept; else they are sorted. Beyond `MOST_LABELS` the rarest references are `REST`.

    Raises:
        ValueError: the examples differ.
    """
    if reference.ids != variant.ids:
        raise ValueError("the answers of the two variants are not of the same examples in the same order")
    table = list(zip(reference.references, reference.answers, variant.answers, strict=True))
    kept = [(true, one, two) for true, one, two in table if true is not None and one is not None and two is not None]
    occurring = Counter(true for true, _, _ in kept)
    seen = {name for row in kept for name in row if name != UNREADABLE}
    rows = [*(label for label in labels), *sorted(seen - set(labels) - {OTHER}), *([OTHER] if OTHER in seen else [])]
    if len(rows) > MOST_LABELS:
        often = {name for name, _ in occurring.most_common(MOST_LABELS - 1)}
        rows = [*(name for name in rows if name in often), REST]
    columns = [*rows, *([UNREADABLE] if any(UNREADABLE in row[1:] for row in kept) else [])]
    place = {name: number for number, name in enumerate(columns)}
    rest = len(rows) - 1
    cells = np.zeros((2, len(rows), len(columns)), dtype=np.int64)
    for (true, one, two), count in Counter(kept).items():
        for side, answer in enumerate((one, two)):
            cells[side, place.get(true, rest), place.get(answer, rest)] += count
    return ConfusionPair(tuple(rows), tuple(columns), cells[0], cells[1], len(table) - len(kept))


def confidences(observations: Observations) -> np.ndarray:
    """Return the probability of each example's likeliest option, float64 (n,); NaN where there are no probabilities."""
    table = read_scores(observations, probabilities=True)
    present = np.array([reason is None for reason in table.reasons], dtype=bool)
    found = np.full(len(present), np.nan)
    found[present] = top_label(table, present)[0]
    return found


def chosen_observations(observations: Observations, kept: np.ndarray) -> Observations:
    """Return the observations of the examples in ``kept``, bool (n,)."""
    whole = ("labels", "kind", "parameters")
    parts = {field.name: getattr(observations, field.name) for field in fields(observations) if field.name not in whole}
    return replace(
        observations, **{name: list(compress(some, kept)) if len(some) else some for name, some in parts.items()}
    )
