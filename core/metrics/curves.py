"""The curves behind ROC-AUC and the calibration error, as plain data for charts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.metrics.decision import binary_scores, two_labels
from core.metrics.metric import Observations
from core.metrics.probabilities import BINS, bins_of, top_label
from core.metrics.scores import read_scores


@dataclass(frozen=True)
class CalibrationCurve:
    """How often the likeliest option is right, by how likely it was said to be; one entry a bin."""

    edges: np.ndarray
    """(bins + 1,): from 0 to 1."""
    confidence: np.ndarray
    """(bins,): the mean probability of the likeliest option; NaN in an empty bin."""
    accuracy: np.ndarray
    """(bins,): the share in which it is the reference; NaN in an empty bin."""
    counts: np.ndarray
    """int64 (bins,)."""
    n_missing: int


@dataclass(frozen=True)
class RocCurve:
    """Shares of negatives and of positives that score at least a threshold, from the highest threshold to the lowest."""

    positive: str
    false_positive_rate: np.ndarray
    """(points,): starts at 0."""
    true_positive_rate: np.ndarray
    """(points,): starts at 0."""
    thresholds: np.ndarray
    """(points,): infinity first, then every distinct score."""
    n_missing: int


def calibration_curve(observations: Observations, bins: int = BINS) -> CalibrationCurve:
    """Return the calibration curve with ``bins`` equal-width bins; the bins are those of the metric ``ece``,
    but that the last one holds 1 too.

    Raises:
        ValueError: ``bins`` is below 1.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1; found {bins}")
    table = read_scores(observations, probabilities=True)
    present = np.array([reason is None for reason in table.reasons], dtype=bool)
    confidence, right = top_label(table, present)
    codes = np.minimum(bins_of(confidence, bins), bins - 1)
    counts = np.bincount(codes, minlength=bins)
    with np.errstate(all="ignore"):
        mean = np.bincount(codes, weights=confidence, minlength=bins) / counts
        accuracy = np.bincount(codes, weights=right, minlength=bins) / counts
    return CalibrationCurve(np.arange(bins + 1) / bins, mean, accuracy, counts, int((~present).sum()))


def roc_curve(observations: Observations) -> RocCurve:
    """Return the ROC curve of the positive label's score, every distinct score a point.

    Raises:
        InputError: the task has not two labels of which one is known to be positive, or one class alone has scores.
    """
    labels = two_labels(observations, "a ROC curve")
    if isinstance(labels, str):
        raise InputError(labels)
    table = binary_scores(observations, labels)
    present = np.array([reason is None for reason in table.reasons], dtype=bool)
    scores, positive = table.scores[present], table.positive[present]
    if not positive.any() or positive.all():
        raise InputError("one class alone among the references that have scores: there is no ROC curve")
    distinct, codes = np.unique(-scores, return_inverse=True)
    hits = np.cumsum(np.bincount(codes, weights=positive))
    false_alarms = np.cumsum(np.bincount(codes, weights=1 - positive))
    return RocCurve(
        labels.positive,
        np.concatenate([[0.0], false_alarms / false_alarms[-1]]),
        np.concatenate([[0.0], hits / hits[-1]]),
        np.concatenate([[np.inf], -distinct]),
        int((~present).sum()),
    )
