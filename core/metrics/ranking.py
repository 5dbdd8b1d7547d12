"""Metrics of ranked documents with graded or binary relevance: NDCG, average precision, reciprocal rank, and what is among the first k.

Each is a mean over examples; tied scores are averaged over all their orders (see `core.metrics.ranked_lists`). Graded
relevances count as relevant above 0 where only two grades matter. An example without a relevant document has no value.
"""

from __future__ import annotations

import re
from abc import abstractmethod

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.ranked_lists import RankedLists, read_rankings
from core.metrics.rows import RatioMetric, assemble, finite_rows

LISTED = (1, 3, 5, 10)
"""The cut-offs that the literature reports; any other can be asked for by name."""
TIES = "ties:averaged|not returned:gains nothing"


class RankingMetric(RatioMetric):
    """A mean over examples of a score of their ranking. Statistics: (score, 1)."""

    family = "ranking"
    kinds = frozenset({"ranking"})
    test = "mean"
    undefined = "no example has scores and a relevant document"
    details: str = "relevant:>0"

    @abstractmethod
    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return the score of each list, (n present,)."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (score, 1) for each example, (n, 2)."""
        lists, reasons = read_rankings(observations)
        rows = np.stack([self.scores(lists), np.ones(lists.n)], axis=1)
        rows, reasons = finite_rows(rows, reasons, "the relevances are too large for their gains")
        return assemble(rows, reasons, f"{self.name}|{self.details}|{TIES}", 2)


class CutOffMetric(RankingMetric):
    """A ranking metric of the first k documents; ``stem_at_k`` names it for any k."""

    stem: str
    label_stem: str
    listed: tuple[int, ...] = LISTED

    def __init__(self, k: int = 10) -> None:
        """Look at the first ``k`` documents."""
        self.k = k
        self.name, self.label = f"{self.stem}_at_{k}", f"{self.label_stem}@{k}"

    @classmethod
    def instances(cls) -> tuple[Metric, ...]:
        """Return the metric at the usual cut-offs."""
        return tuple(cls(k) for k in cls.listed)

    @classmethod
    def parse(cls, name: str) -> Metric | None:
        """Return the metric at the cut-off that the name says, a whole number of at least 1."""
        found = re.fullmatch(rf"{cls.stem}_at_([1-9]\d{{0,8}})", name)
        return None if found is None else cls(int(found[1]))


class NdcgAtK(CutOffMetric):
    """Normalised discounted cumulative gain of the first k, the relevance itself as gain (Järvelin & Kekäläinen, 2002).

    Equal to ``sklearn.metrics.ndcg_score(k=k)``, whose ties are averaged too.
    """

    stem, label_stem, details = "ndcg", "NDCG", "gain:linear"

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return NDCG of each list, (n present,)."""
        return lists.expected_ndcg(_linear, self.k)


class Ndcg(RankingMetric):
    """Normalised discounted cumulative gain of the whole list, linear gain; equal to ``sklearn.metrics.ndcg_score``."""

    name, label, details = "ndcg", "NDCG", "gain:linear"

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return NDCG of each list, (n present,)."""
        return lists.expected_ndcg(_linear, None)


class NdcgExponentialAtK(CutOffMetric):
    """NDCG of the first k with the gain 2^relevance - 1, which favours the highest grades (Burges et al., 2005)."""

    stem, label_stem, details = "ndcg_exp", "NDCG (exponential gain)", "gain:exponential"
    listed = (5,)

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return NDCG of each list, (n present,)."""
        return lists.expected_ndcg(lambda relevance: np.exp2(relevance) - 1, self.k)


class MeanAveragePrecision(RankingMetric):
    """The mean over examples of average precision; a relevant document that was not returned adds 0."""

    name, label = "map", "MAP"

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return average precision of each list, (n present,)."""
        return lists.expected_average_precision()


class MeanReciprocalRank(RankingMetric):
    """The mean over examples of 1 / rank of the first relevant document; 0 where none was returned."""

    name, label = "mrr", "MRR"

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return the reciprocal rank of each list, (n present,)."""
        return lists.expected_reciprocal_rank()


class PrecisionAtK(CutOffMetric):
    """The share of the first k that is relevant; a list shorter than k is still divided by k, as in trec_eval."""

    stem, label_stem = "precision", "Precision"

    def __init__(self, k: int = 10) -> None:
        """Look at the first ``k`` documents; of one alone the precision is 0 or 1 where it is not tied."""
        super().__init__(k)
        self.test = "rate" if k == 1 else "mean"

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return precision of each list, (n present,)."""
        return lists.expected_hits(self.k) / self.k


class RecallAtK(CutOffMetric):
    """The share of an example's relevant documents that is among the first k."""

    stem, label_stem = "recall", "Recall"

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return recall of each list, (n present,)."""
        return lists.expected_hits(self.k) / lists.total


class HitRateAtK(CutOffMetric):
    """The share of examples with a relevant document among the first k (trec_eval's success)."""

    stem, label_stem = "hit_rate", "Hit rate"
    test = "rate"

    def scores(self, lists: RankedLists) -> np.ndarray:
        """Return the probability of a hit for each list, (n present,); 0 or 1 where no ties matter."""
        return lists.hit_chance(self.k)


def _linear(relevance: np.ndarray) -> np.ndarray:
    return relevance
