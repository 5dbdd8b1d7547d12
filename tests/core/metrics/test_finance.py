from __future__ import annotations

import warnings
from typing import Any

import empyrical
import numpy as np
import pytest

from core.metrics.finance import cumulative_returns
from core.metrics.metric import Observations, Parameters
from core.metrics.registry import get_metric
from tests.core.metrics.made import observe

NAMES = ("total_return", "sharpe", "sortino", "max_drawdown", "hit_rate")


def series(positions: Any, returns: Any, yearly: float = 252.0) -> Observations:
    return observe(list(positions), list(returns), kind="finance", parameters=Parameters(periods_per_year=yearly))


def drawn(seed: int, n: int = 250) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(0, 1, n)), np.round(rng.normal(0.001, 0.02, n), 3)


def value(name: str, observed: Observations, weights: np.ndarray | None = None) -> float:
    metric = get_metric(name)
    array = metric.statistics(observed).array
    return float(metric.weighted_values(array, np.ones((1, len(array))) if weights is None else weights)[0])


def referee(name: str, returns: np.ndarray, yearly: float) -> float:
    if name == "sharpe":
        return empyrical.sharpe_ratio(returns, annualization=yearly)
    if name == "sortino":
        return empyrical.sortino_ratio(returns, annualization=yearly)
    return {"total_return": empyrical.cum_returns_final, "max_drawdown": empyrical.max_drawdown}[name](returns)


@pytest.mark.parametrize("yearly", [252, 12])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["total_return", "sharpe", "sortino", "max_drawdown"])
def test_each_equals_empyrical(name: str, seed: int, yearly: int) -> None:
    positions, returns = drawn(seed)
    expected = referee(name, positions * returns, yearly)
    assert value(name, series(positions, returns, yearly)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["total_return", "sharpe", "sortino", "max_drawdown"])
def test_whole_weights_are_periods_repeated_in_place(name: str) -> None:
    positions, returns = drawn(9, 80)
    metric = get_metric(name)
    array = metric.statistics(series(positions, returns)).array
    weights = np.random.default_rng(0).poisson(1.0, (20, 80)).astype(np.float32)
    for row, found in zip(weights.astype(int), metric.weighted_values(array, weights), strict=True):
        assert found == pytest.approx(referee(name, np.repeat(positions * returns, row), 252), abs=1e-9)


def test_the_curve_of_returns_equals_empyrical_and_stands_still_where_a_period_is_missing() -> None:
    positions, returns = drawn(3)
    expected = empyrical.cum_returns(positions * returns)
    np.testing.assert_allclose(cumulative_returns(series(positions, returns)), expected, atol=1e-12)
    curve = cumulative_returns(series([1, None, 1], [0.1, 0.5, 0.2]))
    np.testing.assert_allclose(curve, [0.1, np.nan, 1.1 * 1.2 - 1])
    np.testing.assert_allclose(cumulative_returns(series([1, 2, 1], [0.1, -0.7, 5])), [0.1, -1, -1])
    assert cumulative_returns(series([], [])).shape == (0,)


def test_the_hit_rate_counts_the_periods_with_a_position() -> None:
    observed = series([1, -2, 0, 1, 1, -1], [0.1, -0.1, 0.3, -0.2, 0.0, 0.4])
    statistics = get_metric("hit_rate").statistics(observed)
    assert statistics.array[:, 0].tolist() == [1, 1, 0, 0, 0, 0]
    assert statistics.reasons[2] == "no position was taken in this period"
    assert value("hit_rate", observed) == 2 / 5


def test_the_hit_rate_of_either_kind_says_which_it_is() -> None:
    metric = get_metric("hit_rate")
    assert metric.kinds == {"ranking", "finance"}
    ranking = metric.statistics(observe([(0.9, 0.1)], [[0, 1]], kind="ranking"))
    finance = metric.statistics(series([1], [0.1]))
    assert ranking.signature.startswith("hit_rate|first:10|")
    assert finance.signature == "hit_rate|periods with a position|sign of the return"
    assert (metric.resampling_for("ranking"), metric.resampling_for("finance")) == ("examples", "blocks")
    assert metric.statistics(observe(["1", "x"], ["0.5", "1"])).reasons == (None, "the position 'x' is not a number")


