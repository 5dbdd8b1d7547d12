"""A mean of human labels, made sharper by a judge's verdicts on many more items: prediction-powered inference."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from core.stats.arrays import finite_vector, share


@dataclass(frozen=True)
class PredictionPoweredMean:
    """The mean that people would give, estimated from their labels and a judge's."""

    value: float
    low: float
    high: float
    human_value: float
    """The mean of the human labels alone, to compare with."""
    human_low: float
    human_high: float
    judge_bias: float
    """How much higher the judge's mean is than the human one on the items that both labelled."""
    judge_weight: float
    """How far the judge is used: 1 fully, 0 not at all."""
    n_labelled: int
    n_unlabelled: int


def prediction_powered_mean(
    labelled_human: ArrayLike,
    labelled_judge: ArrayLike,
    unlabelled_judge: ArrayLike,
    *,
    tuned: bool = False,
    level: float = 0.95,
) -> PredictionPoweredMean:
    """Return the mean of human labels from a few of them, corrected judge's verdicts on the rest, and an interval.

    The value is the judge's mean over the unlabelled items less the judge's bias measured on the labelled ones. It needs no trust in
    the judge: a poor one widens the interval, and does not shift it. For a win rate labels are 1 and 0 (or 1/2 for a tie).

    Args:
        labelled_human: (n,) what people said, one number an item.
        labelled_judge: (n,) what the judge said of the same items.
        unlabelled_judge: (m,) what the judge said of items that nobody rated, drawn from the same population.
        tuned: weigh the judge by how much it is worth (lambda of PPI++), so that a poor one does not widen the interval either.
        level: of the interval, by the normal approximation: some 30 labelled items at least.

    Raises:
        ValueError: the first two differ in length, one of the three is empty or holds NaN, there are fewer than 2 of either kind, or
            level is not between 0 and 1.

    Source: Angelopoulos, Bates, Fannjiang, Jordan & Zrnic (2023), Prediction-powered inference, Science 382; tuning: Angelopoulos,
    Duchi & Zrnic (2023), PPI++: lambda = cov / ((1 + n / m) var), here kept within 0 to 1.
    """
    human, judge = finite_vector(labelled_human, "labelled_human"), finite_vector(labelled_judge, "labelled_judge")
    rest = finite_vector(unlabelled_judge, "unlabelled_judge")
    if human.shape != judge.shape:
        raise ValueError(
            f"labelled_human and labelled_judge must be of the same items; found {len(human)} and {len(judge)}"
        )
    n, m = len(human), len(rest)
    if n < 2 or m < 2:
        raise ValueError(f"at least 2 labelled and 2 unlabelled items are needed; found {n} and {m}")
    reach = -float(ndtri((1 - share(level, "level")) / 2))
    weight = _weight(human, judge, rest) if tuned else 1.0
    value = float(weight * rest.mean() + np.mean(human - weight * judge))
    half = reach * sqrt(weight**2 * rest.var(ddof=1) / m + np.var(human - weight * judge, ddof=1) / n)
    mean, alone = float(human.mean()), reach * float(human.std(ddof=1)) / sqrt(n)
    return PredictionPoweredMean(
        value=value,
        low=value - half,
        high=value + half,
        human_value=mean,
        human_low=mean - alone,
        human_high=mean + alone,
        judge_bias=float(np.mean(judge - human)),
        judge_weight=weight,
        n_labelled=n,
        n_unlabelled=m,
    )


def _weight(human: np.ndarray, judge: np.ndarray, rest: np.ndarray) -> float:
    variance = float(np.var(np.concatenate([judge, rest]), ddof=1))
    if variance == 0:
        return 0.0
    covariance = float(np.cov(human, judge)[0, 1])
    return min(1.0, max(0.0, covariance / ((1 + len(human) / len(rest)) * variance)))
