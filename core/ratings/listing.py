"""The studies of a store at a glance, and which of their runs are gone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from core.ratings.records import StudySummary
from core.ratings.store import RatingStore
from core.ratings.study import Study
from core.ratings.tables import ACTIONS, ITEMS, RATERS, STUDIES


def list_studies(store: RatingStore) -> list[StudySummary]:
    """Return the studies of a store, newest first; none where there is no store yet."""
    if not store.exists:
        return []
    shown = ITEMS.c.kind == "item"
    answer = ACTIONS.c.practice.is_(False) & ACTIONS.c.gold.is_(False) & (ACTIONS.c.kind == "rate")
    counts = (
        select(func.count()).where(ITEMS.c.study_id == STUDIES.c.id, shown).scalar_subquery(),
        select(func.count()).where(RATERS.c.study_id == STUDIES.c.id).scalar_subquery(),
        select(func.count(func.distinct(ACTIONS.c.assignment_id)))
        .where(ACTIONS.c.study_id == STUDIES.c.id, answer)
        .scalar_subquery(),
    )
    with store.reading() as connection:
        rows = connection.execute(select(STUDIES, *counts).order_by(STUDIES.c.created.desc())).all()
    return [
        StudySummary(
            row.id, row.title, row.mode, row.created, row.closed, tuple(row.runs), tuple(row.variants), *row[-3:]
        )
        for row in rows
    ]


def missing_runs(study: Study, known: Sequence[str]) -> list[str]:
    """Return a sentence for each run of the study that is not among the ``known`` ids any more."""
    return [
        f"The run {run} was deleted or moved since the study was made; the study goes on with its own copy of the outputs."
        for run in study.runs
        if run not in known
    ]
