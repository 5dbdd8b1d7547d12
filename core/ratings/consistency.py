"""How consistent one rater was: what came back with the order of its outputs reversed, against the first answer to it.

Sees the rater's own answers alone, so that a rater may be told at the end while the study goes on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from core.ratings.records import PREFERENCE, Mode, Rater
from core.ratings.study import Study
from core.ratings.tables import ACTIONS, ASSIGNMENTS

_MIRROR = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Consistency:
    """Judgements of items that came back, one for each criterion."""

    n_repeated: int
    """How many were given twice; items that were skipped at either time do not count."""
    n_same: int
    """How many of them were the same verdict, whichever side it stood on."""
    n_near: int
    """How many were the same or, on a scale, one step apart."""


def consistency(study: Study, rater: Rater) -> Consistency:
    """Return how a rater's answers to repeated items agree with their first ones; the last answer to each counts.

    Raises:
        RunError: the store is locked or cannot be reached.
    """
    answers = (
        select(ACTIONS.c.assignment_id, ACTIONS.c.criterion, ACTIONS.c.kind, ACTIONS.c.value, ASSIGNMENTS.c.repeat_of)
        .join(ASSIGNMENTS, ASSIGNMENTS.c.id == ACTIONS.c.assignment_id)
        .where(ACTIONS.c.study_id == study.id, ACTIONS.c.rater_id == rater.id, ACTIONS.c.kind.in_(("rate", "skip")))
        .order_by(ACTIONS.c.number)
    )
    with study.store.reading() as connection:
        rows = connection.execute(answers).all()
    of = _last_values(rows)
    first_of = {row.assignment_id: row.repeat_of for row in rows if row.repeat_of is not None}
    twice = [
        (of[first][name], value)
        for again, first in first_of.items()
        for name, value in of[again].items()
        if name in of.get(first, {})
    ]
    steps = [_steps(study.plan.mode, before, after) for before, after in twice]
    return Consistency(len(steps), sum(step == 0 for step in steps), sum(step <= 1 for step in steps))


def _last_values(rows: Any) -> dict[str, dict[str, Any]]:
    """Return the current answer to each assignment, by criterion; nothing where it was skipped at last."""
    found: dict[str, dict[str, Any]] = {}
    row: Row[Any]
    for row in rows:
        if row.kind == "skip":
            found[row.assignment_id] = {}
        else:
            found.setdefault(row.assignment_id, {})[row.criterion or PREFERENCE.name] = json.loads(row.value)
    return found


def _steps(mode: Mode, before: Any, after: Any) -> int:
    """Return how far two answers are apart; of verdicts without a scale, 0 or 2."""
    if mode == "score":
        return abs(before - after)
    if mode == "rank":
        return 0 if before == after[::-1] else 2
    if isinstance(before, int):
        return abs(before + after)  # sides were swapped, and with them the sign
    return 0 if _MIRROR.get(before, before) == after else 2
