from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)
from sklearn.metrics import (
    confusion_matrix as sklearn_confusion_matrix,
)

from core.metrics.class_counts import MAX_CLASSES
from core.metrics.confusion import OTHER, confusion_matrix
from core.metrics.metric import Parameters
from core.metrics.registry import get_metric, metrics_for
from tests.core.metrics.made import observe, total

LABELS = ("billing", "delivery", "returns", "退货", "never")
pairs = st.lists(st.tuples(st.sampled_from(LABELS[:4]), st.sampled_from(LABELS[:4])), min_size=1, max_size=40)
binary_pairs = st.lists(
    st.tuples(st.sampled_from(["是", "否"]), st.sampled_from(["是", "否"])), min_size=1, max_size=30
)
SKLEARN = {"precision": precision_score, "recall": recall_score, "f1": f1_score}
POSITIVE = Parameters(positive="是")


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


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_every_average_equals_sklearn(some: list[tuple[str, str]]) -> None:
    references, predictions = zip(*some, strict=True)
    observed = observe(predictions, references, labels=LABELS)
    for measure, score in SKLEARN.items():
        for average in ("micro", "macro", "weighted"):
            expected = score(references, predictions, average=average, zero_division=0)
            assert total(get_metric(f"{measure}_{average}"), observed) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_each_class_equals_sklearn(some: list[tuple[str, str]]) -> None:
    references, predictions = zip(*some, strict=True)
    for measure, score in SKLEARN.items():
        metric = get_metric(f"{measure}_per_class")
        statistics = metric.statistics(observe(predictions, references, labels=LABELS))
        assert metric.by_label
        assert statistics.labels == LABELS
        values = metric.value(statistics.array.sum(axis=0).reshape(len(LABELS), 2))
        expected = score(references, predictions, labels=LABELS, average=None, zero_division=np.nan)
        np.testing.assert_allclose(values, expected, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_balanced_accuracy_and_mcc_equal_sklearn(some: list[tuple[str, str]]) -> None:
    references, predictions = zip(*some, strict=True)
    observed = observe(predictions, references, labels=LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of answers that are no reference's
        expected = balanced_accuracy_score(references, predictions)
    assert total(get_metric("balanced_accuracy"), observed) == pytest.approx(expected, abs=1e-9)
    mcc = total(get_metric("mcc"), observed)
    if len(set(references)) == 1:
        assert np.isnan(mcc)
    else:
        assert mcc == pytest.approx(matthews_corrcoef(references, predictions), abs=1e-9)


def test_mcc_of_constant_answers_is_0_and_an_unreadable_answer_is_a_class_of_its_own() -> None:
    metric = get_metric("mcc")
    assert total(metric, observe(["a"] * 4, ["a", "b", "a", "c"])) == 0
    references, answers = ["a", "a", "b", "a", "b"], ["a", None, "b", "a", None]
    observed = observe(answers, references, unreadable=[answer is None for answer in answers])
    expected = matthews_corrcoef(references, [answer or "?" for answer in answers])
    assert total(metric, observed) == pytest.approx(expected)
    assert metric.undefined == "one class alone among the references: MCC has no value"


def test_an_unreadable_answer_is_a_false_alarm_of_no_class() -> None:
    observed = observe(["a", None, "b"], ["a", "a", "a"], labels=("a", "b"), unreadable=[False, True, False])
    assert total(get_metric("precision_micro"), observed) == 1 / 2
    assert total(get_metric("recall_micro"), observed) == pytest.approx(1 / 3)


@settings(max_examples=60, deadline=None)
@given(binary_pairs)
def test_binary_scores_equal_sklearn(some: list[tuple[str, str]]) -> None:
    references, predictions = zip(*some, strict=True)
    observed = observe(predictions, references, labels=("否", "是"), parameters=POSITIVE)
    for name, score in SKLEARN.items():
        # scikit-learn wants the positive label to occur; as numbers it always may.
        expected = score([r == "是" for r in references], [p == "是" for p in predictions], zero_division=np.nan)
        assert total(get_metric(name), observed) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
@pytest.mark.parametrize(
    ("labels", "positive", "reason"),
    [
        (("a", "b", "c"), "a", "binary {} needs two labels; there are 3: use {}_macro"),
        (("a",), None, "binary {} needs two labels; there is 1"),
        (("a", "b"), None, "which of a and b is positive is not declared: set `positive`"),
        (("a", "b"), "z", "the declared positive label 'z' is not among the labels a and b"),
    ],
)
def test_where_binary_scores_do_not_apply_every_example_says_why(
    name: str, labels: tuple[str, ...], positive: str | None, reason: str
) -> None:
    observed = observe(["a", None, "a"], ["a", "a", None], labels=labels, parameters=Parameters(positive=positive))
    statistics = get_metric(name).statistics(observed)
    assert statistics.missing.all()
    expected = reason.format("F1" if name == "f1" else name, name)
    assert statistics.reasons == (expected, "the model failed", "the example has no reference")


def test_the_positive_label_of_a_well_known_pair_needs_no_declaration() -> None:
    observed = observe(["yes", "yes", "no", "no"], ["yes", "no", "yes", "no"], labels=("no", "yes"))
    assert total(get_metric("precision"), observed) == 0.5
    assert get_metric("precision").statistics(observed).signature == "precision|positive:yes|unreadable:wrong"
    # Labels that nobody declared are those that occur.
    assert total(get_metric("recall"), observe(["1", "0", "1"], [1, 1, 1])) == pytest.approx(2 / 3)


def test_a_third_answer_is_wrong_and_a_third_reference_is_missing() -> None:
    observed = observe(["yes", "maybe", None, "maybe", "yes"], ["yes", "yes", "yes", "no", "perhaps"],
                       labels=("yes", "no"), unreadable=[False, False, True, False, False])  # fmt: skip
    recall = get_metric("recall").statistics(observed)
    assert recall.array.tolist() == [[1, 1], [0, 1], [0, 1], [0, 0], [0, 0]]
    assert recall.reasons[4] == "the reference 'perhaps' is not one of the two labels of the task"
    assert get_metric("precision").statistics(observed).array.tolist() == [[1, 1], [0, 0], [0, 0], [0, 0], [0, 0]]
    assert get_metric("f1").statistics(observed).array[1:4].tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_more_labels_than_classes_can_be_are_refused_by_class_alone() -> None:
    many = [f"answer {index}" for index in range(MAX_CLASSES + 1)]
    statistics = get_metric("f1_macro").statistics(observe(many, many))
    assert statistics.missing.all()
    assert statistics.reasons[0] == "there are 1,001 labels; metrics by class take at most 1,000"
    assert total(get_metric("f1_micro"), observe(many, many)) == 1


@pytest.mark.parametrize("name", ["f1_micro", "recall_weighted", "balanced_accuracy", "mcc", "precision_per_class"])
def test_values_of_weighted_sums_are_those_of_a_repeated_corpus(name: str) -> None:
    rng = np.random.default_rng(4)
    references, predictions = rng.choice(LABELS[:3], 60), rng.choice(LABELS[:3], 60)
    weights = rng.integers(0, 4, (6, 60))
    metric = get_metric(name)

    def values(rows: np.ndarray) -> np.ndarray:
        observed = observe(predictions[rows].tolist(), references[rows].tolist(), labels=LABELS[:3])
        sums = metric.statistics(observed).array.sum(axis=0)
        return metric.value(sums.reshape(3, -1) if metric.by_label else sums)

    array = metric.statistics(observe(predictions.tolist(), references.tolist(), labels=LABELS[:3])).array
    sums = weights @ array
    together = metric.value(sums.reshape(6, 3, -1) if metric.by_label else sums)
    for row, found in zip(weights, together, strict=True):
        np.testing.assert_allclose(found, values(np.repeat(np.arange(60), row)), atol=1e-12)


def test_one_label_metrics_are_offered_to_both_kinds_and_f1_to_sets_as_well() -> None:
    names = {
        kind: {metric.name for metric in metrics_for(kind)} for kind in ("classification", "medical", "multilabel")
    }
    assert names["classification"] == names["medical"] >= {
        "accuracy", "balanced_accuracy", "precision", "recall", "f1", "f1_per_class", "precision_per_class",
        "recall_per_class", "mcc", "roc_auc", "roc_auc_macro", "roc_auc_weighted", "pr_auc", "pr_auc_macro", "log_loss",
        "brier", "ece", "sensitivity", "specificity", "ppv", "npv", "lr_plus", "lr_minus",
        *(f"{measure}_{average}" for measure in SKLEARN for average in ("micro", "macro", "weighted")),
    }  # fmt: skip
    assert names["multilabel"] == {
        "f1_micro", "f1_macro", "hamming_loss", "subset_accuracy", "jaccard_samples", "jaccard_micro", "jaccard_macro",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_confusion_matrix_equals_sklearn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    references, predictions = rng.choice(LABELS[:4], 50), rng.choice(LABELS[:4], 50)
    found = confusion_matrix(observe(predictions.tolist(), references.tolist(), labels=LABELS))
    assert found.labels == LABELS
    np.testing.assert_array_equal(found.counts, sklearn_confusion_matrix(references, predictions, labels=LABELS))
    assert not found.unreadable.any()


def test_the_confusion_matrix_keeps_what_is_unreadable_missing_or_outside_the_labels_apart() -> None:
    predictions, references = ["a", "z", None, None, "b", "y"], ["a", "a", "b", "a", None, "y"]
    unreadable = [False, False, True, False, False, False]
    declared = confusion_matrix(observe(predictions, references, labels=("b", "a"), unreadable=unreadable))
    assert declared.labels == ("b", "a", OTHER)
    assert declared.counts.tolist() == [[0, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert declared.unreadable.tolist() == [1, 0, 0]
    assert declared.n_missing == 2
    free = confusion_matrix(observe(predictions, references, unreadable=unreadable))
    assert free.labels == ("a", "b", "y", "z")
    assert free.counts[0].tolist() == [1, 0, 0, 1]
    assert confusion_matrix(observe([], [])).counts.shape == (0, 0)
