from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from core.metrics.generation import bleu_tokenizer
from core.metrics.registry import get_metric
from core.metrics.rouge import EveryScriptTokenizer, lcs_length
from tests.core.metrics.made import drawn_texts, observe, total

TEXT_METRICS = ("bleu", "chrf", "rouge_1", "rouge_2", "rouge_l", "exact_match")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("languages", "tokenizer"), [(None, "13a"), ("de", "intl"), ("zh", "zh")])
def test_bleu_equals_sacrebleu(seed: int, languages: str | None, tokenizer: str) -> None:
    texts, references = drawn_texts(seed)
    expected = sacrebleu.BLEU(tokenize=tokenizer).corpus_score(texts, [references]).score
    observed = observe(texts, references, languages=[languages, *["en"] * 59])
    assert expected > 1
    assert total(get_metric("bleu"), observed) == pytest.approx(expected, abs=1e-9)
    assert f"tok:{tokenizer}" in get_metric("bleu").statistics(observed).signature


@pytest.mark.parametrize(
    ("texts", "references"),
    [
        (["cat"], ["the cat sat on the mat"]),  # no 2-grams at all
        (["a b c d e"], ["a b x d e"]),  # no 3-gram matches: smoothing
        (["a b c d e f"], ["a x c y e z"]),  # none of orders 2 to 4
        (["", ""], ["a b", "c"]),  # nothing said
        (["q r s t u"], ["a b c d e"]),  # nothing right
        (["a b c d", ""], ["a b c d", "e f g h i j k"]),  # too short: brevity penalty
        (["a b c d e f g h"], ["a b c d"]),  # too long
    ],
)  # fmt: skip
def test_bleu_and_chrf_equal_sacrebleu_at_the_edges(texts: list[str], references: list[str]) -> None:
    observed = observe(texts, references)
    bleu, chrf = sacrebleu.BLEU().corpus_score(texts, [references]), sacrebleu.CHRF().corpus_score(texts, [references])
    assert total(get_metric("bleu"), observed) == pytest.approx(bleu.score, abs=1e-9)
    assert total(get_metric("chrf"), observed) == pytest.approx(chrf.score, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_chrf_equals_sacrebleu(seed: int) -> None:
    texts, references = drawn_texts(seed)
    expected = sacrebleu.CHRF().corpus_score(texts, [references]).score
    assert total(get_metric("chrf"), observe(texts, references)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_several_references_equal_sacrebleu_also_in_varying_number(name: str) -> None:
    texts, first = drawn_texts(7)
    second = drawn_texts(8)[1]
    lists = [[one, two] if index % 3 else [one] for index, (one, two) in enumerate(zip(first, second, strict=True))]
    streams = [first, [two if index % 3 else None for index, two in enumerate(second)]]
    referee = sacrebleu.BLEU() if name == "bleu" else sacrebleu.CHRF()
    assert total(get_metric(name), observe(texts, lists)) == pytest.approx(
        referee.corpus_score(texts, streams).score, abs=1e-9
    )
    assert "nrefs:var" in get_metric(name).statistics(observe(texts, lists)).signature


@pytest.mark.parametrize("name", ["bleu", "chrf"])
@pytest.mark.parametrize("seed", range(3))
def test_integer_weights_are_a_repeated_corpus(name: str, seed: int) -> None:
    texts, references = drawn_texts(seed)
    metric = get_metric(name)
    weights = np.random.default_rng(seed).integers(0, 4, (5, len(texts)))
    values = metric.value(weights @ metric.statistics(observe(texts, references)).array)
    referee = sacrebleu.BLEU() if name == "bleu" else sacrebleu.CHRF()
    for row, value in zip(weights, values, strict=True):
        repeated = [np.repeat(np.array(some, dtype=object), row).tolist() for some in (texts, references)]
        assert value == pytest.approx(referee.corpus_score(repeated[0], [repeated[1]]).score, abs=1e-9)


def test_signatures_are_of_the_dataset_not_of_what_is_missing() -> None:
    texts, lists = ["a b c d", "e f g h"], [["a b c d"], ["e f g h", "i"]]
    whole = get_metric("bleu").statistics(observe(texts, lists, languages=["en", "zh"]))
    partial = get_metric("bleu").statistics(observe([texts[0], None], lists, languages=["en", "zh"]))
    assert whole.signature == partial.signature
    assert partial.missing.tolist() == [False, True]


@pytest.mark.parametrize(
    ("languages", "expected"),
    [((), "13a"), ((None, "en"), "13a"), (("en-GB",), "13a"), (("en", "fr"), "intl"), (("fr", "zh-CN"), "zh")],
)
def test_one_tokenizer_for_a_dataset(languages: tuple[str | None, ...], expected: str) -> None:
    assert bleu_tokenizer(languages) == expected


@pytest.mark.parametrize("name", ["rouge_1", "rouge_2", "rouge_l"])
@pytest.mark.parametrize("seed", range(3))
def test_rouge_equals_rouge_score_with_the_same_tokenizer(name: str, seed: int) -> None:
    texts, references = drawn_texts(seed)
    kind = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}[name]
    scorer = RougeScorer([kind], tokenizer=EveryScriptTokenizer())
    expected = [scorer.score(reference, text)[kind].fmeasure for text, reference in zip(texts, references, strict=True)]
    metric = get_metric(name)
    statistics = metric.statistics(observe(texts, references))
    np.testing.assert_allclose(metric.per_example(statistics), expected, atol=1e-12)
    assert total(metric, observe(texts, references)) == pytest.approx(np.mean(expected), abs=1e-9)


@pytest.mark.parametrize("name", ["rouge_1", "rouge_2", "rouge_l"])
def test_rouge_takes_the_best_of_several_references(name: str) -> None:
    kind = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}[name]
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


