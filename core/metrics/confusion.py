"""The confusion matrix of a task with one right label: a diagnostic beside the metrics, from the same reading of answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.metrics.class_counts import coded_labels
from core.metrics.metric import Observations

OTHER = "another answer"
"""The row and column for what is outside a declared label set."""


@dataclass(frozen=True)
class ConfusionMatrix:
    """How often each reference (row) was given each answer (column)."""

    labels: tuple[str, ...]
    """In the task's order, `OTHER` last where something is outside it; those that occur, sorted, where none is declared."""
    counts: np.ndarray
    """int64 (labels, labels)."""
    unreadable: np.ndarray
    """int64 (labels,): answers out of which nothing could be read, by their reference."""
    n_missing: int
    """Examples without a reference or an answer; they are counted nowhere else."""


def confusion_matrix(observations: Observations) -> ConfusionMatrix:
    """Return how often each reference was given each answer; labels are compared as text.

    With a declared decision threshold the answers are those that it decides (see `core.metrics.decision`).
    """
    coded = coded_labels(observations)
    present = np.array([reason is None for reason in coded.reasons], dtype=bool)
    reference, answer = coded.reference[present], coded.answer[present]
    labels = coded.labels
    if observations.labels and len(labels) > len(observations.labels):
        # The task's labels come first, so that what is outside has the higher codes.
        outside = len(observations.labels)
        labels = (*observations.labels, OTHER)
        reference, answer = np.minimum(reference, outside), np.minimum(answer, outside)
    size = len(labels)
    read = answer >= 0
    cells = np.bincount(reference[read] * size + answer[read], minlength=size * size)
    return ConfusionMatrix(
        labels=labels,
        counts=cells.reshape(size, size),
        unreadable=np.bincount(reference[~read], minlength=size),
        n_missing=int((~present).sum()),
    )
