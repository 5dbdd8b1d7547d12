"""Areas under ROC and precision-recall curves against scikit-learn: values, weights, ties, influence."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from core.errors import InputError
from core.metrics.curves import roc_curve
from core.metrics.registry import get_metric
from tests.core.metrics.made import observe
from tests.core.metrics.scored import AREAS, BINARY, LABELS, area, drawn, observed, one_hot


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
    monkeypatch.setattr("core.row_blocks.BLOCK_ELEMENTS", 1_000)
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
