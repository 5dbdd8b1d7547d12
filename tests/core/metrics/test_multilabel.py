from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, hamming_loss, jaccard_score

from core.metrics.metric import Observations
from core.metrics.registry import get_metric, metrics_for
from tests.core.metrics.made import observe, total

TAGS = ("疼痛", "fever", "cough", "nausea", "never")
sets = st.frozensets(st.sampled_from(TAGS[:4]))
pairs = st.lists(st.tuples(sets, sets), min_size=1, max_size=30)


def indicators(some: list[frozenset[str]]) -> np.ndarray:
    return np.array([[tag in one for tag in TAGS] for one in some], dtype=int)


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_metrics_of_examples_equal_sklearn(some: list[tuple[frozenset[str], frozenset[str]]]) -> None:
    wanted, given_ = indicators([one for one, _ in some]), indicators([one for _, one in some])
    observed = observe([tuple(b) for _, b in some], [list(a) for a, _ in some], labels=TAGS, kind="multilabel")
    expected = {
        "hamming_loss": hamming_loss(wanted, given_),
        "subset_accuracy": accuracy_score(wanted, given_),
        "jaccard_samples": jaccard_score(wanted, given_, average="samples", zero_division=1),
    }
    for name, value in expected.items():
        assert total(get_metric(name), observed) == pytest.approx(value, abs=1e-9), name


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_metrics_of_labels_equal_sklearn_over_the_labels_that_occur(
    some: list[tuple[frozenset[str], frozenset[str]]],
) -> None:
    wanted, given_ = indicators([one for one, _ in some]), indicators([one for _, one in some])
    occurring = np.flatnonzero((wanted | given_).any(axis=0))
    observed = observe([tuple(b) for _, b in some], [list(a) for a, _ in some], labels=TAGS, kind="multilabel")
    names = ("f1_micro", "f1_macro", "jaccard_micro", "jaccard_macro")
    if not len(occurring):
        assert all(np.isnan(total(get_metric(name), observed)) for name in names)
        return
    expected = {
        "f1_micro": f1_score(wanted, given_, average="micro"),
        "f1_macro": f1_score(wanted, given_, average="macro", zero_division=np.nan),
        "jaccard_micro": jaccard_score(wanted, given_, average="micro"),
        "jaccard_macro": jaccard_score(wanted, given_, average="macro", labels=occurring),
    }
    for name in names:
        assert total(get_metric(name), observed) == pytest.approx(expected[name], abs=1e-9), name


@pytest.mark.parametrize("name", ["f1_micro", "f1_macro", "jaccard_micro", "jaccard_macro", "hamming_loss"])
def test_integer_weights_are_a_repeated_corpus(name: str) -> None:
    rng = np.random.default_rng(1)
    wanted, given_ = rng.random((2, 40, 5)) < 0.4
    weights = rng.integers(0, 3, 40)
    metric = get_metric(name)

    def observed(rows: np.ndarray) -> Observations:
        tags = np.array(TAGS)
        return observe(
            [tuple(tags[given_[row]]) for row in rows], [tags[wanted[row]].tolist() for row in rows],
            labels=TAGS, kind="multilabel",
        )  # fmt: skip

    array = metric.statistics(observed(np.arange(40))).array
    repeated = metric.statistics(observed(np.repeat(np.arange(40), weights))).array.sum(axis=0)
    assert float(metric.value(weights @ array)) == pytest.approx(float(metric.value(repeated)))


def test_an_empty_set_is_an_answer_an_unreadable_one_is_wrong_and_a_failed_one_is_missing() -> None:
    observed = observe(
        [(), None, None, ("a",)], [[], [], ["a"], None], labels=("a", "b"), kind="multilabel",
        unreadable=[False, True, False, False], reasons=[None, "no tag was named", "out of memory", None],
    )  # fmt: skip
    expected = {"subset_accuracy": [1, 0], "jaccard_samples": [1, 0], "hamming_loss": [0, 1]}
    for name, values in expected.items():
        statistics = get_metric(name).statistics(observed)
        assert statistics.array[:2, 0].tolist() == values, name
        assert statistics.reasons == (None, None, "out of memory", "the example has no reference"), name


@pytest.mark.parametrize("name", [metric.name for metric in metrics_for("multilabel")])
def test_a_label_outside_the_set_is_wrong_and_spoils_nothing(name: str) -> None:
    metric = get_metric(name)
    right = observe([("a",), ("b",)], [["a"], ["b"]], labels=("a", "b"), kind="multilabel")
    outside = observe([("a", "x", "y", "z"), ("b",)], [["a"], ["b"]], labels=("a", "b"), kind="multilabel")
    best = 1.0 if metric.higher_is_better else 0.0
    assert total(metric, right) == best
    assert metric.statistics(right).signature == metric.statistics(outside).signature
    assert total(metric, outside) != best
    assert (metric.statistics(outside).array >= 0).all()
    assert metric.per_example(metric.statistics(outside)).max() <= 1


def test_labels_that_nobody_declared_are_those_that_occur_and_a_single_label_is_a_set_of_one() -> None:
    observed = observe([("a", "3"), ("c",)], [["a"], [3]])
    assert total(get_metric("hamming_loss"), observed) == pytest.approx((1 / 3 + 2 / 3) / 2)
    assert get_metric("hamming_loss").statistics(observed).signature == "hamming_loss|labels:3|unreadable:1"
    assert total(get_metric("f1_macro"), observed) == pytest.approx((1 + 0 + 0) / 3)
    assert total(get_metric("jaccard_samples"), observe(["a", "b"], ["a", "c"], kind="multilabel")) == 0.5


@pytest.mark.parametrize("name", [metric.name for metric in metrics_for("multilabel")])
def test_no_example_gives_no_value(name: str) -> None:
    metric = get_metric(name)
    assert np.isnan(total(metric, observe([], [], kind="multilabel")))
    assert np.isnan(total(metric, observe([None], [["a"]], labels=("a",), kind="multilabel")))
