from __future__ import annotations

import numpy as np
import pytest
import sacrebleu

from core.metrics.metric import Observations
from core.metrics.registry import get_metric
from core.metrics.tokens import bleu_tokenizer
from tests.core.metrics.made import drawn_texts, observe, total

SCORES_OF_NOTHING_SAID = {
    "bleu": 0, "chrf": 0, "chrf++": 0, "ter": 100, "length_ratio": 0, "rouge_1": 0, "rouge_2": 0, "rouge_l": 0,
    "rouge_lsum": 0, "meteor": 0, "exact_match": 0, "token_f1": 0,
}  # fmt: skip
REFEREES = {
    "bleu": sacrebleu.BLEU, "chrf": sacrebleu.CHRF, "chrf++": lambda: sacrebleu.CHRF(word_order=2), "ter": sacrebleu.TER,
}  # fmt: skip
CHINESE = (["我要退货。", "三天后到", "好的", "是"], ["我需要退货。", "三天以后到货", "好的，谢谢", "不是"])


def english(texts: list[str], references: list) -> Observations:
    return observe(texts, references, languages=["en"] * len(texts))


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


@pytest.mark.parametrize("name", REFEREES)
def test_what_is_counted_of_references_serves_each_variant_and_no_other_references(name: str) -> None:
    texts, references = drawn_texts(0)
    others, further = drawn_texts(1)
    for said, wanted in ((texts, references), (others, references), (texts, further), (others, references)):
        expected = REFEREES[name]().corpus_score(said, [wanted]).score
        assert total(get_metric(name), english(said, wanted)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["chrf", "chrf++", "ter"])
@pytest.mark.parametrize("seed", range(3))
def test_chrf_and_ter_equal_sacrebleu(name: str, seed: int) -> None:
    texts, references = drawn_texts(seed)
    expected = REFEREES[name]().corpus_score(texts, [references]).score
    assert expected > 1
    assert total(get_metric(name), english(texts, references)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", list(REFEREES))
def test_several_references_equal_sacrebleu_also_in_varying_number(name: str) -> None:
    texts, first = drawn_texts(7)
    second = drawn_texts(8)[1]
    lists = [[one, two] if index % 3 else [one] for index, (one, two) in enumerate(zip(first, second, strict=True))]
    streams = [first, [two if index % 3 else None for index, two in enumerate(second)]]
    observed = english(texts, lists)
    expected = REFEREES[name]().corpus_score(texts, streams).score
    assert total(get_metric(name), observed) == pytest.approx(expected, abs=1e-9)
    assert "nrefs:var" in get_metric(name).statistics(observed).signature


@pytest.mark.parametrize("name", list(REFEREES))
@pytest.mark.parametrize("seed", range(2))
def test_integer_weights_are_a_repeated_corpus(name: str, seed: int) -> None:
    texts, references = drawn_texts(seed)
    metric = get_metric(name)
    weights = np.random.default_rng(seed).integers(0, 4, (4, len(texts)))
    values = metric.value(weights @ metric.statistics(english(texts, references)).array)
    for row, value in zip(weights, values, strict=True):
        repeated = [np.repeat(np.array(some, dtype=object), row).tolist() for some in (texts, references)]
        assert value == pytest.approx(REFEREES[name]().corpus_score(repeated[0], [repeated[1]]).score, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("language", "tokenizer"), [("en", "13a"), ("de", "intl"), ("zh", "zh"), ("ja", "char")])
def test_the_length_ratio_is_that_of_bleus_lengths(seed: int, language: str, tokenizer: str) -> None:
    texts, references = drawn_texts(seed)
    bleu = sacrebleu.BLEU(tokenize=tokenizer).corpus_score(texts, [references])
    observed = observe(texts, references, languages=[language] * len(texts))
    assert total(get_metric("length_ratio"), observed) == pytest.approx(bleu.sys_len / bleu.ref_len, rel=1e-12)
    assert get_metric("length_ratio").direction_free


def test_chinese_is_counted_by_character() -> None:
    texts, references = CHINESE
    observed = observe(texts, references, languages=["zh"] * 4)
    bleu = sacrebleu.BLEU(tokenize="zh").corpus_score(texts, [references]).score
    ter = sacrebleu.TER(normalized=True, asian_support=True).corpus_score(texts, [references]).score
    assert total(get_metric("bleu"), observed) == pytest.approx(bleu, abs=1e-9)
    assert bleu > 10
    assert total(get_metric("ter"), observed) == pytest.approx(ter, abs=1e-9)
    assert ter < 80, "a sentence is more than one word"
    signature = get_metric("ter").statistics(observed).signature
    assert "norm:yes" in signature and "asian:yes" in signature
    for name in ("rouge_1", "meteor", "token_f1"):
        assert total(get_metric(name), observed) > 0.4, name
        assert total(get_metric(name), observe(references, references)) > 0.9, name


def test_japanese_is_counted_by_character_and_the_signature_says_so() -> None:
    texts, references = ["返品したいです", "三日かかります"], ["返品したいのです", "三日ほどかかります"]
    observed = observe(texts, references, languages=["ja", "en"])
    expected = sacrebleu.BLEU(tokenize="char").corpus_score(texts, [references]).score
    assert total(get_metric("bleu"), observed) == pytest.approx(expected, abs=1e-9)
    assert sacrebleu.BLEU(tokenize="intl").corpus_score(texts, [references]).score < 1 < expected
    assert "tok:char" in get_metric("bleu").statistics(observed).signature


def test_signatures_are_of_the_dataset_not_of_what_is_missing() -> None:
    texts, lists = ["a b c d", "e f g h"], [["a b c d"], ["e f g h", "i"]]
    whole = get_metric("bleu").statistics(observe(texts, lists, languages=["en", "zh"]))
    partial = get_metric("bleu").statistics(observe([texts[0], None], lists, languages=["en", "zh"]))
    assert whole.signature == partial.signature
    assert partial.missing.tolist() == [False, True]


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ((), "13a"), ((None, "en"), "13a"), (("en-GB",), "13a"), (("en", "fr"), "intl"), (("fr", "zh-CN"), "zh"),
        (("ja", "en"), "char"), (("ja_JP", "zh"), "char"), (("ko",), "intl"), (("th",), "char"), (("yue-Hant",), "zh"),
    ],
)  # fmt: skip
def test_one_tokenizer_for_a_dataset(languages: tuple[str | None, ...], expected: str) -> None:
    assert bleu_tokenizer(languages) == expected


