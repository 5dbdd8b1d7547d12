"""Reads ratings that were made elsewhere, or exported here, into a study of their own, which is closed from the start.

Needed in each row: ``example_id``, ``rater``, ``value``, and what was shown: ``variant_left`` (with ``variant_right`` for a pair)
or the list ``shown``. The other columns of `core.ratings.exchange.table.COLUMNS` are taken where they are there, and texts
also from ``output_left`` and ``output_right``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, update

from core.errors import InputError
from core.ratings.exchange.files import read_rows
from core.ratings.exchange.rebuild import Rebuilt
from core.ratings.judges import judge_name
from core.ratings.records import PAIR_VALUES, RANKED_OUTPUTS, Criterion, Mode, StudyPlan
from core.ratings.store import RatingStore, as_text
from core.ratings.study import Study, write_study
from core.ratings.tables import STUDIES
from core.ratings.texts import check_comment, check_name, clean
from core.ratings.values import check_values

_KINDS = ("rate", "skip", "flag")


@dataclass(frozen=True)
class IncomingAction:
    """A row that was read and checked."""

    rater: str
    task: str
    example_id: str
    shown: tuple[str, ...]
    outputs: tuple[str, ...]
    kind: str
    criterion: str
    value: str | None
    """JSON."""
    sequence: int | None
    purpose: str
    extra: Mapping[str, Any]
    """The cleaned texts and times that are optional."""


def import_study(store: RatingStore, path: Path, *, title: str | None = None, judge: str | None = None) -> Study:
    """Make a study of a file of ratings: .jsonl, .csv or .parquet.

    Args:
        store: where it goes.
        path: the file.
        title: by default that in the file, or the file's name.
        judge: the name of the model that gave the verdicts: all rows are then that judge's, whatever ``rater`` says.

    Raises:
        InputError: the file cannot be read, lacks a column, or a row is not possible; nothing is stored then.
        RunError: the store is locked, full, or cannot be reached.
    """
    rows = read_rows(path)
    if not rows:
        raise InputError(f"{path}: there are no rows in the file.")
    if judge is not None:
        rows = [(place, row | {"rater": judge_name(judge)}) for place, row in rows]
    _check_columns(path, {name for _, row in rows for name in row})
    plan = _plan(path, [row for _, row in rows], title)
    found = []
    for place, row in rows:
        try:
            found.append(_action(plan, row))
        except InputError as error:
            raise InputError(f"{path}, {place}: {error}") from None
    rebuilt = Rebuilt(plan, found, str(path))
    now = as_text(store.now())

    def answers(connection: Connection, study_id: str) -> None:
        rebuilt.write_answers(connection, study_id, now)
        connection.execute(update(STUDIES).where(STUDIES.c.id == study_id).values(closed=now))

    note = f"Read from {path.name}: {len(found):,} actions of {len(rebuilt.raters):,} raters."
    return write_study(store, plan, [], list(rebuilt.variants), [note], "", rebuilt.tables(), answers=answers).study


def _check_columns(path: Path, names: set[str]) -> None:
    missing = [name for name in ("example_id", "rater", "value") if name not in names]
    if not {"shown", "variant_left"} & names:
        missing.append("variant_left (or shown)")
    if missing:
        raise InputError(
            f"{path}: found no column {', '.join(missing)}; the file has {', '.join(sorted(names)) or 'none'}."
        )


def _plan(path: Path, rows: list[dict[str, Any]], title: str | None) -> StudyPlan:
    rated = [row for row in rows if row.get("value") is not None]
    mode, graded = _mode(path, rows[0], rated)
    names = dict.fromkeys(str(row["criterion"]) for row in rated if row.get("criterion"))
    criteria = tuple(Criterion(name=name, label=name.replace("_", " ").capitalize()) for name in names)
    known = title or rows[0].get("title") or path.stem
    raters = len({str(row.get("rater")) for row in rows})
    return StudyPlan(
        title=clean(str(known))[:200], mode=mode, graded=graded, criteria=criteria, raters=raters, practice=0,
        repeat_share=0.0,
    )  # fmt: skip


def _mode(path: Path, first: dict[str, Any], rated: list[dict[str, Any]]) -> tuple[Mode, bool]:
    if not rated:
        raise InputError(f"{path}: no row has a value.")
    shown = _listed(rated[0].get("shown")) or [
        one for one in (rated[0].get("variant_left"), rated[0].get("variant_right")) if one
    ]
    graded = str(rated[0]["value"]) not in PAIR_VALUES
    guessed: Mode = "score" if len(shown) == 1 else "pair" if len(shown) == 2 else "rank"
    named = first.get("mode") or guessed
    if named not in ("pair", "score", "rank"):
        raise InputError(f"{path}: found mode {named!r}, expected pair, score or rank.")
    return named, named == "pair" and graded


def _action(plan: StudyPlan, row: dict[str, Any]) -> IncomingAction:
    kind = row.get("kind") or "rate"
    if kind not in _KINDS:
        raise InputError(f"found kind {kind!r}, expected one of {', '.join(_KINDS)}")
    if row.get("example_id") in (None, ""):
        raise InputError("found no example_id")
    shown = _shown(plan.mode, row)
    criterion = str(row.get("criterion") or plan.asked_criteria[0].name) if kind == "rate" else ""
    value = None
    if kind == "rate":
        single = plan.model_copy(update={"criteria": (Criterion(name=criterion, label=criterion),)})
        value = check_values(single, {criterion: _value(row.get("value"))}, len(shown))[criterion]
    outputs = _listed(row.get("outputs")) or [row.get("output_left"), row.get("output_right")]
    outputs = [clean(str(text or "")) for text in outputs][: len(shown)]
    outputs += [""] * (len(shown) - len(outputs))
    purpose = next((name for name in ("practice", "gold", "repeat") if _flag(row.get(name))), "item")
    sequence = row.get("sequence")
    return IncomingAction(
        check_name(str(row.get("rater") or "")), clean(str(row.get("task") or "imported")), clean(str(row["example_id"])), shown,
        tuple(outputs), kind, criterion, value, None if sequence in (None, "") else _whole("sequence", sequence), purpose, _extra(row),
    )  # fmt: skip


def _shown(mode: str, row: dict[str, Any]) -> tuple[str, ...]:
    listed = _listed(row.get("shown")) or [row.get("variant_left"), row.get("variant_right")]
    shown = tuple(clean(str(name)) for name in listed if name not in (None, ""))
    least, most = {"pair": (2, 2), "score": (1, 1), "rank": RANKED_OUTPUTS}[mode]
    if not least <= len(shown) <= most or len(set(shown)) < len(shown):
        wanted = str(least) if least == most else f"{least} to {most}"
        raise InputError(f"found the variants {', '.join(shown) or 'none'}, expected {wanted} different ones")
    return shown


def _value(value: Any) -> Any:
    """Return a value as an answer is given: numbers and lists of CSV and Parquet are text."""
    if isinstance(value, str) and value not in PAIR_VALUES:
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []


def _flag(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("true", "1")


def _whole(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InputError(f"{name}: found {value!r}, expected a whole number") from None


def _extra(row: dict[str, Any]) -> dict[str, Any]:
    tags = [clean(str(tag)) for tag in _listed(row.get("tags"))]
    texts = {
        name: None if row.get(name) in (None, "") else clean(str(row[name]))
        for name in ("prompt", "reference", "language", "cluster", "stratum", "guideline_hash")
    }
    accept = row.get("accept")
    return texts | {
        "tags": tags, "reason": check_comment(row.get("reason"), "reason"), "comment": check_comment(row.get("comment")),
        "accept": json.loads(accept) if isinstance(accept, str) and accept.startswith("{") else None,
        "shown_at": _time("shown_at", row.get("shown_at")), "submitted_at": _time("submitted_at", row.get("submitted_at")),
    }  # fmt: skip


def _time(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise InputError(f"{name}: found {value!r}, expected a time such as 2026-11-22T16:00:00+00:00") from None
    return as_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
