"""Stores what raters do, one row an action, and never changes a row: an answer that is corrected stays, superseded."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from core.errors import InputError
from core.ratings.records import MINIMUM_DWELL_MS, Rater, RatingItem, Receipt
from core.ratings.store import SEND_AGAIN, as_text
from core.ratings.study import Study
from core.ratings.tables import ACTIONS, ASSIGNMENTS, ITEMS, OUTPUTS, STUDIES
from core.ratings.texts import check_comment
from core.ratings.values import check_values

_TOO_SOON = "That came before the item could be read, and was not stored. Answer again."
_OTHERWISE = (
    "This item had another answer already, from another tab or a second key: that one stands. Undo brings it back."
)


def submit(
    study: Study, rater: Rater, item: RatingItem, values: Mapping[str, Any], *, comment: str | None = None
) -> Receipt:
    """Store an answer; it is on disk when this returns. The same answer sent twice is stored once.

    Args:
        study: the item's.
        rater: who answers.
        item: as `core.ratings.next_item` gave it.
        values: by criterion, see `core.ratings.values.check_values`.
        comment: anything.

    Raises:
        InputError: the answer is not complete or not possible, the study is closed, or the item is another rater's.
        RunError: the store is locked, full, or gone. Nothing is lost: send the same again.
    """
    kept = check_values(study.plan, values, len(item.outputs))
    return _store(study, rater, item, "rate", kept, "", check_comment(comment))


def skip(study: Study, rater: Rater, item: RatingItem, reason: str, *, comment: str | None = None) -> Receipt:
    """Store that the rater passes over an item, and why. It is not shown to them again. Raises as `submit` does."""
    return _store(study, rater, item, "skip", {"": None}, _reason(reason, "skip"), check_comment(comment))


def flag(study: Study, rater: Rater, item: RatingItem, reason: str) -> Receipt:
    """Store that something is wrong with an item; it stays on screen to be answered. Raises as `submit` does."""
    kept = _reason(reason, "flag")
    with study.store.writing(SEND_AGAIN) as connection:
        row = _assignment(connection, study, rater, item)
        there = _rows_of(connection, row.id, item.sequence, ("flag",))
        if there:
            return Receipt("repeated", tuple(one.id for one in there))
        written = _write(connection, study, row, item.sequence, "flag", {"": None}, kept, "", {})
    return Receipt("stored", written)


def _reason(reason: str, what: str) -> str:
    kept = check_comment(reason, "reason")
    if not kept:
        raise InputError(f"Found no reason to {what} this item. Choose one, or write it.")
    return kept


def _store(
    study: Study, rater: Rater, item: RatingItem, kind: str, values: Mapping[str, str | None], reason: str, comment: str
) -> Receipt:
    with study.store.writing(SEND_AGAIN) as connection:
        row = _assignment(connection, study, rater, item)
        there = _rows_of(connection, row.id, item.sequence, ("rate", "skip"))
        if there:
            same = {one.criterion: one.value for one in there} == dict(values) and there[0].kind == kind
            return Receipt("repeated", tuple(one.id for one in there), "" if same else _OTHERWISE)
        if item.sequence != row.sequence:
            raise InputError("This item was answered anew since it was shown here. Load the page again to go on.")
        if _too_soon(study.store.now(), row.shown_at):
            return Receipt("too soon", note=_TOO_SOON)
        before = _rows_of(connection, row.id, None, ("rate", "skip"))
        written = _write(
            connection, study, row, item.sequence, kind, values, reason, comment, _superseded(before, values)
        )
        changed = update(ASSIGNMENTS).where(ASSIGNMENTS.c.id == row.id).values(open=False, answer=kind)
        connection.execute(changed)
    return Receipt("stored", written)


def _assignment(connection: Connection, study: Study, rater: Rater, item: RatingItem) -> Row[Any]:
    """Return the item's assignment, locked until the transaction ends.

    Raises:
        InputError: it is not this rater's, or the study is closed.
    """
    mine = (
        select(ASSIGNMENTS)
        .where(
            ASSIGNMENTS.c.id == item.assignment_id,
            ASSIGNMENTS.c.rater_id == rater.id,
            ASSIGNMENTS.c.study_id == study.id,
        )
        .with_for_update()
    )
    row = connection.execute(mine).first()
    if row is None:
        raise InputError(
            f"This item was not given to {rater.name!r} in study {study.id}. Load the page again to go on."
        )
    closed = connection.execute(select(STUDIES.c.closed).where(STUDIES.c.id == study.id)).scalar()
    if closed is not None:
        when = closed[:16].replace("T", " ")
        raise InputError(f"The study was closed at {when} UTC, before this answer came: it was not stored.")
    return row


def _too_soon(now: datetime, shown_at: str) -> bool:
    # A clock that went back says nothing about how long the item was on screen.
    return timedelta(0) <= now - datetime.fromisoformat(shown_at) < timedelta(milliseconds=MINIMUM_DWELL_MS)


def _rows_of(
    connection: Connection, assignment_id: str, sequence: int | None, kinds: tuple[str, ...]
) -> list[Row[Any]]:
    """Return the actions of an assignment: of one sequence, or of the last one there is."""
    wanted = select(ACTIONS).where(ACTIONS.c.assignment_id == assignment_id, ACTIONS.c.kind.in_(kinds))
    rows = list(connection.execute(wanted.order_by(ACTIONS.c.number)).all())
    chosen = sequence if sequence is not None else max((row.sequence for row in rows), default=0)
    return [row for row in rows if row.sequence == chosen]


def _superseded(before: list[Row[Any]], values: Mapping[str, str | None]) -> dict[str, str]:
    """Return which row each new one replaces: that of its criterion, or the first of an answer of another kind."""
    if not before:
        return {}
    of_criterion = {row.criterion: row.id for row in before}
    return {name: of_criterion.get(name, before[0].id) for name in values}


def _write(
    connection: Connection, study: Study, row: Row[Any], sequence: int, kind: str, values: Mapping[str, str | None],
    reason: str, comment: str, supersedes: Mapping[str, str],
) -> tuple[str, ...]:  # fmt: skip
    hashes = _hashes(connection, row)
    pair = len(row.shown) == 2
    common = {
        "study_id": study.id, "rater_id": row.rater_id, "item_id": row.item_id, "assignment_id": row.id, "sequence": sequence,
        "kind": kind, "reason": reason, "comment": comment, "shown": row.shown, "hashes": hashes,
        "variant_left": row.shown[0], "variant_right": row.shown[1] if pair else None,
        "hash_left": hashes[0], "hash_right": hashes[1] if pair else None,
        "shown_at": row.shown_at, "submitted_at": as_text(study.store.now()), "guideline_hash": row.guideline_hash,
        "gold": row.purpose == "gold", "repeat": row.purpose == "repeat", "practice": row.purpose == "practice",
    }  # fmt: skip
    rows = [
        common | {"id": uuid.uuid4().hex, "criterion": name, "value": value, "supersedes": supersedes.get(name)}
        for name, value in values.items()
    ]
    connection.execute(insert(ACTIONS), rows)
    return tuple(one["id"] for one in rows)


def _hashes(connection: Connection, row: Row[Any]) -> list[str]:
    stored = (
        select(OUTPUTS.c.variant, OUTPUTS.c.hash)
        .join(ITEMS, ITEMS.c.example == OUTPUTS.c.example)
        .where(ITEMS.c.id == row.item_id)
    )
    of_variant = {variant: digest for variant, digest in connection.execute(stored)}
    return [of_variant[variant] for variant in row.shown]
