from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from core.metrics.registry import get_metric
from tests.core.metrics.made import observe, total

LABELS = ("billing", "delivery", "returns", "退货", "never")
pairs = st.lists(st.tuples(st.sampled_from(LABELS[:4]), st.sampled_from(LABELS[:4])), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_accuracy_and_macro_f1_equal_sklearn(some: list[tuple[str, str]]) -> None:
    references, predictions = zip(*some, strict=True)
    observed = observe(predictions, references, labels=LABELS)
    assert total(get_metric("accuracy"), observed) == pytest.approx(accuracy_score(references, predictions), abs=1e-9)
    expected = f1_score(references, predictions, average="macro", zero_division=0)
    assert total(get_metric("f1_macro"), observed) == pytest.approx(expected, abs=1e-9)


def test_macro_f1_of_a_label_outside_the_label_set_is_a_class_as_in_sklearn() -> None:
    references, predictions = ["a", "b", "a"], ["a", "z", "b"]
    expected = f1_score(references, predictions, average="macro", zero_division=0)
    observed = observe(predictions, references, labels=("a", "b", "c"))
    assert total(get_metric("f1_macro"), observed) == pytest.approx(expected, abs=1e-9)
    assert get_metric("f1_macro").statistics(observed).labels == ("a", "b", "c", "z")


@pytest.mark.parametrize("seed", range(5))
def test_integer_weights_are_a_repeated_corpus(seed: int) -> None:
    rng = np.random.default_rng(seed)
    references, predictions = rng.choice(LABELS, 50), rng.choice(LABELS, 50)
    weights = rng.integers(0, 4, 50)
    metric = get_metric("f1_macro")
    statistics = metric.statistics(observe(predictions.tolist(), references.tolist()))
    expected = f1_score(
        np.repeat(references, weights), np.repeat(predictions, weights), average="macro", zero_division=0
    )
    assert float(metric.value(weights @ statistics.array)) == pytest.approx(expected, abs=1e-9)


def test_values_of_many_sums_at_once_equal_those_one_by_one() -> None:
    rng = np.random.default_rng(0)
    sums = rng.integers(0, 5, (3, 4, 9)).astype(float)
    metric = get_metric("f1_macro")
    together = metric.value(sums)
    assert together.shape == (3, 4)
    assert together[2, 1] == metric.value(sums[2, 1])


def test_an_unreadable_answer_is_wrong_and_failed_evidence_is_missing() -> None:
    observed = observe(
        ["a", None, None, "b"], ["a", "a", "b", "b"],
        reasons=[None, "the text names none of the options", "out of memory", None],
        unreadable=[False, True, False, False], labels=("a", "b"),
    )  # fmt: skip
    accuracy = get_metric("accuracy").statistics(observed)
    assert accuracy.missing.tolist() == [False, False, True, False]
    assert accuracy.reasons == (None, None, "out of memory", None)
    assert accuracy.array.tolist() == [[1, 1], [0, 1], [0, 0], [1, 1]]
    f1 = get_metric("f1_macro").statistics(observed)
    assert f1.array[1].tolist() == [0, 0, 1, 0, 0, 0]  # a miss of class a, a false alarm of none
    assert f1.missing.tolist() == accuracy.missing.tolist()
    assert total(get_metric("f1_macro"), observed) == pytest.approx((2 / 3 + 1) / 2)


def test_number_labels_equal_their_texts_and_no_reference_is_missing() -> None:
    statistics = get_metric("accuracy").statistics(observe(["3", "4", "4"], [3, 4.5, None]))
    assert statistics.array.tolist() == [[1, 1], [0, 1], [0, 0]]
    assert statistics.reasons[2] == "the example has no reference"


@pytest.mark.parametrize("name", ["accuracy", "f1_macro"])
def test_no_example_gives_no_value(name: str) -> None:
    metric = get_metric(name)
    assert np.isnan(total(metric, observe([None], ["a"])))
    assert np.isnan(total(metric, observe([], [])))


def test_per_example_f1_is_whether_the_answer_is_right() -> None:
    metric = get_metric("f1_macro")
    scores = metric.per_example(metric.statistics(observe(["a", "b", None], ["a", "a", "a"])))
    assert scores[:2].tolist() == [1, 0]
    assert np.isnan(scores[2])
