"""Corpus metrics of generated texts against references, as sacrebleu defines them: BLEU, chrF, TER and the length ratio.

An empty text is a text and is scored; an empty reference is no reference. Several references (a list) are scored as
sacrebleu does: BLEU by clipped counts over all of them, chrF by the best, TER by the fewest edits over the mean length.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import RatioMetric, across, assemble, texts_and_references
from core.metrics.tokens import bleu_tokenizer

KEPT_SEGMENTS = 5_000
"""Counts of up to so many references are kept for the next variant: about 20 kB each."""


class SacrebleuMetric(Metric):
    """A corpus metric whose per-segment statistics sacrebleu defines (Post, 2018)."""

    family = "generation"
    kinds = frozenset({"generation"})
    unit = "points"
    bounds = (0.0, 100.0)
    distributions = ("sacrebleu",)
    undefined = "no example has a text and a reference"
    k: int

    @abstractmethod
    def scorer(self, tokenizer: str) -> Any:
        """Return the sacrebleu metric that reads the statistics of a dataset with this tokenizer of BLEU's."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return sacrebleu's own statistics of each segment, (n, k)."""
        texts, references, reasons = texts_and_references(observations)
        tokenizer = bleu_tokenizer(observations.languages, references)
        rows, scorer = _segment_statistics(self.scorer, tokenizer, texts, references, reasons)
        return assemble(rows, reasons, f"{self.name}|{scorer.get_signature()}", self.k)


def _segment_statistics(
    make: Callable[[str], Any], tokenizer: str, texts: Sequence[str], references: Sequence[Sequence[str]],
    reasons: Sequence[str | None],
) -> tuple[list[list[float]], Any]:  # fmt: skip
    """Return the statistics of the examples that are not missing, and the scorer, told how many references there are."""
    scorer = make(tokenizer)
    present = [index for index, reason in enumerate(reasons) if reason is None]
    most = max((len(references[index]) for index in present), default=0)
    by_position = tuple(
        tuple(references[index][position] if position < len(references[index]) else None for index in present)
        for position in range(most)
    )
    counts = {len(some) for some in references if some}
    rows = []
    if present:
        # All variants of a task have the same references: what is counted of them serves the next variant too.
        count = _counted if len(present) <= KEPT_SEGMENTS else _counted.__wrapped__
        scorer._ref_cache = count(make, tokenizer, by_position)
        rows = scorer._extract_corpus_statistics([texts[index] for index in present], None)
        scorer._ref_cache = None
    scorer.num_refs = counts.pop() if len(counts) == 1 else -1
    return rows, scorer


@lru_cache(maxsize=4)
def _counted(make: Callable[[str], Any], tokenizer: str, by_position: tuple[tuple[str | None, ...], ...]) -> Any:
    """Return what sacrebleu counts of references, an entry for each segment."""
    return make(tokenizer)._cache_references(by_position)


class Bleu(SacrebleuMetric):
    """Corpus BLEU, 0-100 (Papineni et al., 2002), equal to ``sacrebleu.BLEU().corpus_score``.

    One tokenizer for a dataset, named in the signature, see `core.metrics.tokens.bleu_tokenizer`. Statistics, in
    sacrebleu's order: length of the text, length of the reference, matches of 1- to 4-grams, totals of 1- to 4-grams.
    """

    name = "bleu"
    label = "BLEU"
    k = 10
    version = 2

    def scorer(self, tokenizer: str) -> Any:
        """Return sacrebleu's BLEU with the dataset's tokenizer, exponential smoothing and no effective order."""
        from sacrebleu.metrics.bleu import BLEU

        return BLEU(tokenize=tokenizer, force=True)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return BLEU of sums (..., 10), (...): ``sacrebleu.BLEU.compute_bleu``, vectorised; NaN without a reference."""
        sums = np.asarray(sums, dtype=np.float64)
        text_length, reference_length = sums[..., 0], sums[..., 1]
        matches, totals = sums[..., 2:6], sums[..., 6:10]
        with np.errstate(all="ignore"):
            # Exponential smoothing: the i-th order without a match counts as 1 / 2^i of a match.
            unmatched = matches == 0
            halvings = np.cumsum(unmatched, axis=-1) if unmatched.any() else 0
            precisions = np.where(unmatched, np.exp2(-halvings), matches) / totals
            brevity = np.where(text_length < reference_length, np.exp(1 - reference_length / text_length), 1.0)
            score = 100 * brevity * np.exp(across(np.log(precisions)) / 4)
        score = np.where((across(matches) > 0) & (totals[..., 3] > 0), score, 0.0)
        return np.where(reference_length > 0, score, np.nan)


