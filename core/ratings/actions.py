"""What was rated, as tables for the analysis. Raters come by them only when the study is closed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from core.errors import InputError
from core.ratings.progress import seconds_between
from core.ratings.study import Study, closed_at
from core.ratings.tables import ACTIONS, ASSIGNMENTS, EXAMPLES, ITEMS, OUTPUTS, RATERS
from core.ratings.values import gold_is_right, preferred

COLUMNS = (
    "number", "action_id", "study_id", "rater", "rater_id", "item_id", "assignment_id", "sequence", "kind", "criterion",
    "value", "preferred", "reason", "comment", "variant_left", "variant_right", "hash_left", "hash_right", "shown", "hashes",
    "length_left", "length_right", "task", "example_id", "stratum", "language", "cluster", "tags", "shown_at", "submitted_at",
    "seconds", "guideline_hash", "practice", "gold", "correct", "repeat", "repeat_of", "position", "current", "supersedes",
)  # fmt: skip
"""Of `actions`. ``value``: text, number or list of ranks; ``preferred``: see `core.ratings.values.preferred`; ``length_*``:
characters of an output; ``cluster``: the example's group, by which an analysis resamples; ``correct``: of gold items;
``repeat_of``: the assignment that a repeat repeats; ``position``: among the study's own items of the rater, from 0;
``current``: whether this is the answer that counts: the last one of its assignment."""


def actions(study: Study, *, current_only: bool = False) -> pd.DataFrame:
    """Return one row an action, in the order in which they were stored, with the columns `COLUMNS`.

    Args:
        study: opened by its owner; by a link only once it is closed.
        current_only: leave out answers that were superseded, skips and flags.

    Raises:
        InputError: the study was opened by a link and is not closed.
        RunError: the store is locked or cannot be reached.
    """
    check_may_see(study)
    rows = _read(study)
    listed = [_row(row) for row in rows]
    frame = pd.DataFrame(listed, columns=list(COLUMNS))
    frame["value"] = pd.Series([row["value"] for row in listed], dtype=object)  # else a skip would make 2 a 2.0
    answers = frame["kind"].isin(["rate", "skip"])
    last = frame[answers].groupby("assignment_id")["sequence"].transform("max")
    frame["current"] = answers & (frame["sequence"] == last.reindex(frame.index))
    return frame[frame["current"] & (frame["kind"] == "rate")].reset_index(drop=True) if current_only else frame


def own_actions(study: Study, rater_id: str) -> pd.DataFrame:
    """Return a rater's own answers without the names of variants: what they may see of themselves before the end."""
    rows = [_row(row) for row in _read(study) if row.rater_id == rater_id]
    kept = ["number", "assignment_id", "sequence", "kind", "criterion", "value", "reason", "comment", "submitted_at"]
    return pd.DataFrame(rows, columns=list(COLUMNS))[kept]


def check_may_see(study: Study) -> None:
    """Refuse results to raters while the study is open.

    Raises:
        InputError: the study was opened by a link and is not closed.
    """
    if study.role != "owner" and closed_at(study) is None:
        raise InputError(
            "Results and the answers of others are shown once the study is closed: they would sway those who still rate."
        )


def _read(study: Study) -> list[Any]:
    found = (
        select(
            ACTIONS, RATERS.c.name.label("rater"), ITEMS.c.accept, EXAMPLES.c.task, EXAMPLES.c.example_id, EXAMPLES.c.stratum,
            EXAMPLES.c.language, EXAMPLES.c.cluster, EXAMPLES.c.tags, EXAMPLES.c.id.label("example"),
            ASSIGNMENTS.c.position, ASSIGNMENTS.c.repeat_of,
        )
        .join(RATERS, RATERS.c.id == ACTIONS.c.rater_id)
        .join(ASSIGNMENTS, ASSIGNMENTS.c.id == ACTIONS.c.assignment_id)
        .join(ITEMS, ITEMS.c.id == ACTIONS.c.item_id)
        .join(EXAMPLES, EXAMPLES.c.id == ITEMS.c.example)
        .where(ACTIONS.c.study_id == study.id)
        .order_by(ACTIONS.c.number)
    )  # fmt: skip
    lengths = (
        select(OUTPUTS.c.example, OUTPUTS.c.variant, func.length(OUTPUTS.c.text))
        .join(EXAMPLES, EXAMPLES.c.id == OUTPUTS.c.example)
        .where(EXAMPLES.c.study_id == study.id)
    )
    with study.store.reading() as connection:
        length_of = {(example, variant): length for example, variant, length in connection.execute(lengths)}
        rows = connection.execute(found).all()
    return [_Joined(row, study.plan.mode, length_of) for row in rows]


class _Joined:
    """A row of the query with what is computed from it."""

    def __init__(self, row: Any, mode: str, length_of: dict[tuple[str, str], int]) -> None:
        self.row, self.mode = row, mode
        self.rater_id = row.rater_id
        self.value = None if row.value is None else json.loads(row.value)
        self.lengths = [length_of.get((row.example, variant)) for variant in row.shown]


def _row(joined: _Joined) -> dict[str, Any]:
    row, value, shown = joined.row, joined.value, tuple(joined.row.shown)
    known = {name: getattr(row, name) for name in COLUMNS if name in row._fields}
    correct = gold_is_right(joined.mode, row.criterion, value, shown, row.accept or {}) if row.gold else None
    return known | {
        "action_id": row.id, "value": value, "preferred": preferred(joined.mode, value, shown), "shown": shown,
        "hashes": tuple(row.hashes), "tags": tuple(row.tags), "correct": correct,
        "length_left": joined.lengths[0], "length_right": joined.lengths[1] if len(shown) == 2 else np.nan,
        "seconds": seconds_between(row.shown_at, row.submitted_at),
    }  # fmt: skip


def items(study: Study) -> pd.DataFrame:
    """Return one row for each of the study's own items: item_id, task, example_id, stratum, language, cluster, variants (tuple),
    identical (outputs are one text: a tie by itself that nobody was shown), needed (answers asked for), lengths (characters).

    Raises:
        InputError: the study was opened by a link and is not closed.
    """
    check_may_see(study)
    found = (
        select(
            ITEMS, EXAMPLES.c.task, EXAMPLES.c.example_id, EXAMPLES.c.stratum, EXAMPLES.c.language, EXAMPLES.c.cluster
        )
        .join(EXAMPLES, EXAMPLES.c.id == ITEMS.c.example)
        .where(ITEMS.c.study_id == study.id, ITEMS.c.kind == "item")
        .order_by(ITEMS.c.place)
    )
    lengths = select(OUTPUTS.c.example, OUTPUTS.c.variant, func.length(OUTPUTS.c.text)).join(
        EXAMPLES, EXAMPLES.c.id == OUTPUTS.c.example
    )
    with study.store.reading() as connection:
        rows = connection.execute(found).all()
        length_of = {
            (one[0], one[1]): one[2] for one in connection.execute(lengths.where(EXAMPLES.c.study_id == study.id))
        }
    names = (
        "item_id",
        "task",
        "example_id",
        "stratum",
        "language",
        "cluster",
        "variants",
        "identical",
        "needed",
        "lengths",
    )
    table = [
        (row.id, row.task, row.example_id, row.stratum, row.language, row.cluster, tuple(row.variants), row.identical, row.needed,
         tuple(length_of[row.example, variant] for variant in row.variants))
        for row in rows
    ]  # fmt: skip
    return pd.DataFrame(table, columns=list(names))
