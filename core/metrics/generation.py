"""Metrics of generated texts against references: BLEU, chrF, ROUGE and exact match.

An empty text is a text and is scored; an empty reference is no reference. Several references (a list) are scored as the
defining tool does: BLEU by clipped counts over all of them, chrF and ROUGE by the best, exact match by any.
"""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, cast

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rouge import EveryScriptTokenizer, lcs_fmeasure
from core.metrics.rows import RatioMetric, across, assemble, texts_and_references


class SacrebleuMetric(Metric):
    """A corpus metric whose per-segment statistics sacrebleu defines (Post, 2018)."""

    family = "generation"
    kinds = frozenset({"generation"})
    unit = "points"
    distributions = ("sacrebleu",)
    undefined = "no example has a text and a reference"
    k: int

    @abstractmethod
    def scorer(self, observations: Observations) -> Any:
        """Return the sacrebleu metric that reads the statistics of these observations."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return sacrebleu's own statistics of each segment, (n, k)."""
        texts, references, reasons = texts_and_references(observations)
        scorer = self.scorer(observations)
        present = [index for index, reason in enumerate(reasons) if reason is None]
        most = max((len(references[index]) for index in present), default=0)
        by_position = [
            [references[index][position] if position < len(references[index]) else None for index in present]
            for position in range(most)
        ]
        rows = scorer._extract_corpus_statistics([texts[index] for index in present], by_position) if present else []
        counts = {len(some) for some in references if some}
        scorer.num_refs = counts.pop() if len(counts) == 1 else -1
        return assemble(rows, reasons, f"{self.name}|{scorer.get_signature()}", self.k)


class Bleu(SacrebleuMetric):
    """Corpus BLEU, 0-100 (Papineni et al., 2002), equal to ``sacrebleu.BLEU().corpus_score``.

    One tokenizer for a dataset, named in the signature: ``zh`` if any example is Chinese, ``13a`` if all are English or
    of no stated language, else ``intl``. Statistics, in sacrebleu's order: length of the text, length of the reference,
    matches of 1- to 4-grams, totals of 1- to 4-grams.
    """

    name = "bleu"
    label = "BLEU"
    k = 10

    def scorer(self, observations: Observations) -> Any:
        """Return sacrebleu's BLEU with the dataset's tokenizer, exponential smoothing and no effective order."""
        from sacrebleu.metrics.bleu import BLEU

        return BLEU(tokenize=bleu_tokenizer(observations.languages), force=True)

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

    def scorer(self, observations: Observations) -> Any:
        """Return sacrebleu's chrF with its defaults: order 6, no word n-grams, beta 2, spaces left out."""
        from sacrebleu.metrics.chrf import CHRF

        return CHRF()

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return chrF of sums (..., 18), (...): ``sacrebleu.CHRF``'s formula, vectorised; NaN without a reference."""
        sums = np.asarray(sums, dtype=np.float64)
        orders = sums.reshape(*sums.shape[:-1], 6, 3)
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


def bleu_tokenizer(languages: Sequence[str | None]) -> str:
    """Return the name of sacrebleu's tokenizer for a dataset whose examples are in these languages."""
    codes = {language.lower().replace("_", "-").split("-")[0] for language in languages if language}
    if "zh" in codes:
        return "zh"
    return "13a" if codes <= {"en"} else "intl"


class RougeMetric(RatioMetric):
    """ROUGE's F-measure, 0-1 (Lin, 2004): the mean over examples, equal to rouge_score with the same tokenizer."""

    family = "generation"
    kinds = frozenset({"generation"})
    test = "mean"
    distributions = ("rouge_score",)
    undefined = "no example has a text and a reference with words"

    @abstractmethod
    def fmeasures(self, texts: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
        """Return the F-measure of each text against the best of its references."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (F-measure, 1) for each example, (n, 2)."""
        texts, references, reasons = texts_and_references(observations)
        words = EveryScriptTokenizer().tokenize
        for index, reason in enumerate(reasons):
            if reason is None and not any(words(reference) for reference in references[index]):
                reasons[index] = "the reference has no words"
        present = [index for index, reason in enumerate(reasons) if reason is None]
        scores = self.fmeasures([texts[index] for index in present], [references[index] for index in present])
        signature = (
            f"{self.name}|f-measure|tok:{EveryScriptTokenizer.signature}|refs:best|rouge_score:{version('rouge_score')}"
        )
        return assemble([(score, 1.0) for score in scores], reasons, signature, 2)


class Rouge1(RougeMetric):
    """ROUGE-1: shared words."""

    name, label = "rouge_1", "ROUGE-1"

    def fmeasures(self, texts: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
        """Return rouge_score's F-measures."""
        return _ngram_fmeasures("rouge1", texts, references)


class Rouge2(RougeMetric):
    """ROUGE-2: shared pairs of words."""

    name, label = "rouge_2", "ROUGE-2"

    def fmeasures(self, texts: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
        """Return rouge_score's F-measures."""
        return _ngram_fmeasures("rouge2", texts, references)


class RougeL(RougeMetric):
    """ROUGE-L: the longest common subsequence of words."""

    name, label = "rouge_l", "ROUGE-L"

    def fmeasures(self, texts: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
        """Return the F-measures by `core.metrics.rouge.lcs_fmeasure`."""
        words = EveryScriptTokenizer().tokenize
        pairs = zip(texts, references, strict=True)
        return [max(lcs_fmeasure(words(reference), words(text)) for reference in some) for text, some in pairs]


class ExactMatch(RatioMetric):
    """The share of texts equal to one of their references; case counts, the amount of white space does not."""

    name = "exact_match"
    label = "Exact match"
    family = "generation"
    kinds = frozenset({"generation"})
    test = "rate"
    undefined = "no example has a text and a reference"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (equal, 1) for each example, (n, 2)."""
        texts, references, reasons = texts_and_references(observations)
        rows = [
            (float(_normalised(text) in {_normalised(reference) for reference in some}), 1.0)
            for text, some, reason in zip(texts, references, reasons, strict=True)
            if reason is None
        ]
        return assemble(rows, reasons, "exact_match|case:mixed|unicode:nfc|space:collapsed", 2)


def _ngram_fmeasures(kind: str, texts: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    # rouge_score imports nltk, which takes seconds: only who computes statistics pays for it.
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([kind], tokenizer=cast(Any, EveryScriptTokenizer()))
    pairs = zip(texts, references, strict=True)
    return [float(scorer.score_multi(list(some), text)[kind].fmeasure) for text, some in pairs]


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