def test_the_script_speaks_for_examples_without_a_language() -> None:
    chinese, japanese, latin = ["我要退货"], ["返品したいです"], ["the 寿司 was good"]
    assert bleu_tokenizer((), [chinese, latin]) == "zh"
    assert bleu_tokenizer((), [japanese] * 2 + [latin] * 18) == "char"
    assert bleu_tokenizer((), [japanese] + [latin] * 19) == "13a", "one in twenty is no language of the dataset"
    assert bleu_tokenizer(["en", "en"], [chinese, chinese]) == "13a", "what is stated wins"
    assert bleu_tokenizer(["de", None], [["gut"], chinese]) == "zh"
    assert bleu_tokenizer((), [[], ["!!!"], latin]) == "13a"


@pytest.mark.parametrize("name", list(SCORES_OF_NOTHING_SAID))
def test_an_empty_reference_is_no_reference_and_an_empty_text_is_a_text(name: str) -> None:
    statistics = get_metric(name).statistics(observe(["a b c d", "", "a"], ["  ", "a b c d", None]))
    assert statistics.missing.tolist() == [True, False, True]
    assert statistics.reasons[0] == "the example has no reference"
    assert get_metric(name).value(statistics.array.sum(axis=0)) == SCORES_OF_NOTHING_SAID[name]


@pytest.mark.parametrize("name", list(SCORES_OF_NOTHING_SAID))
def test_an_unreadable_answer_is_scored_as_an_empty_text(name: str) -> None:
    observed = observe([None, None], ["a b c d", "e"], reasons=["no match", "failed"], unreadable=[True, False])
    statistics = get_metric(name).statistics(observed)
    assert statistics.missing.tolist() == [False, True]
    assert get_metric(name).value(statistics.array.sum(axis=0)) == SCORES_OF_NOTHING_SAID[name]


@pytest.mark.parametrize("name", list(SCORES_OF_NOTHING_SAID))
def test_nothing_to_score_gives_no_value(name: str) -> None:
    assert np.isnan(total(get_metric(name), observe([None], ["a"])))
    assert np.isnan(total(get_metric(name), observe([], [])))
