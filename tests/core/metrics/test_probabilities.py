"""Log loss, Brier score and calibration against scikit-learn and torchmetrics; scores that are missing or cannot be used."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from core.metrics.curves import calibration_curve
from core.metrics.probabilities import bins_of
from core.metrics.registry import get_metric
from core.metrics.scores import NO_SCORES, OTHER_OPTIONS
from tests.core.metrics.made import observe, total
from tests.core.metrics.scored import AREAS, BINARY, LABELS, area, drawn, observed, one_hot


@pytest.mark.parametrize("labels", [BINARY, LABELS])
@pytest.mark.parametrize("seed", range(3))
def test_log_loss_and_brier_equal_sklearn(labels: tuple[str, ...], seed: int) -> None:
    references, scores = drawn(seed, labels, ties=False)
    scores[0] = one_hot(references[:1], len(labels))[0]
    scores[1] = 1 - scores[0] if len(labels) == 2 else [0.0, 0.0, 0.5, 0.5]
    some, codes = observed(references, scores, labels), np.arange(len(labels))
    assert total(get_metric("log_loss"), some) == pytest.approx(log_loss(references, scores, labels=codes), rel=1e-12)
    expected = brier_score_loss(references, scores[:, 1] if len(labels) == 2 else scores, labels=codes)
    assert total(get_metric("brier"), some) == pytest.approx(expected, rel=1e-12)
    halved = get_metric("brier").statistics(some).signature.endswith(":halved")
    assert halved is (len(labels) == 2)


@pytest.mark.parametrize("labels", [BINARY, LABELS])
def test_calibration_error_equals_torchmetrics(labels: tuple[str, ...]) -> None:
    # Imported here: torch takes seconds, and no other test of this file needs it.
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    for seed in range(10):  # torchmetrics computes in float32
        references, scores = drawn(seed, labels, n=300, ties=False)
        if seed >= 5:  # in tenths, which are edges of bins, and exactly 1
            scores = (
                np.random.default_rng(seed).multinomial(10, scores**4 / (scores**4).sum(axis=1, keepdims=True)) / 10
            )
        expected = multiclass_calibration_error(
            torch.tensor(scores), torch.tensor(references), num_classes=len(labels), n_bins=15, norm="l1"
        )
        assert total(get_metric("ece"), observed(references, scores, labels)) == pytest.approx(
            float(expected), abs=1e-6
        )


@pytest.mark.parametrize("bins", [2, 3, 10, 15, 20, 100])
def test_probabilities_in_hundredths_fall_into_torch_s_bins(bins: int) -> None:
    import torch

    written = np.arange(101) / 100
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float32)
    expected = torch.bucketize(torch.tensor(written).float(), edges, right=True) - 1
    assert bins_of(written, bins).tolist() == expected.tolist()


def test_a_bin_of_the_calibration_error_has_its_lower_edge_and_1_is_apart() -> None:
    scores = np.array([[0.4, 0.6], [0.2, 0.8], [0.0, 1.0], [0.05, 0.95]])
    array = get_metric("ece").statistics(observed(np.array([0, 1, 1, 0]), scores, BINARY)).array
    assert [int(np.flatnonzero(row[:-1])[0]) for row in array[[0, 1, 3]]] == [9, 12, 14]
    surely_wrong = get_metric("ece").statistics(observed(np.array([0]), scores[[2]], BINARY)).array
    assert surely_wrong[0, 15] == -1
    curve = calibration_curve(observed(np.array([0, 1, 1, 0]), scores, BINARY))
    assert curve.counts[14] == 2
    assert "biased upward" in get_metric("ece").caution


def test_the_calibration_curve_gives_the_calibration_error() -> None:
    references, scores = drawn(2, LABELS, n=200, ties=False)
    scores[5] = np.nan
    some = observed(references, scores)
    curve = calibration_curve(some)
    assert curve.n_missing == 1
    assert curve.counts.sum() == 199
    assert np.isnan(curve.accuracy[0])
    gaps = np.nan_to_num(np.abs(curve.accuracy - curve.confidence))
    assert gaps @ curve.counts / 199 == pytest.approx(total(get_metric("ece"), some))
    assert len(calibration_curve(some, bins=4).edges) == 5
    with pytest.raises(ValueError, match="at least 1; found 0"):
        calibration_curve(some, bins=0)


@pytest.mark.parametrize(
    ("row", "reason", "areas_too"),
    [
        ((), "the example has no probabilities", True),
        ((0.5,), "1 scores for 2 options", True),
        ((0.5, float("nan")), "the score of 'yes' is not a finite number", True),
        ((float("inf"), 0.5), "the score of 'no' is not a finite number", True),
        ((0.5, 0.6), "the probabilities sum to 1.1, not to 1", False),
        ((-0.2, 1.2), "a probability of -0.2 is not between 0 and 1", False),
    ],
)
def test_bad_scores_are_missing_with_their_reason(row: tuple[float, ...], reason: str, areas_too: bool) -> None:
    some = observe(["yes", "no", "no"], ["yes", "yes", "no"], labels=BINARY, scores=[(0.3, 0.7), row, (0.8, 0.2)])
    for name in ("log_loss", "brier", "ece", *AREAS):
        statistics = get_metric(name).statistics(some)
        assert np.isfinite(statistics.array).all()
        expected = reason if areas_too or name not in AREAS else None
        assert statistics.reasons == (None, expected, None), name
    assert total(get_metric("accuracy"), some) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["log_loss", "brier", "ece", *AREAS])
def test_generated_answers_have_no_probabilities(name: str) -> None:
    some = observe(["yes", None, None], ["yes", "no", "no"], labels=BINARY, scores=[(), (), ()],
                   unreadable=[False, True, False])  # fmt: skip
    statistics = get_metric(name).statistics(some)
    assert statistics.reasons == (NO_SCORES, NO_SCORES, "the model failed")
    assert get_metric(name).statistics(observe(["yes"], ["yes"], labels=BINARY)).reasons == (NO_SCORES,)


def test_a_reference_that_is_no_option_is_missing() -> None:
    some = observe(["a", "b"], ["c", "b"], labels=("a", "b"), scores=[(0.5, 0.5), (0.1, 0.9)])
    for name in ("log_loss", "brier", "ece", "roc_auc_macro"):
        assert get_metric(name).statistics(some).reasons == ("the reference 'c' is not among the options", None)


def test_options_in_another_order_are_brought_into_that_of_the_labels() -> None:
    references, scores = drawn(12, LABELS, ties=False)
    turned = [tuple(LABELS[code] for code in np.roll(range(4), shift)) for shift in range(len(scores))]
    rows = [tuple(np.roll(row, shift).tolist()) for shift, row in enumerate(scores)]
    plain = observed(references, scores)
    mixed = observe(plain.predictions, plain.references, labels=LABELS, scores=rows, options=turned)
    for name in ("log_loss", "brier", "ece"):
        assert total(get_metric(name), mixed) == pytest.approx(total(get_metric(name), plain))
    for name in ("roc_auc_macro", "pr_auc_macro"):
        assert area(get_metric(name), mixed) == pytest.approx(area(get_metric(name), plain))


def test_questions_with_options_of_their_own_have_a_log_loss_and_no_area() -> None:
    some = observe(["a", "x"], ["a", "y"], labels=("a", "b", "x", "y"), scores=[(0.75, 0.25), (0.5, 0.5)],
                   options=[("a", "b"), ("x", "y")])  # fmt: skip
    assert total(get_metric("log_loss"), some) == pytest.approx(-np.log([0.75, 0.5]).mean())
    statistics = get_metric("roc_auc_macro").statistics(some)
    assert statistics.reasons == (OTHER_OPTIONS, OTHER_OPTIONS)
    assert statistics.array.shape == (2, 0)
    assert np.isnan(get_metric("roc_auc_macro").weighted_values(statistics.array, np.ones((2, 2)))).all()
    partly = observe(["a", "a"], ["a", "b"], labels=("a", "b"), scores=[(0.75, 0.25), (0.5, 0.3)],
                     options=[("a", "b"), ("a", "c")])  # fmt: skip
    assert get_metric("roc_auc_macro").statistics(partly).reasons[0] is None
    assert get_metric("roc_auc_macro").statistics(partly).missing.tolist() == [False, True]


@pytest.mark.parametrize("name", ["log_loss", "brier", "ece"])
def test_no_example_gives_no_value(name: str) -> None:
    assert np.isnan(total(get_metric(name), observe([], [])))
    assert np.isnan(total(get_metric(name), observe([None], ["a"], labels=BINARY, scores=[()])))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(area(get_metric("roc_auc_macro"), observe([], [])))
