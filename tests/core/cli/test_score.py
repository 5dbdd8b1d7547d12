"""``lorascope score``: numbers equal to the field's referees, and every bad input a sentence or one missing example."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from sklearn.metrics import accuracy_score, f1_score, ndcg_score, roc_auc_score

from core.cli.main import run
from core.compare import compare
from core.workspace import load_workspace
from tests.prediction_files import Row, Score, metrics_of, scorer, write

SAMPLE = Path(__file__).parents[3] / "sample_data"


@pytest.fixture
def score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Score:
    return scorer(tmp_path, capsys)


LABELS = ["billing", "returns", "账单"]


def classified(n: int = 60, seed: int = 0) -> list[Row]:
    """Return random answers of two systems, with probabilities; every fifth answer of the second is missing."""
    source = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        reference = LABELS[source.integers(3)]
        for variant in ("one", "two"):
            chances = np.round(source.dirichlet(np.ones(3) + 2 * (np.array(LABELS) == reference)), 2)
            chances[-1] = round(1 - chances[:-1].sum(), 2)
            scores = dict(zip(LABELS, chances.tolist(), strict=True))
            answer = None if variant == "two" and number % 5 == 0 else LABELS[int(chances.argmax())]
            rows.append(
                {"id": number, "variant": variant, "prediction": answer, "reference": reference, "scores": scores}
            )
    return rows


def test_the_json_has_the_promised_form(score: Score) -> None:
    content = score("classification", classified(), "--metrics", "accuracy,f1_per_class")
    assert list(content) == ["variants", "differences"] and list(content["variants"]) == ["one", "two"]
    found = metrics_of(content, "two")
    assert list(found) == ["accuracy", *(f"f1_per_class[{label}]" for label in LABELS)]
    assert list(found["accuracy"]) == ["value", "low", "high", "n", "n_missing", "reason", "signature"]
    assert (found["accuracy"]["n"], found["accuracy"]["n_missing"]) == (48, 12)
    first = content["differences"][0]
    assert list(first) == ["metric", "variant", "difference", "low", "high", "p", "p_adjusted", "n"]
    assert (first["metric"], first["variant"], first["n"]) == ("accuracy", "two", 48)


def test_classification_equals_sklearn(score: Score) -> None:
    rows = classified()
    content = score("classification", rows)
    for variant in ("one", "two"):
        some = [row for row in rows if row["variant"] == variant and row["prediction"] is not None]
        truth, answers = [row["reference"] for row in some], [row["prediction"] for row in some]
        chances = [[row["scores"][label] for label in LABELS] for row in some]
        found = metrics_of(content, variant)
        assert found["accuracy"]["value"] == pytest.approx(accuracy_score(truth, answers))
        assert found["f1_macro"]["value"] == pytest.approx(f1_score(truth, answers, average="macro"))
        expected = roc_auc_score(truth, chances, multi_class="ovr", average="macro", labels=LABELS)
        assert found["roc_auc_macro"]["value"] == pytest.approx(expected)
        assert found["roc_auc"]["value"] is None and found["roc_auc"]["reason"]


def test_every_metric_of_the_kind_is_computed_unless_some_are_chosen(score: Score) -> None:
    from core.metrics.registry import metrics_for

    names = {
        name.partition("[")[0] for name in metrics_of(score("regression", [{"prediction": 1, "reference": 2}] * 3))
    }
    assert names == {metric.name for metric in metrics_for("regression")}
    assert set(metrics_of(score("regression", [{"prediction": 1, "reference": 2}] * 3, "--metrics", "mae, rmse"))) == {
        "mae",
        "rmse",
    }


@pytest.mark.parametrize("name", ["p.jsonl", "p.csv", "p.parquet"])
def test_the_formats_give_the_same_numbers(score: Score, name: str) -> None:
    rows = [row for row in classified(20) if row["prediction"] is not None]
    chosen = ("--metrics", "accuracy,f1_macro,roc_auc_macro")
    assert score("classification", rows, *chosen, name=name) == score("classification", rows, *chosen)


def test_chinese_generation_equals_sacrebleu(score: Score) -> None:
    texts = ["退款已经处理完毕。", "请提供订单号码，谢谢。", "", "包裹明天送到您的地址。"]
    references = ["退款已处理。", "请告诉我们订单号码。", "我们会联系您。", "包裹明天到达您的地址。"]
    rows = [
        {"id": i, "prediction": p, "reference": r, "language": "zh"}
        for i, (p, r) in enumerate(zip(texts, references, strict=True))
    ]
    found = metrics_of(score("generation", rows, "--metrics", "chrf,bleu,exact_match"))
    assert found["chrf"]["value"] == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score)
    assert found["bleu"]["value"] == pytest.approx(sacrebleu.corpus_bleu(texts, [references], tokenize="zh").score)
    assert found["exact_match"]["n"] == 4, "an empty answer is an answer"


def test_ranking_puts_documents_in_one_order(score: Score) -> None:
    source = np.random.default_rng(1)
    rows, expected = [], []
    for query in range(20):
        documents = [f"d{number}" for number in source.permutation(6)]
        scores = dict(zip(documents, source.integers(0, 5, 6).tolist(), strict=True))
        relevance = {document: int(source.integers(0, 3)) for document in sorted(documents)[:5]} | {"d0": 2}
        rows.append({"id": query, "scores": scores, "reference": relevance})
        order = sorted(documents)
        expected.append(ndcg_score([[relevance.get(d, 0) for d in order]], [[scores[d] for d in order]], k=5))
    assert metrics_of(score("ranking", rows, "--metrics", "ndcg_at_5"))["ndcg_at_5"]["value"] == pytest.approx(
        np.mean(expected)
    )


def test_a_document_that_one_system_did_not_return_is_not_retrieved(score: Score) -> None:
    shared = {"id": "q", "reference": {"a": 1, "b": 0}}
    rows = [
        shared | {"variant": "whole", "scores": {"a": 2.0, "b": 1.0, "c": 0.5}},
        shared | {"variant": "part", "scores": {"b": 1.0}},
    ]
    content = score("ranking", rows, "--metrics", "recall_at_3,mrr")
    assert metrics_of(content, "whole")["recall_at_3"]["value"] == 1.0
    assert metrics_of(content, "part")["recall_at_3"]["value"] == metrics_of(content, "part")["mrr"]["value"] == 0.0


def test_likelihood_needs_no_token_lists(score: Score) -> None:
    rows = [
        {"id": 1, "nll_sum": 20.0, "n_tokens": 10, "n_bytes": 40, "language": "en"},
        {"id": 2, "nll_sum": 90.0, "n_tokens": 20, "n_bytes": 60, "language": "zh"},
        {"id": 3, "nll_sum": "NaN", "n_tokens": 5, "n_bytes": 9, "language": "zh"},
    ]
    found = metrics_of(score("likelihood", rows))
    assert found["perplexity"]["value"] == pytest.approx(math.exp(110 / 30))
    assert found["perplexity[zh]"]["value"] == pytest.approx(math.exp(90 / 20))
    assert found["bits_per_byte"]["value"] == pytest.approx(110 / math.log(2) / 100)
    assert (found["perplexity"]["n"], found["perplexity"]["n_missing"]) == (2, 1)
    assert found["token_accuracy"]["value"] is None and found["token_accuracy"]["reason"]


def test_multilabel_and_an_empty_list(score: Score) -> None:
    rows = [
        {"id": 1, "prediction": ["a", "b"], "reference": ["a"]},
        {"id": 2, "prediction": [], "reference": []},
        {"id": 3, "prediction": None, "reference": ["b"]},
    ]
    for name in ("p.jsonl", "p.csv"):
        found = metrics_of(score("multilabel", rows, "--metrics", "subset_accuracy,hamming_loss", name=name))
        assert found["subset_accuracy"]["value"] == 0.5 and found["subset_accuracy"]["n_missing"] == 1
        assert found["hamming_loss"]["value"] == 0.25


def test_medical_with_a_threshold_from_its_own_split(capsys: pytest.CaptureFixture[str]) -> None:
    file = SAMPLE / "predictions" / "medical.jsonl"
    options = [
        "--positive",
        "disease",
        "--threshold-split",
        "split=dev",
        "--metrics",
        "sensitivity,specificity",
        "--json",
    ]
    assert run(["score", "--task", "medical", "--predictions", str(file), *options]) == 0
    found = metrics_of(json.loads(capsys.readouterr().out), "standard")
    assert found["sensitivity"]["n"] == 78, "80 test cases, two readings of which failed"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    mine = [row for row in rows if row["variant"] == "standard" and row["scores"]]
    dev, test = ([row for row in mine if row["split"] == split] for split in ("dev", "test"))

    def rates(some: list[Row], threshold: float) -> tuple[float, float]:
        ill = [row["scores"]["disease"] >= threshold for row in some if row["reference"] == "disease"]
        well = [row["scores"]["disease"] < threshold for row in some if row["reference"] == "healthy"]
        return float(np.mean(ill)), float(np.mean(well))

    best = max(sorted(row["scores"]["disease"] for row in dev), key=lambda threshold: sum(rates(dev, threshold)))
    sensitivity, specificity = rates(test, best)
    assert (found["sensitivity"]["value"], found["specificity"]["value"]) == pytest.approx((sensitivity, specificity))


@pytest.mark.parametrize(
    ("kind", "file", "metric"), [("finance", "finance.csv", "sharpe"), ("vision", "vision.jsonl", "map_50")]
)
def test_the_other_sample_files_are_taken(
    kind: str, file: str, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", "--task", kind, "--predictions", str(SAMPLE / "predictions" / file), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["variants"]) == 2
    for found in content["variants"].values():
        assert found["metrics"][metric]["value"] is not None
        assert found["metrics"][metric]["low"] < found["metrics"][metric]["value"] < found["metrics"][metric]["high"]


def test_several_samples_are_averaged_within_their_example(score: Score) -> None:
    rows = [
        {"id": example, "sample": sample, "prediction": "a" if right else "b", "reference": "a"}
        for example, answers in enumerate([(1, 0), (1, 1), (0, 0), (1, 0)])
        for sample, right in enumerate(answers)
    ]
    found = metrics_of(score("classification", rows, "--metrics", "accuracy"))["accuracy"]
    assert (found["value"], found["n"]) == (0.5, 4)


def test_names_with_other_signs_come_back_as_they_are(score: Score, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"id": i, "variant": name, "prediction": "a", "reference": "a"}
        for i in range(3)
        for name in ("org/Base 7B", "模型", "org-Base-7B")
    ]
    content = score("classification", rows, "--metrics", "accuracy", "--reference", "模型")
    assert list(content["variants"]) == ["模型", "org/Base 7B", "org-Base-7B"]
    assert [one["variant"] for one in content["differences"]] == ["org/Base 7B", "org-Base-7B"]


def test_one_file_a_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, answer in (("a", "x"), ("b", "y")):
        write(tmp_path / f"{name}.jsonl", [{"id": i, "prediction": answer, "reference": "x"} for i in range(4)])
    files = ["--predictions", str(tmp_path / "a.jsonl"), "--predictions", f"tuned={tmp_path / 'b.jsonl'}"]
    assert run(["score", "--task", "classification", *files, "--metrics", "accuracy", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {name: found["metrics"]["accuracy"]["value"] for name, found in content["variants"].items()} == {
        "a": 1.0,
        "tuned": 0.0,
    }


def test_a_kept_run_is_an_ordinary_one(tmp_path: Path, score: Score, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row | {"hard": row["id"] % 2 == 0} for row in classified(30)]
    content = score(
        "classification", rows, "--metrics", "accuracy", "--workspace", str(tmp_path / "w"), "--name", "mine"
    )
    folder = tmp_path / "w" / "runs" / "mine"
    opened = load_workspace(folder).run("mine")
    again = compare(opened)
    assert again.rows[0].values["two"].value == metrics_of(content, "two")["accuracy"]["value"]
    sliced = compare(opened, where=lambda example: "hard=true" in example.tags)
    assert sliced.rows[0].values["one"].n == 15
    assert list((folder / "derived" / "statistics").glob("classification-accuracy-one-*.npz")), (
        "its statistics are kept"
    )
    assert run(["compare", str(folder)]) == 0
    assert "classification: Accuracy" in capsys.readouterr().out
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    assert list(environment["imported"]["files"]) == ["p.jsonl"]
    kept = ["--workspace", str(tmp_path / "w"), "--name", "mine"]
    assert run(["score", "--task", "classification", "--predictions", str(tmp_path / "p.jsonl"), *kept]) == 2
    assert "choose another with --name" in capsys.readouterr().err


def test_the_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "p.jsonl", classified(20))
    chosen = ["--metrics", "accuracy,f1_per_class"]
    assert run(["score", "--task", "classification", "--predictions", str(file), *chosen]) == 0
    out = capsys.readouterr().out
    assert all(f"F1 of a class ({label})" in out for label in LABELS)
    assert out.splitlines()[1].startswith("classification: Accuracy ↑ %") and "two" in out and "Holm" in out


def test_the_declared_family_alone_is_corrected_together(score: Score) -> None:
    rows = classified(40)
    alone = score("classification", rows, "--metrics", "accuracy,f1_macro,mcc", "--primary", "mcc")["differences"]
    together = score("classification", rows, "--metrics", "accuracy,f1_macro,mcc")["differences"]
    (mcc,), (corrected,) = ([one for one in some if one["metric"] == "mcc"] for some in (alone, together))
    assert mcc["p_adjusted"] == mcc["p"] == corrected["p"] <= corrected["p_adjusted"]


def test_whole_numbers_beside_empty_cells_of_csv_are_the_same_labels(score: Score) -> None:
    """A table with an empty cell is written with 1.0 for 1; another column of the same file is not."""
    rows: list[Row] = [
        {"id": number, "prediction": [f"{number % 2}.0", ""][number % 7 == 0], "reference": str(number % 2)}
        for number in range(30)
    ]
    found = metrics_of(score("classification", rows, "--positive", "1", name="p.csv"))
    assert (found["accuracy"]["value"], found["recall"]["value"]) == (1.0, 1.0)
    assert (found["accuracy"]["n"], found["accuracy"]["n_missing"]) == (25, 5)
    versions: list[Row] = [
        {"id": 1, "prediction": "v1.0", "reference": "v1.0"},
        {"id": 2, "prediction": "1.00", "reference": "1"},
    ]
    assert metrics_of(score("classification", versions, name="p.csv"))["accuracy"]["value"] == 0.5
