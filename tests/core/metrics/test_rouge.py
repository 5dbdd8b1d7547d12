from __future__ import annotations

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from core.metrics.lcs import lcs_length, lcs_positions
from core.metrics.registry import get_metric
from core.metrics.tokens import EveryScriptTokenizer
from tests.core.metrics.made import drawn_texts, observe, total

KINDS = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL", "rouge_lsum": "rougeLsum"}


@pytest.mark.parametrize("name", list(KINDS))
@pytest.mark.parametrize("seed", range(3))
def test_rouge_equals_rouge_score_with_the_same_tokenizer(name: str, seed: int) -> None:
    texts, references = drawn_texts(seed)
    kind = KINDS[name]
    scorer = RougeScorer([kind], tokenizer=EveryScriptTokenizer())
    expected = [scorer.score(reference, text)[kind].fmeasure for text, reference in zip(texts, references, strict=True)]
    metric = get_metric(name)
    statistics = metric.statistics(observe(texts, references))
    np.testing.assert_allclose(metric.per_example(statistics), expected, atol=1e-12)
    assert total(metric, observe(texts, references)) == pytest.approx(np.mean(expected), abs=1e-9)


@pytest.mark.parametrize("name", list(KINDS))
def test_rouge_takes_the_best_of_several_references(name: str) -> None:
    kind = KINDS[name]
    references = ["a dog ran home", "the cat sat there", ""]
    expected = RougeScorer([kind], tokenizer=EveryScriptTokenizer()).score_multi(references[:2], "the cat sat down")[
        kind
    ]
    assert total(get_metric(name), observe(["the cat sat down"], [references])) == pytest.approx(
        expected.fmeasure, abs=1e-9
    )


def test_the_tokenizer_keeps_every_script_and_agrees_with_rouge_score_on_ascii() -> None:
    words = EveryScriptTokenizer().tokenize
    assert words("Ich möchte 3 Äpfel!") == ["ich", "möchte", "3", "äpfel"]
    assert words("我要退货 FH-12") == ["我", "要", "退", "货", "fh", "12"]
    assert words("カメラ と ねこ") == ["カ", "メ", "ラ", "と", "ね", "こ"]
    assert words("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]
    assert words("e\u0301te\u0301") == words("été") == ["été"]
    assert words("*** $ _ -") == []
    from rouge_score.tokenizers import DefaultTokenizer

    text = "The order #4711, placed on 3 May, didn't arrive; please_help me!"
    assert words(text) == DefaultTokenizer().tokenize(text)


def test_subsequences_equal_the_table_of_rouge_score_ties_included() -> None:
    from rouge_score.rouge_scorer import _lcs_table, lcs_ind

    rng = np.random.default_rng(3)
    for letters in ("ab", "abcde", "abcdefghijklmno"):
        for _ in range(40):
            left, right = (rng.choice(list(letters), rng.integers(1, 90)).tolist() for _ in range(2))
            assert lcs_length(left, right) == _lcs_table(left, right)[-1][-1]
            assert lcs_positions(left, right) == lcs_ind(left, right)
    assert lcs_length([], ["a"]) == lcs_length(["a"], []) == 0
    assert lcs_positions([], ["a"]) == lcs_positions(["a"], []) == []


@pytest.mark.parametrize("seed", range(4))
def test_rouge_lsum_equals_rouge_score_line_by_line(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = ["a", "b", "c", "d", "e", "我", "。", "!"]

    def text() -> str:
        return "\n".join(" ".join(rng.choice(words, rng.integers(0, 9))) for _ in range(rng.integers(1, 5)))

    texts, references = ["", *(text() for _ in range(50))], ["a b", *(f"a {text()}" for _ in range(50))]
    scorer = RougeScorer(["rougeLsum"], tokenizer=EveryScriptTokenizer())
    expected = [
        scorer.score(reference, one)["rougeLsum"].fmeasure for one, reference in zip(texts, references, strict=True)
    ]
    metric = get_metric("rouge_lsum")
    np.testing.assert_allclose(metric.per_example(metric.statistics(observe(texts, references))), expected, atol=1e-12)
    whole = get_metric("rouge_l")
    assert not np.allclose(whole.per_example(whole.statistics(observe(texts, references))), expected), "lines count"


def test_a_reference_without_words_has_no_rouge() -> None:
    statistics = get_metric("rouge_l").statistics(observe(["a"], ["!!!"]))
    assert statistics.missing.tolist() == [True]
    assert statistics.reasons == ("the reference has no words",)
