"""Metrics with a row for each label or language, and many examples measured metric by metric."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from core.compare import compare
from core.derived import StatisticsReader
from core.predict import observations
from core.records import BASELINE
from tests.core import mini
from tests.core.compared_runs import drawn, labelled_run, perplexity_run


def test_languages_have_rows_of_their_own(tmp_path: Path) -> None:
    base, lora = drawn(2, 40), drawn(1, 40)
    comparison = compare(perplexity_run(tmp_path / "mini", lora, base))
    assert [row.key for row in comparison.rows] == ["t/perplexity", "t/perplexity[en]", "t/perplexity[zh]"]
    chinese = comparison.row("t/perplexity[zh]")
    some = [one for number, one in enumerate(lora) if number % 4 == 0 and one is not None]
    assert chinese.values["lora"].value == pytest.approx(math.exp(-sum(map(sum, some)) / sum(map(len, some))))
    assert (chinese.values["lora"].n, chinese.values["lora"].n_missing, chinese.primary) == (10, 0, False)
    assert comparison.family_size == 1


def test_a_label_that_only_one_variant_says_is_a_class_for_both(tmp_path: Path) -> None:
    examples = [mini.example("t", number, "yes", ()) for number in range(20)]
    texts = {BASELINE: ["yes"] * 20, "lora": ["yes"] * 10 + ["perhaps"] * 10}
    evidence = [mini.said("t", name, number, text) for name, some in texts.items() for number, text in enumerate(some)]
    task = mini.task(answer={"rule": "regex", "pattern": r"\w+"}, metrics=["f1_macro"])
    row = compare(mini.write(tmp_path / "mini", mini.spec({"t": task}), examples, evidence)).row("t/f1_macro")
    assert (row.values[BASELINE].value, row.values["lora"].value) == (1, pytest.approx((2 / 3 + 0) / 2))
    assert row.differences["lora"].verdict == "worse"


def test_a_metric_by_label_has_a_row_for_each_and_no_part_in_the_family(tmp_path: Path) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_per_class"])
    comparison = compare(run)
    assert [row.key for row in comparison.rows] == [
        "t/accuracy", "t/f1_per_class[yes]", "t/f1_per_class[no]", "t/f1_per_class[maybe]",
    ]  # fmt: skip
    assert [row.primary for row in comparison.rows] == [True, False, False, False]
    assert comparison.family_size == 1
    truth = [example.reference for example in run.examples]
    said = observations(run, "t", "lora").predictions
    for row, label in zip(comparison.rows[1:], mini.LABELS, strict=True):
        expected = f1_score(truth, said, labels=[label], average="macro")
        assert (row.part, row.is_detail) == (label, True)
        assert row.values["lora"].value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("primary", "family", "size"),
    [(("f1_per_class",), (), 3), ((), ("t/f1_per_class[no]",), 1), (("accuracy", "f1_per_class"), (), 4)],
)
def test_a_metric_by_label_counts_each_label_where_it_is_declared(
    tmp_path: Path, primary: tuple[str, ...], family: tuple[str, ...], size: int
) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_per_class"], primary=primary)
    spec = run.spec.model_copy(update={"family": family})
    run.__dict__["spec"] = spec
    comparison = compare(run)
    assert comparison.family_size == size
    assert sum(row.primary for row in comparison.rows) == size


def test_many_examples_are_measured_metric_by_metric_with_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_macro", "f1_per_class"])
    together = compare(run)
    for kept in (run.folder / "derived").glob("comparison-*.json"):
        kept.unlink()
    monkeypatch.setattr("core.measuring.LARGE", 50)
    assert compare(run) == together


def test_a_slice_of_many_examples_is_measured_without_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = labelled_run(tmp_path / "mini", metrics=["accuracy", "f1_macro", "f1_per_class"])
    drawn = compare(run, where=lambda example: example.reference != "no")
    monkeypatch.setattr("core.measuring.LARGE", 50)
    reader = StatisticsReader(run, in_memory=True)
    found = compare(run, where=lambda example: example.reference != "no", reader=reader)
    assert [row.key for row in found.rows] == [row.key for row in drawn.rows]
    for one, two in zip(found.rows, drawn.rows, strict=True):
        assert one.values["lora"].value == two.values["lora"].value
        assert one.differences["lora"].difference == two.differences["lora"].difference
        assert one.differences["lora"].n == two.differences["lora"].n
    assert found.row("t/accuracy").differences == drawn.row("t/accuracy").differences
    assert found.row("t/f1_macro").differences["lora"].method.startswith("t test, influence functions")
    assert found.family_size == drawn.family_size
