"""Whether raters judge otherwise, or faster, in the second half of their lists."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.ratings.analysis.answers import Rated
from core.ratings.analysis.estimate import Estimate, Settings, ratio, share_of_sums, undefined
from core.ratings.analysis.results import Drift

_NOTHING = "undefined: no decisive answer in this half"


def drift_outcomes(rated: Rated, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return what is compared between the halves, one row an answer: rater_id, number, group and ``outcome``.

    Of pairs and rankings the outcome is 1 where another variant won against the reference and 0 where it lost, ties left out;
    of scores the score by the main criterion.
    """
    if rated.study.plan.mode == "score":
        scores = rated.own[rated.own["criterion"] == rated.main_criterion]
        return scores.assign(outcome=scores["value"].astype(float))[
            ["rater_id", "assignment_id", "number", "group", "outcome"]
        ]
    reference = rated.variants[0]
    met = pairs[(pairs["first"] == reference) | (pairs["second"] == reference)]
    met = met[met["verdict"].isin(["left", "right"])]
    won = (met["verdict"] == "left") != (met["first"] == reference)
    return met.assign(outcome=won.astype(float))[["rater_id", "assignment_id", "number", "group", "outcome"]]


def drift_of(outcomes: pd.DataFrame, speed: pd.DataFrame, settings: Settings) -> Drift:
    """Return the first half against the second, each rater's list by itself in the order of the answers.

    Args:
        outcomes: from `drift_outcomes`.
        speed: one row an answer: assignment_id, rater_id, number, seconds.
        settings: of the intervals.
    """
    place = speed.groupby("rater_id")["number"].rank(method="first")
    length = speed.groupby("rater_id")["number"].transform("size")
    late = pd.Series((place > length / 2).to_numpy(dtype=bool), index=speed["assignment_id"], dtype=bool)
    is_late = late.reindex(outcomes["assignment_id"]).to_numpy(dtype=bool)
    early = np.logical_not(is_late)
    values, groups = outcomes["outcome"].to_numpy(dtype=float), outcomes["group"].tolist()
    statistics = np.column_stack([values * early, early, values * is_late, is_late]).astype(float)
    sums = statistics.sum(axis=0) if len(statistics) else np.zeros(4)
    first, second = (_half(sums[at : at + 2]) for at in (0, 2))
    if first.value is None or second.value is None:
        difference = undefined(_NOTHING, len(values))
    else:
        difference = ratio(statistics, _second_less_first, groups, settings, len(values))
    seconds = [speed.loc[late.to_numpy() == half, "seconds"].dropna() for half in (False, True)]
    medians = [float(half.median()) if len(half) else None for half in seconds]
    return Drift(first, second, difference, medians[0], medians[1])


def _half(sums: np.ndarray) -> Estimate:
    n = int(sums[1])
    return (
        undefined(_NOTHING)
        if n == 0
        else Estimate(float(sums[0] / n), None, None, n, "no interval: see the difference")
    )


def _second_less_first(sums: np.ndarray) -> np.ndarray:
    return share_of_sums(sums[..., 2:]) - share_of_sums(sums[..., :2])