class Chrf(SacrebleuMetric):
    """Corpus chrF2, 0-100 (Popović, 2015), equal to ``sacrebleu.CHRF().corpus_score``.

    Statistics: for each order 1 to 6 of character n-grams those of the text, of the reference, and the matches.
    """

    name = "chrf"
    label = "chrF"
    k = 18
    beta = 2
    word_order = 0

    def scorer(self, tokenizer: str) -> Any:
        """Return sacrebleu's chrF with its defaults: order 6, beta 2, spaces left out; its words are its own."""
        from sacrebleu.metrics.chrf import CHRF

        return CHRF(word_order=self.word_order)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return chrF of sums (..., k), (...): ``sacrebleu.CHRF``'s formula, vectorised; NaN without a reference."""
        sums = np.asarray(sums, dtype=np.float64)
        orders = sums.reshape(*sums.shape[:-1], self.k // 3, 3)
        in_text, in_reference, matches = orders[..., 0], orders[..., 1], orders[..., 2]
        counts = (in_text > 0) & (in_reference > 0)
        factor = self.beta**2
        with np.errstate(all="ignore"):
            n_orders = across(counts)
            precision = across(np.where(counts, matches / in_text, 0.0)) / n_orders
            recall = across(np.where(counts, matches / in_reference, 0.0)) / n_orders
            score = 100 * (1 + factor) * precision * recall / (factor * precision + recall)
        score = np.where((n_orders > 0) & (precision + recall > 0), score, 0.0)
        return np.where(across(in_reference) > 0, score, np.nan)


class ChrfPlusPlus(Chrf):
    """Corpus chrF++, 0-100 (Popović, 2017): chrF with words and pairs of words, ``sacrebleu.CHRF(word_order=2)``.

    Statistics: as chrF's, then the same three for word n-grams of orders 1 and 2.
    """

    name = "chrf++"
    label = "chrF++"
    k = 24
    word_order = 2


class Ter(SacrebleuMetric):
    """Translation edit rate in points (Snover et al., 2006), equal to ``sacrebleu.TER().corpus_score``; above 100 there can be.

    Edits (insertions, deletions, substitutions, shifts of words) over the mean length of the references. Case does not
    count. Where BLEU's tokenizer for the dataset is one for Chinese or Japanese, words are Tercom's normalised ones with
    Chinese characters one by one (``sacrebleu.TER(normalized=True, asian_support=True)``): a sentence without spaces would be
    one word otherwise. Searching the shifts is slow for long texts: milliseconds for a sentence, about a second for 150 words
    that differ much. Statistics: (edits, mean length of the references).
    """

    name = "ter"
    label = "TER"
    higher_is_better = False
    bounds = (0.0, None)
    k = 2

    def scorer(self, tokenizer: str) -> Any:
        """Return sacrebleu's TER with its defaults, or with support for the dataset's script."""
        from sacrebleu.metrics.ter import TER

        split = tokenizer in ("zh", "char")
        return TER(normalized=split, asian_support=split)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return 100 edits over reference length of sums (..., 2), (...); NaN without a reference."""
        sums = np.asarray(sums, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.where(sums[..., 1] > 0, 100 * sums[..., 0] / sums[..., 1], np.nan)


class LengthRatio(RatioMetric):
    """Length of all texts over length of all references, in BLEU's tokens: ``sys_len / ref_len`` of ``sacrebleu.BLEU``.

    1 is as long as the references; of several the one nearest in length counts, as in BLEU's brevity penalty. Neither more
    nor less is better in itself. Statistics: (tokens of the text, tokens of the reference).
    """

    name = "length_ratio"
    label = "Length ratio"
    family = "generation"
    kinds = frozenset({"generation"})
    unit = "number"
    direction_free = True
    bounds = (0.0, None)
    distributions = ("sacrebleu",)
    undefined = "no example has a text and a reference"

    def statistics(self, observations: Observations) -> Statistics:
        """Return the first two of BLEU's statistics for each example, (n, 2)."""
        texts, references, reasons = texts_and_references(observations)
        tokenizer = bleu_tokenizer(observations.languages, references)
        rows, scorer = _segment_statistics(_word_counter, tokenizer, texts, references, reasons)
        lengths = [row[:2] for row in rows]
        return assemble(lengths, reasons, f"length_ratio|{scorer.get_signature()}", 2)


def _word_counter(tokenizer: str) -> Any:
    """Return sacrebleu's BLEU of single words, whose statistics hold the lengths."""
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=tokenizer, force=True, max_ngram_order=1)
