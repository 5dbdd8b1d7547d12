"""How varied a text's own words are, without looking at its reference: distinct n-grams and repetition."""

from __future__ import annotations

import re

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import RatioMetric, assemble, missing_reasons
from core.metrics.tokens import EveryScriptTokenizer

_NAME = re.compile(r"distinct_([1-9])")


class DistinctNgrams(RatioMetric):
    """The share of a text's n-grams of words that are distinct, averaged over texts (after Li et al., 2016).

    Li et al. count over a whole corpus, which falls with its size; a text's own share does not. Texts of fewer than n words
    have no n-grams and no value.
    """

    family = "generation"
    kinds = frozenset({"generation"})
    test = "mean"

    def __init__(self, order: int = 1) -> None:
        """Count n-grams of ``order`` words, 1 to 9."""
        self.order = order
        self.name = f"distinct_{order}"
        self.label = f"Distinct-{order}"
        self.undefined = f"no text has {_words(order)}"
        counted = {1: "words", 2: "pairs of words"}.get(order, f"runs of {order} words")
        self.definition = (
            f"The share of a text's {counted} that are distinct, averaged over texts (after Li et al., 2016)"
        )

    @classmethod
    def instances(cls) -> tuple[Metric, ...]:
        """Return distinct_1 and distinct_2."""
        return cls(1), cls(2)

    @classmethod
    def parse(cls, name: str) -> Metric | None:
        """Return the metric of a name such as ``distinct_3``."""
        found = _NAME.fullmatch(name)
        return cls(int(found[1])) if found else None

    def statistics(self, observations: Observations) -> Statistics:
        """Return (distinct share, 1) for each example, (n, 2)."""
        return _shares(observations, self.name, self.order, repeated=False)


class Repetition(RatioMetric):
    """The share of a text's 4-grams of words that repeat an earlier one, averaged: seq-rep-4 of Welleck et al. (2020).

    1 - distinct 4-grams / 4-grams; 0 where nothing is said twice. They count the model's tokens, here words count. Texts of
    fewer than four words have no value.
    """

    name = "repetition"
    label = "Repetition"
    family = "generation"
    kinds = frozenset({"generation"})
    higher_is_better = False
    test = "mean"
    undefined = "no text has 4 words"
    order = 4

    def statistics(self, observations: Observations) -> Statistics:
        """Return (repeated share, 1) for each example, (n, 2)."""
        return _shares(observations, self.name, self.order, repeated=True)


def _shares(observations: Observations, name: str, order: int, repeated: bool) -> Statistics:
    words = EveryScriptTokenizer().tokenize
    reasons = missing_reasons(observations, [True] * len(observations.example_ids))
    rows: list[tuple[float, float]] = []
    for index, reason in enumerate(reasons):
        if reason is not None:
            continue
        text = words(str(observations.predictions[index] or ""))
        n_grams = len(text) - order + 1
        if n_grams < 1:
            reasons[index] = f"the text has fewer than {_words(order)}" if order > 1 else "the text has no words"
            continue
        distinct = len(set(zip(*(text[k:] for k in range(order)), strict=False))) / n_grams
        rows.append((1 - distinct if repeated else distinct, 1.0))
    return assemble(rows, reasons, f"{name}|order:{order}|tok:{EveryScriptTokenizer.signature}", 2)


def _words(order: int) -> str:
    return f"{order} words" if order > 1 else "a word"
