"""Metrics of labels over all classes: accuracy, balanced accuracy, averaged precision, recall and F1, Matthews' correlation.

Labels are compared as text. An unreadable answer is wrong; one outside the label set is wrong and a class of its own, as in
scikit-learn. What needs a positive label is in `core.metrics.binary`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from core.metrics.class_counts import ONE_LABEL, class_counts, coded_labels, pooled_counts
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import RatioMetric, across, assemble
from core.records import Kind

Measure = Literal["precision", "recall", "f1"]
Average = Literal["micro", "macro", "weighted"]

F1_KINDS: frozenset[Kind] = frozenset({"classification", "medical", "multilabel"})
"""The kinds of task that micro and macro F1 apply to."""
NO_ANSWER = "no example has an answer"
_SCORE: dict[Measure, str] = {"precision": "precision", "recall": "recall", "f1": "F1"}


class Accuracy(RatioMetric):
    """The share of examples whose label is the reference's; an unreadable answer is wrong.

    Equal to ``sklearn.metrics.accuracy_score``. Statistics: (correct, 1).
    """

    name = "accuracy"
    label = "Accuracy"
    family = "classification"
    kinds = ONE_LABEL
    test = "rate"
    undefined = NO_ANSWER

    def statistics(self, observations: Observations) -> Statistics:
        """Return (correct, 1) for each example, (n, 2)."""
        coded = coded_labels(observations)
        present = np.array([reason is None for reason in coded.reasons], dtype=bool)
        correct = (coded.reference == coded.answer)[present]
        rows = np.stack([correct, np.ones(len(correct))], axis=1)
        return assemble(rows, coded.reasons, f"accuracy|unreadable:wrong{coded.rule}", 2)


class BalancedAccuracy(Metric):
    """The mean recall of the classes that occur among the references.

    Equal to ``sklearn.metrics.balanced_accuracy_score``. Statistics: (tp, fp, fn) for each class.
    """

    name = "balanced_accuracy"
    label = "Balanced accuracy"
    family = "classification"
    kinds = ONE_LABEL
    undefined = NO_ANSWER

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, fp, fn) for each class in the order of ``labels``, (n, 3 x classes)."""
        return _by_class(observations, "balanced_accuracy|classes:of the references|unreadable:miss")

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean recall of sums (..., 3 x classes), (...); NaN where no class occurs."""
        hits, _, misses = _columns(sums)
        support = hits + misses
        return _ratio(across(hits / np.where(support > 0, support, 1.0)), across(support > 0))


class MatthewsCorrelation(Metric):
    """Matthews' correlation of references and answers, for any number of classes (Gorodkin, 2004).

    Equal to ``sklearn.metrics.matthews_corrcoef``, unreadable answers being a class of their own; 0 as there where every
    answer is the same (its limit: Chicco & Jurman, 2020), but without value where every reference is. Statistics:
    (tp, fp, fn) for each class.
    """

    name = "mcc"
    label = "MCC"
    family = "classification"
    kinds = ONE_LABEL
    unit = "number"
    bounds = (-1.0, 1.0)
    undefined = "one class alone among the references: MCC has no value"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, fp, fn) for each class in the order of ``labels``, (n, 3 x classes)."""
        return _by_class(observations, "mcc|unreadable:class of its own|constant answers:0")

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the correlation of sums (..., 3 x classes), (...); NaN where the references are of one class."""
        hits, false_alarms, misses = _columns(sums)
        wanted, given = hits + misses, hits + false_alarms
        n = across(wanted)
        unreadable = n - across(given)
        of_references = n**2 - across(wanted**2)
        of_answers = n**2 - across(given**2) - unreadable**2
        together = across(hits) * n - across(wanted * given)
        with np.errstate(all="ignore"):
            correlation = np.where(of_answers > 0, together / np.sqrt(of_references * of_answers), 0.0)
        return np.where(of_references > 0, correlation, np.nan)


class Averaged(Metric):
    """Precision, recall or F1 over all classes: micro, macro or weighted by support.

    Equal to scikit-learn's with its default labels: the classes that occur among the references or the answers; a class
    whose own score is undefined counts 0 (``zero_division=0``). An unreadable answer is a miss of its reference's class and
    a false alarm of none. For multi-label tasks a class that occurs nowhere is left out of macro (``zero_division=nan``).
    Statistics: (tp, fp, fn), for each class unless micro.
    """

    family = "classification"
    undefined = "no class occurs among the references or the answers"

    def __init__(self, measure: Measure, average: Average) -> None:
        """Make one of the nine.

        Args:
            measure: What is averaged.
            average: How.
        """
        self.measure: Measure = measure
        self.average: Average = average
        self.name = f"{measure}_{average}"
        self.label = f"{average.capitalize()} {_SCORE[measure]}"
        self.definition = {
            "micro": f"{_SCORE[measure][0].upper()}{_SCORE[measure][1:]} of all classes counted together",
            "macro": f"The mean of the classes' {_SCORE[measure]}, every class with the same weight",
            "weighted": f"The mean of the classes' {_SCORE[measure]}, weighted by how often the references have them",
        }[average]
        self.kinds = F1_KINDS if measure == "f1" and average in ("micro", "macro") else ONE_LABEL

    @classmethod
    def instances(cls) -> tuple[Metric, ...]:
        """Return all nine."""
        measures: tuple[Measure, ...] = ("precision", "recall", "f1")
        averages: tuple[Average, ...] = ("micro", "macro", "weighted")
        return tuple(cls(measure, average) for measure in measures for average in averages)

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, fp, fn) for each example: (n, 3) for micro, else for each class of ``labels``, (n, 3 x classes)."""
        signature = f"{self.measure}|average:{self.average}|classes:occurring|unreadable:miss"
        if self.average == "micro":
            rows, reasons, rule = pooled_counts(observations)
            return assemble(rows, reasons, signature + rule, 3)
        return _by_class(observations, signature)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the average of sums (..., 3) or (..., 3 x classes), (...); NaN where no class occurs."""
        hits, false_alarms, misses = _columns(sums)
        above, below = _parts(self.measure, hits, false_alarms, misses)
        if self.average == "micro":
            above, below, hits, false_alarms, misses = (
                part[..., 0] for part in (above, below, hits, false_alarms, misses)
            )
            return np.where(hits + false_alarms + misses > 0, above / np.where(below > 0, below, 1.0), np.nan)
        scores = above / np.where(below > 0, below, 1.0)
        weight = hits + misses if self.average == "weighted" else (hits + false_alarms + misses > 0).astype(np.float64)
        return _ratio(across(scores * weight), across(weight))


class PerClass(Metric):
    """Precision, recall or F1 of each class by itself.

    Equal to scikit-learn's with ``average=None, zero_division=nan``. Statistics: numerator and denominator for each class,
    (tp, tp + fp), (tp, tp + fn) or (2 tp, 2 tp + fp + fn).
    """

    family = "classification"
    kinds = ONE_LABEL
    by_label = True
    version = 2

    def __init__(self, measure: Measure) -> None:
        """Make one of the three."""
        self.measure: Measure = measure
        self.name = f"{measure}_per_class"
        self.label = f"{_SCORE[measure][0].upper()}{_SCORE[measure][1:]} of a class"
        self.proportion = measure != "f1"
        self.definition = f"The {_SCORE[measure]} of each class by itself, a row a class"
        self.undefined = {
            "precision": "the class was never answered",
            "recall": "no reference is of this class",
            "f1": "the class occurs neither among the references nor among the answers",
        }[measure]

    @classmethod
    def instances(cls) -> tuple[Metric, ...]:
        """Return all three."""
        return (cls("precision"), cls("recall"), cls("f1"))

    def statistics(self, observations: Observations) -> Statistics:
        """Return numerator and denominator for each class in the order of ``labels``, (n, 2 x classes)."""
        counts = class_counts(observations)
        parts = np.stack(_parts(self.measure, *np.moveaxis(counts.array, -1, 0)), axis=-1)
        k = 2 * len(counts.labels)
        signature = f"{self.measure}|average:none|unreadable:miss{counts.rule}"
        return assemble(parts.reshape(len(parts), k), counts.reasons, signature, k, counts.labels)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the score of one class's sums (..., 2), (...)."""
        sums = np.asarray(sums, dtype=np.float64)
        return _ratio(sums[..., 0], sums[..., 1])


def _by_class(observations: Observations, signature: str) -> Statistics:
    counts = class_counts(observations)
    k = 3 * len(counts.labels)
    rows = counts.array.reshape(len(counts.array), k)
    return assemble(rows, counts.reasons, signature + counts.rule, k, counts.labels)


def _columns(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, false alarms and misses by class, each (..., classes)."""
    sums = np.asarray(sums, dtype=np.float64)
    return sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]


def _parts(
    measure: Measure, hits: np.ndarray, false_alarms: np.ndarray, misses: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numerator and the denominator of a measure, in their own shape."""
    if measure == "precision":
        return hits, hits + false_alarms
    if measure == "recall":
        return hits, hits + misses
    return 2 * hits, 2 * hits + false_alarms + misses


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.where(below > 0, above / below, np.nan)
