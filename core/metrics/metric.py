"""What a metric is: statistics per example, and a value of their weighted sums.

From the statistics alone come the value, its bootstrap interval, the paired difference, every slice, and the examples
that moved it; no metric is ever computed by looping over resamples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from core.records import Kind, Likelihood

_POSITIVE = {"1": "0", "yes": "no", "true": "false", "positive": "negative", "pos": "neg"}
"""Labels that everybody reads as positive, with their opposite."""

Unit = Literal["share", "points", "nats", "perplexity", "bits", "seconds", "tokens/s", "bytes", "joules", "number"]
"""``share`` is 0-1 and shown as percentage points; ``points`` is 0-100 as the field reports it."""

Resampling = Literal["examples", "blocks", "none"]
"""What an interval resamples: ``examples`` (or their clusters); ``blocks`` of neighbouring examples, for time series
(stationary block bootstrap); ``none``: there is no interval, and the metric says why."""


@dataclass(frozen=True)
class Parameters:
    """What a task says to its metrics; all of it belongs into the signature of a metric that reads it."""

    positive: str | None = None
    """The label that counts as positive where there are two; None where none was declared (see `positive_label`)."""
    threshold_split: str | None = None
    """A tag (``split=dev``) whose examples choose the decision threshold and are left out of the value."""
    periods_per_year: float = 252.0
    """How many returns a year has; ratios of returns are annualised by it."""
    tokenizer: str = ""
    """A fingerprint of the models' tokenizer; empty where it is not known."""


@dataclass(frozen=True)
class Observations:
    """All that a metric may look at for one task and one variant; every sequence has one entry an example (length n).

    What ``predictions`` and ``references`` hold goes by ``kind``: classification and medical: a label (text); regression: a
    number; multilabel: a tuple of labels; ranking: a tuple of scores and a list of relevances, both aligned with
    ``options`` (-inf: the system did not return that document); generation: a text, and a text or a list of texts;
    finance: a position and the return of that period, examples in time order; vision: a list of
    ``{"box": [x1, y1, x2, y2], "label": str, "score": float}`` and a list of ``{"box", "label"}``; likelihood: nothing, see
    ``likelihoods``.
    """

    example_ids: Sequence[str]
    predictions: Sequence[Any]
    """What `core.predict` read (see `core.records.Prediction.value`); None where there is none."""
    references: Sequence[Any]
    reasons: Sequence[str | None]
    """Why a prediction is None."""
    likelihoods: Sequence[Likelihood | None] = ()
    """Of the reference; empty for tasks without."""
    scores: Sequence[tuple[float, ...]] = ()
    """Option probabilities (see `core.records.Prediction.scores`)."""
    labels: tuple[str, ...] = ()
    """The label set of the task."""
    languages: Sequence[str | None] = ()
    unreadable: Sequence[bool] = ()
    """Where the answer rule read nothing out of a generated text: the prediction is None, and wrong rather than missing.
    Empty for tasks without an answer rule."""
    likelihood_reasons: Sequence[str | None] = ()
    """Why a likelihood is None; empty where ``likelihoods`` is."""
    kind: Kind | None = None
    """The task's kind, for metrics of several kinds; None where a script passed predictions and references alone."""
    options: Sequence[tuple[str, ...]] = ()
    """What could be chosen in each example; ``scores`` (and a ranking's predictions) are in its order."""
    tags: Sequence[tuple[str, ...]] = ()
    """``field=value`` strings of each example."""
    parameters: Parameters = Parameters()


@dataclass(frozen=True)
class Statistics:
    """The sufficient statistics of one metric, task and variant."""

    array: np.ndarray
    """float64, (n examples, k). A row of an example without value is all zero and marked in ``missing``."""
    missing: np.ndarray
    """bool, (n,)."""
    reasons: tuple[str | None, ...]
    """Why an example is missing; None where it is not."""
    signature: str
    """Every choice that moves the number; values with different signatures are never differenced."""
    labels: tuple[str, ...] = field(default=())
    """Names of the columns where they mean something to a reader (the classes of F1)."""


