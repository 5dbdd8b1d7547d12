"""Every metric as an `evaluate.Metric`: equal to its referee through that library, or a sentence why it cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sacrebleu
from scipy.stats import spearmanr
from sklearn import metrics as sk

from core.errors import InputError
from core.metrics.exchange import as_evaluate
from core.metrics.registry import all_metrics

evaluate = pytest.importorskip("evaluate")


@pytest.fixture(autouse=True)
def _quiet_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluate.config.HF_METRICS_CACHE", tmp_path_factory.getbasetemp() / "evaluate")


def value(name: str, **inputs: Any) -> Any:
    return as_evaluate(name).compute(**inputs)[name]


def test_a_metric_computes_as_an_evaluate_metric() -> None:
    accuracy = as_evaluate("accuracy")
    assert isinstance(accuracy, evaluate.Metric)
    assert accuracy.name == "accuracy"
    assert accuracy.compute(predictions=["a", "b", "a"], references=["a", "a", "a"]) == {
        "accuracy": pytest.approx(2 / 3)
    }


def test_metrics_combine() -> None:
    texts, references = (
        ["the cat sat on the mat", "hello there you two", "谢谢 你"],
        ["the cat sat on a mat", "hello there, you two", "谢谢 你们"],
    )
    combined = evaluate.combine(
        [as_evaluate("bleu"), as_evaluate("chrf"), as_evaluate("rouge_l"), as_evaluate("exact_match")]
    )
    values = combined.compute(predictions=texts[:2], references=references[:2])
    assert values["bleu"] == pytest.approx(sacrebleu.corpus_bleu(texts[:2], [references[:2]]).score, abs=1e-9)
    assert values["chrf"] == pytest.approx(sacrebleu.corpus_chrf(texts[:2], [references[:2]]).score, abs=1e-9)
    assert values["exact_match"] == 0
    assert set(values) == {"bleu", "chrf", "rouge_l", "exact_match"}


def test_metrics_of_labels_and_of_probabilities_combine(rng: np.random.Generator) -> None:
    truth = rng.integers(0, 2, 60)
    scores = np.round(np.clip(0.3 + 0.3 * truth + rng.normal(0, 0.2, 60), 0.01, 0.99), 1)
    combined = evaluate.combine([as_evaluate("f1"), as_evaluate("roc_auc"), as_evaluate("ece")])
    values = combined.compute(
        predictions=[str(int(score >= 0.5)) for score in scores], references=[str(one) for one in truth],
        prediction_scores=scores.tolist(),
    )  # fmt: skip
    assert values["f1"] == pytest.approx(sk.f1_score(truth, scores >= 0.5))
    assert values["roc_auc"] == pytest.approx(sk.roc_auc_score(truth, scores))
    assert 0 < values["ece"] < 1


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_probabilities_of_two_labels_and_of_many(rng: np.random.Generator) -> None:
    truth = np.concatenate([np.arange(12), rng.integers(0, 12, 60)])
    scores = rng.dirichlet(np.ones(12), 72)
    labels = [str(one) for one in truth]
    for references in (labels, truth.tolist()):
        found = value("log_loss", prediction_scores=scores.tolist(), references=references)
        assert found == pytest.approx(sk.log_loss(truth, scores))
    assert value("accuracy", predictions=[0, 1, 1], references=[0, 1, 0]) == pytest.approx(2 / 3)
    assert value("roc_auc_macro", prediction_scores=scores.tolist(), references=labels) == pytest.approx(
        sk.roc_auc_score(truth, scores, multi_class="ovr")
    )
    binary = truth % 2
    assert value(
        "pr_auc", prediction_scores=scores[:, 0].tolist(), references=[str(one) for one in binary]
    ) == pytest.approx(sk.average_precision_score(binary, scores[:, 0]))
    named = as_evaluate("roc_auc", labels=["no", "yes"], positive="no")
    answers = np.where(binary == 1, "yes", "no").tolist()
    assert named.compute(prediction_scores=scores[:, 0].tolist(), references=answers)["roc_auc"] == pytest.approx(
        sk.roc_auc_score(1 - binary, 1 - scores[:, 0])
    )


def test_scores_that_are_not_one_for_each_label_are_refused() -> None:
    with pytest.raises(InputError, match=r"found 2 scores for 3 labels \(a, b, c\); expected one for each label"):
        value("log_loss", prediction_scores=[[0.5, 0.5]] * 3, references=["a", "b", "c"])
    with pytest.raises(InputError, match=r"found one score, which is for two labels, for 3 labels"):
        value("log_loss", prediction_scores=[0.5] * 3, references=["a", "b", "c"])


def test_numbers_and_what_is_none(rng: np.random.Generator) -> None:
    truth, said = np.round(rng.normal(size=50), 1), np.round(rng.normal(size=50), 1)
    assert value("spearman", predictions=said.tolist(), references=truth.tolist()) == pytest.approx(
        spearmanr(said, truth).statistic
    )
    assert value("r2", predictions=said.tolist(), references=truth.tolist()) == pytest.approx(sk.r2_score(truth, said))
    told = [*map(str, said.tolist()[:3]), "much"]
    assert value("unparsable", predictions=told, references=["1", "2", "3", "4"]) == 0.25
    assert value("mae", predictions=told, references=["1", "2", "3", "4"]) == pytest.approx(
        sk.mean_absolute_error([1, 2, 3], said[:3])
    )
    assert value("pearson", predictions=[1.0, None, 2.0, 4.0], references=[1.0, 9.0, 2.0, 3.0]) == pytest.approx(
        np.corrcoef([1, 2, 4], [1, 2, 3])[0, 1]
    )


def test_sets_of_labels(rng: np.random.Generator) -> None:
    names = np.array(["a", "b", "c"])
    truth, said = rng.random((40, 3)) < 0.4, rng.random((40, 3)) < 0.4
    inputs = {
        "predictions": [names[row].tolist() for row in said],
        "references": [names[row].tolist() for row in truth],
    }
    assert value("hamming_loss", **inputs) == pytest.approx(sk.hamming_loss(truth, said))
    assert value("f1_micro", **inputs) == pytest.approx(sk.f1_score(truth, said, average="micro"))
    assert value("f1_micro", predictions=["a", "b"], references=["a", "a"]) == pytest.approx(0.5)


def test_rankings_positions_and_boxes(rng: np.random.Generator) -> None:
    relevance, scores = rng.integers(0, 3, (20, 6)).astype(float), np.round(rng.normal(size=(20, 6)), 1)
    relevance[:, 0] = 1
    expected = np.mean([sk.ndcg_score([one], [other], k=5) for one, other in zip(relevance, scores, strict=True)])
    assert value("ndcg_at_5", predictions=scores.tolist(), references=relevance.tolist()) == pytest.approx(expected)
    first = as_evaluate("hit_rate").compute(predictions=[[2.0, 1.0]], references=[[0.0, 1.0]])
    assert first["hit_rate"] == 1
    assert value("hit_rate", predictions=[1.0, -1.0, 1.0], references=[0.1, 0.2, 0.3]) == pytest.approx(2 / 3)
    returns = [0.1, -0.2, 0.05, 0.3]
    curve = np.cumprod([1, *(1 + one for one in returns)])
    worst = np.min(curve / np.maximum.accumulate(curve) - 1)
    assert abs(value("max_drawdown", predictions=[1.0] * 4, references=returns)) == pytest.approx(-worst)
    box = {"box": [0.0, 0.0, 2.0, 2.0], "label": "cat"}
    assert value("iou", predictions=[[{**box, "score": 0.9}], []], references=[[box], [box]]) == pytest.approx(0.5)


def test_a_metric_with_a_row_for_each_label_gives_one_value_for_each() -> None:
    values = value("f1_per_class", predictions=["a", "b", "a"], references=["a", "a", "b"])
    assert values == {"a": pytest.approx(0.5), "b": 0.0}


def test_several_references_are_taken() -> None:
    computed = as_evaluate("exact_match").compute(predictions=["b", "x"], references=[["a", "b"], ["c"]])
    assert computed == {"exact_match": 0.5}


def test_what_is_undefined_is_none() -> None:
    assert as_evaluate("bleu").compute(predictions=["a"], references=[""]) == {"bleu": None}
    assert as_evaluate("roc_auc", labels=["a", "b"]).compute(prediction_scores=[0.4, 0.6], references=["a", "a"]) == {
        "roc_auc": None
    }


def test_likelihoods_cannot_be_passed_and_unknown_names_are_answered() -> None:
    with pytest.raises(InputError, match="'perplexity' needs log-likelihoods; evaluate passes predictions"):
        as_evaluate("perplexity")
    with pytest.raises(InputError, match="unknown metric 'acuracy'"):
        as_evaluate("acuracy")


EXAMPLES: dict[str, dict[str, Any]] = {
    "generation": {"predictions": ["a b c a b c", "谢谢"], "references": ["a b d a", "谢谢"]},
    "classification": {"predictions": ["yes", "no", "yes", "no"], "references": ["yes", "no", "no", "yes"]},
    "scores": {"prediction_scores": [0.9, 0.2, 0.6, 0.4], "references": ["yes", "no", "no", "yes"]},
    "multilabel": {"predictions": [["a"], []], "references": [["a", "b"], []]},
    "regression": {"predictions": [1.0, 2.0, 4.0], "references": [1.0, 3.0, 3.5]},
    "ranking": {"predictions": [[2.0, 1.0], [1.0, 1.0]], "references": [[0.0, 1.0], [2.0, 0.0]]},
    "finance": {"predictions": [1.0, -1.0, 1.0], "references": [0.1, -0.2, -0.05]},
    "vision": {
        "predictions": [[{"box": [0.0, 0.0, 1.0, 2.0], "label": "a", "score": 0.5}]],
        "references": [[{"box": [0.0, 0.0, 2.0, 2.0], "label": "a"}]],
    },
}
SHORT = {"generation", "classification", "multilabel", "regression", "ranking", "finance", "vision"}


@pytest.mark.parametrize("name", sorted(all_metrics()))
def test_every_metric_computes_or_says_why_not(name: str) -> None:
    metric = all_metrics()[name]
    if metric.needs == "likelihood":
        with pytest.raises(InputError, match="log-likelihoods"):
            as_evaluate(name)
        return
    form = "scores" if metric.needs == "scores" else sorted(metric.kinds & SHORT)[0]
    found = value(name, **EXAMPLES[form])
    for one in found.values() if isinstance(found, dict) else [found]:
        assert isinstance(one, float) and np.isfinite(one), f"{name}: {found}"