def test_losing_everything_ends_the_strategy() -> None:
    ruined = series([1, 2, 1], [0.5, -0.6, 9.0])
    assert value("total_return", ruined) == -1
    assert value("max_drawdown", ruined) == -1
    exactly = series([1, 1], [-1.0, 0.5])
    assert value("total_return", exactly) == -1
    assert value("max_drawdown", exactly) == -1
    without = np.array([[1.0, 0, 1]])
    assert value("total_return", ruined, without) == pytest.approx(14)
    assert value("max_drawdown", ruined, without) == 0


@pytest.mark.parametrize("constant", [0.0, 0.001, -0.001, 0.1 + 0.2])
def test_constant_returns_have_no_ratio(constant: float) -> None:
    observed = series([1] * 20, [constant] * 20)
    assert np.isnan(value("sharpe", observed))
    assert np.isnan(value("sortino", observed))
    assert get_metric("sharpe").undefined == "the strategy's returns are all the same, or there are fewer than two"
    assert value("total_return", observed) == pytest.approx((1 + constant) ** 20 - 1)


def test_no_loss_no_sortino_and_one_period_no_sharpe() -> None:
    assert np.isnan(value("sortino", series([1, 1], [0.1, 0.2])))
    assert get_metric("sortino").undefined.startswith("no period lost")
    assert np.isfinite(value("sharpe", series([1, 1], [0.1, 0.2])))
    assert np.isnan(value("sharpe", series([1], [0.1])))
    assert value("max_drawdown", series([1, 1], [0.1, 0.2])) == 0


def test_the_order_of_the_periods_moves_the_drawdown_alone() -> None:
    returns = np.array([0.2, 0.2, -0.1, -0.1])
    for name in NAMES:
        same = value(name, series(np.ones(4), returns)) == pytest.approx(
            value(name, series(np.ones(4), returns[[0, 2, 1, 3]]))
        )
        assert same is (name != "max_drawdown"), name
    assert get_metric("max_drawdown").resampling == "none"
    assert "order" in get_metric("max_drawdown").no_interval
    assert {get_metric(name).resampling for name in ("sharpe", "sortino", "total_return")} == {"blocks"}


def test_the_annualisation_is_stated() -> None:
    observed = series([1, 1, 1], [0.1, -0.2, 0.1], 52)
    assert get_metric("sharpe").statistics(observed).signature == "sharpe|risk-free:0|ddof:1|periods a year:52|costs:0"
    assert "periods a year:52" in get_metric("sortino").statistics(observed).signature


@pytest.mark.parametrize(
    ("position", "period_return", "reason"),
    [
        ("long", 0.1, "the position 'long' is not a number"),
        ("做多", 0.1, "the position '做多' is not a number"),
        (float("nan"), 0.1, "the position is NaN"),
        (1, float("inf"), "the return is infinite"),
        (1, "", "the return '' is not a number"),
        (None, 0.1, "the model failed"),
        (1, None, "the example has no reference"),
    ],
)
def test_bad_periods_are_missing_with_their_reason_and_spoil_no_other(
    position: object, period_return: object, reason: str
) -> None:
    bad, good = series([1, position, -1, 1], [0.1, period_return, 0.1, -0.1]), series([1, -1, 1], [0.1, 0.1, -0.1])
    there = np.array([[1.0, 0, 1, 1]])
    for name in NAMES:
        statistics = get_metric(name).statistics(bad)
        assert statistics.reasons == (None, reason, None, None)
        assert value(name, bad, there) == pytest.approx(value(name, good), nan_ok=True)


def test_a_product_too_large_for_a_number_is_missing() -> None:
    observed = series([1e300, 1], [1e300, 0.1])
    assert (
        get_metric("total_return").statistics(observed).reasons[0]
        == "the position times the return is too large for a number"
    )
    assert get_metric("sharpe").statistics(series([1e200, 1], [1, 0.1])).reasons[1] is None


@pytest.mark.parametrize("name", NAMES)
def test_no_period_gives_no_value(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(value(name, series([], [])))
        assert np.isnan(value(name, series([None], [0.1]), np.zeros((1, 1))))
