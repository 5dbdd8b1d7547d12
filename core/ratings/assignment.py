"""Gives a rater the next item: the least covered one that nobody else has on screen, with an order of outputs that stays.

The order of what comes: the item that is open (a reload, an undo), practice, a gold item where one is due, a repeat where
one is due, an item of the study; then what is left of gold and repeats. The study's row is the lock under which items are
given, so that two raters who ask at once are not given the same one.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, exists, func, insert, select, update

from core.ratings import sides
from core.ratings.records import (
    REPEAT_GAP,
    SMALLEST_REPEAT_GAP,
    Done,
    Purpose,
    Rater,
    RatingItem,
)
from core.ratings.reservations import live, lock_study, reserved_until, shown_now
from core.ratings.screen import read_item
from core.ratings.store import as_text
from core.ratings.study import Study
from core.ratings.tables import ASSIGNMENTS, ITEMS

_A = ASSIGNMENTS.c


def next_item(study: Study, rater: Rater) -> RatingItem | Done:
    """Return what the rater is to judge now. Called again before an answer it returns the same item in the same order.

    Raises:
        InputError: the rater is not of this study.
        RunError: the store is locked, full, or cannot be reached; nothing was changed.
    """
    with study.store.writing() as connection:
        closed = lock_study(connection, study, rater)
        if closed is not None:
            return Done(
                "closed", f"The study was closed at {closed[:16].replace('T', ' ')} UTC. Thank you for your ratings."
            )
        desk = _Desk(connection, study, rater)
        found = desk.open_assignment() or desk.assign()
        if found is None:
            return desk.nothing_left()
        return read_item(connection, study, found)


class _Desk:
    """The giving of one item to one rater, within one transaction that holds the study's lock."""

    def __init__(self, connection: Connection, study: Study, rater: Rater) -> None:
        self.connection, self.study, self.rater = connection, study, rater
        self.now = as_text(study.store.now())
        rows = select(_A.id, _A.item_id, _A.purpose, _A.place, _A.position, _A.answer).where(_A.rater_id == rater.id)
        self.mine: Sequence[Any] = connection.execute(rows.order_by(_A.place)).all()
        self.own = [row for row in self.mine if row.purpose == "item"]

    def open_assignment(self) -> str | None:
        """Return the assignment on the rater's screen; one whose time is over is renewed, or given up if others have it."""
        rows = select(ASSIGNMENTS).where(_A.rater_id == self.rater.id, _A.open.is_(True)).order_by(_A.place)
        for row in self.connection.execute(rows).all():
            if self.now < row.reserved_until <= reserved_until(self.study):
                return row.id
            if row.answer is None and row.purpose == "item" and self._covered(row.item_id):
                self._change(row.id, open=False)
                continue
            self._change(row.id, **shown_now(self.connection, self.study))
            return row.id
        return None

    def _change(self, assignment_id: str, **values: Any) -> None:
        self.connection.execute(update(ASSIGNMENTS).where(_A.id == assignment_id).values(values))

    def _covered(self, item_id: str) -> bool:
        others = select(func.count()).where(
            _A.item_id == item_id, _A.purpose == "item", _A.rater_id != self.rater.id, live(self.study)
        )
        needed = select(ITEMS.c.needed).where(ITEMS.c.id == item_id)
        return (self.connection.execute(others).scalar() or 0) >= (self.connection.execute(needed).scalar() or 0)

    def assign(self) -> str | None:
        """Give the rater something new; None where nothing is left."""
        practice = self._aside("practice")
        if practice is not None:
            return self._write(practice.id, "practice", practice.variants)
        gold = self._aside("gold")
        if gold is not None and self._gold_is_due(gold.place):
            return self._write(gold.id, "gold", gold.variants)
        repeat = self._repeat(REPEAT_GAP)
        if repeat is not None:
            return repeat
        item = self._least_covered()
        if item is not None:
            return self._write(item.id, "item", item.variants)
        if gold is not None:
            return self._write(gold.id, "gold", gold.variants)
        return self._repeat(SMALLEST_REPEAT_GAP)

    def _aside(self, kind: Literal["practice", "gold"]) -> Row[Any] | None:
        """Return the next practice or gold item that this rater has not had."""
        done = sum(row.purpose == kind for row in self.mine)
        if done >= {"practice": self.study.plan.practice, "gold": len(self.study.plan.gold)}[kind]:
            return None
        rows = select(ITEMS).where(ITEMS.c.study_id == self.study.id, ITEMS.c.kind == kind, ITEMS.c.place >= done)
        return self.connection.execute(rows.order_by(ITEMS.c.place).limit(1)).first()

    def _gold_is_due(self, number: int) -> bool:
        asked = select(func.sum(ITEMS.c.needed)).where(ITEMS.c.study_id == self.study.id)
        plan = self.study.plan
        expected = int(self.connection.execute(asked).scalar() or 0) // plan.raters
        due = sides.gold_position(plan.seed, self.rater.number, number, len(plan.gold), expected)
        return len(self.own) >= due

    def _repeat(self, gap: int) -> str | None:
        """Give the first rated item that is to come back and was not, if it is so many of the rater's items ago."""
        plan = self.study.plan
        again = {row.item_id for row in self.mine if row.purpose == "repeat"}
        for row in self.own:
            if row.answer != "rate" or row.item_id in again or len(self.own) - row.position <= gap:
                continue
            if sides.comes_back(plan.seed, self.rater.number, row.position, plan.repeat_share):
                shown = self.connection.execute(select(_A.shown).where(_A.id == row.id)).scalar_one()
                return self._write(row.item_id, "repeat", tuple(reversed(shown)), repeat_of=row.id)
        return None

    def _least_covered(self) -> Row[Any] | None:
        counted = and_(_A.item_id == ITEMS.c.id, _A.purpose == "item", live(self.study))
        covered = func.count(_A.id)
        had = (
            exists()
            .where(_A.item_id == ITEMS.c.id, _A.rater_id == self.rater.id, _A.purpose == "item")
            .correlate(ITEMS)
        )
        total = select(func.count()).where(ITEMS.c.study_id == self.study.id, ITEMS.c.kind == "item").scalar_subquery()
        n = self.connection.execute(select(total)).scalar() or 1
        a, b = sides.path(self.study.plan.seed, self.rater.number, n)
        free = (
            select(ITEMS.c.id)
            .outerjoin(ASSIGNMENTS, counted)
            .where(ITEMS.c.study_id == self.study.id, ITEMS.c.kind == "item", ITEMS.c.identical.is_(False), ~had)
            .group_by(ITEMS.c.id, ITEMS.c.place, ITEMS.c.needed)
            .having(covered < ITEMS.c.needed)
            .order_by(covered, (ITEMS.c.place * a + b) % n)
            .limit(1)
        )
        found = self.connection.execute(free).scalar()
        return None if found is None else self.connection.execute(select(ITEMS).where(ITEMS.c.id == found)).one()

    def _write(self, item_id: str, purpose: Purpose, variants: Sequence[str], repeat_of: str | None = None) -> str:
        """Store an assignment with the order in which its outputs are shown, and return its id."""
        place, position = len(self.mine), len(self.own) if purpose == "item" else None
        shown = list(variants)
        if purpose != "repeat":
            seed, number, n = self.study.plan.seed, self.rater.number, len(shown)
            order = (
                sides.order_aside(seed, number, place, n)
                if position is None
                else sides.shown_order(seed, number, position, n)
            )
            shown = [shown[at] for at in order]
        assignment_id = uuid.uuid4().hex
        values = {
            "id": assignment_id, "study_id": self.study.id, "rater_id": self.rater.id, "item_id": item_id, "purpose": purpose,
            "place": place, "position": position, "shown": shown, "repeat_of": repeat_of,
            "assigned_at": self.now, "sequence": 1, "open": True, "answer": None, **shown_now(self.connection, self.study),
        }  # fmt: skip
        self.connection.execute(insert(ASSIGNMENTS), [values])
        return assignment_id

    def nothing_left(self) -> Done:
        """Say why: all is rated, or what is left is on others' screens."""
        rated = and_(_A.item_id == ITEMS.c.id, _A.purpose == "item", _A.answer == "rate")
        had = (
            exists()
            .where(_A.item_id == ITEMS.c.id, _A.rater_id == self.rater.id, _A.purpose == "item")
            .correlate(ITEMS)
        )
        short = (
            select(ITEMS.c.id)
            .outerjoin(ASSIGNMENTS, rated)
            .where(ITEMS.c.study_id == self.study.id, ITEMS.c.kind == "item", ITEMS.c.identical.is_(False), ~had)
            .group_by(ITEMS.c.id, ITEMS.c.needed)
            .having(func.count(_A.id) < ITEMS.c.needed)
        )
        waiting = len(self.connection.execute(short).all())
        if waiting:
            what = "The last item is" if waiting == 1 else f"The last {waiting} items are"
            return Done(
                "waiting", f"{what} on other raters' screens. Come back in {self.study.plan.reserve_minutes} minutes."
            )
        return Done("finished", "All is rated that you could rate. Thank you.")
