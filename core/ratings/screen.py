"""What a rater sees: an assignment as texts without names; and the way back to an answer that was given."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from core.errors import InputError
from core.ratings.records import MINIMUM_DWELL_MS, Rater, RatingItem
from core.ratings.reservations import lock_study, shown_now
from core.ratings.store import as_text
from core.ratings.study import Study
from core.ratings.tables import ACTIONS, ASSIGNMENTS, EXAMPLES, ITEMS, OUTPUTS

_A = ASSIGNMENTS.c


def undo(study: Study, rater: Rater) -> RatingItem | None:
    """Open the rater's last answer again and return its item, sides as before; None where there is no answer yet.

    The answer that was given stands until another one replaces it. Again from there, the one before is opened; two calls
    within `MINIMUM_DWELL_MS` are one.

    Raises:
        InputError: the study is closed, or the rater is not of this study.
        RunError: the store is locked, full, or cannot be reached; nothing was changed.
    """
    with study.store.writing() as connection:
        closed = lock_study(connection, study, rater)
        if closed is not None:
            raise InputError(f"The study was closed at {closed[:16].replace('T', ' ')} UTC: answers stay as they are.")
        now = study.store.now()
        reopened = select(ASSIGNMENTS).where(_A.rater_id == rater.id, _A.open.is_(True), _A.sequence > 1)
        just_now = as_text(now - timedelta(milliseconds=MINIMUM_DWELL_MS))
        again = connection.execute(reopened.where(_A.shown_at > just_now, _A.shown_at <= as_text(now)).limit(1)).first()
        if again is not None:
            return read_item(connection, study, again.id)
        last = (
            select(_A.id)
            .join(ACTIONS, ACTIONS.c.assignment_id == _A.id)
            .where(_A.rater_id == rater.id, _A.open.is_(False), ACTIONS.c.kind.in_(("rate", "skip")))
            .order_by(ACTIONS.c.number.desc())
            .limit(1)
        )
        found = connection.execute(last).scalar()
        if found is None:
            return None
        shown = shown_now(connection, study)
        connection.execute(
            update(ASSIGNMENTS).where(_A.id == found).values(open=True, sequence=_A.sequence + 1, **shown)
        )
        return read_item(connection, study, found)


def read_item(connection: Connection, study: Study, assignment_id: str) -> RatingItem:
    """Return an assignment as its rater sees it: texts without names."""
    found = (
        select(ASSIGNMENTS, EXAMPLES.c.prompt, EXAMPLES.c.reference, EXAMPLES.c.id.label("example"))
        .join(ITEMS, ITEMS.c.id == _A.item_id)
        .join(EXAMPLES, EXAMPLES.c.id == ITEMS.c.example)
        .where(_A.id == assignment_id)
    )
    row = connection.execute(found).one()
    texts = connection.execute(select(OUTPUTS.c.variant, OUTPUTS.c.text).where(OUTPUTS.c.example == row.example))
    of_variant = {variant: text for variant, text in texts}
    previous, comment = _previous(connection, row.id) if row.sequence > 1 else (None, "")
    return RatingItem(
        assignment_id=row.id, sequence=row.sequence, mode=study.plan.mode, graded=study.plan.graded, prompt=row.prompt,
        reference=row.reference if study.plan.show_reference else None,
        outputs=tuple(of_variant[variant] for variant in row.shown), criteria=study.plan.asked_criteria,
        guideline_hash=row.guideline_hash, number=row.place + 1, practice=row.purpose == "practice", shown_at=row.shown_at,
        previous=previous, previous_comment=comment,
    )  # fmt: skip


def _previous(connection: Connection, assignment_id: str) -> tuple[dict[str, Any], str]:
    answers = select(ACTIONS).where(ACTIONS.c.assignment_id == assignment_id, ACTIONS.c.kind.in_(("rate", "skip")))
    rows = connection.execute(answers.order_by(ACTIONS.c.number)).all()
    last = [row for row in rows if row.sequence == max(one.sequence for one in rows)]
    values = {row.criterion: json.loads(row.value) for row in last if row.kind == "rate"}
    return values, last[0].comment if last else ""
