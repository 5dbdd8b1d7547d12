"""What stands between two raters who ask at once: the study's lock, and the time for which an item is kept for one of them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.sql import ColumnElement

from core.errors import InputError
from core.ratings.records import Rater
from core.ratings.store import as_text
from core.ratings.study import Study, latest_guidelines
from core.ratings.tables import ASSIGNMENTS, RATERS, STUDIES

_A = ASSIGNMENTS.c


def lock_study(connection: Connection, study: Study, rater: Rater) -> str | None:
    """Take the lock under which a study's items are given, and return when the study was closed.

    Raises:
        InputError: the rater is not of this study.
    """
    locked = select(STUDIES.c.closed).where(STUDIES.c.id == study.id).with_for_update(key_share=True)
    closed = connection.execute(locked).scalar()
    known = select(RATERS.c.id).where(RATERS.c.id == rater.id, RATERS.c.study_id == study.id)
    if connection.execute(known).first() is None:
        raise InputError(f"{rater.name!r} is not a rater of study {study.id}. Join the study first.")
    return closed


def reserved_until(study: Study) -> str:
    """Return until when an item that is shown now is kept for its rater."""
    return as_text(study.store.now() + timedelta(minutes=study.plan.reserve_minutes))


def shown_now(connection: Connection, study: Study) -> dict[str, str]:
    """Return what an assignment keeps of its being shown: the guidelines are those that the rater has at hand."""
    return {
        "guideline_hash": latest_guidelines(connection, study.id)[1],
        "shown_at": as_text(study.store.now()),
        "reserved_until": reserved_until(study),
    }


def live(study: Study) -> ColumnElement[bool]:
    """Return the condition that an assignment counts for its item: answered, or on a rater's screen.

    A reservation that ends later than one made now would was made before the clock went back, and has no force.
    """
    on_screen = and_(
        _A.open.is_(True), _A.reserved_until > as_text(study.store.now()), _A.reserved_until <= reserved_until(study)
    )
    return or_(_A.answer == "rate", on_screen)
