"""The worst of copies, and the drop as a metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.drops import DropMetric, side_by_side, worst_copies
from core.metrics.metric import Observations
from core.metrics.registry import get_metric
from core.metrics.rows import assemble
from core.robustness import robustness
from core.store import Run
from tests.core import mini
from tests.core.perturbed_runs import VARIANTS, examples, labelled, twin


# -- the worst of copies
def copies_run(
    folder: Path, clean_answers: list[str], copies: Sequence[Sequence[str | None]], metrics: Sequence[str]
) -> Run:
    clean = mini.task(metrics=metrics, primary=metrics)
    names = [f"t+character_edits_{len(copies)}.{number}" for number in range(len(copies))]
    twins = {name: twin(clean, f"character_edits_{len(copies)}", number) for number, name in enumerate(names)}
    spec = mini.spec({"t": clean, **dict(reversed(twins.items()))})
    given = [example for name in ("t", *names) for example in examples(name, ["yes"] * len(clean_answers))]
    answers: dict[tuple[str, str], Sequence[str | None]] = {("t", variant): clean_answers for variant in VARIANTS}
    answers |= {(name, variant): copy for name, copy in zip(names, copies, strict=True) for variant in VARIANTS}
    return mini.write(folder / "run", spec, given, labelled(answers))


def test_of_each_example_the_worst_copy_counts(tmp_path: Path) -> None:
    copies: list[Sequence[str | None]] = [["yes"] * 15 + ["no"] * 5, ["no"] * 2 + ["yes"] * 18, ["yes"] * 19 + [None]]
    (row,) = robustness(copies_run(tmp_path, ["yes"] * 20, copies, ["accuracy"]))
    assert row.key == "t+character_edits_3/accuracy"
    assert row.perturbed["lora"].n_missing == 1, "a copy that is missing may have been the worst"
    assert row.perturbed["lora"].value == pytest.approx(13 / 19)
    assert row.drops["lora"].difference == pytest.approx(6 / 19)


def test_ordered_and_by_label_metrics_have_a_drop_where_they_are_primary(tmp_path: Path) -> None:
    metrics = ("accuracy", "roc_auc_macro", "f1_per_class")
    for name, primary, found in (("one", ("accuracy",), {"accuracy"}), ("two", metrics, set(metrics))):
        clean = mini.task(metrics=metrics, primary=primary)
        spec = mini.spec({"t": clean, "t+typos": twin(clean, "typos", 0)})
        given = [example for task in ("t", "t+typos") for example in examples(task, ["yes", "no"] * 10)]
        answers = {(task, variant): ["yes", "no"] * 10 for task in ("t", "t+typos") for variant in VARIANTS}
        run = mini.write(tmp_path / name, spec, given, labelled(answers))
        assert {row.metric for row in robustness(run)} == found


def test_a_metric_of_no_single_example_has_no_worst_copy(tmp_path: Path) -> None:
    copies = [["yes" for _ in range(20)], ["no" for _ in range(20)]]
    (row,) = robustness(copies_run(tmp_path, ["yes"] * 20, copies, ["roc_auc_macro"]))
    assert row.perturbed["lora"].value is None
    assert "gives single examples no value: which copy is the worst cannot be told" in (
        row.perturbed["lora"].reason or ""
    )
    assert row.drops["lora"].verdict == "none"


def test_the_worst_copy_is_the_highest_where_less_is_better() -> None:
    metric = get_metric("mae")
    copies = [
        assemble([(1.0, 1.0), (5.0, 1.0)], [None, None], "mae", 2),
        assemble([(3.0, 1.0), (2.0, 1.0)], [None, None], "mae", 2),
    ]
    assert metric.value(worst_copies(metric, copies).array).tolist() == [3.0, 5.0]


# -- the drop as a metric
def test_the_drop_of_an_ordered_metric_is_that_of_the_referee() -> None:
    rng = np.random.default_rng(12)
    metric = get_metric("roc_auc")
    n = 60
    truth = rng.integers(0, 2, n)

    def observed(scores: np.ndarray) -> Observations:
        return Observations(
            example_ids=[f"e{k}" for k in range(n)], predictions=["yes" if s > 0.5 else "no" for s in scores],
            references=["yes" if one else "no" for one in truth], reasons=[None] * n,
            scores=[(float(s), 1 - float(s)) for s in scores], labels=("yes", "no"), options=[("yes", "no")] * n,
            kind="classification",
        )  # fmt: skip

    clean, worse = np.round(np.clip(truth * 0.3 + rng.random(n) * 0.7, 0, 1), 1), np.round(rng.random(n), 1)
    drop = DropMetric(metric)
    beside = side_by_side(metric.statistics(observed(clean)), metric.statistics(observed(worse)))
    weights = np.vstack([np.ones(n), rng.integers(0, 3, (4, n))]).astype(float)
    found = drop.weighted_values(beside.array, weights)
    for row, value in zip(weights, found, strict=True):
        expected = roc_auc_score(truth, clean, sample_weight=row) - roc_auc_score(truth, worse, sample_weight=row)
        assert value == pytest.approx(expected)
    with pytest.raises(TypeError, match="use side_by_side"):
        drop.statistics(observed(clean))


def test_values_computed_in_two_ways_have_no_drop(tmp_path: Path) -> None:
    metric = get_metric("accuracy")
    one, other = (assemble([(1.0, 1.0)], [None], signature, 2) for signature in ("a", "b"))
    drop = DropMetric(metric)
    same, mixed = side_by_side(one, one), side_by_side(one, other)
    assert drop.incomparable(same, side_by_side(one, one)) is None
    assert "computed differently: b and a" in (drop.incomparable(mixed, same) or "")
