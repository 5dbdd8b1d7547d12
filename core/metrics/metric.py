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

Unit = Literal["share", "points", "nats", "perplexity", "bits", "seconds", "tokens/s", "bytes", "number"]
"""``share`` is 0-1 and shown as percentage points; ``points`` is 0-100 as the field reports it."""


@dataclass(frozen=True)
class Observations:
    """All that a metric may look at for one task and one variant; every sequence has one entry an example (length n)."""

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
    family: str
    kinds: frozenset[Kind]
    """The kinds of task that it applies to."""
    higher_is_better: bool = True
    unit: Unit = "share"
    needs: Literal["prediction", "likelihood"] = "prediction"
    test: Literal["rate", "mean", "corpus"] = "corpus"
    """``rate``: statistics are (0 or 1, 1), tested by McNemar's mid-p; ``mean``: (x, 1), sign-flip; ``corpus``: swap test."""
    by_language: bool = False
    """Whether the value is also shown for each language apart."""
    version: int = 1
    """Raised when `statistics` comes to return other numbers for the same observations; kept statistics are keyed by it."""
    distributions: tuple[str, ...] = ()
    """Installed packages whose version moves the statistics; part of the key too."""
    undefined: str = "no value"
    """Why `value` is undefined where it gives NaN, as a sentence for the reader."""

    @abstractmethod
    def statistics(self, observations: Observations) -> Statistics:
        """Return the statistics of each example."""

    @abstractmethod
    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the value of weighted sums of statistics.

        Args:
            sums: float64, (..., k).

        Returns:
            float64, (...); NaN where the value is undefined (it never leaves `core.compare` as NaN).
        """

    def per_example(self, statistics: Statistics) -> np.ndarray:
        """Return each example's own value, (n,); NaN where missing or undefined. For lists and scatter plots."""
        with np.errstate(all="ignore"):
            values = np.asarray(self.value(statistics.array), dtype=np.float64)
        return np.where(statistics.missing, np.nan, values)
