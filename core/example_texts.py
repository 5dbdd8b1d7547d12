"""Read the texts behind single examples out of a run's Parquet files with DuckDB, without loading the others.

Columns that a question does not name stay on disk, so that finding, searching and opening an example stay quick in a run
of 100,000.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.examples import ExampleTable, make_table
from core.records import Evidence, Example, OptionScores
from core.store import Run, evidence_from_row


def read_table(run: Run, task: str) -> ExampleTable:
    """Return the ids and tags of a task's examples, in the dataset's order; the language counts as a tag."""
    rows = _rows(run, "SELECT id, tags, language FROM examples WHERE task = ? ORDER BY file_row_number", [task])
    tags = [
        (*(listed or ()), *([f"language={language}"] if language and not _has_language(listed) else ()))
        for _, listed, language in rows
    ]
    return make_table(task, [row[0] for row in rows], tags)


def parting_tags(run: Run) -> list[str]:
    """Return the tags that some but not all examples of a run have, sorted; the language counts as one."""
    sql = (
        "SELECT tag FROM (SELECT DISTINCT file_row_number, "
        "unnest(list_append(coalesce(tags, []), 'language=' || nullif(language, ''))) AS tag FROM examples) "
        "WHERE tag IS NOT NULL GROUP BY tag HAVING count(*) < (SELECT count(*) FROM examples) ORDER BY tag"
    )
    return [row[0] for row in _rows(run, sql, [])]


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
    if run.spec.models.imported:
        return _imported_evidence(run, task, example_id)
    found: dict[str, list[Evidence]] = {}
    sql = "SELECT * FROM evidence WHERE example_id = ? AND task = ? ORDER BY item, kind"
    for row in _records(run, sql, [example_id, task]):
        found.setdefault(row["variant"], []).append(evidence_from_row(row))
    return {variant: tuple(pieces) for variant, pieces in found.items()}


def _imported_evidence(run: Run, task: str, example_id: str) -> dict[str, tuple[Evidence, ...]]:
    example = read_example(run, task, example_id)
    found: dict[str, list[Evidence]] = {}
    for row in run.predictions(task=task, example_id=example_id).to_pylist():
        scores = row["scores"] or ()
        told = prediction_text(row["value"], example.options if example else ())
        piece = Evidence(
            task, row["variant"], example_id, row["sample"] or "", imported=told, reason=row["reason"],
            option_scores=_as_option_scores(example, scores) if example and len(scores) == len(example.options) else None,
        )  # fmt: skip
        found.setdefault(row["variant"], []).append(piece)
    return {variant: tuple(pieces) for variant, pieces in found.items()}


def _as_option_scores(example: Example, scores: Sequence[float | None]) -> OptionScores | None:
    """Return probabilities as log-likelihoods; None where they are no probabilities."""
    known = [score for score in scores if score is not None and 0 <= score <= 1]
    if len(known) < len(scores) or not any(known):
        return None
    logs = tuple(math.log(score) if score > 0 else -math.inf for score in known)
    return OptionScores(example.options, logs, (), ())


def prediction_text(stored: str | None, options: Sequence[str]) -> str | None:
    """Return an imported prediction (JSON, see `core.store.PREDICTION_SCHEMA`) as a text for a reader.

    A ranking's scores are listed by document, best first; lists of labels by commas.
    """
    value = None if stored is None else json.loads(stored)
    if value is None or isinstance(value, str):
        return value
    if (
        isinstance(value, list)
        and options
        and len(value) == len(options)
        and not any(isinstance(x, str) for x in value)
    ):
        scored = sorted((pair for pair in zip(value, options, strict=True) if pair[0] is not None), reverse=True)
        return "\n".join(f"{score:g}  {document}" for score, document in scored)
    if isinstance(value, list) and all(isinstance(label, str) for label in value):
        return ", ".join(value)
    if isinstance(value, list) and all(isinstance(box, dict) for box in value):
        return "\n".join(json.dumps(box, ensure_ascii=False) for box in value) or "no box"
    return json.dumps(value, ensure_ascii=False)


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
        found[example_id] = one_line((value if isinstance(value, str) else prompt)[: 20 * length], length)
    return found


def read_beginnings(run: Run, task: str, field: str | None, length: int = 90) -> pa.StringArray:
    """Return what `read_snippets` does for every example of a task at once, in the order of `read_table`.

    Spaces are not folded yet, so that it is a column to be kept in memory; `one_line` makes a snippet of an entry.
    """
    text = "json_extract(fields, $path)" if field else "reference::JSON"
    sql = (
        f"SELECT left(regexp_replace(left(CASE WHEN json_type({text}) = 'VARCHAR' THEN json_extract_string({text}, '$') "
        rf"ELSE prompt END, {20 * length}), '\s+', ' ', 'g'), {2 * length}) AS text FROM examples WHERE task = $task "
        "ORDER BY file_row_number"
    )
    named = {"path": f'$."{field}"'} if field else {}
    return pa.array(read_frame(run, sql, {"task": task, **named})["text"], pa.string())


def one_line(text: str, length: int = 90) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def read_lengths(run: Run, task: str, ids: pd.Index) -> pd.DataFrame | None:
    """Return the number of generated tokens, rows as ``ids``, columns variants; None if nothing was generated.

    An answer whose tokens a server did not tell has none: NaN.
    """
    sql = (
        "SELECT example_id, variant, len(token_ids) AS n FROM evidence "
        "WHERE task = $task AND kind = 'generation' AND len(token_ids) > 0"
    )
    table, columns = read_arrow(run, sql, {"task": task}), {}
    # Variant by variant: as objects the rows of all of them are gigabytes of a large run.
    for variant in run.spec.models.variants:
        rows = table.filter(pc.field("variant") == variant)
        place = ids.get_indexer(pd.Index(rows["example_id"].to_pylist(), dtype=object))[::-1]
        lengths = rows["n"].to_numpy()[::-1]
        columns[variant] = np.full(len(ids), np.nan)
        columns[variant][place[place >= 0]] = lengths[place >= 0]  # of several samples the first, which is written last
    found = {variant: column for variant, column in columns.items() if np.isfinite(column).any()}
    return pd.DataFrame(found, index=ids) if found else None


def read_prompt_lengths(run: Run, task: str, ids: pd.Index) -> pd.Series:
    """Return the characters of each prompt, rows as ``ids``."""
    rows = _rows(run, "SELECT id, length(prompt) FROM examples WHERE task = ?", [task])
    return pd.Series(dict(rows), dtype="float64").reindex(ids)


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


def read_frame(run: Run, sql: str, parameters: dict[str, Any]) -> pd.DataFrame:
    """Return the answer to a query over the run's tables ``examples`` and ``evidence``.

    Args:
        run: finished or not.
        sql: begins with SELECT; names parameters ``$name``.
        parameters: what they stand for.
    """
    with duckdb.connect() as connection:
        return connection.execute(_with_files(run, sql), parameters).df()


def read_arrow(run: Run, sql: str, parameters: dict[str, Any]) -> pa.Table:
    """Return the answer to a query as `read_frame` takes it, its texts where they lie."""
    with duckdb.connect() as connection:
        return connection.sql(_with_files(run, sql), params=parameters).to_arrow_table()


def _records(run: Run, sql: str, parameters: Any) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        cursor = connection.execute(_with_files(run, sql), parameters)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _with_files(run: Run, sql: str) -> str:
    """Put the run's files into the query as the tables ``examples`` and ``evidence``."""
    examples = run.folder / "examples.parquet"
    listed = _source([examples] if examples.is_file() else [], _NO_EXAMPLES)
    return f"WITH examples AS ({listed}), evidence AS ({_evidence_source(run)}) {sql}"


def _evidence_source(run: Run) -> str:
    if run.spec.models.imported:
        columns = "task, variant, example_id, coalesce(sample, '') AS item, 'imported' AS kind, reason"
        text = "json_extract_string(value, '$') AS text, []::INT[] AS token_ids"
        return f"SELECT {columns}, {text} FROM ({_source([run.truth], '')})"
    whole = run.folder / "evidence.parquet"
    return _source([whole] if whole.is_file() else sorted((run.folder / "parts").glob("*/*.parquet")), _NO_EVIDENCE)


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
