"""Makes, opens, lists and closes studies. A study holds its own copy of every output: a run that is deleted takes nothing along."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from core.errors import InputError, nearest
from core.ratings.blindness import Leak
from core.ratings.draft import StudyDraft, draft_study
from core.ratings.records import Role, StudyPlan
from core.ratings.store import RatingStore, as_text
from core.ratings.tables import EXAMPLES, GUIDELINES, ITEMS, OUTPUTS, STUDIES
from core.ratings.texts import check_guidelines, text_hash
from core.store import Run


@dataclass(frozen=True)
class Study:
    """A study that was opened, with what its holder may do: ``role`` is owner, or rater for who came by the link."""

    store: RatingStore
    id: str
    plan: StudyPlan
    role: Role
    created: str
    runs: tuple[str, ...]
    variants: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """Sentences on what was left out when it was made."""


@dataclass(frozen=True)
class CreatedStudy:
    """A new study, and what can be said only once."""

    study: Study
    key: str
    """The secret of the raters' link. The store keeps its hash alone."""
    leaks: tuple[Leak, ...] = ()
    """Outputs that name a model: a rater who sees one is not blind."""


def create_study(store: RatingStore, runs: Sequence[Run], plan: StudyPlan) -> CreatedStudy:
    """Draw the examples of a study, copy their prompts and outputs into the store, and return it.

    Args:
        store: where it is to be kept.
        runs: what it is made from.
        plan: what is to be rated, and how. Examples are drawn uniformly at random within strata (see `core.ratings.draw`);
            the answers have no part in it.

    Raises:
        InputError: the plan or the runs do not make a study, or the store cannot be written.
        RunError: the store is locked, full, or cannot be reached.
    """
    return store_draft(store, draft_study(runs, plan))


def store_draft(store: RatingStore, draft: StudyDraft) -> CreatedStudy:
    """Store a study that was drafted, and return it.

    Raises:
        InputError: the store cannot be written.
        RunError: the store is locked, full, or cannot be reached.
    """
    runs, variants, notes = list(draft.runs), list(draft.variants), list(draft.notes)
    return write_study(store, draft.plan, runs, variants, notes, draft.guidelines, draft.tables, draft.leaks)


def write_study(
    store: RatingStore, plan: StudyPlan, runs: list[str], variants: list[str], notes: list[str], guidelines: str,
    tables: dict[str, list[dict[str, Any]]], leaks: Sequence[Leak] = (), answers: Callable[[Connection, str], None] | None = None,
) -> CreatedStudy:  # fmt: skip
    """Store a study whose rows were built; ``tables`` has rows of examples, outputs and items without the study's id.

    ``answers`` stores within the same transaction what came with it, and is handed the study's id.
    """
    study_id, key, created = uuid.uuid4().hex[:12], secrets.token_urlsafe(24), as_text(store.now())
    row = {
        "id": study_id, "title": plan.title.strip(), "mode": plan.mode, "created": created, "closed": None,
        "plan": plan.model_dump(mode="json"), "runs": runs, "variants": variants, "notes": notes,
        "key_hash": text_hash(key), "pseudonym_key": secrets.token_hex(16),
    }  # fmt: skip
    with store.writing() as connection:
        connection.execute(insert(STUDIES), [row])
        _add_guidelines(connection, study_id, guidelines, created)
        for table, name in ((EXAMPLES, "examples"), (OUTPUTS, "outputs"), (ITEMS, "items")):
            owner = {} if name == "outputs" else {"study_id": study_id}
            connection.execute(insert(table), [{**owner, **one} for one in tables[name]])
        if answers is not None:
            answers(connection, study_id)
    study = Study(store, study_id, plan, "owner", created, tuple(runs), tuple(variants), tuple(notes))
    return CreatedStudy(study, key, tuple(leaks))


