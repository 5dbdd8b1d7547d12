"""Inspect a dataset: every fault with its line, the format and its stage, counts and lengths. Bounded memory, any size."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from core.data.inspect.fast import FastLines, fast_extras
from core.data.inspect.forms import check_for
from core.data.inspect.job import Job
from core.data.inspect.measure import Measure, Progress, measure_lines, measure_source, tell
from core.data.inspect.parallel import PARALLEL_BYTES, measure_in_parallel
from core.data.inspect.read import items
from core.data.inspect.recognise import SAMPLED_ROWS, recognise
from core.data.inspect.records import FormatGuess, Scan
from core.data.inspect.source import Source, check_unchanged, layout_flaws, open_bytes, open_source, sha256
from core.errors import InputError
from core.paths import cache_folder

_SAMPLED_BYTES = 32 << 20
MAX_WORKERS = 8
"""Each process takes some 40 MB."""
WORKER_BYTES = 16 << 20
"""A process is started for at least so much of the file."""


def scan(
    path: Path,
    *,
    strict: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    evaluation: bool = False,
) -> Scan:
    """Read a dataset once and say everything about its format.

    Args:
        path: a JSONL, JSON, CSV or Parquet file, gzip or zstd of these, or a datasets folder.
        strict: hold rows to the contract for ``messages`` (or ``text``) to the letter, instead of what TRL takes.
        progress: told the share that is done; an answer of False stops the work.
        evaluation: the file is for evaluation alone: fields of its own, which no trainer reads, are then no fault.
        workers: processes for a large JSONL file; by default one for each core.

    Raises:
        InputError: the file cannot be read, has no rows, or changed meanwhile.
        RunError: ``progress`` stopped the work.
    """
    source = open_source(path)
    rows, unread = sample(source)
    guess = recognise(rows, unread=unread)
    with tempfile.TemporaryDirectory() as scratch:
        check = check_for(guess.name, strict=strict, evaluation=evaluation)
        spill = Path(scratch) / "faults"
        measure = Measure(check, guess.name, conversational=guess.conversational, spill=spill)
        measure.ledger.add(1, layout_flaws(source, strict=strict))
        job = Job(
            path=str(path), start=0, end=0, name=guess.name, strict=strict, conversational=guess.conversational,
            extras=fast_extras(guess.name, rows, strict=strict), evaluation=evaluation,
        )  # fmt: skip
        digest = _measure(measure, source, job, progress, workers or _workers(source.n_bytes))
        check_unchanged(source)
        measure.ledger.close()
        if not measure.tally.rows and not set(measure.ledger.counts) - {"not-json-lines"}:
            raise InputError(f"{path}: the file has no rows; expected at least one.")
        variety = f"{'-strict' if strict else ''}{'-evaluation' if evaluation else ''}"
        kept = _keep(spill, f"{digest[:32]}{variety}") if measure.ledger.spilled else None
    tell(progress, 1.0)
    return _result(source, measure, guess, strict, digest, kept)


def _workers(n_bytes: int) -> int:
    """One process for each core, while each has enough to do and all of them together stay small."""
    return max(1, min(os.cpu_count() or 1, MAX_WORKERS, n_bytes // WORKER_BYTES))


def sample(source: Source) -> tuple[list[dict[str, Any]], int]:
    """Return the first rows, and how many places among them held none."""
    rows: list[dict[str, Any]] = []
    unread, size = 0, 0
    for item in islice(items(source), SAMPLED_ROWS):
        if item.row is not None:
            rows.append(item.row)
        elif not item.blank:
            unread += 1
        size += len(item.raw) if item.raw is not None else _characters(item.row)
        if size > _SAMPLED_BYTES:
            break
    return rows, unread


def _characters(value: Any) -> int:
    """Return how many characters the texts of a value have."""
    if isinstance(value, dict):
        return sum(map(_characters, value.values()))
    if isinstance(value, list):
        return sum(map(_characters, value))
    return len(value) if isinstance(value, str) else 0


def _measure(measure: Measure, source: Source, job: Job, progress: Progress | None, workers: int) -> str:
    """Measure the source and return its hash."""
    if source.kind != "jsonl":
        measure_source(measure, source, progress)
    elif source.compression is None and workers > 1 and source.n_bytes >= PARALLEL_BYTES:
        return measure_in_parallel(measure, source, job, workers, progress)
    else:
        fast = None if job.extras is None else FastLines(job.name, job.extras)
        with open_bytes(source) as stream:
            measure_lines(measure, stream, fast, source.n_bytes if source.compression is None else 0, progress)
    return sha256(source)


def _keep(spill: Path, name: str) -> Path:
    """Move the file of all faults to the cache folder: it can be made again."""
    folder = cache_folder() / "inspect"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{name}.faults.jsonl"
    coming = folder / f"{name}.{os.getpid()}.part"
    shutil.move(spill, coming)
    coming.replace(kept)
    return kept


def _result(source: Source, measure: Measure, guess: FormatGuess, strict: bool, digest: str, kept: Path | None) -> Scan:
    tally, ledger = measure.tally, measure.ledger
    prompts = sorted(tally.system_prompts.items(), key=lambda pair: (-pair[1], pair[0]))
    return Scan(
        path=source.path, sha256=digest, n_bytes=source.n_bytes, kind=source.kind, compression=source.compression,
        encoding=_encoding(source, ledger.counts), strict=strict, rows=tally.rows, lines=tally.lines,
        blank_lines=tally.blank_lines, format=guess, fault_counts=dict(sorted(ledger.counts.items())),
        faulty_lines=ledger.faulty_lines, faults=tuple(ledger.kept), fault_groups=ledger.groups(), faults_file=kept,
        fields=tally.fields, characters=tally.characters(), role_counts=tally.role_counts,
        role_characters=tally.role_characters, turns=dict(sorted(tally.turns.items())), system_prompts=tuple(prompts[:20]),
    )  # fmt: skip


def _encoding(source: Source, faults: Mapping[str, int]) -> str:
    if source.kind in ("parquet", "arrow"):
        return "binary"
    if "not-utf8" in faults:
        return "not utf-8"
    return "utf-8 with BOM" if "bom" in faults else "utf-8"
