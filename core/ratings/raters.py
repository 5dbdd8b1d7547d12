"""Who rates: joining a study by name, and coming back as the same one."""

from __future__ import annotations

import hmac
import secrets
import uuid

from sqlalchemy import func, insert, select, update

from core.errors import InputError
from core.ratings.judges import PREFIX, is_judge
from core.ratings.records import Rater
from core.ratings.store import as_text
from core.ratings.study import Study
from core.ratings.tables import RATERS, STUDIES
from core.ratings.texts import check_name, name_key, text_hash


def join(study: Study, name: str, key: str | None = None, *, verified: bool = False) -> Rater:
    """Return the rater of this name, who joins the study if they are new; names that differ in case alone are one person.

    Args:
        study: opened by its owner or by the link.
        name: as they write it.
        key: for a name that joined by the link before: the key it was given then. Whoever knows only the name must not see
            that rater's answers, which undo shows.
        verified: whether somebody else has proven who this is (a login); then no key is asked for or given.

    Returns:
        The rater; with a new ``key`` where a new one joined by the link.

    Raises:
        InputError: the name is empty, too long, not on one line or a judge's, the key is wrong, or the study is closed to a new rater.
    """
    kept = check_name(name)
    if is_judge(kept):
        raise InputError(
            f"Found the name {kept!r}: names that begin with {PREFIX!r} are for model judges. Write another one."
        )
    by_link = study.role == "rater" and not verified
    with study.store.writing() as connection:
        # The study's row is the lock under which numbers are given.
        lock = select(STUDIES.c.closed).where(STUDIES.c.id == study.id).with_for_update(key_share=True)
        closed = connection.execute(lock).scalar()
        same = select(RATERS).where(RATERS.c.study_id == study.id, RATERS.c.name_key == name_key(kept))
        row = connection.execute(same).first()
        if row is not None:
            if by_link and not hmac.compare_digest(text_hash(key or ""), row.key_hash or ""):
                raise InputError(
                    f"{row.name!r} rates in this study already. Come back by your own link, or write another name."
                )
            return Rater(row.id, row.name, row.number)
        if closed is not None:
            raise InputError(
                f"The study was closed at {closed[:16].replace('T', ' ')} UTC: nobody can join it any more."
            )
        last = connection.execute(select(func.max(RATERS.c.number)).where(RATERS.c.study_id == study.id)).scalar()
        new_key = secrets.token_urlsafe(18) if by_link else None
        rater = Rater(uuid.uuid4().hex, kept, (last or 0) + 1, new_key)
        values = {
            "id": rater.id, "study_id": study.id, "number": rater.number, "name": kept, "name_key": name_key(kept),
            "key_hash": None if new_key is None else text_hash(new_key), "joined": as_text(study.store.now()),
        }  # fmt: skip
        connection.execute(insert(RATERS), [values])
    return rater


def renew_key(study: Study, rater: Rater) -> Rater:
    """Give a rater who lost their key, or who joined without one, a new one. Only the owner can.

    Raises:
        InputError: the study was opened by a link.
    """
    if study.role != "owner":
        raise InputError("The link is for rating: only the study's owner can give a rater a new key.")
    key = secrets.token_urlsafe(18)
    with study.store.writing() as connection:
        connection.execute(update(RATERS).where(RATERS.c.id == rater.id).values(key_hash=text_hash(key)))
    return Rater(rater.id, rater.name, rater.number, key)


def list_raters(study: Study) -> list[Rater]:
    """Return the raters of a study in the order of joining."""
    with study.store.reading() as connection:
        rows = connection.execute(select(RATERS).where(RATERS.c.study_id == study.id).order_by(RATERS.c.number)).all()
    return [Rater(row.id, row.name, row.number) for row in rows]