def open_study(store: RatingStore, name: str) -> Study:
    """Open a study as its owner: whoever holds the store holds all that is in it.

    Args:
        store: where it is.
        name: its id, the start of one, or its title.

    Raises:
        InputError: there is no such study, or several.
    """
    with store.reading() as connection:
        rows = connection.execute(select(STUDIES)).mappings().all()
    matches = [row for row in rows if row["id"] == name]
    matches = matches or [row for row in rows if name and (row["id"].startswith(name) or row["title"] == name)]
    if len(matches) == 1:
        return _study(store, matches[0], "owner")
    listed = ", ".join(f"{row['id']} ({row['title']})" for row in matches or rows) or "none yet"
    if matches:
        raise InputError(f"{store.where}: {name!r} may be several studies: {listed}. Give the id.")
    raise InputError(
        f"{store.where}: there is no study {name!r}{nearest(name, [row['id'] for row in rows])}. Studies here: {listed}."
    )


def open_by_link(store: RatingStore, study_id: str, key: str) -> Study:
    """Open a study for rating, by the two parts of its link. What is opened so cannot read results before the study is closed.

    Raises:
        InputError: the link is wrong; it is not said which part.
    """
    with store.reading() as connection:
        row = connection.execute(select(STUDIES).where(STUDIES.c.id == study_id)).mappings().first()
    expected = row["key_hash"] if row is not None else text_hash("")
    if not hmac.compare_digest(text_hash(key), expected) or row is None:
        raise InputError(
            "This link does not open a study. Ask for the whole link again; it may have been cut or renewed."
        )
    return _study(store, row, "rater")


def renew_link(study: Study) -> str:
    """Return a new secret for the raters' link; the old one opens nothing from now on.

    Raises:
        InputError: the study was opened by a link.
    """
    check_owner(study, "renew the link")
    key = secrets.token_urlsafe(24)
    with study.store.writing() as connection:
        connection.execute(update(STUDIES).where(STUDIES.c.id == study.id).values(key_hash=text_hash(key)))
    return key


def close_study(study: Study) -> None:
    """End the rating of a study: nothing is asked or stored any more, and raters may see results.

    Raises:
        InputError: the study was opened by a link.
    """
    check_owner(study, "close the study")
    with study.store.writing() as connection:
        closing = update(STUDIES).where(STUDIES.c.id == study.id, STUDIES.c.closed.is_(None))
        connection.execute(closing.values(closed=as_text(study.store.now())))


def closed_at(study: Study) -> str | None:
    """Return when the study was closed; None while it is open."""
    with study.store.reading() as connection:
        return connection.execute(select(STUDIES.c.closed).where(STUDIES.c.id == study.id)).scalar()


def guidelines(study: Study) -> tuple[str, str]:
    """Return the guidelines that hold now, Markdown, and their hash (SHA-256)."""
    with study.store.reading() as connection:
        return latest_guidelines(connection, study.id)


def latest_guidelines(connection: Connection, study_id: str) -> tuple[str, str]:
    """Return the newest version of a study's guidelines and its hash."""
    newest = select(GUIDELINES).where(GUIDELINES.c.study_id == study_id).order_by(GUIDELINES.c.version.desc()).limit(1)
    row = connection.execute(newest).one()
    return row.text, row.hash


def set_guidelines(study: Study, text: str) -> str:
    """Store a new version of the guidelines and return its hash; what was rated before keeps the hash of its own version.

    Raises:
        InputError: the text is too long or holds a script, or the study was opened by a link.
    """
    check_owner(study, "change the guidelines")
    kept = check_guidelines(text)
    with study.store.writing() as connection:
        if latest_guidelines(connection, study.id)[0] != kept:
            _add_guidelines(connection, study.id, kept, as_text(study.store.now()))
    return text_hash(kept)


def check_owner(study: Study, what: str) -> None:
    """Refuse what a link does not allow.

    Raises:
        InputError: the study was opened by a link.
    """
    if study.role != "owner":
        raise InputError(f"The link is for rating: only the study's owner can {what}.")


def _add_guidelines(connection: Connection, study_id: str, text: str, created: str) -> None:
    last = select(func.max(GUIDELINES.c.version)).where(GUIDELINES.c.study_id == study_id)
    version = (connection.execute(last).scalar() or 0) + 1
    values = {"study_id": study_id, "version": version, "hash": text_hash(text), "text": text, "created": created}
    connection.execute(insert(GUIDELINES), [values])


def _study(store: RatingStore, row: RowMapping, role: Role) -> Study:
    plan = StudyPlan.model_validate(row["plan"])
    lists = (tuple(row[name]) for name in ("runs", "variants", "notes"))
    return Study(store, row["id"], plan, role, row["created"], *lists)
