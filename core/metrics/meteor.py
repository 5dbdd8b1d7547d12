"""METEOR by nltk: words matched as they are, by their stems and, where WordNet is installed, as synonyms."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from core.metrics.metric import Observations, Statistics
from core.metrics.rows import RatioMetric, assemble, texts_and_references
from core.metrics.tokens import EveryScriptTokenizer
from core.metrics.wordnet import NoSynonyms, Synonyms, find_wordnet, wordnet_mark


class Meteor(RatioMetric):
    """METEOR, 0-1, averaged over examples: ``nltk.translate.meteor_score`` (Lavie & Agarwal, 2007), its parameters its own.

    Words are those of ROUGE, so Chinese and Japanese go by character; Porter's stems and WordNet's synonyms are English
    and do nothing elsewhere. nltk looks stems up in WordNet: "stopped" (stop) finds "halt", "automobile" (automobil)
    nothing. Of several references the best. A value with synonyms is never compared with one without: the signature says
    which WordNet was there.
    """

    name = "meteor"
    label = "METEOR"
    family = "generation"
    kinds = frozenset({"generation"})
    test = "mean"
    distributions = ("nltk",)
    undefined = "no example has a text and a reference with words"

    def environment(self) -> str:
        """Return which WordNet is installed, so that kept statistics are not taken for those of another or of none."""
        return f"wordnet:{wordnet_mark()}"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (score, 1) for each example, (n, 2)."""
        synonyms = find_wordnet() or NoSynonyms()
        texts, references, reasons = texts_and_references(observations)
        words = EveryScriptTokenizer().tokenize
        rows: list[tuple[float, float]] = []
        for index, reason in enumerate(reasons):
            if reason is not None:
                continue
            compared = [tokens for reference in references[index] if (tokens := words(reference))]
            if compared:
                rows.append((meteor(compared, words(texts[index]), synonyms), 1.0))
            else:
                reasons[index] = "the reference has no words"
        signature = (
            f"meteor|synonyms:{synonyms.name}|stem:porter|tok:{EveryScriptTokenizer.signature}|alpha:0.9|beta:3|gamma:0.5"
            f"|refs:best|nltk:{version('nltk')}"
        )
        return assemble(rows, reasons, signature, 2)


def meteor(references: Sequence[Sequence[str]], text: Sequence[str], synonyms: Synonyms) -> float:
    """Return METEOR of one tokenized text against the best of its tokenized references."""
    from nltk.translate.meteor_score import meteor_score

    return float(meteor_score(references, text, wordnet=synonyms))  # pyright: ignore[reportArgumentType]
