from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from core.errors import InputError
from core.metrics.curves import calibration_curve, roc_curve
from core.metrics.metric import Metric, Observations, Parameters
from core.metrics.probabilities import bins_of
from core.metrics.registry import get_metric
from core.metrics.scores import NO_SCORES, OTHER_OPTIONS
from tests.core.metrics.made import observe, total

LABELS = ("甲", "乙", "丙", "丁")
AREAS = ("roc_auc", "roc_auc_macro", "roc_auc_weighted", "pr_auc", "pr_auc_macro")
BINARY = ("no", "yes")


def drawn(seed: int, labels: tuple[str, ...], n: int = 80, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return references as codes and probabilities (n, labels); with ties most scores are shared."""
    rng = np.random.default_rng(seed)
    references = np.concatenate([np.arange(len(labels)), rng.integers(0, len(labels), n - len(labels))])
    chances = rng.dirichlet(np.ones(len(labels)), n) + 0.3 * np.eye(len(labels))[references]
    return references, np.round(chances, 1) + 0.05 if ties else chances / chances.sum(axis=1, keepdims=True)


def observed(references: np.ndarray, scores: np.ndarray, labels: tuple[str, ...] = LABELS) -> Observations:
    return observe(
        [labels[code] for code in scores.argmax(axis=1)], [labels[code] for code in references], labels=labels,
        scores=[tuple(row) for row in scores.tolist()], options=[labels] * len(scores), kind="classification",
        parameters=Parameters(positive=labels[-1]),
    )  # fmt: skip


def area(metric: Metric, some: Observations) -> float:
    array = metric.statistics(some).array
    return float(metric.weighted_values(array, np.ones((1, len(array))))[0])


def one_hot(references: np.ndarray, k: int) -> np.ndarray:
    return np.eye(k, dtype=int)[references]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [True, False])
def test_binary_areas_equal_sklearn(seed: int, ties: bool) -> None:
    references, scores = drawn(seed, BINARY, ties=ties)
    some = observed(references, scores, BINARY)
    assert area(get_metric("roc_auc"), some) == pytest.approx(roc_auc_score(references, scores[:, 1]), abs=1e-12)
    expected = average_precision_score(references, scores[:, 1])
    assert area(get_metric("pr_auc"), some) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("labels", [LABELS, BINARY])
def test_one_versus_rest_areas_equal_sklearn(seed: int, labels: tuple[str, ...]) -> None:
    references, scores = drawn(seed, labels)
    some, truth = observed(references, scores, labels), one_hot(references, len(labels))
    for average in ("macro", "weighted"):
        expected = roc_auc_score(truth, scores, average=average)
        assert area(get_metric(f"roc_auc_{average}"), some) == pytest.approx(expected, abs=1e-12)
    expected = average_precision_score(truth, scores, average="macro")
    assert area(get_metric("pr_auc_macro"), some) == pytest.approx(expected, abs=1e-12)


def test_multi_class_areas_equal_sklearns_own_one_versus_rest() -> None:
    references, scores = drawn(9, LABELS, ties=False)
    for average in ("macro", "weighted"):
        expected = roc_auc_score(references, scores, average=average, multi_class="ovr")
        assert area(get_metric(f"roc_auc_{average}"), observed(references, scores)) == pytest.approx(expected)


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("ties", [True, False])
def test_integer_weights_are_a_repeated_corpus(name: str, ties: bool) -> None:
    labels = BINARY if name in ("roc_auc", "pr_auc") else LABELS
    references, scores = drawn(3, labels, n=40, ties=ties)
    weights = np.random.default_rng(0).integers(0, 4, (12, 40))
    metric = get_metric(name)
    found = metric.weighted_values(metric.statistics(observed(references, scores, labels)).array, weights)
    for row, value in zip(weights, found, strict=True):
        rows = np.repeat(np.arange(40), row)
        assert value == pytest.approx(area(metric, observed(references[rows], scores[rows], labels)), abs=1e-12)


@pytest.mark.parametrize("name", AREAS)
def test_many_draws_in_blocks_equal_each_draw_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = BINARY if name in ("roc_auc", "pr_auc") else LABELS
    references, scores = drawn(5, labels, n=50)
    metric = get_metric(name)
    array = metric.statistics(observed(references, scores, labels)).array
    weights = np.random.default_rng(1).integers(0, 3, (30, 50)).astype(np.uint8)
    alone = [metric.weighted_values(array, row[None])[0] for row in weights]
    monkeypatch.setattr("core.stats.arrays.BLOCK_ELEMENTS", 1_000)
    np.testing.assert_allclose(metric.weighted_values(array, weights), alone, rtol=1e-13)


@pytest.mark.parametrize("name", AREAS)
def test_missing_examples_of_weight_0_change_nothing(name: str) -> None:
    labels = BINARY if name in ("roc_auc", "pr_auc") else LABELS
    references, scores = drawn(6, labels, n=40, ties=False)
    metric, holes = get_metric(name), scores.copy()
    holes[[3, 20, 30]] = np.nan
    statistics = metric.statistics(observed(references, holes, labels))
    kept = ~statistics.missing
    assert (~kept).sum() == 3
    expected = area(metric, observed(references[kept], scores[kept], labels))
    assert metric.weighted_values(statistics.array, kept[None])[0] == pytest.approx(expected)
    influence = metric.influence(statistics.array, kept.astype(float))
    assert influence is not None
    assert not influence[~kept].any()


@pytest.mark.parametrize("name", AREAS)
def test_one_class_alone_has_no_value_and_a_class_missing_from_a_draw_makes_it_undefined(name: str) -> None:
    labels = BINARY if name in ("roc_auc", "pr_auc") else LABELS
    references, scores = drawn(7, labels, n=30)
    metric = get_metric(name)
    assert "one class alone among the references" in metric.undefined
    for code in (0, len(labels) - 1):
        assert np.isnan(area(metric, observed(np.full(30, code), scores, labels)))
    array = metric.statistics(observed(references, scores, labels)).array
    weights = np.ones((3, 30))
    weights[0, references == 0] = 0
    weights[1, references != 0] = 0
    assert np.isnan(metric.weighted_values(array, weights)).tolist() == [True, True, False]
    assert np.isnan(metric.weighted_values(array, np.zeros((1, 30)))).all()
    with pytest.raises(TypeError, match="use weighted_values"):
        metric.value(array.sum(axis=0))


def test_a_label_that_no_reference_has_is_left_out_of_the_macro_average() -> None:
    references, scores = drawn(8, LABELS, n=60)
    references[references == 2] = 0
    kept = [0, 1, 3]
    expected = roc_auc_score(one_hot(references, 4)[:, kept], scores[:, kept], average="macro")
    assert area(get_metric("roc_auc_macro"), observed(references, scores)) == pytest.approx(expected)


@pytest.mark.parametrize("name", AREAS)
def test_the_influence_is_the_derivative_by_weight(name: str) -> None:
    labels = BINARY if name in ("roc_auc", "pr_auc") else LABELS
    references, scores = drawn(10, labels, n=30)
    metric = get_metric(name)
    array = metric.statistics(observed(references, scores, labels)).array
    step = 1e-6
    up, down = 1 + step * np.eye(30), 1 - step * np.eye(30)
    expected = (metric.weighted_values(array, up) - metric.weighted_values(array, down)) / (2 * step)
    found = metric.influence(array, np.ones(30))
    assert found is not None
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert found.sum() == pytest.approx(0, abs=1e-10)


def delong_variance(scores: np.ndarray, positive: np.ndarray) -> float:
    """Return DeLong's variance from its definition, pair by pair."""
    above, below = scores[positive == 1][:, None], scores[positive == 0][None]
    wins = (above > below) + 0.5 * (above == below)
    return wins.mean(axis=1).var(ddof=1) / len(wins) + wins.mean(axis=0).var(ddof=1) / wins.shape[1]


def test_the_influence_gives_delongs_variance_and_nearly_the_bootstraps() -> None:
    references, scores = drawn(11, BINARY, n=400)
    metric = get_metric("roc_auc")
    array = metric.statistics(observed(references, scores, BINARY)).array
    influence = metric.influence(array, np.ones(400))
    assert influence is not None
    variance = 0.0
    for code in (0, 1):
        own = influence[references == code]
        variance += float(own @ own) * len(own) / (len(own) - 1)
    assert variance == pytest.approx(delong_variance(scores[:, 1], references), rel=1e-9)
    weights = np.random.default_rng(0).multinomial(400, np.full(400, 1 / 400), size=8_000)
    assert metric.weighted_values(array, weights).var() == pytest.approx(float(influence @ influence), rel=0.06)


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


def test_the_roc_curve_equals_sklearn() -> None:
    references, scores = drawn(4, BINARY)
    found = roc_curve(observed(references, scores, BINARY))
    rates = sklearn_roc_curve(references, scores[:, 1], drop_intermediate=False)
    for mine, theirs in zip(
        (found.false_positive_rate, found.true_positive_rate, found.thresholds), rates, strict=True
    ):
        np.testing.assert_allclose(mine, theirs)
    assert found.positive == "yes"
    with pytest.raises(InputError, match="one class alone"):
        roc_curve(observed(np.zeros(80, dtype=int), scores, BINARY))
    with pytest.raises(InputError, match="a ROC curve needs two labels; there are 4"):
        roc_curve(observed(*drawn(4, LABELS)))


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


def test_the_area_of_two_labels_needs_no_positive_one_where_their_scores_add_up_to_1() -> None:
    references, scores = drawn(13, ("a", "b"), ties=False)
    some = observe(["a"] * 80, [("a", "b")[code] for code in references], labels=("a", "b"),
                   scores=[tuple(row) for row in scores.tolist()])  # fmt: skip
    assert area(get_metric("roc_auc"), some) == pytest.approx(roc_auc_score(references, scores[:, 1]))
    assert get_metric("roc_auc").statistics(some).signature == "roc_auc|positive:either|ties:half"
    undeclared = "which of a and b is positive is not declared: set `positive`"
    assert set(get_metric("pr_auc").statistics(some).reasons) == {undeclared}
    skewed = observe(["a"] * 2, ["a", "b"], labels=("a", "b"), scores=[(0.5, 0.9), (0.1, 0.2)])
    assert set(get_metric("roc_auc").statistics(skewed).reasons) == {undeclared}


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc"])
def test_binary_areas_of_more_labels_say_what_to_use(name: str) -> None:
    statistics = get_metric(name).statistics(observed(*drawn(1, LABELS)))
    metric = get_metric(name)
    assert set(statistics.reasons) == {f"binary {metric.label} needs two labels; there are 4: use {name}_macro"}


@pytest.mark.parametrize("name", ["log_loss", "brier", "ece"])
def test_no_example_gives_no_value(name: str) -> None:
    assert np.isnan(total(get_metric(name), observe([], [])))
    assert np.isnan(total(get_metric(name), observe([None], ["a"], labels=BINARY, scores=[()])))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(area(get_metric("roc_auc_macro"), observe([], [])))
