"""Metrics of sets of labels: Hamming loss, Jaccard similarity and subset accuracy. F1 is in `core.metrics.classification`.

An empty set is an answer like any other. An unreadable answer is wrong in every label.
"""

from __future__ import annotations

import numpy as np

from core.metrics.class_counts import LabelSets, class_counts, label_sets, occurring_labels, pooled_counts
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import RatioMetric, across, assemble

NO_ANSWER = "no example has an answer"


class HammingLoss(RatioMetric):
    """The share of labels that are wrongly given or wrongly left out.

    Equal to ``sklearn.metrics.hamming_loss``. The labels are the task's and those of the references (where the task names
    none, those of the answers too); an answer outside them counts as one wrong label, up to all. Statistics: (share of
    wrong labels, 1).
    """

    name = "hamming_loss"
    label = "Hamming loss"
    family = "multilabel"
    kinds = frozenset({"multilabel"})
    higher_is_better = False
    test = "mean"
    undefined = NO_ANSWER

    def statistics(self, observations: Observations) -> Statistics:
        """Return (share of wrong labels, 1) for each example, (n, 2)."""
        sets = label_sets(observations)
        n_labels = len(occurring_labels(observations, sets, answers=not observations.labels))
        rows = [
            (1.0 if unreadable else min(1.0, len(wanted ^ given) / max(1, n_labels)), 1.0)
            for wanted, given, unreadable in _present(sets)
        ]
        return assemble(rows, sets.reasons, f"hamming_loss|labels:{n_labels}|unreadable:1", 2)


class SubsetAccuracy(RatioMetric):
    """The share of examples whose set of labels is exactly the reference's.

    Equal to ``sklearn.metrics.accuracy_score`` of indicator arrays. Statistics: (equal, 1).
    """

    name = "subset_accuracy"
    label = "Subset accuracy"
    family = "multilabel"
    kinds = frozenset({"multilabel"})
    test = "rate"
    undefined = NO_ANSWER

    def statistics(self, observations: Observations) -> Statistics:
        """Return (equal, 1) for each example, (n, 2)."""
        sets = label_sets(observations)
        rows = [(float(wanted == given and not unreadable), 1.0) for wanted, given, unreadable in _present(sets)]
        return assemble(rows, sets.reasons, "subset_accuracy|unreadable:wrong", 2)


class JaccardSamples(RatioMetric):
    """The mean over examples of the labels in common over the labels in either set.

    Equal to ``sklearn.metrics.jaccard_score(average="samples", zero_division=1)``: that there is nothing to label is a right
    answer, where scikit-learn's default would give it 0. Statistics: (similarity, 1).
    """

    name = "jaccard_samples"
    label = "Jaccard (samples)"
    family = "multilabel"
    kinds = frozenset({"multilabel"})
    test = "mean"
    undefined = NO_ANSWER

    def statistics(self, observations: Observations) -> Statistics:
        """Return (similarity, 1) for each example, (n, 2)."""
        sets = label_sets(observations)
        rows = [
            (0.0 if unreadable else len(wanted & given) / len(wanted | given) if wanted or given else 1.0, 1.0)
            for wanted, given, unreadable in _present(sets)
        ]
        return assemble(rows, sets.reasons, "jaccard|average:samples|both empty:1|unreadable:0", 2)


class JaccardMicro(Metric):
    """The labels in common over the labels in either set, summed over all examples.

    Equal to ``sklearn.metrics.jaccard_score(average="micro")``. Statistics: (tp, fp, fn).
    """

    name = "jaccard_micro"
    label = "Micro Jaccard"
    family = "multilabel"
    kinds = frozenset({"multilabel"})
    undefined = "no label occurs among the references or the answers"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, fp, fn) for each example, (n, 3)."""
        rows, reasons, _ = pooled_counts(observations)
        return assemble(rows, reasons, "jaccard|average:micro|unreadable:miss", 3)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the similarity of sums (..., 3), (...); NaN where no label occurs."""
        sums = np.asarray(sums, dtype=np.float64)
        either = across(sums)
        with np.errstate(all="ignore"):
            return np.where(either > 0, sums[..., 0] / either, np.nan)


class JaccardMacro(Metric):
    """The mean similarity of the labels that occur among the references or the answers.

    Equal to ``sklearn.metrics.jaccard_score(average="macro")`` of those labels. Statistics: (tp, fp, fn) for each label.
    """

    name = "jaccard_macro"
    label = "Macro Jaccard"
    family = "multilabel"
    kinds = frozenset({"multilabel"})
    undefined = "no label occurs among the references or the answers"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (tp, fp, fn) for each label in the order of ``labels``, (n, 3 x labels)."""
        counts = class_counts(observations)
        k = 3 * len(counts.labels)
        signature = "jaccard|average:macro|classes:occurring|unreadable:miss"
        return assemble(counts.array.reshape(len(counts.array), k), counts.reasons, signature, k, counts.labels)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean similarity of sums (..., 3 x labels), (...); NaN where no label occurs."""
        sums = np.asarray(sums, dtype=np.float64)
        either = sums[..., 0::3] + sums[..., 1::3] + sums[..., 2::3]
        occurs = either > 0
        with np.errstate(all="ignore"):
            return across(sums[..., 0::3] / np.where(occurs, either, 1.0)) / across(occurs)


def _present(sets: LabelSets) -> list[tuple[frozenset[str], frozenset[str], bool]]:
    """Return reference, answer, and whether it is unreadable, for each example that is not missing."""
    entries = zip(sets.references, sets.answers, sets.unreadable.tolist(), sets.reasons, strict=True)
    return [(wanted, given, unreadable) for wanted, given, unreadable, reason in entries if reason is None]
