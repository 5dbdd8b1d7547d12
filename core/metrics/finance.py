"""Metrics of a trading strategy: positions against a return series, one example a period, in time order.

The strategy's return of a period is position times return; costs and the risk-free rate are taken as 0. A period without a
position or a return is missing: the ratios leave it out, and capital stands still in it.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.number_pairs import number_pairs
from core.metrics.rows import assemble, finite_rows
from core.row_blocks import row_blocks

TOO_LARGE = "the position times the return is too large for a number"
_ROUNDING = 1e-11
"""Of the sum of squares: a variance below it is what rounding leaves of none."""


class FinanceMetric(Metric):
    """A metric of the strategy's returns, whose interval resamples blocks of neighbouring periods."""

    family = "finance"
    kinds = frozenset({"finance"})
    unit = "number"
    bounds = (None, None)
    resampling = "blocks"
    undefined = "no period has a position and a return"
    k: int

    @abstractmethod
    def rows(self, returns: np.ndarray, periods_per_year: float) -> np.ndarray:
        """Return the statistics (n present, k) of the strategy's returns (n present,)."""

    @abstractmethod
    def details(self, periods_per_year: float) -> str:
        """Return the choices that move the number, for the signature."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return the statistics of each period, (n, k)."""
        returns, reasons = strategy_returns(observations)
        yearly = observations.parameters.periods_per_year
        present = np.array([reason is None for reason in reasons], dtype=bool)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rows = self.rows(returns[present], yearly)
        rows, reasons = finite_rows(rows, reasons, TOO_LARGE)
        return assemble(rows, reasons, f"{self.name}|{self.details(yearly)}|costs:0", self.k)


class TotalReturn(FinanceMetric):
    """The compounded return over all periods, 0.1 for a gain of 10 %; equal to ``empyrical.cum_returns_final``.

    A period that loses all the capital or more (a return of -1 or below) ruins the strategy: the value is -1 whatever comes
    after. Statistics: (log(1 + return), ruined, 1).
    """

    name, label = "total_return", "Total return"
    unit = "share"
    bounds = (-1.0, None)
    k = 3

    def rows(self, returns: np.ndarray, periods_per_year: float) -> np.ndarray:
        """Return (log(1 + return), ruined, 1), (n, 3)."""
        ruined = returns <= -1
        growth = np.log1p(np.where(ruined, 0.0, returns))
        return np.stack([growth, ruined.astype(np.float64), np.ones(len(returns))], axis=1)

    def details(self, periods_per_year: float) -> str:
        """Return that returns are compounded."""
        return "compounded|ruin:-1"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the compounded return of sums (..., 3), (...); NaN without periods."""
        sums = np.asarray(sums, dtype=np.float64)
        with np.errstate(over="ignore"):
            grown = np.where(sums[..., 1] > 0, -1.0, np.expm1(sums[..., 0]))
        return np.where(sums[..., 2] > 0, grown, np.nan)


class RatioToRisk(FinanceMetric):
    """An annualised ratio of the mean return to a measure of risk. Statistics: (1, r, r squared, loss squared, periods a year)."""

    k = 5
    caution = "Annualised by the root of the periods a year, which takes the returns as independent of each other."

    def rows(self, returns: np.ndarray, periods_per_year: float) -> np.ndarray:
        """Return (1, r, r squared, loss squared, periods a year), (n, 5)."""
        ones = np.ones(len(returns))
        losses = np.minimum(returns, 0.0)
        return np.stack([ones, returns, returns**2, losses**2, periods_per_year * ones], axis=1)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the ratio of sums (..., 5), (...); NaN where the returns are all the same."""
        n, total, squares, losses, yearly = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
        with np.errstate(all="ignore"):
            deviations = squares - total**2 / n
            risk = self.risk(n, deviations, losses)
            ratio = np.sqrt(yearly / n) * (total / n) / risk
            return np.where((deviations > _ROUNDING * squares) & (risk > 0), ratio, np.nan)

    @abstractmethod
    def risk(self, n: np.ndarray, deviations: np.ndarray, losses: np.ndarray) -> np.ndarray:
        """Return the risk of a period from the count, the squared deviations and the squared losses, all (...)."""


