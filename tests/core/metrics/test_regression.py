from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score, root_mean_squared_error

from core.metrics.metric import Observations
from core.metrics.registry import get_metric
from tests.core.metrics.made import observe, total

REFEREES = {
    "mse": mean_squared_error,
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "r2": r2_score,
    "pearson": lambda y, p: pearsonr(y, p).statistic,
    "spearman": lambda y, p: spearmanr(y, p).statistic,
}
ALL = (*REFEREES, "within_1", "unparsable")


def drawn(seed: int, n: int = 60, offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and references with ties in both."""
    rng = np.random.default_rng(seed)
    references = np.round(rng.normal(0, 3, n))
    return references + np.round(rng.normal(0.4, 2, n)) / 2 + offset, references + offset


def value(name: str, observed: Observations, weights: np.ndarray | None = None) -> float:
    metric = get_metric(name)
    array = metric.statistics(observed).array
    return float(metric.weighted_values(array, np.ones((1, len(array))) if weights is None else weights)[0])


@pytest.mark.parametrize("offset", [0.0, -7.5, 1e8])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", REFEREES)
def test_each_equals_its_referee(name: str, seed: int, offset: float) -> None:
    predictions, references = drawn(seed, offset=offset)
    expected = REFEREES[name](references, predictions)
    assert value(name, observe(predictions.tolist(), references.tolist())) == pytest.approx(
        expected, rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("name", REFEREES)
def test_whole_weights_are_a_repeated_sample(name: str) -> None:
    predictions, references = drawn(5)
    metric = get_metric(name)
    array = metric.statistics(observe(predictions.tolist(), references.tolist())).array
    weights = np.random.default_rng(1).poisson(1.0, (20, 60)).astype(np.float32)
    found = metric.weighted_values(array, weights)
    for row, one in zip(weights.astype(int), found, strict=True):
        expected = REFEREES[name](np.repeat(references, row), np.repeat(predictions, row))
        assert one == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_draws_in_blocks_equal_draws_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    predictions, references = drawn(6)
    metric = get_metric("spearman")
    array = metric.statistics(observe(predictions.tolist(), references.tolist())).array
    weights = np.random.default_rng(2).poisson(1.0, (9, 60))
    whole = metric.weighted_values(array, weights)
    monkeypatch.setattr("core.row_blocks.BLOCK_ELEMENTS", 800)
    np.testing.assert_array_equal(metric.weighted_values(array, weights), whole)


def test_a_missing_row_is_no_pair_of_zeros() -> None:
    predictions, references = drawn(7)
    some = [None if index % 7 == 0 else float(p) for index, p in enumerate(predictions)]
    observed = observe(some, references.tolist())
    kept = np.array([p is not None for p in some])
    for name, referee in REFEREES.items():
        expected = referee(references[kept], predictions[kept])
        assert value(name, observed, kept[None].astype(float)) == pytest.approx(expected, abs=1e-9)


def test_the_influence_of_spearman_is_its_derivative() -> None:
    predictions, references = drawn(8, 25)
    metric = get_metric("spearman")
    array = metric.statistics(observe(predictions.tolist(), references.tolist())).array
    weights = np.ones(25)
    weights[[3, 9]] = 0
    found = metric.influence(array, weights)
    step = 1e-5 * np.eye(25)
    slopes = (metric.weighted_values(array, weights + step) - metric.weighted_values(array, weights - step)) / 2e-5
    assert found is not None
    np.testing.assert_allclose(found, slopes, atol=1e-8)
    assert (weights * found).sum() == pytest.approx(0, abs=1e-12)
    assert metric.influence(np.ones((4, 2)), np.ones(4)) is None


def test_statistics_of_two_variants_share_their_centre_so_that_they_can_be_exchanged() -> None:
    predictions, references = drawn(9)
    other = predictions[::-1] + 40
    mixed = np.where(np.arange(60) % 2, predictions, other)
    for name in ("pearson", "r2"):
        first, second = (
            get_metric(name).statistics(observe(p.tolist(), references.tolist())).array for p in (predictions, other)
        )
        both = np.where((np.arange(60) % 2)[:, None], first, second)
        expected = REFEREES[name](references, mixed)
        assert float(get_metric(name).value(both.sum(axis=0))) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "right"), [("within_1", 0.5), ("within_0.5", 0.25), ("within_0", 0.25), ("within_1.25", 0.75)]
)
def test_within_a_tolerance_both_ends_included(name: str, right: float) -> None:
    assert total(get_metric(name), observe([1.0, 3.0, 4.25, 9], [1.0, 2.0, 3.0, 1.0])) == right
    assert get_metric(name).name == name


def test_a_tolerance_is_meant_in_decimal_numbers() -> None:
    assert 1.1 - 1.0 > 0.1
    assert total(get_metric("within_0.1"), observe([1.1, 1.1001], [1.0, 1.0])) == 0.5


@pytest.mark.parametrize("name", ["within_", "within_1.0", "within_-1", "within_01", "within_1e3", "within_x"])
def test_a_tolerance_that_is_no_plain_number_is_no_metric(name: str) -> None:
    assert type(get_metric("within_1")).parse(name) is None


def test_numbers_may_be_texts_and_what_is_no_number_is_missing_with_its_reason() -> None:
    predictions = ["2.5", " 3 ", "three", "三", "", None, None, float("nan"), float("inf"), "-inf", True, 10**400, 1.0]
    references: list[object] = [2.5, "4", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, None]
    reasons = [None] * 5 + ["the text holds no number", "out of memory"] + [None] * 6
    unreadable = [False] * 5 + [True] + [False] * 7
    observed = observe(predictions, references, reasons=reasons, unreadable=unreadable)
    mae = get_metric("mae").statistics(observed)
    assert mae.array[:2].tolist() == [[0, 1], [1, 1]]
    assert mae.reasons[2:10] == (
        "the prediction 'three' is not a number", "the prediction '三' is not a number", "the prediction '' is not a number",
        "the text holds no number", "out of memory", "the prediction is NaN", "the prediction is infinite",
        "the prediction is infinite",
    )  # fmt: skip
    assert mae.reasons[10] == "the prediction True is not a number"
    assert str(mae.reasons[11]).endswith("… is not a number")
    assert mae.reasons[12] == "the example has no reference"
    assert value("mae", observed) == 0.5
    unparsable = get_metric("unparsable").statistics(observed)
    assert unparsable.array[:, 0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0]
    assert [reason for reason in unparsable.reasons if reason] == list(mae.reasons[6:10])
    assert total(get_metric("unparsable"), observed) == 6 / 9


def test_a_reference_that_is_no_finite_number_is_missing() -> None:
    statistics = get_metric("r2").statistics(observe([1, 2, 3, 4, 5], [1, float("nan"), "x", float("-inf"), 4]))
    assert statistics.reasons[1:4] == (
        "the reference is NaN", "the reference 'x' is not a number", "the reference is infinite",
    )  # fmt: skip
    assert value("r2", observe([1, 2, 5], [1, float("nan"), 4])) == pytest.approx(r2_score([1, 4], [1, 5]))


def test_numbers_too_large_to_be_squared_are_missing() -> None:
    statistics = get_metric("mse").statistics(observe([1e200, 1.0], [0.0, 1.0]))
    assert statistics.reasons == ("the numbers are too large for their squares", None)
    assert statistics.array.tolist() == [[0, 0], [0, 1]]
    assert value("mae", observe([1e200, 1.0], [0.0, 1.0])) == 5e199


@pytest.mark.parametrize("constant", [0.0, 0.1, 5.3, 1e8 + 0.1])
def test_what_does_not_vary_has_no_correlation(constant: float) -> None:
    varied = [0.3, 1.7, 2.2, 9.1, 0.3]
    same = [constant] * 5
    for name in ("pearson", "spearman"):
        assert np.isnan(value(name, observe(same, varied)))
        assert np.isnan(value(name, observe(varied, same)))
        assert get_metric(name).undefined == "the references or the predictions are all the same, up to rounding"
    assert np.isnan(value("r2", observe(varied, same)))
    assert value("r2", observe(same, varied)) < 1
    assert get_metric("r2").undefined.startswith("the references are all the same")
    # A resample can be of one example alone, far from the centre of all.
    one_example = np.array([[0.0, 0, 0, 7, 0]])
    assert np.isnan(value("r2", observe(varied[::-1], varied), one_example))


@pytest.mark.parametrize("name", ALL)
def test_no_example_gives_no_value(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(value(name, observe([], [])))
        assert np.isnan(value(name, observe([None], [1.0])))


def test_direction_and_range_belong_to_the_metric() -> None:
    assert [name for name in ALL if not get_metric(name).higher_is_better] == ["mse", "rmse", "mae", "unparsable"]
    assert get_metric("r2").bounds == (None, 1.0)
    assert get_metric("pearson").bounds == (-1.0, 1.0)
    assert get_metric("within_1").test == get_metric("unparsable").test == "rate"


def test_each_examples_own_value() -> None:
    metric = get_metric("rmse")
    scores = metric.per_example(metric.statistics(observe([1.0, 5.0, None], [1.0, 2.0, 1.0])))
    assert scores[:2].tolist() == [0, 3]
    assert np.isnan(scores[2])
