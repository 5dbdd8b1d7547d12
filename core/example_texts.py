"""Read the texts behind single examples out of a run's Parquet files with DuckDB, without loading the others.

Columns that a question does not name stay on disk, so that finding, searching and opening an example stay quick in a run
of 100,000.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from core.examples import ExampleTable, make_table
from core.records import Evidence, Example
from core.store import Run, evidence_from_row


def read_table(run: Run, task: str) -> ExampleTable:
    """Return the ids and tags of a task's examples, in the dataset's order; the language counts as a tag."""
    rows = _rows(run, "SELECT id, tags, language FROM examples WHERE task = ? ORDER BY file_row_number", [task])
    tags = [
        (*(listed or ()), *([f"language={language}"] if language and not _has_language(listed) else ()))
        for _, listed, language in rows
    ]
    return make_table(task, [row[0] for row in rows], tags)


def _has_language(tags: Sequence[str] | None) -> bool:
    return any(tag.startswith("language=") for tag in tags or ())


def read_example(run: Run, task: str, example_id: str) -> Example | None:
    """Return one example; None if the task has no such example."""
    columns = ("prompt", "fields", "reference", "options", "tags", "language", '"group"')
    rows = _rows(
        run, f"SELECT {', '.join(columns)} FROM examples WHERE task = ? AND id = ? LIMIT 1", [task, example_id]
    )
    if not rows:
        return None
    prompt, fields, reference, options, tags, language, group = rows[0]
    return Example(
        task, example_id, prompt, json.loads(fields), json.loads(reference), tuple(options or ()), tuple(tags or ()),
        language, group,
    )  # fmt: skip


def read_example_evidence(run: Run, task: str, example_id: str) -> dict[str, tuple[Evidence, ...]]:
    """Return what was observed of one example, by variant; variants that have not come to it yet are left out."""
    found: dict[str, list[Evidence]] = {}
    sql = "SELECT * FROM evidence WHERE example_id = ? AND task = ? ORDER BY item, kind"
    for row in _records(run, sql, [example_id, task]):
        found.setdefault(row["variant"], []).append(evidence_from_row(row))
    return {variant: tuple(pieces) for variant, pieces in found.items()}


def read_snippets(run: Run, task: str, ids: Sequence[str], field: str | None, length: int = 90) -> dict[str, str]:
    """Return the beginning of each example on one line: of ``field`` where it is text, else of the reference or prompt."""
    if not len(ids):
        return {}
    marks = ", ".join("?" * len(ids))
    rows = _rows(
        run, f"SELECT id, fields, reference, prompt FROM examples WHERE task = ? AND id IN ({marks})", [task, *ids]
    )
    found = {}
    for example_id, fields, reference, prompt in rows:
        value = json.loads(fields).get(field) if field else json.loads(reference)
        line = " ".join((value if isinstance(value, str) else prompt)[: 20 * length].split())
        found[example_id] = line if len(line) <= length else line[: length - 1] + "…"
    return found


def read_lengths(run: Run, task: str, ids: pd.Index) -> pd.DataFrame | None:
    """Return the number of generated tokens, rows as ``ids``, columns variants; None if nothing was generated."""
    sql = "SELECT example_id, variant, len(token_ids) AS n FROM evidence WHERE task = ? AND kind = 'generation'"
    rows = _rows(run, sql, [task])
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["example_id", "variant", "n"])
    return frame.pivot_table(index="example_id", columns="variant", values="n", aggfunc="first").reindex(ids)


def search(run: Run, task: str, text: str) -> frozenset[str]:
    """Return the ids of examples that have ``text`` in id, prompt, reference or an output, upper and lower case alike."""
    wanted = text.strip().lower()
    asked = (
        "SELECT id FROM examples WHERE task = $task AND (contains(lower(id), $text) OR contains(lower(prompt), $text) "
        # The reference is stored as JSON: its text is compared, not its escapes.
        "OR contains(lower(coalesce(json_extract_string(reference, '$'), '')), $text))"
    )
    answered = "SELECT DISTINCT example_id FROM evidence WHERE task = $task AND contains(lower(text), $text)"
    rows = _rows(run, f"{asked} UNION {answered}", {"task": task, "text": wanted})
    return frozenset(row[0] for row in rows)


def _rows(run: Run, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(_with_files(run, sql), parameters).fetchall()


def _records(run: Run, sql: str, parameters: Any) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        cursor = connection.execute(_with_files(run, sql), parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _with_files(run: Run, sql: str) -> str:
    """Put the run's files into the query as the tables ``examples`` and ``evidence``."""
    examples = run.folder / "examples.parquet"
    whole = run.folder / "evidence.parquet"
    evidence = [whole] if whole.is_file() else sorted((run.folder / "parts").glob("*/*.parquet"))
    return (
        f"WITH examples AS ({_source([examples] if examples.is_file() else [], _NO_EXAMPLES)}), "
        f"evidence AS ({_source(evidence, _NO_EVIDENCE)}) {sql}"
    )


def _source(paths: Sequence[Path], empty: str) -> str:
    if not paths:
        return f"SELECT {empty} WHERE false"
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false, file_row_number = true)"


_NO_EXAMPLES = (
    "''::TEXT AS task, ''::TEXT AS id, ''::TEXT AS prompt, ''::TEXT AS fields, ''::TEXT AS reference, "
    "[]::TEXT[] AS options, []::TEXT[] AS tags, ''::TEXT AS language, ''::TEXT AS \"group\", 0 AS file_row_number"
)
_NO_EVIDENCE = (
    "''::TEXT AS task, ''::TEXT AS variant, ''::TEXT AS example_id, ''::TEXT AS item, ''::TEXT AS kind, "
    "''::TEXT AS reason, ''::TEXT AS text, []::INT[] AS token_ids"
)
