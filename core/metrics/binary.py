"""Metrics of two labels of which one is positive: binary precision, recall and F1, and what medicine's metrics share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.metrics.class_counts import ONE_LABEL, coded_labels
from core.metrics.decision import two_labels
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import RatioMetric, across, assemble


@dataclass(frozen=True)
class BinaryCells:
    """Where reference and answer are positive and negative, bool (n present,) each.

    An answer that is neither (a third label, an unreadable text) is wrong.
    """

    reference_positive: np.ndarray
    reference_negative: np.ndarray
    answer_positive: np.ndarray
    answer_negative: np.ndarray
    reasons: Sequence[str | None]
    """Why an example is missing, (n,)."""
    signature: str
    """What all binary metrics depend on: the positive label, and how an answer is decided."""

    def statistics(self, columns: tuple[np.ndarray, ...], name: str) -> Statistics:
        """Return the statistics with these columns, (n present,) each."""
        return assemble(np.stack(columns, axis=1), self.reasons, f"{name}|{self.signature}", len(columns))


def binary_cells(observations: Observations, words: str, instead: str = "") -> BinaryCells:
    """Return where reference and answer are positive and negative; all are missing where that is not known.

    Args:
        observations: Of one task and variant.
        words: The metric as the subject of a sentence, for the reason.
        instead: The metric to use where there are more than two labels.
    """
    coded = coded_labels(observations)
    two = two_labels(observations, words, instead)
    if isinstance(two, str):
        nothing = np.zeros(0, dtype=bool)
        reasons = [reason or two for reason in coded.reasons]
        return BinaryCells(nothing, nothing, nothing, nothing, reasons, "positive:unknown")
    code = {label: index for index, label in enumerate(coded.labels)}
    positive, negative = code.get(two.positive, -2), code.get(two.negative or "", -2)
    reasons = [
        reason or _outside(coded.labels[reference], reference in (positive, negative))
        for reason, reference in zip(coded.reasons, coded.reference.tolist(), strict=True)
    ]
    present = np.array([reason is None for reason in reasons], dtype=bool)
    reference, answer = coded.reference[present], coded.answer[present]
    signature = f"positive:{two.positive}|unreadable:wrong{coded.rule}"
    return BinaryCells(
        reference == positive, reference == negative, answer == positive, answer == negative, reasons, signature
    )


def _outside(label: str, known: bool) -> str | None:
    return None if known else f"the reference {label!r} is not one of the two labels of the task"


class BinaryRatio(RatioMetric):
    """A share among the examples of a binary task that meet a condition. Statistics: (hit, meets the condition)."""

    family = "classification"
    kinds = ONE_LABEL
    proportion = True
    words: str
    """The metric as the subject of a sentence."""
    instead: str = ""
    """The metric to use where there are more than two labels."""

    @abstractmethod
    def hit_and_condition(self, cells: BinaryCells) -> tuple[np.ndarray, np.ndarray]:
        """Return the hits and the examples among which they are counted, bool (n present,) each."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (hit, meets the condition) for each example, (n, 2)."""
        cells = binary_cells(observations, self.words, self.instead)
        return cells.statistics(self.hit_and_condition(cells), self.name)


class Precision(BinaryRatio):
    """The share of positive answers that are right; equal to ``sklearn.metrics.precision_score(zero_division=nan)``."""

    name = "precision"
    label = "Precision"
    words = "binary precision"
    instead = "precision_macro"
    undefined = "no answer is positive"

    def hit_and_condition(self, cells: BinaryCells) -> tuple[np.ndarray, np.ndarray]:
        """Return the true positives among the positive answers."""
        return cells.reference_positive & cells.answer_positive, cells.answer_positive


class Recall(BinaryRatio):
    """The share of positive references that were found; equal to ``sklearn.metrics.recall_score(zero_division=nan)``."""

    name = "recall"
    label = "Recall"
    words = "binary recall"
    instead = "recall_macro"
    undefined = "no reference is positive"

    def hit_and_condition(self, cells: BinaryCells) -> tuple[np.ndarray, np.ndarray]:
        """Return the true positives among the positive references."""
        return cells.reference_positive & cells.answer_positive, cells.reference_positive


class F1(Metric):
    """The harmonic mean of precision and recall of the positive label.

    Equal to ``sklearn.metrics.f1_score(zero_division=nan)``. Statistics: (tp, fp, fn).
    """

    name = "f1"
    label = "F1"
    family = "classification"
    kinds = ONE_LABEL
    undefined = "neither a reference nor an answer is positive"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, fp, fn) for each example, (n, 3)."""
        cells = binary_cells(observations, "binary F1", "f1_macro")
        reference, answer = cells.reference_positive, cells.answer_positive
        return cells.statistics((reference & answer, ~reference & answer, reference & ~answer), self.name)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the F1 of sums (..., 3), (...); NaN where nothing is positive."""
        sums = np.asarray(sums, dtype=np.float64)
        hits, wrong = 2 * sums[..., 0], across(sums[..., 1:])
        with np.errstate(all="ignore"):
            return np.where(hits + wrong > 0, hits / (hits + wrong), np.nan)
