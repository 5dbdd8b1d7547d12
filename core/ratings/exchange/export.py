"""Writes a study's ratings to a file, in one of six formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, nearest
from core.ratings.exchange.files import write_csv, write_jsonl, write_parquet
from core.ratings.exchange.peers import argilla_records, comparator_file, dpo_rows
from core.ratings.exchange.table import action_table, read_texts
from core.ratings.study import Study
from core.store import write_atomically, write_json

FORMATS = {
    "jsonl": ".jsonl", "csv": ".csv", "parquet": ".parquet", "dpo": ".jsonl", "llm-comparator": ".json", "argilla": ".json",
}  # fmt: skip
"""What can be written, and the ending of its files."""


@dataclass(frozen=True)
class ExportReport:
    """What was written."""

    path: Path
    rows: int
    notes: tuple[str, ...] = ()
    """Sentences on what was left out, and by which rule."""


def export_study(
    study: Study, path: Path, to: str, *, pseudonyms: bool = False, pair: Sequence[str] | None = None
) -> ExportReport:
    """Write a study's ratings.

    Args:
        study: opened by its owner, or closed.
        path: a file that is not there yet.
        to: one of `FORMATS`. jsonl, csv and parquet hold every action and can be read again; the others hold the answers that
            count, see `core.ratings.exchange.peers`.
        pseudonyms: replace the names of raters.
        pair: llm-comparator: the two variants, A first; needed where the study has more.

    Raises:
        InputError: the format is unknown or does not hold such a study, the file is there, or results are not yet to be seen.
        OSError: the file cannot be written.
    """
    if to not in FORMATS:
        raise InputError(f"Found the format {to!r}{nearest(to, FORMATS)}, expected one of {', '.join(FORMATS)}.")
    if path.exists():
        raise InputError(f"{path} is there already and was not touched. Name another file.")
    texts = read_texts(study)
    table = action_table(study, texts, pseudonyms=pseudonyms)
    if to == "dpo":
        rows, left_out = dpo_rows(study, table, texts)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_atomically(path, lines.encode())
        told = [f"{count} items without a preferred output ({why}) are left out." for why, count in left_out.items()]
        return ExportReport(path, len(rows), tuple(told))
    if to == "llm-comparator":
        content = comparator_file(study, table, texts, pair)
        write_json(path, content)
        return ExportReport(path, len(content["examples"]))
    if to == "argilla":
        records = argilla_records(study, table, texts)
        write_json(path, records)
        return ExportReport(path, len(records))
    {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}[to](path, table)
    return ExportReport(path, len(table))
