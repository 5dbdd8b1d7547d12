"""How well the rating went: sides, repeats, speed, gold items, drift, and each rater by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.ratings.analysis.answers import Rated, compared
from core.ratings.analysis.drift import drift_of, drift_outcomes
from core.ratings.analysis.estimate import Estimate, Settings, even_p, mean, rate, undefined
from core.ratings.analysis.repeats import changed_and_flipped
from core.ratings.analysis.results import Quality, RaterQuality

CHARACTERS_A_SECOND = 200
"""Ten times as fast as people read: who needs less time has not looked at the outputs."""
FASTEST, SLOWEST = 1.0, 10.0
"""Seconds between which the threshold lies: of long outputs a glance can decide."""
TOO_FAST_RULE = (
    f"sooner than the outputs can be skimmed: {CHARACTERS_A_SECOND} characters a second, "
    f"at least {FASTEST:g} s and at most {SLOWEST:g} s"
)
_NO_SIDES = "no decisive answer with sides"
_NO_GOLD = "no gold item was answered"


@dataclass(frozen=True)
class _Answers:
    """What quality is measured on, of all raters or of one."""

    rated: Rated
    pairs: pd.DataFrame
    """Comparisons by the main criterion, from `compared`; empty for scores."""
    repeats: pd.DataFrame
    """From `changed_and_flipped`."""
    outcomes: pd.DataFrame
    """From `drift_outcomes`."""
    speed: pd.DataFrame
    """One row an answer: rater_id, group, seconds, too_fast."""
    gold: pd.DataFrame

    def of(self, rater_id: str) -> _Answers:
        frames = (self.pairs, self.repeats, self.outcomes, self.speed, self.gold)
        return _Answers(self.rated, *(frame[frame["rater_id"] == rater_id] for frame in frames))


def rating_quality(rated: Rated, settings: Settings) -> Quality:
    """Return how well the rating went. Sides, win rates and drift are by `Rated.main_criterion`; judges have no part."""
    mode, name = rated.study.plan.mode, rated.main_criterion
    pairs = compared(rated.own if mode != "score" else rated.own.iloc[:0], mode, name)
    answers = _Answers(
        rated, pairs, changed_and_flipped(rated), drift_outcomes(rated, pairs), _speed(rated), _gold(rated)
    )
    known = rated.own[["rater_id", "rater", "number"]].sort_values("number").drop_duplicates("rater_id")
    left, left_p = _left(answers, settings)
    changed, flipped = _repeats(answers, settings)
    return Quality(
        left=left,
        left_p=left_p,
        changed=changed,
        flipped=flipped,
        too_fast=_too_fast(answers, settings),
        too_fast_rule=TOO_FAST_RULE,
        gold=_gold_rate(answers, settings),
        gold_threshold=rated.study.plan.gold_threshold,
        drift=drift_of(answers.outcomes, answers.speed, settings),
        raters=tuple(
            _rater(answers.of(rater_id), str(rater), rater_id, settings)
            for rater_id, rater in known[["rater_id", "rater"]].itertuples(index=False, name=None)
        ),
    )


def _rater(answers: _Answers, rater: str, rater_id: str, settings: Settings) -> RaterQuality:
    rated = answers.rated
    left, left_p = _left(answers, settings)
    changed, flipped = _repeats(answers, settings)
    gold, scores = _gold_rate(answers, settings), rated.study.plan.mode == "score"
    values, groups = answers.outcomes["outcome"].to_numpy(dtype=float), answers.outcomes["group"].tolist()
    seconds = answers.speed["seconds"].dropna()
    none = undefined("undefined: not asked in this mode")
    return RaterQuality(
        rater=rater,
        n_answers=len(answers.speed),
        n_skipped=int(rated.skips.get(rater_id, 0)),
        left=left,
        left_p=left_p,
        win_rate=none if scores else rate(values == 1, groups, settings, "no decisive answer against the reference"),
        mean=mean(values, groups, settings, "no scores") if scores else none,
        changed=changed,
        flipped=flipped,
        too_fast=_too_fast(answers, settings),
        seconds_median=float(seconds.median()) if len(seconds) else None,
        gold=gold,
        below_gold_threshold=gold.value is not None and gold.value < rated.study.plan.gold_threshold,
        drift=drift_of(answers.outcomes, answers.speed, settings),
    )


def _left(answers: _Answers, settings: Settings) -> tuple[Estimate, float | None]:
    decided = answers.pairs[answers.pairs["verdict"].isin(["left", "right"])]
    hits, groups = (decided["verdict"] == "left").to_numpy(), decided["group"].tolist()
    return rate(hits, groups, settings, _NO_SIDES), even_p(hits, groups, settings)


def _repeats(answers: _Answers, settings: Settings) -> tuple[Estimate, Estimate]:
    again = answers.repeats
    changed = rate(again["changed"].to_numpy(dtype=bool), again["group"].tolist(), settings, "nothing was repeated")
    if answers.rated.study.plan.mode == "score":
        return changed, undefined("undefined: scores prefer no variant")
    both = again[again["decided"].astype(bool)]
    flipped = rate(
        both["flipped"].to_numpy(dtype=bool), both["group"].tolist(), settings, "no repeat was decided both times"
    )
    return changed, flipped


def _speed(rated: Rated) -> pd.DataFrame:
    """Return one row an answer, in the order in which they were stored."""
    once = rated.own.drop_duplicates("assignment_id")[
        ["assignment_id", "rater_id", "number", "group", "item_id", "seconds"]
    ]
    lengths = {
        item_id: sum(numbers) for item_id, numbers in rated.items[["item_id", "lengths"]].itertuples(index=False)
    }
    least = np.clip(once["item_id"].map(lengths).astype(float) / CHARACTERS_A_SECOND, FASTEST, SLOWEST)
    seconds = once["seconds"].astype(float)
    return once.assign(seconds=seconds, too_fast=seconds < least)


def _too_fast(answers: _Answers, settings: Settings) -> Estimate:
    timed = answers.speed[answers.speed["seconds"].notna()]
    return rate(timed["too_fast"].to_numpy(dtype=bool), timed["group"].tolist(), settings, "no answer has a time")


def _gold(rated: Rated) -> pd.DataFrame:
    """Return one row a gold item that was answered: right where every criterion of which something is known is."""
    known = rated.gold[rated.gold["correct"].notna()]
    right = known.assign(correct=known["correct"].astype(bool)).groupby(["assignment_id", "rater_id", "group"])[
        "correct"
    ]
    return right.all().reset_index()


def _gold_rate(answers: _Answers, settings: Settings) -> Estimate:
    return rate(answers.gold["correct"].to_numpy(dtype=bool), answers.gold["group"].tolist(), settings, _NO_GOLD)
