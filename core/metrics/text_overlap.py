"""How much of an answer's words is right: exact match and token F1, as question answering counts them."""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

import regex

from core.metrics.metric import Observations, Statistics
from core.metrics.rows import RatioMetric, assemble, texts_and_references
from core.metrics.tokens import base_language, split_characters

_PUNCTUATION = regex.compile(rf"[\p{{P}}{regex.escape(string.punctuation)}]")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]")
_ENGLISH_ARTICLES = frozenset({"a", "an", "the"})


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


class TokenF1(RatioMetric):
    """F1 of the words that text and reference share, 0-1, averaged over examples (Rajpurkar et al., 2016: SQuAD's F1).

    As SQuAD's script: case and punctuation do not count, nor do the English articles where an example is in English or
    states no language; where nothing is left of one of the two, 1 if nothing is left of both (SQuAD 2.0). Beyond it: all of
    Unicode's punctuation, and each Chinese or Japanese character is a word (Cui et al., 2019). Of several references the
    best.
    """

    name = "token_f1"
    label = "Token F1"
    family = "generation"
    kinds = frozenset({"generation"})
    test = "mean"
    undefined = "no example has a text and a reference with words"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (F1, 1) for each example, (n, 2)."""
        texts, references, reasons = texts_and_references(observations)
        languages = observations.languages if len(observations.languages) else [None] * len(texts)
        rows: list[tuple[float, float]] = []
        for index, reason in enumerate(reasons):
            if reason is not None:
                continue
            if not any(_WORD.search(reference) for reference in references[index]):
                reasons[index] = "the reference has no words"
                continue
            english = base_language(languages[index]) in (None, "en")
            text = answer_tokens(texts[index], english)
            scores = [token_f1(answer_tokens(reference, english), text) for reference in references[index]]
            rows.append((max(scores), 1.0))
        signature = "token_f1|case:folded|punct:dropped|articles:dropped in English|tok:space, han and kana by character|refs:best"
        return assemble(rows, reasons, signature, 2)


def answer_tokens(text: str, english: bool) -> list[str]:
    """Return the words of an answer: case folded, without punctuation and, in English, without articles."""
    folded = unicodedata.normalize("NFC", text).casefold()
    words = _PUNCTUATION.sub("", folded).split()
    return [token for word in words if not (english and word in _ENGLISH_ARTICLES) for token in split_characters(word)]


def token_f1(reference: Sequence[str], text: Sequence[str]) -> float:
    """Return the F1 of two lists of words as bags."""
    if not reference or not text:
        return float(not reference and not text)
    common = (Counter(reference) & Counter(text)).total()
    return 2 * common / (len(reference) + len(text))


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
