from __future__ import annotations

import re
import string
from collections import Counter

import numpy as np
import pytest

from core.metrics.registry import get_metric
from tests.core.metrics.made import drawn_texts, observe, total


def squad_f1(prediction: str, truth: str) -> float:
    """Return the F1 as the evaluation script of SQuAD 2.0 words it: its steps, one by one."""

    def normal(text: str) -> list[str]:
        text = "".join(character for character in text.lower() if character not in set(string.punctuation))
        return re.sub(r"\b(a|an|the)\b", " ", text).split()

    found, wanted = normal(prediction), normal(truth)
    if not found or not wanted:
        return float(found == wanted)
    same = sum((Counter(found) & Counter(wanted)).values())
    if not same:
        return 0.0
    precision, recall = same / len(found), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("seed", range(3))
def test_token_f1_of_english_equals_squads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = ["The", "a", "an", "cat", "Cat.", "don't", "$5", "x-y", "the", "the-end", "mat,"]
    texts = [" ".join(rng.choice(words, rng.integers(0, 7))) for _ in range(80)]
    references = [" ".join(rng.choice(words, rng.integers(1, 7))) for _ in range(80)]
    metric = get_metric("token_f1")
    statistics = metric.statistics(observe(texts, references, languages=["en"] * 80))
    expected = [squad_f1(text, reference) for text, reference in zip(texts, references, strict=True)]
    np.testing.assert_allclose(metric.per_example(statistics), expected, atol=1e-12)
    assert len(set(expected)) > 5


@pytest.mark.parametrize("seed", range(3))
def test_token_f1_of_other_scripts_equals_a_count_by_hand(seed: int) -> None:
    texts, references = drawn_texts(seed)
    observed = observe(texts, references, languages=["de"] * len(texts))

    def tokens(text: str) -> Counter[str]:
        plain = text.casefold().replace(".", "").replace("。", "").replace("-", "")
        return Counter(re.findall(r"[一-鿿]|[^\s一-鿿]+", plain))

    expected = [
        2 * (tokens(text) & tokens(reference)).total() / (tokens(text).total() + tokens(reference).total())
        for text, reference in zip(texts, references, strict=True)
    ]
    metric = get_metric("token_f1")
    np.testing.assert_allclose(metric.per_example(metric.statistics(observed)), expected, atol=1e-12)
    assert total(metric, observed) == pytest.approx(np.mean(expected))


def test_english_articles_count_in_other_languages() -> None:
    texts, references = ["der a Zug", "the train"], ["der Zug", "train"]
    metric = get_metric("token_f1")
    german = metric.per_example(metric.statistics(observe(texts, references, languages=["de", "de"])))
    np.testing.assert_allclose(german, [0.8, 2 / 3])
    assert metric.per_example(metric.statistics(observe(texts, references))).tolist() == [1, 1]


def test_token_f1_takes_the_best_reference_and_knows_one_without_words() -> None:
    statistics = get_metric("token_f1").statistics(observe(["two cats", "x"], [["one", "Two cats!"], "!!!"]))
    assert statistics.array[0].tolist() == [1, 1]
    assert statistics.reasons == (None, "the reference has no words")
    assert "articles:dropped in English" in statistics.signature


def test_exact_match_ignores_the_amount_of_space_and_nothing_else() -> None:
    texts = ["  a  b\n", "A b", "", "e\u0301", "two", None]
    references = ["a b", "a b", "x", "é", ["one", "two"], "z"]
    statistics = get_metric("exact_match").statistics(observe(texts, references))
    assert statistics.array[:, 0].tolist() == [1, 0, 0, 1, 1, 0]
    assert statistics.missing.tolist() == [False] * 5 + [True]
    assert statistics.reasons[5] == "the model failed"
