"""Two variants side by side: how often one is preferred, with and without regard to the answers' lengths."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtri

from core.stats.arrays import counts_array, finite_vector, share
from core.stats.clusters import cluster_codes
from core.stats.preference.existence import recession
from core.stats.preference.fitting import fit_batch
from core.stats.rates import mcnemar, wilson_interval


@dataclass(frozen=True)
class WinRate:
    """How often one of two variants is preferred."""

    value: float | None
    """Wins among decisive verdicts; None without any decisive one."""
    low: float | None
    high: float | None
    """Wilson's interval."""
    sign_p: float | None
    """Two-sided binomial p of wins and losses being equally likely; None without any decisive verdict."""
    sign_mid_p: float | None
    """The same less half of what is as likely as what was observed: it keeps its level better."""
    wins: int
    losses: int
    ties: int
    both_bad: int

    @property
    def n(self) -> int:
        """All verdicts."""
        return self.n_decisive + self.ties + self.both_bad

    @property
    def n_decisive(self) -> int:
        """Verdicts for one side."""
        return self.wins + self.losses


@dataclass(frozen=True)
class LengthControlledWinRate:
    """The decisive win rate that would be seen between answers of equal length."""

    value: float | None
    """None where it is not defined; ``reason`` then says why."""
    low: float | None
    high: float | None
    raw: float | None
    """The decisive win rate as it is; None without any verdict."""
    length_effect: float | None
    """What a much longer answer (tanh near 1) adds to the log-odds of winning."""
    n: int
    reason: str | None


def decisive_win_rate(wins: int, losses: int, ties: int = 0, both_bad: int = 0, *, level: float = 0.95) -> WinRate:
    """Return the share of wins among decisive verdicts, with its interval and the sign test.

    Args:
        wins: verdicts for the variant. One verdict an item: swapped repeats and second raters left out, since all are taken as
            independent.
        losses: verdicts for the other one.
        ties: verdicts for neither; they are counted, and have no part in the rate.
        both_bad: the same, both answers being bad.
        level: of the interval.

    Raises:
        ValueError: a count is negative or no whole number, or level is not between 0 and 1.

    Source: Wilson (1927); sign test: Arbuthnot (1710), the exact binomial p, with the mid-p of Lancaster (1961).
    """
    share(level, "level")
    won, lost, tied, bad = (int(count) for count in counts_array([wins, losses, ties, both_bad], "verdicts"))
    if won + lost == 0:
        return WinRate(None, None, None, None, None, won, lost, tied, bad)
    low, high = wilson_interval(won, won + lost, level)
    # The sign test of wins and losses is McNemar's of discordant pairs.
    test = mcnemar(won, lost)
    return WinRate(won / (won + lost), low, high, test.exact_p, test.mid_p, won, lost, tied, bad)


def length_controlled_win_rate(
    wins: ArrayLike,
    length_differences: ArrayLike,
    *,
    items: Iterable[Hashable | None] | None = None,
    level: float = 0.95,
) -> LengthControlledWinRate:
    """Return the decisive win rate at equal length, by a logistic regression on the difference in length.

    The log-odds of winning are a constant plus an effect times tanh(difference / standard deviation of the differences); the value
    is the win rate at a difference of 0. The differences are not centred: 0 stays equal length.

    Args:
        wins: (n,) 1 where the variant was preferred, 0 where the other one was; decisive verdicts alone.
        length_differences: (n,) the length of the variant's answer less the other's, in characters or tokens.
        items: (n,) what was rated, for an interval by cluster; None as a name is an item of its own.
        level: of the interval (large-sample, robust, on the log-odds).

    Returns:
        The value; None with a reason where it is not defined.

    Raises:
        ValueError: lengths differ, a win is neither 0 nor 1, something is NaN, or level is not between 0 and 1.

    Source: Dubois, Galambosi, Liang & Hashimoto (2024), Length-Controlled AlpacaEval. Unlike theirs there is no term for how hard
    each instruction is (that needs many models' verdicts on it), no penalty on the coefficients, and ties are left out instead of
    counting as half.
    """
    reach = -float(ndtri((1 - share(level, "level")) / 2))
    if np.size(wins) == 0 and np.size(length_differences) == 0:
        return _undefined("no decisive verdicts", None, 0)
    won, gaps = finite_vector(wins, "wins"), finite_vector(length_differences, "length_differences")
    if won.shape != gaps.shape:
        raise ValueError(f"wins and length_differences must be equally long; found {len(won)} and {len(gaps)}")
    if not np.isin(won, (0, 1)).all():
        raise ValueError("wins must hold 1 (preferred) and 0 (not preferred) alone; leave ties out before")
    n, raw = len(won), float(won.mean())
    codes, n_items = (np.arange(n), n) if items is None else cluster_codes(items, n)
    spread = float(gaps.std())
    if spread <= 1e-12 * np.abs(gaps).max():
        return _undefined("all differences in length are equal, so that length has no effect to be taken off", raw, n)
    matrix = np.column_stack([np.ones(n), np.tanh(gaps / spread)])
    counts = np.column_stack([won, 1 - won, np.zeros(n)])
    if recession(matrix, counts) is not None:
        return _undefined(
            "the difference in length alone tells every verdict, or the verdicts are all the same", raw, n
        )
    fit = fit_batch(matrix, counts[None], np.zeros(2))
    if not fit.found[0]:
        return _undefined("the length's effect is too large to be estimated", raw, n)
    constant, effect = (float(number) for number in fit.parameters[0])
    residuals = won - expit(matrix @ fit.parameters[0])
    scores = np.zeros((n_items, 2))
    np.add.at(scores, codes, residuals[:, None] * matrix)
    bread = np.linalg.inv(fit.information[0, :2, :2])
    if n_items < 2:
        return LengthControlledWinRate(float(expit(constant)), None, None, raw, effect, n, None)
    covariance = bread @ (scores.T @ scores) @ bread * n_items / (n_items - 1)
    half = reach * sqrt(covariance[0, 0])
    low, high = float(expit(constant - half)), float(expit(constant + half))
    return LengthControlledWinRate(float(expit(constant)), low, high, raw, effect, n, None)


def _undefined(why: str, raw: float | None, n: int) -> LengthControlledWinRate:
    return LengthControlledWinRate(None, None, None, raw, None, n, f"undefined: {why}")
