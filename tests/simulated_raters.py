"""Raters that do not exist: they answer a study with a known taste, sides they lean to and noise, through the real store.

An answer depends on the seed, the rater and the item alone, so that a study is filled the same way each time.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from core.ratings import Rater, RatingItem, RatingStore, Study, flag, join, next_item, skip, submit
from core.ratings.tables import ASSIGNMENTS

GOLD = {"gold:1": 2.5, "gold:2": -2.5}
"""Of gold items every taste prefers the first by far, and sees no tie."""


class TurnedClock:
    """A clock that goes on only when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_seconds(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Taste:
    """How a rater answers."""

    name: str
    strengths: Mapping[str, float] = field(default_factory=dict)
    """Of the variants, natural logs of odds; 0 for one that is not named."""
    left: float = 0.0
    """What standing on the left adds."""
    tie: float = 0.25
    """Share of ties among answers to pairs."""
    both_bad: float = 0.06
    seconds: float = 9.0
    """The mean time of an answer."""
    skipped: float = 0.0
    flagged: float = 0.0
    own: float = 0.5
    """How much of the noise is this rater's own: 0 agrees with everybody on every item, 1 on none but by the strengths."""
    comment: str = ""


def rating_store(workspace: Path) -> tuple[RatingStore, TurnedClock]:
    """Return a workspace's store on a clock that `fill` turns."""
    clock = TurnedClock()
    store = RatingStore(f"sqlite:///{workspace}/studies/ratings.sqlite", clock=clock)
    return store.prepare(), clock


def fill(study: Study, clock: TurnedClock, tastes: Sequence[Taste], seed: int = 0, most: int = 10_000) -> None:
    """Let raters answer in turns until nothing is left to anybody, or each has had so many items."""
    desk = [(taste, join(study, taste.name)) for taste in tastes]
    for turn in range(most):
        busy = False
        for taste, rater in desk:
            item = next_item(study, rater)
            if isinstance(item, RatingItem):
                _answer(study, rater, item, taste, clock, seed + turn)
                busy = True
        if not busy:
            return


def _answer(study: Study, rater: Rater, item: RatingItem, taste: Taste, clock: TurnedClock, seed: int) -> None:
    with study.store.reading() as connection:
        wanted = select(ASSIGNMENTS.c.shown, ASSIGNMENTS.c.item_id).where(ASSIGNMENTS.c.id == item.assignment_id)
        row = connection.execute(wanted).one()
    example = zlib.crc32(item.prompt.encode())
    own = np.random.default_rng([seed, rater.number, example, item.number])
    everybody = np.random.default_rng([example, 7])
    clock.pass_seconds(max(0.6, float(own.gamma(6, taste.seconds / 6))))
    if own.random() < taste.flagged:
        flag(study, rater, item, "names its maker")
    if own.random() < taste.skipped:
        skip(study, rater, item, "prompt is unclear")
        return
    answers: dict[str, Any] = {
        criterion.name: _value(study, row.shown, taste, own, everybody) for criterion in study.plan.asked_criteria
    }
    submit(study, rater, item, answers, comment=taste.comment if own.random() < 0.1 else None)


def _value(
    study: Study, shown: Sequence[str], taste: Taste, own: np.random.Generator, all_: np.random.Generator
) -> Any:
    """Return an answer in the form that the study's mode asks for."""
    common = dict(zip(sorted(shown), all_.gumbel(size=len(shown)).tolist(), strict=True))
    mine = dict(zip(shown, own.gumbel(size=len(shown)).tolist(), strict=True))
    strength = {**GOLD, **taste.strengths}
    likes = {name: strength.get(name, 0.0) + (1 - taste.own) * common[name] + taste.own * mine[name] for name in shown}
    likes[shown[0]] += taste.left
    if study.plan.mode == "score":
        return int(np.clip(round(3 + 0.8 * (likes[shown[0]] - 0.6)), 1, 5))
    if study.plan.mode == "rank":
        order = sorted(likes.values(), reverse=True)
        return [order.index(likes[name]) + 1 for name in shown]
    gap = likes[shown[1]] - likes[shown[0]]
    if study.plan.graded:
        return int(np.clip(round(gap), -3, 3))
    chance = own.random() if "gold:1" not in shown else 1.0
    if chance < taste.both_bad:
        return "both_bad"
    if chance < taste.both_bad + taste.tie:
        return "tie"
    return "right" if gap > 0 else "left"