class Metric(ABC):
    """One metric. Subclasses set the class attributes and implement the two functions."""

    name: str
    """Snake case, as in a task's ``metrics``: ``rouge_l``."""
    label: str
    """As the field writes it: ``ROUGE-L``."""
    definition: str = ""
    """What it is, in one sentence without a full stop; where empty, the first sentence of the class's documentation."""
    family: str
    kinds: frozenset[Kind]
    """The kinds of task that it applies to."""
    higher_is_better: bool = True
    direction_free: bool = False
    """Whether neither more nor less is better (a length ratio): a difference then has its interval but no verdict."""
    unit: Unit = "share"
    needs: Literal["prediction", "scores", "likelihood"] = "prediction"
    """``scores``: the prediction's scores of the options rather than the prediction itself."""
    test: Literal["rate", "mean", "corpus"] = "corpus"
    """``rate``: statistics are (0 or 1, 1), tested by McNemar's mid-p; ``mean``: (x, 1), sign-flip; ``corpus``: swap test."""
    proportion: bool = False
    """Whether the statistics are (hit, among those it is counted in), both 0 or 1, and the value their ratio, a binomial share
    of some of the examples (precision, recall): its interval is Wilson's, whatever ``test`` says of differences."""
    by_language: bool = False
    """Whether the value is also shown for each language apart."""
    by_label: bool = False
    """Whether the metric is a row for each label: statistics are k columns for each of ``Statistics.labels``, in their
    order, and `value` takes the k columns of one label."""
    ordered: bool = False
    """Whether the value needs the order of the examples' scores, so that sums do not suffice: `weighted_values` is then
    what defines it, and `value` raises TypeError."""
    resampling: Resampling = "examples"
    no_interval: str = ""
    """Where ``resampling`` is ``none``: why no interval makes sense, as a sentence for the reader."""
    bounds: tuple[float | None, float | None] = (0.0, 1.0)
    """The lowest and highest value that there can be, in the metric's own unit; None where there is no limit."""
    caution: str = ""
    """What a reader has to know of the interval or the number, as one sentence (a biased bootstrap, say)."""
    version: int = 1
    """Raised when `statistics` comes to return other numbers for the same observations; kept statistics are keyed by it."""
    distributions: tuple[str, ...] = ()
    """Installed packages whose version moves the statistics; part of the key too."""
    undefined: str = "no value"
    """Why `value` is undefined where it gives NaN, as a sentence for the reader."""

    @classmethod
    def instances(cls) -> tuple[Metric, ...]:
        """Return the metrics of this class that are listed: itself, or one for each usual value of a parameter."""
        return (cls(),)

    def environment(self) -> str:
        """Return what of this machine beside ``distributions`` moves the statistics; kept ones are keyed by it too.

        It is asked for whenever a page opens: nothing heavy may be imported for it.
        """
        return ""

    @classmethod
    def parse(cls, name: str) -> Metric | None:
        """Return the metric that a name with a parameter means (``ndcg_at_7``), or None where it is not of this class."""
        return None

    def resampling_for(self, kind: Kind | None) -> Resampling:
        """Return what an interval resamples in tasks of one kind; only a metric of several kinds overrides this."""
        return self.resampling

    @abstractmethod
    def statistics(self, observations: Observations) -> Statistics:
        """Return the statistics of each example."""

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the value of weighted sums of statistics; every metric that is not ``ordered`` defines it.

        Args:
            sums: float64, (..., k).

        Returns:
            float64, (...); NaN where the value is undefined (it never leaves `core.compare` as NaN).

        Raises:
            TypeError: the metric is ordered.
        """
        raise TypeError(f"{self.name} is no function of sums; use weighted_values")

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the value under each row of example weights; an ordered metric overrides this.

        Weights are whole numbers of at least 0 (how often an example is in a resample): the value under weights is that
        of the examples repeated so often, ties among scores included.

        Args:
            array: `Statistics.array`, (n, k), rows of missing examples zero; their weights are zero too.
            weights: (draws, n).

        Returns:
            float64, (draws,); NaN where undefined.
        """
        return np.asarray(self.value(np.asarray(weights, dtype=np.float64) @ array), dtype=np.float64)

    def influence(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """Return each example's influence on the value: its derivative by the example's weight, float64 (n,).

        Where there are thousands of examples, intervals come from these instead of resamples (the infinitesimal
        jackknife; Efron & Tibshirani, 1993, ch. 21). For functions of sums it is made by differences (`core.stats`); an
        ordered metric returns its own (DeLong's for ROC-AUC) or None, and is then resampled at any size.

        Args:
            array: (n, k).
            weights: (n,), 1 for the examples that take part and 0 for the others.
        """
        return None

    def value_and_influence(self, array: np.ndarray) -> tuple[float, np.ndarray | None]:
        """Return an ordered metric's value of examples that count once each, and their `influence`; NaN where undefined.

        A metric whose value and influences come from one sort overrides this.

        Args:
            array: (n, k), at least one row.
        """
        ones = np.ones(len(array))
        with np.errstate(all="ignore"):
            return float(self.weighted_values(array, ones[None])[0]), self.influence(array, ones)

    def incomparable(self, mine: Statistics, theirs: Statistics) -> str | None:
        """Return why two variants' statistics of the same examples must not be differenced, None where they may be."""
        if mine.signature == theirs.signature:
            return None
        return f"the two are computed differently: {mine.signature} and {theirs.signature}"

    def per_example(self, statistics: Statistics) -> np.ndarray:
        """Return each example's own value, (n,); NaN where missing or undefined. For lists and scatter plots."""
        if self.ordered or self.by_label:
            return np.full(len(statistics.array), np.nan)
        with np.errstate(all="ignore"):
            values = np.asarray(self.value(statistics.array), dtype=np.float64)
        return np.where(statistics.missing, np.nan, values)


def positive_label(labels: Sequence[str], parameters: Parameters) -> str | None:
    """Return which of two labels is positive: the declared one, else that of a pair such as yes and no; else None.

    Args:
        labels: The label set, in any order.
        parameters: Of the task.
    """
    if parameters.positive is not None:
        return parameters.positive
    folded = {label.casefold(): label for label in labels}
    for positive, negative in _POSITIVE.items():
        if set(folded) == {positive, negative}:
            return folded[positive]
    return None
