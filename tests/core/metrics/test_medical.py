from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_score, recall_score, roc_curve

from core.metrics.decision import USED_FOR_THRESHOLD, chosen_threshold
from core.metrics.metric import Observations, Parameters
from core.metrics.registry import get_metric
from tests.core.metrics.made import observe, total

RATIOS = ("sensitivity", "specificity", "ppv", "npv")
NAMES = (*RATIOS, "lr_plus", "lr_minus")
LABELS = ("健康", "病")
SPLIT = "split=dev"
pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


def screened(seed: int, n: int = 90, split: str | None = SPLIT, ties: bool = True) -> Observations:
    """Return answers with scores, the first half of them tagged as the split that chooses the threshold."""
    rng = np.random.default_rng(seed)
    ill = rng.integers(0, 2, n)
    chances = np.clip(rng.normal(0.35 + 0.25 * ill, 0.2), 0, 1)
    chances = np.round(chances, 1) if ties else chances
    return observe(
        [LABELS[int(chance >= 0.5)] for chance in chances], [LABELS[one] for one in ill], labels=LABELS,
        scores=[(1 - chance, chance) for chance in chances.tolist()], options=[LABELS] * n, kind="medical",
        tags=[(SPLIT if index < n // 2 else "split=test", "ward=3") for index in range(n)],
        parameters=Parameters(positive="病", threshold_split=split),
    )  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(pairs)
def test_every_metric_equals_its_closed_form_and_sklearn(some: list[tuple[str, str]]) -> None:
    references, predictions = zip(*some, strict=True)
    observed = observe(predictions, references, labels=LABELS, kind="medical", parameters=Parameters(positive="病"))
    (tn, fp), (fn, tp) = confusion_matrix(references, predictions, labels=LABELS).astype(float)
    with np.errstate(all="ignore"):
        expected = {
            "sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp), "ppv": tp / (tp + fp), "npv": tn / (tn + fn),
            "lr_plus": (tp / (tp + fn)) / (fp / (fp + tn)), "lr_minus": (fn / (tp + fn)) / (tn / (tn + fp)),
        }  # fmt: skip
    for name, value in expected.items():
        wanted = value if np.isfinite(value) else np.nan
        assert total(get_metric(name), observed) == pytest.approx(wanted, rel=1e-9, abs=1e-12, nan_ok=True), name
    for name, score in (("sensitivity", recall_score), ("ppv", precision_score)):
        wanted = score([r == "病" for r in references], [p == "病" for p in predictions], zero_division=np.nan)
        assert total(get_metric(name), observed) == pytest.approx(wanted, nan_ok=True)


def test_integer_weights_are_a_repeated_corpus() -> None:
    rng = np.random.default_rng(2)
    references, predictions = rng.choice(LABELS, (2, 60))
    weights = rng.integers(0, 3, 60)
    (tn, fp), (fn, tp) = confusion_matrix(references, predictions, labels=LABELS, sample_weight=weights)
    array = (
        get_metric("lr_plus")
        .statistics(
            observe(predictions.tolist(), references.tolist(), labels=LABELS, parameters=Parameters(positive="病"))
        )
        .array
    )
    expected = (tp / (tp + fn)) / (fp / (fp + tn))
    assert float(get_metric("lr_plus").value(weights @ array)) == pytest.approx(expected)


def test_ratios_are_counted_among_their_own_examples() -> None:
    observed = observe(["病", "健康", "病", None, "??"], ["病", "病", "健康", "健康", "健康"], labels=LABELS,
                       unreadable=[False, False, False, True, False], parameters=Parameters(positive="病"))  # fmt: skip
    expected = {
        "sensitivity": [[1, 1], [0, 1], [0, 0], [0, 0], [0, 0]],
        "specificity": [[0, 0], [0, 0], [0, 1], [0, 1], [0, 1]],
        "ppv": [[1, 1], [0, 0], [0, 1], [0, 0], [0, 0]],
        "npv": [[0, 0], [0, 1], [0, 0], [0, 0], [0, 0]],
    }
    for name, rows in expected.items():
        metric = get_metric(name)
        statistics = metric.statistics(observed)
        assert statistics.array.tolist() == rows, name
        own = metric.per_example(statistics)
        assert np.isnan(own).tolist() == [not row[1] for row in rows], name


@pytest.mark.parametrize("name", NAMES)
def test_no_positive_label_is_said(name: str) -> None:
    statistics = get_metric(name).statistics(observe(["a"], ["b"], labels=("a", "b"), kind="medical"))
    assert statistics.reasons == ("which of a and b is positive is not declared: set `positive`",)
    eight = get_metric(name).statistics(observe(["a"], ["b"], labels=tuple("abcdefgh"), kind="medical"))
    assert "needs two labels; there are 8" in str(eight.reasons[0])


def test_what_has_no_denominator_has_no_value() -> None:
    healthy = observe(["健康"] * 3, ["健康"] * 3, labels=LABELS, parameters=Parameters(positive="病"))
    values = {name: total(get_metric(name), healthy) for name in NAMES}
    assert values["specificity"] == values["npv"] == 1
    assert all(np.isnan(values[name]) for name in ("sensitivity", "ppv", "lr_plus", "lr_minus"))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ties", [True, False])
def test_the_threshold_has_the_greatest_youden_j_of_the_split(seed: int, ties: bool) -> None:
    observed = screened(seed, ties=ties)
    truth = np.array([reference == "病" for reference in observed.references])[:45]
    chances = np.array([row[1] for row in observed.scores])[:45]
    false, true, thresholds = roc_curve(truth, chances, drop_intermediate=False)
    youden = true - false
    best = thresholds[np.isclose(youden, youden.max(), atol=1e-12)].min()
    assert chosen_threshold(observed) == best

    rest = np.array([row[1] for row in observed.scores])[45:] >= best
    wanted = np.array([reference == "病" for reference in observed.references])[45:]
    statistics = get_metric("sensitivity").statistics(observed)
    assert statistics.reasons == (USED_FOR_THRESHOLD,) * 45 + (None,) * 45
    assert total(get_metric("sensitivity"), observed) == pytest.approx(recall_score(wanted, rest))
    assert total(get_metric("ppv"), observed) == pytest.approx(precision_score(wanted, rest))
    assert total(get_metric("accuracy"), observed) == pytest.approx(float((wanted == rest).mean()))


def test_of_equal_youden_js_the_lowest_threshold_is_chosen() -> None:
    # From 0.9 on one of two is found without false alarm, from 0.4 on both with one of two: J is 1/2 either way.
    references = ["病", "健康", "病", "健康"]
    chances = [0.9, 0.6, 0.4, 0.1]
    observed = observe(
        references, references, labels=LABELS, scores=[(1 - c, c) for c in chances], kind="medical",
        tags=[(SPLIT,)] * 4, parameters=Parameters(positive="病", threshold_split=SPLIT),
    )  # fmt: skip
    assert chosen_threshold(observed) == 0.4


def test_the_rule_stands_in_the_signature_and_the_threshold_does_not() -> None:
    first, second = screened(1), screened(2, ties=False)
    assert chosen_threshold(first) != chosen_threshold(second)
    for name in NAMES:
        signature = get_metric(name).statistics(first).signature
        assert signature == get_metric(name).statistics(second).signature
        assert "Youden's J on split=dev" in signature
    assert "Youden" not in get_metric("ppv").statistics(screened(1, split=None)).signature
    assert chosen_threshold(screened(1, split=None)) is None


def test_the_areas_use_every_example_whatever_the_split() -> None:
    assert not get_metric("roc_auc").statistics(screened(1)).missing.any()


def changed(observed: Observations, **more: Any) -> Observations:
    return replace(observed, **more)


@pytest.mark.parametrize("name", [*NAMES, "accuracy", "f1"])
def test_a_split_that_can_choose_nothing_is_said(name: str) -> None:
    plain = screened(3)
    cases = {
        "no example has the tag split=val: no threshold can be chosen": changed(
            plain, parameters=Parameters(positive="病", threshold_split="split=val")
        ),
        "the examples of split=dev hold one class alone: no threshold can be chosen": changed(
            plain, references=["病"] * 45 + list(plain.references[45:])
        ),
        "no example of split=dev has a usable score (there are no probabilities: the answers were generated, or came "
        "without scores): no threshold can be chosen": changed(plain, scores=()),
    }
    for reason, observed in cases.items():
        assert set(get_metric(name).statistics(observed).reasons) == {reason}
        assert chosen_threshold(observed) is None


def test_an_example_without_a_score_has_no_decision() -> None:
    plain = screened(4)
    scores = list(plain.scores)
    scores[60] = (float("nan"), 0.5)
    statistics = get_metric("specificity").statistics(changed(plain, scores=scores))
    assert statistics.reasons[60] == "the score of '健康' is not a finite number"
    assert statistics.missing.sum() == 46


def test_direction_and_bounds() -> None:
    assert [get_metric(name).higher_is_better for name in NAMES] == [True] * 5 + [False]
    assert get_metric("lr_plus").bounds == (0.0, None)
    assert {get_metric(name).family for name in NAMES} == {"medical"}
