"""Metrics of diagnostic tests: sensitivity, specificity, predictive values and likelihood ratios.

The answer is the predicted label, or with ``threshold_split`` what a threshold on the positive label's score decides (see
`core.metrics.decision`). Source: Altman & Bland, BMJ 308 (1994) 1552 and 309 (1994) 102; BMJ 329 (2004) 168.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from core.metrics.binary import BinaryCells, BinaryRatio, binary_cells
from core.metrics.class_counts import ONE_LABEL
from core.metrics.metric import Metric, Observations, Statistics


class Sensitivity(BinaryRatio):
    """The share of positive references that the answer finds: binary recall."""

    name = "sensitivity"
    label = "Sensitivity"
    family = "medical"
    words = "sensitivity"
    undefined = "no reference is positive"

    def hit_and_condition(self, cells: BinaryCells) -> tuple[np.ndarray, np.ndarray]:
        """Return the true positives among the positive references."""
        return cells.reference_positive & cells.answer_positive, cells.reference_positive


class Specificity(BinaryRatio):
    """The share of negative references that are answered as negative."""

    name = "specificity"
    label = "Specificity"
    family = "medical"
    words = "specificity"
    undefined = "no reference is negative"

    def hit_and_condition(self, cells: BinaryCells) -> tuple[np.ndarray, np.ndarray]:
        """Return the true negatives among the negative references."""
        return cells.reference_negative & cells.answer_negative, cells.reference_negative


class PositivePredictiveValue(BinaryRatio):
    """The share of positive answers that are right: binary precision. It depends on how frequent positives are."""

    name = "ppv"
    label = "PPV"
    family = "medical"
    words = "the positive predictive value"
    undefined = "no answer is positive"

    def hit_and_condition(self, cells: BinaryCells) -> tuple[np.ndarray, np.ndarray]:
        """Return the true positives among the positive answers."""
        return cells.reference_positive & cells.answer_positive, cells.answer_positive


class NegativePredictiveValue(BinaryRatio):
    """The share of negative answers that are right. It depends on how frequent positives are."""

    name = "npv"
    label = "NPV"
    family = "medical"
    words = "the negative predictive value"
    undefined = "no answer is negative"

    def hit_and_condition(self, cells: BinaryCells) -> tuple[np.ndarray, np.ndarray]:
        """Return the true negatives among the negative answers."""
        return cells.reference_negative & cells.answer_negative, cells.answer_negative


class _LikelihoodRatio(Metric):
    """A ratio of what sensitivity and specificity say. Statistics: (tp, positive, tn, negative)."""

    family = "medical"
    kinds = ONE_LABEL
    unit = "number"
    bounds = (0.0, None)
    caution = "The ratio is skewed, and resamples in which its denominator is 0 are left out of the interval."

    @abstractmethod
    def ratio(self, sensitivity: np.ndarray, specificity: np.ndarray) -> np.ndarray:
        """Return the ratio, not finite where it is undefined."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, positive, tn, negative) for each example, (n, 4)."""
        cells = binary_cells(observations, "a likelihood ratio")
        positive, negative = cells.reference_positive, cells.reference_negative
        columns = (positive & cells.answer_positive, positive, negative & cells.answer_negative, negative)
        return cells.statistics(columns, self.name)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the ratio of sums (..., 4), (...); NaN without both classes, and where the denominator is 0."""
        hits, positive, rejections, negative = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
        with np.errstate(all="ignore"):
            ratio = self.ratio(hits / positive, rejections / negative)
        return np.where(np.isfinite(ratio), ratio, np.nan)


class PositiveLikelihoodRatio(_LikelihoodRatio):
    """Sensitivity / (1 - specificity): how much a positive answer raises the odds of a positive reference."""

    name = "lr_plus"
    label = "LR+"
    undefined = "there is no false alarm, or one class alone among the references: LR+ has no value"

    def ratio(self, sensitivity: np.ndarray, specificity: np.ndarray) -> np.ndarray:
        """Return sensitivity / (1 - specificity)."""
        return sensitivity / (1 - specificity)


class NegativeLikelihoodRatio(_LikelihoodRatio):
    """(1 - sensitivity) / specificity: how much a negative answer lowers the odds of a positive reference."""

    name = "lr_minus"
    label = "LR−"
    higher_is_better = False
    undefined = "no negative was recognised, or one class alone among the references: LR− has no value"

    def ratio(self, sensitivity: np.ndarray, specificity: np.ndarray) -> np.ndarray:
        """Return (1 - sensitivity) / specificity."""
        return (1 - sensitivity) / specificity
