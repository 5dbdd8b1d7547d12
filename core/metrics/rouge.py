"""ROUGE's F-measures, 0-1 (Lin, 2004): means over examples, equal to rouge_score's with the same tokenizer."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence

from core.metrics.lcs import lcs_fmeasure, summary_fmeasure
from core.metrics.metric import Observations, Statistics
from core.metrics.rows import RatioMetric, assemble, texts_and_references
from core.metrics.tokens import EveryScriptTokenizer


class RougeMetric(RatioMetric):
    """ROUGE's F-measure, 0-1: the mean over examples, each against the best of its references."""

    family = "generation"
    kinds = frozenset({"generation"})
    test = "mean"
    version = 2
    undefined = "no example has a text and a reference with words"
    choices = ""
    """What the signature says beside tokenizer and measure."""

    def units(self, text: str) -> list[list[str]]:
        """Return the tokenized sentences that are compared: the whole text as one."""
        return [EveryScriptTokenizer().tokenize(text)]

    @abstractmethod
    def fmeasure(self, reference: list[list[str]], text: list[list[str]]) -> float:
        """Return the F-measure of two texts, each as `units` gives it."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return (F-measure, 1) for each example, (n, 2)."""
        texts, references, reasons = texts_and_references(observations)
        rows: list[tuple[float, float]] = []
        for index, reason in enumerate(reasons):
            if reason is not None:
                continue
            compared = [self.units(reference) for reference in references[index]]
            if not any(sentence for sentences in compared for sentence in sentences):
                reasons[index] = "the reference has no words"
                continue
            text = self.units(texts[index])
            rows.append((max(self.fmeasure(reference, text) for reference in compared), 1.0))
        signature = f"{self.name}|f-measure|tok:{EveryScriptTokenizer.signature}|refs:best{self.choices}"
        return assemble(rows, reasons, signature, 2)


class Rouge1(RougeMetric):
    """ROUGE-1: the F-measure of the words that text and reference share."""

    name, label = "rouge_1", "ROUGE-1"

    def fmeasure(self, reference: list[list[str]], text: list[list[str]]) -> float:
        """Return the F-measure of clipped word counts."""
        return _ngram_fmeasure(reference[0], text[0], 1)


class Rouge2(RougeMetric):
    """ROUGE-2: the F-measure of the pairs of words that text and reference share."""

    name, label = "rouge_2", "ROUGE-2"

    def fmeasure(self, reference: list[list[str]], text: list[list[str]]) -> float:
        """Return the F-measure of clipped counts of word pairs."""
        return _ngram_fmeasure(reference[0], text[0], 2)


class RougeL(RougeMetric):
    """ROUGE-L: the F-measure of the longest common subsequence of words."""

    name, label = "rouge_l", "ROUGE-L"

    def fmeasure(self, reference: list[list[str]], text: list[list[str]]) -> float:
        """Return the F-measure of `core.metrics.lcs.lcs_fmeasure`."""
        return lcs_fmeasure(reference[0], text[0])


class RougeLsum(RougeMetric):
    """ROUGE-Lsum: the F-measure of longest common subsequences sentence by sentence, where a sentence is a line."""

    name, label = "rouge_lsum", "ROUGE-Lsum"
    choices = "|sentences:lines"

    def units(self, text: str) -> list[list[str]]:
        """Return the tokenized lines of a text."""
        words = EveryScriptTokenizer().tokenize
        return [words(line) for line in text.split("\n") if line]

    def fmeasure(self, reference: list[list[str]], text: list[list[str]]) -> float:
        """Return the F-measure of `core.metrics.lcs.summary_fmeasure`."""
        return summary_fmeasure(reference, text)


def _ngram_fmeasure(reference: Sequence[str], text: Sequence[str], order: int) -> float:
    wanted, found = (Counter(zip(*(words[k:] for k in range(order)), strict=False)) for words in (reference, text))
    common = (wanted & found).total()
    if not common:
        return 0.0
    precision, recall = common / found.total(), common / wanted.total()
    return 2 * precision * recall / (precision + recall)
