"""Metrics of tasks with one right label: accuracy and macro F1."""

from __future__ import annotations

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import RatioMetric, across, as_label, assemble, missing_reasons


class Accuracy(RatioMetric):
    """The share of examples whose label is the reference's; an unreadable answer is wrong.

    Equal to ``sklearn.metrics.accuracy_score``. Statistics: (correct, 1).
    """

    name = "accuracy"
    label = "Accuracy"
    family = "classification"
    kinds = frozenset({"classification"})
    test = "rate"
    undefined = "no example has an answer"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (correct, 1) for each example, (n, 2)."""
        references = [as_label(reference) for reference in observations.references]
        reasons = missing_reasons(observations, [reference is not None for reference in references])
        rows = [
            (float(as_label(prediction) == reference), 1.0)
            for prediction, reference, reason in zip(observations.predictions, references, reasons, strict=True)
            if reason is None
        ]
        return assemble(rows, reasons, "accuracy|unreadable:wrong", 2)


class F1Macro(Metric):
    """The mean of the F1 of each class that occurs among the references or the answers.

    Equal to ``sklearn.metrics.f1_score(average="macro", zero_division=0)`` with its default labels. An unreadable answer
    is a miss of its reference's class and a false alarm of none. Statistics: (tp, fp, fn) for each class.
    """

    name = "f1_macro"
    label = "Macro F1"
    family = "classification"
    kinds = frozenset({"classification"})
    test = "corpus"
    undefined = "no example has an answer"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, fp, fn) for each class in the order of ``labels``, (n, 3 x classes)."""
        references = [as_label(reference) for reference in observations.references]
        predictions = [as_label(prediction) for prediction in observations.predictions]
        reasons = missing_reasons(observations, [reference is not None for reference in references])
        seen = sorted({label for label in (*references, *predictions) if label is not None})
        labels = tuple(dict.fromkeys((*observations.labels, *seen)))
        code = {label: index for index, label in enumerate(labels)} | {None: -1}
        present = np.array([reason is None for reason in reasons], dtype=bool)
        right = np.array([code[reference] for reference in references], dtype=np.int64)[present]
        answer = np.array([code[prediction] for prediction in predictions], dtype=np.int64)[present]
        counts = np.zeros((len(right), len(labels), 3))
        rows, hit, readable = np.arange(len(right)), right == answer, answer >= 0
        counts[rows[hit], right[hit], 0] = 1
        counts[rows[~hit & readable], answer[~hit & readable], 1] = 1
        counts[rows[~hit], right[~hit], 2] = 1
        signature = "f1|average:macro|classes:occurring|unreadable:miss"
        return assemble(counts.reshape(len(right), 3 * len(labels)), reasons, signature, 3 * len(labels), labels)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the macro F1 of sums (..., 3 x classes), (...); NaN where no class occurs."""
        sums = np.asarray(sums, dtype=np.float64)
        hits, false_alarms, misses = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
        weight = 2 * hits + false_alarms + misses
        occurs = weight > 0
        with np.errstate(all="ignore"):
            # A class that does not occur has no hits: 0 / 1 adds nothing.
            return across(2 * hits / np.where(occurs, weight, 1.0)) / across(occurs)
