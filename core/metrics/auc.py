"""Areas under curves: ROC-AUC and PR-AUC (average precision), binary and one class against the rest.

They need the order of the scores, so that each is computed under weights; see `core.metrics.weighted_ranks`.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from core.metrics.class_counts import ONE_LABEL
from core.metrics.decision import BinaryTable, positive_column, two_labels
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import across, assemble
from core.metrics.scores import SUM_TOLERANCE, LabelTable, label_scores
from core.metrics.weighted_ranks import (
    average_precision,
    average_precision_influence,
    roc_auc,
    roc_auc_influence,
)
from core.row_blocks import row_blocks


class _Area(Metric):
    """An area under a curve of ranked examples."""

    family = "classification"
    kinds = ONE_LABEL
    needs = "scores"
    ordered = True
    unit = "number"

    ties: str
    """How equal scores count, for the signature."""

    @abstractmethod
    def area(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the area of each row of weights, (draws,); NaN where one class has no weight."""

    @abstractmethod
    def area_and_slope(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the area under weights (n,), and its derivative by each of them, (n,)."""

    @abstractmethod
    def area_and_slopes(self, array: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the metric's value under weights (n,), and its derivative by each of them, (n,)."""

    def value_and_influence(self, array: np.ndarray) -> tuple[float, np.ndarray | None]:
        """Return both from one sort of each label's scores."""
        with np.errstate(all="ignore"):
            return self.area_and_slopes(array, np.ones(len(array)))

    def influence(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the derivative by each example's weight, (n,); 0 for those of weight 0."""
        weights = np.asarray(weights, dtype=np.float64)
        return np.where(weights > 0, self.area_and_slopes(array, weights)[1], 0.0)


class _Roc(_Area):
    ties = "half"
    undefined = "one class alone among the references: ROC-AUC has no value"

    def area(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the area under the ROC curve."""
        return roc_auc(scores, positive, weights)

    def area_and_slope(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the area and DeLong's components, scaled to the derivative."""
        return roc_auc_influence(scores, positive, weights)


class _PrecisionRecall(_Area):
    ties = "one threshold"
    undefined = "one class alone among the references: PR-AUC has no value"
    caution = (
        "An example that is drawn twice ranks beside itself, so that the bootstrap is biased a little upward in small "
        "samples."
    )

    def area(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the average precision."""
        return average_precision(scores, positive, weights)

    def area_and_slope(self, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the average precision and its derivative."""
        return average_precision_influence(scores, positive, weights)


class _Binary(_Area):
    """The area of the positive label's score. Statistics: (score, reference is positive)."""

    words: str
    instead: str
    symmetric: bool = False
    """Whether either label gives the same area where their scores add up to 1."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (score, reference is positive) for each example, (n, 2)."""
        found = self._scores(observations)
        present = np.array([reason is None for reason in found.reasons], dtype=bool)
        rows = np.stack([found.scores, found.positive], axis=1)[present]
        return assemble(rows, found.reasons, f"{self.name}|positive:{found.label or 'unknown'}|ties:{self.ties}", 2)

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the area under each row of weights, (draws,)."""
        return self.area(array[:, 0], array[:, 1], weights)

    def area_and_slopes(self, array: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the area under weights (n,), and its derivative by each of them, (n,)."""
        return self.area_and_slope(array[:, 0], array[:, 1], weights)

    def _scores(self, observations: Observations) -> BinaryTable:
        table = label_scores(observations)
        two = two_labels(observations, self.words, self.instead)
        if not isinstance(two, str):
            return positive_column(table, two.positive)
        if self.symmetric and observations.parameters.positive is None and _complementary(table):
            found = positive_column(table, max(table.labels))
            return BinaryTable(found.scores, found.positive, found.reasons, "either")
        zeros = np.zeros(len(table.reasons))
        return BinaryTable(zeros, zeros, [reason or two for reason in table.reasons], "")


class _OneVersusRest(_Area):
    """The mean of the areas of each label's score against all others, over the labels that occur among the references.

    Statistics: (score, reference is this label) for each label. A draw without any example of one of them has no value.
    """

    by_support = False
    """Whether labels count by how often they are the reference, or all the same."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (score, reference is this label) for each label in the order of ``labels``, (n, 2 x labels)."""
        table = label_scores(observations)
        present = np.array([reason is None for reason in table.reasons], dtype=bool)
        k = 2 * len(table.labels)
        rows = np.empty((int(present.sum()), len(table.labels), 2))
        rows[..., 0] = table.scores[present]
        rows[..., 1] = table.reference[present, None] == np.arange(len(table.labels))
        signature = f"{self.name}|one-vs-rest|classes:of the references|ties:{self.ties}"
        return assemble(rows.reshape(len(rows), k), table.reasons, signature, k, table.labels)

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the mean area under each row of weights, (draws,)."""
        weights, occurring = np.asarray(weights), _occurring(array)
        values = np.full(len(weights), np.nan)
        memberships = np.stack([positive for _, positive in occurring], axis=1) if occurring else array[:, :0]
        for rows in row_blocks(len(weights), len(array)) if occurring else ():
            block = weights[rows]
            areas = np.stack([self.area(scores, positive, block) for scores, positive in occurring], axis=1)
            shares = block @ memberships if self.by_support else np.ones_like(areas)
            with np.errstate(all="ignore"):
                values[rows] = across(areas * shares) / across(shares)
        return values

    def area_and_slopes(self, array: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean area under weights (n,), and its derivative by each of them, (n,)."""
        total, sizes, areas = np.zeros(len(array)), 0.0, 0.0
        for scores, positive in _occurring(np.asfortranarray(array)):
            size = float(weights @ positive) if self.by_support else 1.0
            area, slopes = self.area_and_slope(scores, positive, weights)
            if self.by_support:
                slopes *= size
                slopes += positive * area
            total += slopes
            sizes, areas = sizes + size, areas + size * area
        if sizes == 0:
            return float("nan"), np.full(len(array), np.nan)
        value = areas / sizes
        if self.by_support:
            total -= value
        total /= sizes
        return value, total


class RocAuc(_Roc, _Binary):
    """The chance that a positive example scores above a negative one, ties counting half.

    Equal to ``sklearn.metrics.roc_auc_score``. Where the positive label is not declared and the two scores add up to 1,
    either label gives this value.
    """

    name = "roc_auc"
    label = "ROC-AUC"
    words = "binary ROC-AUC"
    instead = "roc_auc_macro"
    symmetric = True


class RocAucMacro(_Roc, _OneVersusRest):
    """The mean ROC-AUC of each class against the rest; ``roc_auc_score(multi_class="ovr", average="macro")``."""

    name = "roc_auc_macro"
    label = "Macro ROC-AUC"


class RocAucWeighted(_Roc, _OneVersusRest):
    """The ROC-AUC of each class against the rest, by its share of the references; ``average="weighted"``."""

    name = "roc_auc_weighted"
    label = "Weighted ROC-AUC"
    by_support = True


class PrAuc(_PrecisionRecall, _Binary):
    """The average precision of the positive label; equal to ``sklearn.metrics.average_precision_score``."""

    name = "pr_auc"
    label = "PR-AUC"
    words = "binary PR-AUC"
    instead = "pr_auc_macro"


class PrAucMacro(_PrecisionRecall, _OneVersusRest):
    """The mean average precision of each class against the rest; ``average_precision_score(average="macro")``."""

    name = "pr_auc_macro"
    label = "Macro PR-AUC"


def _occurring(array: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the scores and the membership of each label that occurs among the references."""
    return [
        (array[:, column], array[:, column + 1]) for column in range(0, array.shape[1], 2) if array[:, column + 1].any()
    ]


def _complementary(table: LabelTable) -> bool:
    present = np.array([reason is None for reason in table.reasons], dtype=bool)
    return len(table.labels) == 2 and bool((np.abs(table.scores[present].sum(axis=1) - 1) <= SUM_TOLERANCE).all())
