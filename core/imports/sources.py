"""Reads files of predictions into rows that know where they stand and which system they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.rows import read_placed_rows
from core.errors import InputError
from core.imports.cells import as_text, shown
from core.imports.lm_eval import is_lm_eval, rows_of_samples
from core.records import Kind

ONE_SYSTEM = "predictions"
"""The name of the only system where the file names none."""


@dataclass(frozen=True)
class Source:
    """A file of predictions."""

    path: Path
    variant: str | None = None
    """The system that all its rows are of, where the user said so."""


@dataclass(frozen=True)
class SourceRow:
    """One example as one system answered it, as the file has it."""

    where: str
    """File and place, for messages: ``answers.jsonl, line 3``."""
    variant: str
    fields: dict[str, Any]
    as_text: bool
    """Whether the format has no types, so that lists and maps stand in a cell as JSON (CSV)."""


@dataclass(frozen=True)
class Sources:
    """What the files hold."""

    rows: tuple[SourceRow, ...]
    notes: tuple[str, ...] = ()
    """What a reader has to know about how they were read, a sentence each."""


def parse_source(text: str) -> Source:
    """Return what ``FILE`` or ``NAME=FILE`` means; a file that is there is taken by its whole name."""
    name, equals, path = text.partition("=")
    if not equals or Path(text).exists():
        return Source(Path(text))
    return Source(Path(path), name)


def read_sources(sources: Sequence[Source], kind: Kind) -> Sources:
    """Return the rows of all files, in the order given.

    A row's system is what its field ``variant`` says; in a file without that field the name that the user gave, else the
    file's name without ending where there are several files, else `ONE_SYSTEM`.

    Raises:
        InputError: a file is missing, empty or broken; a name is given twice; a row lacks the variant that others have.
    """
    rows: list[SourceRow] = []
    notes: list[str] = []
    named: dict[str, Path] = {}
    for source in sources:
        found, told = _read_one(source, kind, several=len(sources) > 1)
        notes += told
        for variant in dict.fromkeys(row.variant for row in found):
            if variant in named:
                raise InputError(
                    f"{source.path}: the variant {variant!r} stands in {named[variant]} too; name each file's system with "
                    "--predictions NAME=FILE."
                )
            named[variant] = source.path
        rows += found
    return Sources(tuple(rows), tuple(notes))


def _read_one(source: Source, kind: Kind, several: bool) -> tuple[list[SourceRow], list[str]]:
    path = source.path
    placed = read_placed_rows(path, keep_nonfinite=True)
    listed = [(row.place, row.fields) for row in placed]
    notes: list[str] = []
    if is_lm_eval(listed):
        listed, notes = rows_of_samples(path, listed, kind)
    default = source.variant or (path.stem if several else ONE_SYSTEM)
    has_variants = any(fields.get("variant") not in (None, "") for _, fields in listed)
    if has_variants and source.variant is not None:
        raise InputError(
            f"{path}: the file has a field 'variant' and the command names it {source.variant!r}; leave one of them out."
        )
    as_cells = path.suffix.lower() == ".csv"
    rows = []
    for place, fields in listed:
        where = f"{path}, {place}"
        variant = _variant(where, fields, default) if has_variants else default
        rows.append(SourceRow(where, variant, fields, as_cells))
    return rows, notes


def _variant(where: str, fields: dict[str, Any], default: str) -> str:
    value = fields.get("variant")
    if value in (None, ""):
        raise InputError(f"{where}: 'variant' is empty, but other rows have one; say which system this row is of.")
    if isinstance(value, dict | list):
        raise InputError(f"{where}: 'variant' is {shown(value)}, expected the name of a system.")
    return as_text(value).strip() or default
