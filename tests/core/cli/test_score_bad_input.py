"""``lorascope score`` on bad input: a file that is wrong is refused with a sentence, a row that is bad costs one example."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from core.cli.main import run
from tests.prediction_files import Row, Score, metrics_of, scorer, write


@pytest.fixture
def score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Score:
    return scorer(tmp_path, capsys)


A = {"id": 1, "prediction": "a", "reference": "a"}
REFUSED: dict[str, tuple[str, list[Row] | str, tuple[str, ...], tuple[str, ...]]] = {
    "unknown kind": ("classificatoin", [A], (), ("did you mean 'classification'",)),
    "no such field": (
        "classification", [{"id": 1, "prediktion": "a", "reference": "a"}], (), ("'prediction'", "did you mean 'prediktion'"),
    ),
    "no reference field": ("regression", [{"id": 1, "prediction": 1}], (), ("no field 'reference'",)),
    "no nll_sum": ("likelihood", [{"id": 1, "n_tokens": 1}], (), ("no field 'nll_sum'",)),
    "no id with several variants": (
        "classification",
        [{"variant": name, "prediction": "a", "reference": "a"} for name in "xy"],
        (),
        ("line 1", "no field 'id'", "2 variants"),
    ),
    "an id is missing": ("classification", [A, A | {"id": None}], (), ("line 2", "'id' is missing")),
    "an id twice": ("classification", [A, A], (), ("line 2", "stands here and in line 1", "'sample'")),
    "a sample twice": ("classification", [A | {"sample": 1}, A | {"sample": 1}], (), ("the sample '1' of the id '1'",)),
    "nothing in common": (
        "classification", [A | {"variant": "x"}, A | {"variant": "y", "id": 2}], (), ("line 2", "no example in common", "same id in both"),
    ),
    "references differ": (
        "classification", [A | {"variant": "x"}, A | {"variant": "y", "reference": "b"}], (), ("line 2", '"b"', '"a" in line 1'),
    ),
    "an empty file": ("classification", "", (), ("has no rows",)),
    "broken JSON": ("classification", '{"id": 1,\n', (), ("line 1", "not valid JSON")),
    "a variant is missing": ("classification", [A | {"variant": "x"}, A], (), ("line 2", "'variant' is empty")),
    "a list for a label": ("classification", [A | {"prediction": ["a"]}], (), ("line 1", "expected a label")),
    "scores that are no map": ("classification", [A | {"scores": [0.5]}], (), ("line 1", "'scores'", "write it as JSON")),
    "a score that is no number": ("classification", [A | {"scores": {"a": "high"}}], (), ("'scores' has \"high\" for 'a'",)),
    "labels parted by a semicolon": (
        "multilabel", [{"id": 1, "prediction": "a;b", "reference": ["a"]}], (), ("line 1", "write it as JSON", '["urgent"'),
    ),
    "a reference that is no number": ("regression", [{"id": 1, "prediction": 1, "reference": "many"}], (), ("expected a number",)),
    "a position that is no number": ("finance", [{"id": 1, "prediction": "long", "reference": 0.1}], (), ("expected a number",)),
    "a box of three": (
        "vision", [{"id": 1, "prediction": [{"box": [1, 2, 3], "label": "a", "score": 1}], "reference": []}], (), ("write boxes as JSON",),
    ),
    "a detection without score": (
        "vision", [{"id": 1, "prediction": [{"box": [1, 2, 3, 4], "label": "a"}], "reference": []}], (), ("write boxes as JSON",),
    ),
    "half a token": ("likelihood", [{"id": 1, "nll_sum": 1, "n_tokens": 1.5}], (), ("a whole number",)),
    "positive does not occur": ("medical", [A, A | {"id": 2, "reference": "b"}], ("--positive", "c"), ("'c'", "does not occur", "a, b")),
    "positive for numbers": ("regression", [{"id": 1, "prediction": 1, "reference": 1}], ("--positive", "1"), ("--positive belongs to",)),
    "three labels": ("medical", [A, A | {"id": 2, "reference": "b"}, A | {"id": 3, "reference": "c"}], (), ("3 labels", "binary")),
    "no such split": ("medical", [A | {"split": "dev"}] , ("--threshold-split", "split=dve"), ("did you mean 'split=dev'",)),
    "a split for labels": ("classification", [A], ("--threshold-split", "a=b"), ("belongs to medical",)),
    "periods for labels": ("classification", [A], ("--periods-per-year", "12"), ("belongs to finance",)),
    "no such metric": ("classification", [A], ("--metrics", "acuracy"), ("did you mean 'accuracy'",)),
    "a metric of another kind": ("classification", [A], ("--metrics", "bleu"), ("'bleu' is for generation",)),
    "a primary that is not computed": ("classification", [A], ("--metrics", "accuracy", "--primary", "mcc"), ("is not computed",)),
    "no such reference": ("classification", [A | {"variant": "base"}], ("--reference", "bsae"), ("did you mean 'base'",)),
    "periods in two orders": (
        "finance",
        [{"id": day, "variant": name, "prediction": 1, "reference": 0.1} for name, days in (("x", "ab"), ("y", "ba")) for day in days],
        (),
        ("line 4", "order of time"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REFUSED))
def test_a_wrong_file_is_refused_with_a_sentence(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kind, rows, options, expected = REFUSED[case]
    path = tmp_path / "p.jsonl"
    if isinstance(rows, str):
        path.write_text(rows, encoding="utf-8")
    else:
        write(path, rows)
    assert run(["score", "--task", kind, "--predictions", str(path), *options]) == 2
    out, err = capsys.readouterr()
    assert not out and all(words in err for words in expected), err
    assert "--" in err or str(path) in err or "references" in err


def _box(*sides: float) -> Row:
    return {"box": list(sides), "label": "a", "score": 0.9}


GOOD: dict[str, list[Row]] = {
    "classification": [
        A | {"id": i, "prediction": p, "reference": r} for i, (p, r) in enumerate(["aa", "bb", "ab", "ba"], start=10)
    ],
    "medical": [
        A | {"id": i, "prediction": p, "reference": r} for i, (p, r) in enumerate(["aa", "bb", "ab", "ba"], start=10)
    ],
    "regression": [
        {"id": i, "prediction": p, "reference": r} for i, (p, r) in enumerate([(1, 2), (3, 3), (5, 4)], start=10)
    ],
    "generation": [{"id": 10, "prediction": "a text", "reference": "a text"}],
    "multilabel": [{"id": 10, "prediction": ["a"], "reference": ["a", "b"]}],
    "ranking": [{"id": 10, "scores": {"a": 2, "b": 1}, "reference": {"a": 1}}],
    "finance": [{"id": i, "prediction": 1, "reference": r} for i, r in enumerate([0.01, -0.02, 0.03], start=10)],
    "vision": [{"id": 10, "prediction": [_box(0, 0, 9, 9)], "reference": [_box(0, 0, 9, 9)]}],
    "likelihood": [{"id": 10, "nll_sum": 5, "n_tokens": 2, "n_bytes": 9}],
}
ONE_BAD: dict[str, tuple[str, Row, str]] = {
    "an empty reference": ("classification", {"prediction": "a", "reference": ""}, "accuracy"),
    "an empty label": ("classification", {"prediction": " ", "reference": "a"}, "accuracy"),
    "a label that is NaN": ("classification", {"prediction": math.nan, "reference": "a"}, "accuracy"),
    "a label outside the two": ("medical", {"prediction": "unclear", "reference": "a"}, "accuracy"),
    "a prediction that is NaN": ("regression", {"prediction": math.nan, "reference": 1}, "mae"),
    "a prediction that is infinite": ("regression", {"prediction": math.inf, "reference": 1}, "mae"),
    "a reference that is NaN": ("regression", {"prediction": 1, "reference": math.nan}, "mae"),
    "an answer that is no number": ("regression", {"prediction": "about three", "reference": 3}, "mae"),
    "no text": ("generation", {"prediction": None, "reference": "a text"}, "chrf"),
    "an empty reference text": ("generation", {"prediction": "a text", "reference": ""}, "chrf"),
    "no labels": ("multilabel", {"prediction": None, "reference": ["a"]}, "subset_accuracy"),
    "a relevance below zero": ("ranking", {"scores": {"a": 1}, "reference": {"a": -1}}, "ndcg_at_5"),
    "a relevance that is NaN": ("ranking", {"scores": {"a": 1}, "reference": {"a": math.nan}}, "ndcg_at_5"),
    "a score that is NaN": ("ranking", {"scores": {"a": math.nan}, "reference": {"a": 1}}, "ndcg_at_5"),
    "nothing returned": ("ranking", {"scores": None, "reference": {"a": 1}}, "ndcg_at_5"),
    "a return that is NaN": ("finance", {"prediction": 1, "reference": math.nan}, "total_return"),
    "a position that is infinite": ("finance", {"prediction": math.inf, "reference": 0.01}, "total_return"),
    "a box of negative width": ("vision", {"prediction": [_box(9, 0, 0, 9)], "reference": [_box(0, 0, 9, 9)]}, "iou"),
    "a box that is NaN": ("vision", {"prediction": [_box(math.nan, 0, 9, 9)], "reference": [_box(0, 0, 9, 9)]}, "iou"),
    "a reference box of negative height": ("vision", {"prediction": [], "reference": [_box(0, 9, 9, 0)]}, "iou"),
    "a reference box that is NaN": ("vision", {"prediction": [], "reference": [_box(0, 0, 9, math.nan)]}, "iou"),
    "a box without label": ("vision", {"prediction": [_box(0, 0, 9, 9) | {"label": None}], "reference": []}, "iou"),
    "a likelihood that is infinite": ("likelihood", {"nll_sum": math.inf, "n_tokens": 2, "n_bytes": 9}, "bits_per_byte"),
    "a likelihood of the wrong sign": ("likelihood", {"nll_sum": -3.0, "n_tokens": 2, "n_bytes": 9}, "bits_per_byte"),
    "a likelihood of no length": ("likelihood", {"nll_sum": 3.0, "n_tokens": 0, "n_bytes": 0}, "bits_per_byte"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(ONE_BAD))
def test_one_bad_row_costs_one_example_and_says_why(case: str, score: Score) -> None:
    kind, bad, metric = ONE_BAD[case]
    bad = {"id": 1} | bad
    clean = metrics_of(score(kind, GOOD[kind], "--metrics", metric))[metric]
    mixed = metrics_of(score(kind, [*GOOD[kind], bad], "--metrics", metric))[metric]
    assert mixed["value"] == pytest.approx(clean["value"]) and clean["value"] is not None
    assert (mixed["n"], mixed["n_missing"]) == (clean["n"], clean["n_missing"] + 1)
    alone = metrics_of(score(kind, [bad], "--metrics", metric))[metric] if kind != "medical" else None
    if alone is not None:
        assert alone["value"] is None and alone["n"] == 0 and alone["reason"]


def test_a_variant_without_an_example_misses_that_one(score: Score) -> None:
    rows = [A | {"id": i, "variant": name} for name, n in (("x", 3), ("y", 2)) for i in range(n)]
    content = score("classification", rows, "--metrics", "accuracy")
    found = metrics_of(content, "y")["accuracy"]
    assert (found["n"], found["n_missing"]) == (2, 1) and content["differences"][0]["n"] == 2


def test_one_class_and_constant_returns_have_no_value(score: Score) -> None:
    rows = [A | {"id": i, "scores": {"a": 0.6, "b": 0.4}} for i in range(20)]
    found = metrics_of(score("classification", rows, "--positive", "a"))
    assert found["roc_auc"]["value"] is None and "one class" in found["roc_auc"]["reason"]
    assert found["accuracy"]["value"] == 1.0, "what does not need two classes has its value"
    found = metrics_of(score("finance", [{"prediction": 1, "reference": 0.01} for _ in range(30)]))
    assert found["sharpe"]["value"] is None and found["sharpe"]["reason"]
    assert found["total_return"]["value"] == pytest.approx(1.01**30 - 1)


def test_a_stray_answer_is_wrong_and_makes_no_third_label(score: Score) -> None:
    answers = ["a", "b", "b", "a", "?"]
    rows = [
        {
            "id": i,
            "prediction": answers[i % 5],
            "reference": "ab"[i % 2],
            "scores": {"a": (i % 7) / 10, "b": 1 - (i % 7) / 10},
        }
        for i in range(20)
    ]
    for some in (rows, [{key: row[key] for key in ("id", "prediction", "reference")} for row in rows]):
        found = metrics_of(score("classification", some, "--positive", "a"))
        right = sum(row["prediction"] == row["reference"] for row in rows)
        assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (right / 20, 20)
        assert found["recall"]["value"] is not None and found["f1"]["value"] is not None
        assert (found["roc_auc"]["value"] is None) is (some is not rows), found["roc_auc"]["reason"]


def test_one_class_among_the_references_still_knows_the_other_from_the_answers(score: Score) -> None:
    rows = [{"id": i, "prediction": "ab"[i % 4 == 0], "reference": "a"} for i in range(20)]
    found = metrics_of(score("classification", rows, "--positive", "a"))
    assert (found["recall"]["value"], found["precision"]["value"]) == (0.75, 1.0)


def test_numbers_near_the_largest_give_values_or_reasons_and_no_warning(
    score: Score, recwarn: pytest.WarningsRecorder
) -> None:
    rows = [
        {"id": i, "variant": name, "prediction": size * i, "reference": i + 1.0}
        for name, size in (("x", 1e200), ("y", 1.0))
        for i in range(20)
    ]
    content = score("regression", rows, "--metrics", "mse,mae,r2,spearman")
    found = metrics_of(content, "x")
    assert found["mae"]["value"] == pytest.approx(9.5e200) and found["spearman"]["value"] == pytest.approx(1)
    assert found["r2"]["value"] is None and found["r2"]["reason"]
    assert [str(warning.message) for warning in recwarn if warning.category is RuntimeWarning] == []