def test_lcs_length_equals_the_table() -> None:
    from rouge_score.rouge_scorer import _lcs_table

    rng = np.random.default_rng(3)
    for _ in range(60):
        left, right = (
            rng.choice(list("abcde"), rng.integers(1, 90)).tolist(),
            rng.choice(list("abcde"), rng.integers(1, 90)).tolist(),
        )
        assert lcs_length(left, right) == _lcs_table(left, right)[-1][-1]
    assert lcs_length([], ["a"]) == lcs_length(["a"], []) == 0


def test_exact_match_ignores_the_amount_of_space_and_nothing_else() -> None:
    texts = ["  a  b\n", "A b", "", "e\u0301", "two", None]
    references = ["a b", "a b", "x", "é", ["one", "two"], "z"]
    statistics = get_metric("exact_match").statistics(observe(texts, references))
    assert statistics.array[:, 0].tolist() == [1, 0, 0, 1, 1, 0]
    assert statistics.missing.tolist() == [False] * 5 + [True]
    assert statistics.reasons[5] == "the model failed"


@pytest.mark.parametrize("name", TEXT_METRICS)
def test_an_empty_reference_is_no_reference_and_an_empty_text_is_a_text(name: str) -> None:
    statistics = get_metric(name).statistics(observe(["a b c d", "", "a"], ["  ", "a b c d", None]))
    assert statistics.missing.tolist() == [True, False, True]
    assert statistics.reasons[0] == "the example has no reference"
    assert get_metric(name).value(statistics.array.sum(axis=0)) == 0


@pytest.mark.parametrize("name", TEXT_METRICS)
def test_an_unreadable_answer_is_scored_as_an_empty_text(name: str) -> None:
    observed = observe([None, None], ["a b c d", "e"], reasons=["no match", "failed"], unreadable=[True, False])
    statistics = get_metric(name).statistics(observed)
    assert statistics.missing.tolist() == [False, True]
    assert get_metric(name).value(statistics.array.sum(axis=0)) == 0


@pytest.mark.parametrize("name", TEXT_METRICS)
def test_nothing_to_score_gives_no_value(name: str) -> None:
    assert np.isnan(total(get_metric(name), observe([None], ["a"])))
    assert np.isnan(total(get_metric(name), observe([], [])))


def test_a_reference_without_words_has_no_rouge() -> None:
    statistics = get_metric("rouge_l").statistics(observe(["a"], ["!!!"]))
    assert statistics.missing.tolist() == [True]
    assert statistics.reasons == ("the reference has no words",)
