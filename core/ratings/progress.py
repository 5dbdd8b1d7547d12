"""How far a rater and a study have come, and how long the rest may take."""

from __future__ import annotations

from datetime import datetime
from statistics import median

from sqlalchemy import Connection, and_, case, exists, func, select

from core.ratings.records import Progress, Rater
from core.ratings.reservations import live
from core.ratings.study import Study
from core.ratings.tables import ACTIONS, ASSIGNMENTS, ITEMS, RATERS

_TIMED = 20
"""The median is over so many of a rater's last answers."""
_FEWEST_TIMED = 3
_A = ASSIGNMENTS.c


def progress(study: Study, rater: Rater | None = None) -> Progress:
    """Return how far a rater (where one is given) and the study have come; nobody's answers are in it.

    Raises:
        RunError: the store is locked or cannot be reached.
    """
    with study.store.reading() as connection:
        own = and_(ITEMS.c.study_id == study.id, ITEMS.c.kind == "item")
        n_identical = connection.execute(select(func.count()).where(own, ITEMS.c.identical.is_(True))).scalar() or 0
        sizes = select(func.count(), func.coalesce(func.sum(ITEMS.c.needed), 0)).where(
            own, ITEMS.c.identical.is_(False)
        )
        n_items, asked = connection.execute(sizes).one()
        n_raters = connection.execute(select(func.count()).where(RATERS.c.study_id == study.id)).scalar() or 0
        answered = _answered(connection, study)
        done, skipped, left, seconds = (0, 0, 0, None) if rater is None else _of_rater(connection, study, rater)
    return Progress(
        done, skipped, left, answered, int(asked), n_items, n_identical, n_raters, seconds,
        None if seconds is None else seconds * left,
    )  # fmt: skip


def _answered(connection: Connection, study: Study) -> int:
    """Count answers, of each item at most as many as it asks for."""
    rated = and_(_A.item_id == ITEMS.c.id, _A.purpose == "item", _A.answer == "rate")
    of_item = (
        select(func.count(_A.id).label("n"), ITEMS.c.needed)
        .select_from(ITEMS)
        .join(ASSIGNMENTS, rated)
        .where(ITEMS.c.study_id == study.id, ITEMS.c.kind == "item")
        .group_by(ITEMS.c.id, ITEMS.c.needed)
        .subquery()
    )
    most = case((of_item.c.n > of_item.c.needed, of_item.c.needed), else_=of_item.c.n)
    return int(connection.execute(select(func.coalesce(func.sum(most), 0))).scalar() or 0)


def _of_rater(connection: Connection, study: Study, rater: Rater) -> tuple[int, int, int, float | None]:
    counted = select(_A.answer, func.count()).where(_A.rater_id == rater.id, _A.purpose.in_(("item", "repeat")))
    counts = {answer: n for answer, n in connection.execute(counted.group_by(_A.answer))}
    had = exists().where(_A.item_id == ITEMS.c.id, _A.rater_id == rater.id, _A.purpose == "item", _A.open.is_(False))
    taken = and_(_A.item_id == ITEMS.c.id, _A.purpose == "item", _A.rater_id != rater.id, live(study))
    free = (
        select(ITEMS.c.id)
        .outerjoin(ASSIGNMENTS, taken)
        .where(
            ITEMS.c.study_id == study.id, ITEMS.c.kind == "item", ITEMS.c.identical.is_(False), ~had.correlate(ITEMS)
        )
        .group_by(ITEMS.c.id, ITEMS.c.needed)
        .having(func.count(_A.id) < ITEMS.c.needed)
        .subquery()
    )
    left = connection.execute(select(func.count()).select_from(free)).scalar() or 0
    return counts.get("rate", 0), counts.get("skip", 0), left, _seconds_each(connection, rater)


def _seconds_each(connection: Connection, rater: Rater) -> float | None:
    last = (
        select(ACTIONS.c.shown_at, ACTIONS.c.submitted_at)
        .where(ACTIONS.c.rater_id == rater.id, ACTIONS.c.kind == "rate")
        .group_by(ACTIONS.c.assignment_id, ACTIONS.c.sequence, ACTIONS.c.shown_at, ACTIONS.c.submitted_at)
        .order_by(func.max(ACTIONS.c.number).desc())
        .limit(_TIMED)
    )
    spans = [seconds_between(row.shown_at, row.submitted_at) for row in connection.execute(last)]
    known = [span for span in spans if span is not None]
    return median(known) if len(known) >= _FEWEST_TIMED else None


def seconds_between(shown_at: str, submitted_at: str) -> float | None:
    """Return how long an item was on screen; None where the clock went back meanwhile, or an imported answer does not say."""
    if not shown_at or not submitted_at:
        return None
    span = (datetime.fromisoformat(submitted_at) - datetime.fromisoformat(shown_at)).total_seconds()
    return span if span >= 0 else None