class Sharpe(RatioToRisk):
    """Sharpe's ratio (1994), the mean return over its standard deviation, annualised by the root of the periods a year.

    Risk-free rate 0, standard deviation with n - 1; equal to ``empyrical.sharpe_ratio(annualization=periods a year)``.
    """

    name, label = "sharpe", "Sharpe ratio"
    undefined = "the strategy's returns are all the same, or there are fewer than two"

    def details(self, periods_per_year: float) -> str:
        """Return how it is annualised."""
        return f"risk-free:0|ddof:1|periods a year:{periods_per_year:g}"

    def risk(self, n: np.ndarray, deviations: np.ndarray, losses: np.ndarray) -> np.ndarray:
        """Return the standard deviation, (...)."""
        return np.sqrt(deviations / (n - 1))


class Sortino(RatioToRisk):
    """Sortino's ratio, the mean return over the downside deviation, annualised by the root of the periods a year.

    Required return 0; the downside deviation is the root of the mean, over all periods, of the squared losses (Sortino &
    Price, 1994); equal to ``empyrical.sortino_ratio(annualization=periods a year)``.
    """

    name, label = "sortino", "Sortino ratio"
    undefined = "no period lost, or the strategy's returns are all the same"

    def details(self, periods_per_year: float) -> str:
        """Return how it is annualised."""
        return f"required:0|periods a year:{periods_per_year:g}"

    def risk(self, n: np.ndarray, deviations: np.ndarray, losses: np.ndarray) -> np.ndarray:
        """Return the downside deviation, (...)."""
        return np.sqrt(losses / n)


class MaxDrawdown(FinanceMetric):
    """The largest fall of the compounded capital from an earlier peak, the start included: -0.2 for a fall of 20 %.

    Equal to ``empyrical.max_drawdown``. Statistics: (return).
    """

    name, label = "max_drawdown", "Maximum drawdown"
    unit = "share"
    bounds = (-1.0, 0.0)
    ordered = True
    resampling = "none"
    no_interval = "the drawdown depends on the order of the periods, which no resample keeps"
    k = 1

    def rows(self, returns: np.ndarray, periods_per_year: float) -> np.ndarray:
        """Return the returns, (n, 1)."""
        return returns[:, None]

    def details(self, periods_per_year: float) -> str:
        """Return that returns are compounded."""
        return "compounded|from:peak, start included"

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the drawdown under each row of weights, (draws,); NaN without periods.

        Rows are in time order. A weight of 0 leaves a period out, one of 2 has it twice in a row.
        """
        with np.errstate(divide="ignore"):
            growth = np.log1p(np.maximum(array[:, 0], -1.0))
        found = np.full(len(weights), np.nan)
        for draws in row_blocks(len(weights), 4 * len(array)):
            block = np.asarray(weights[draws], dtype=np.float64)
            capital = np.zeros((len(block), len(array) + 1))
            with np.errstate(invalid="ignore"):
                # Where all is lost (log of 0) a weight of 0 must not make NaN of it.
                capital[:, 1:] = np.cumsum(np.where(block > 0, block * growth, 0.0), axis=1)
                fall = (capital - np.maximum.accumulate(capital, axis=1)).min(axis=1)
            found[draws] = np.where(block.any(axis=1), np.expm1(fall), np.nan)
        return found


def strategy_returns(observations: Observations) -> tuple[np.ndarray, list[str | None]]:
    """Return position times return of each period, (n,), NaN where missing, and why a period is missing."""
    positions, returns, reasons = number_pairs(observations, "position", "return")
    with np.errstate(over="ignore", invalid="ignore"):
        earned = positions * returns
    present = np.array([reason is None for reason in reasons], dtype=bool)
    _, reasons = finite_rows(earned[present, None], reasons, TOO_LARGE)
    return np.where([reason is None for reason in reasons], earned, np.nan), reasons


def cumulative_returns(observations: Observations) -> np.ndarray:
    """Return the compounded return since the start after each period, (n,), for a chart; equal to ``empyrical.cum_returns``.

    NaN in a period that is missing; the next one goes on from where the last stood. After ruin it stays at -1.
    """
    returns, _ = strategy_returns(observations)
    there = np.isfinite(returns)
    with np.errstate(divide="ignore", over="ignore"):
        growth = np.cumsum(np.log1p(np.maximum(np.where(there, returns, 0.0), -1.0)))
        return np.where(there, np.expm1(growth), np.nan)
