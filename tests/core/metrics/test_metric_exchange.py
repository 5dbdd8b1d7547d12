from __future__ import annotations

import pytest
import sacrebleu

from core.errors import InputError
from core.metrics.exchange import as_evaluate

evaluate = pytest.importorskip("evaluate")


def test_a_metric_computes_as_an_evaluate_metric() -> None:
    accuracy = as_evaluate("accuracy")
    assert isinstance(accuracy, evaluate.Metric)
    assert accuracy.name == "accuracy"
    assert accuracy.compute(predictions=["a", "b", "a"], references=["a", "a", "a"]) == {
        "accuracy": pytest.approx(2 / 3)
    }


def test_metrics_combine() -> None:
    texts, references = (
        ["the cat sat on the mat", "hello there you two"],
        ["the cat sat on a mat", "hello there, you two"],
    )
    combined = evaluate.combine(
        [as_evaluate("bleu"), as_evaluate("chrf"), as_evaluate("rouge_l"), as_evaluate("exact_match")]
    )
    values = combined.compute(predictions=texts, references=references)
    assert values["bleu"] == pytest.approx(sacrebleu.corpus_bleu(texts, [references]).score, abs=1e-9)
    assert values["chrf"] == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score, abs=1e-9)
    assert values["exact_match"] == 0
    assert set(values) == {"bleu", "chrf", "rouge_l", "exact_match"}


def test_several_references_are_taken() -> None:
    computed = as_evaluate("exact_match").compute(predictions=["b", "x"], references=[["a", "b"], ["c"]])
    assert computed == {"exact_match": 0.5}


def test_what_is_undefined_is_none() -> None:
    assert as_evaluate("bleu").compute(predictions=["a"], references=[""]) == {"bleu": None}


def test_likelihood_metrics_are_refused_with_a_sentence() -> None:
    with pytest.raises(InputError, match="needs log-likelihoods"):
        as_evaluate("perplexity")
