"""Evidence that may be looked at after every verdict: e-values and confidence sequences of a win rate.

A p-value looked at after each rating is wrong far more often than it says. An e-value is a fair bettor's capital against "both
are equally likely to win": however one stops, it reaches 1 / alpha with a probability of at most alpha. Ties have no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log
from typing import Literal, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, xlog1py, xlogy

from core.row_blocks import BLOCK_ELEMENTS
from core.stats.arrays import count_of, counts_array, share

Prior = Literal["uniform", "jeffreys"]


@dataclass(frozen=True)
class EValue:
    """Evidence against a win rate of one half."""

    value: float
    """How many times likelier the verdicts are under the prior than under one half; infinite beyond what a float holds."""
    log_value: float
    p: float
    """min(1, 1 / value), a p-value that holds whenever one stops."""
    alpha: float

    @property
    def may_stop(self) -> bool:
        """Whether the evidence suffices at ``alpha``; it still holds if rating goes on."""
        return self.log_value >= -log(self.alpha)


@dataclass(frozen=True)
class RatingsNeeded:
    """How many more decisive verdicts it is likely to take until the e-value suffices."""

    median: int | None
    """Half of the simulated studies are done by then; None where more than half are not done at the horizon."""
    most: int | None
    """Four of five are done by then; None likewise."""
    reached: float
    """Share of simulated studies that are done at the horizon."""
    horizon: int
    """Further verdicts looked at."""


def e_value(wins: int, losses: int, prior: Prior = "uniform", *, alpha: float = 0.05) -> EValue:
    """Return the evidence that one of two variants is preferred, valid whenever one looks.

    Args:
        wins: decisive verdicts for one variant; one an item, in any order.
        losses: for the other one.
        prior: of the win rate under the alternative: ``uniform`` is Beta(1, 1), ``jeffreys`` Beta(1/2, 1/2). Chosen beforehand.
        alpha: the level at which one may stop.

    Raises:
        ValueError: a count is negative or no whole number, the prior is unknown, or alpha is not between 0 and 1.

    Source: the beta-binomial mixture martingale of Ville (1939) and Robbins (1970); Grünwald, de Heide & Koolen (2024).
    """
    won, lost = counts_array([wins, losses], "wins and losses")
    value = float(_log_mixture(won, lost, prior) + (won + lost) * log(2))
    return EValue(_exp(value), value, min(1.0, _exp(-value)), share(alpha, "alpha"))


def e_values(outcomes: ArrayLike, prior: Prior = "uniform") -> np.ndarray:
    """Return the e-value after each verdict, float64 of the shape of ``outcomes``.

    Args:
        outcomes: (..., n) of 1 (win) and 0 (loss), in the order they were given along the last axis.
        prior: as in `e_value`.

    Raises:
        ValueError: an outcome is neither 0 nor 1, or the prior is unknown.
    """
    array = counts_array(outcomes, "outcomes")
    if array.ndim == 0 or (array > 1).any():
        raise ValueError("outcomes must be arrays of 1 (win) and 0 (loss); leave ties out before")
    wins, n = np.cumsum(array, axis=-1), np.arange(1, array.shape[-1] + 1)
    with np.errstate(over="ignore"):
        return np.exp(_log_mixture(wins, n - wins, prior) + n * log(2))


def confidence_sequence(
    wins: int, losses: int, prior: Prior = "uniform", *, level: float = 0.95
) -> tuple[float, float]:
    """Return bounds of the win rate that hold at all times at once, (low, high) in 0 to 1.

    Args:
        wins: decisive verdicts for one variant.
        losses: for the other one.
        prior: as in `e_value`.
        level: the probability that the bounds hold after every verdict; they are wider than those of one look.

    Returns:
        The win rates that the e-value against them does not reject; 0 and 1 before the first verdict.

    Raises:
        ValueError: as `e_value`, or level is not between 0 and 1.

    Source: Robbins (1970); Howard, Ramdas, McAuliffe & Sekhon (2021).
    """
    won, lost = (float(count) for count in counts_array([wins, losses], "wins and losses"))
    mixture, threshold = float(_log_mixture(won, lost, prior)), -log(1 - share(level, "level"))
    return _lowest_rate(won, lost, mixture - threshold), 1 - _lowest_rate(lost, won, mixture - threshold)


def ratings_needed(
    wins: int,
    losses: int,
    prior: Prior = "uniform",
    *,
    alpha: float = 0.05,
    horizon: int = 2_000,
    simulations: int = 2_000,
    seed: int = 0,
) -> RatingsNeeded:
    """Return how many more decisive verdicts are likely needed until one may stop.

    Studies are simulated on from here: a win rate drawn from what the verdicts so far leave open (Beta(wins + 1, losses + 1)), then
    verdicts at that rate, until the e-value reaches 1 / alpha. Where the variants may well be equal, many never do: that is said by
    ``reached``, and no number is made up.

    Args:
        wins: decisive verdicts so far for one variant.
        losses: for the other one. Ties come on top of what is returned.
        prior: of the e-value.
        alpha: the level at which one may stop.
        horizon: how many further verdicts to look at.
        simulations: how many studies.
        seed: of the simulation.

    Returns:
        The numbers; 0 where one may stop now.

    Raises:
        ValueError: as `e_value`, or horizon or simulations is below 1.
    """
    horizon, simulations = count_of(horizon, "horizon"), count_of(simulations, "simulations")
    if e_value(wins, losses, prior, alpha=alpha).may_stop:
        return RatingsNeeded(0, 0, 1.0, horizon)
    generator = np.random.default_rng(seed)
    rates = generator.beta(wins + 1, losses + 1, size=simulations)
    needed = np.full(simulations, inf)
    further = np.arange(1, horizon + 1)
    n = wins + losses + further
    step = max(1, BLOCK_ELEMENTS // horizon)
    for start in range(0, simulations, step):
        chunk = rates[start : start + step]
        won = wins + np.cumsum(generator.random((len(chunk), horizon)) < chunk[:, None], axis=1)
        enough = _log_mixture(won, n - won, prior) + n * log(2) >= -log(alpha)
        done = enough.any(axis=1)
        needed[start : start + step][done] = further[enough.argmax(axis=1)[done]]
    median, most = np.quantile(needed, [0.5, 0.8], method="higher")
    return RatingsNeeded(_whole(median), _whole(most), float(np.isfinite(needed).mean()), horizon)


def _log_mixture(wins: ArrayLike, losses: ArrayLike, prior: Prior) -> np.ndarray:
    """Return the log of the chance of these verdicts, in their order, averaged over the prior."""
    priors = {"uniform": 1.0, "jeffreys": 0.5}
    if prior not in priors:
        raise ValueError(f"prior must be 'uniform' or 'jeffreys'; found {prior!r}")
    a = priors[prior]
    return betaln(np.asarray(wins) + a, np.asarray(losses) + a) - betaln(a, a)


def _lowest_rate(won: float, lost: float, log_bound: float) -> float:
    """Return the lowest rate at which the log-likelihood of the verdicts reaches the bound."""
    if won == 0:
        return 0.0

    def excess(rate: float) -> float:
        return log_bound - float(xlogy(won, rate) + xlog1py(lost, -rate))

    # Up to the observed rate the likelihood rises, and there it is above the bound.
    from scipy.optimize import brentq  # scipy.optimize is slow to import, and every page imports this file

    return cast(float, brentq(excess, 1e-300, won / (won + lost), xtol=1e-14))


def _exp(log_value: float) -> float:
    return exp(log_value) if log_value < 709 else inf


def _whole(number: float) -> int | None:
    return int(number) if np.isfinite(number) else None
