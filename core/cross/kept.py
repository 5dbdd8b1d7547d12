"""Where readings lie and how they are found: ``derived/cross/`` of a run, a folder a task, keyed by the run's evidence.

Such a folder holds request.json, status.json and log.txt of the worker that reads, and ``readings/READER.parquet``: rows of
`core.store.EVIDENCE_SCHEMA` whose ``variant`` is the reader and whose ``item`` is the writer. Like all of ``derived/`` it can be
thrown away and made again; copied with the run, it is viewed where there is no model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.adapters.kept import AdapterJob, read_request
from core.errors import InputError, nearest
from core.records import Likelihood
from core.store import EVIDENCE_SCHEMA, Run, evidence_from_row, write_table

FORMAT = 1
"""Raised whenever the same evidence comes to give other readings; what was kept before is then not found."""
_FOLDER, _READINGS = "cross", "readings"


@dataclass(frozen=True)
class CrossRequest:
    """What is to be read: the answers of ``variants`` and of ``reference``, by themselves and by each other."""

    run: Path
    task: str
    variants: tuple[str, ...]
    """Without the reference."""
    reference: str
    examples: tuple[str, ...] | None = None
    """Ids; None is all examples of the task."""

    def writers(self, reader: str) -> tuple[str, ...]:
        """Return whose answers a reader is asked about: the reference reads all, the others the reference's and their own."""
        return (self.reference, *self.variants) if reader == self.reference else (self.reference, reader)


@dataclass(frozen=True)
class Reading:
    """What one variant says of another's answer to one example."""

    example_id: str
    writer: str
    reader: str
    likelihood: Likelihood | None
    """Of the answer's own tokens, the end of the turn included."""
    reason: str | None
    """Why there is no likelihood."""


def cross_folder(run: Run, task: str, evidence_hash: str) -> Path:
    """Return where the readings of a task lie; ``evidence_hash`` is `core.derived.StatisticsReader.evidence_hash`."""
    key = hashlib.sha256(json.dumps([FORMAT, evidence_hash, task]).encode()).hexdigest()[:24]
    return run.folder / "derived" / _FOLDER / f"{task}-{key}"


def cross_job(request: CrossRequest, evidence_hash: str) -> AdapterJob:
    """Return the job that reads what was asked for.

    Raises:
        InputError: the run has no such task, variant or example, or its answers were not written by a model that is known.
    """
    run = Run(request.run)
    _check(run, request)
    content = {
        "run": str(request.run.resolve()), "task": request.task, "variants": list(request.variants),
        "reference": request.reference, "examples": None if request.examples is None else list(request.examples),
    }  # fmt: skip
    return AdapterJob("cross", cross_folder(run, request.task, evidence_hash), content)


def read_cross_request(folder: Path) -> CrossRequest:
    """Return what a job's folder asks for.

    Raises:
        InputError: it asks for nothing, or its file is broken; or as `cross_job`.
    """
    content = read_request(folder)
    try:
        examples = content["examples"]
        request = CrossRequest(
            Path(content["run"]), content["task"], tuple(content["variants"]), content["reference"],
            None if examples is None else tuple(examples),
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder}: the request lacks {error}. Start the reading again.") from None
    _check(Run(request.run), request)
    return request


def _check(run: Run, request: CrossRequest) -> None:
    spec = run.spec
    if request.task not in spec.tasks:
        hint = nearest(request.task, spec.tasks)
        raise InputError(f"run {run.id}: no task {request.task!r}{hint}; it has {', '.join(spec.tasks)}.")
    if spec.models.imported:
        raise InputError(f"run {run.id}: its answers came from elsewhere, and no model is known that could read them.")
    if not spec.tasks[request.task].generates:
        listed = ", ".join(name for name, task in spec.tasks.items() if task.generates) or "none"
        raise InputError(
            f"run {run.id}: the task {request.task!r} has no generated answers to read; those with: {listed}."
        )
    known = spec.models.variants
    for name in (request.reference, *request.variants):
        if name not in known:
            raise InputError(f"run {run.id}: no variant {name!r}{nearest(name, known)}; it has {', '.join(known)}.")
    if not request.variants or request.reference in request.variants:
        raise InputError(f"run {run.id}: an answer is read by another variant; name one beside {request.reference}.")


def save_readings(folder: Path, reader: str, table: pa.Table) -> None:
    """Add one reader's new readings to those that are kept.

    Args:
        folder: see `cross_folder`.
        reader: the variant that read.
        table: of `core.store.EVIDENCE_SCHEMA`; none of its rows is kept already.
    """
    path = _path(folder, reader)
    kept = _table(path)
    order = [(name, "ascending") for name in ("example_id", "item")]
    write_table(path, (table if kept is None else pa.concat_tables([kept, table])).sort_by(order))


def known_cells(folder: Path, reader: str) -> frozenset[tuple[str, str]]:
    """Return (example, writer) of everything that a reader has read."""
    table = _table(_path(folder, reader), ["example_id", "item"])
    if table is None:
        return frozenset()
    return frozenset(zip(table["example_id"].to_pylist(), table["item"].to_pylist(), strict=True))


def example_readings(folder: Path, example_id: str, readers: Sequence[str]) -> dict[tuple[str, str], Reading]:
    """Return the readings of one example's answers, by (writer, reader)."""
    found = {}
    for reader in readers:
        table = _table(_path(folder, reader), None, example_id)
        for row in [] if table is None else table.to_pylist():
            piece = evidence_from_row(row)
            found[piece.item, reader] = Reading(example_id, piece.item, reader, piece.likelihood, piece.reason)
    return found


def logprob_sums(folder: Path, reader: str, writer: str) -> dict[str, tuple[float, int]]:
    """Return for each example the summed log-likelihood (nats, in float64) and the number of tokens of a writer's answer."""
    table = _table(_path(folder, reader), ["example_id", "item", "kind", "token_logprobs"])
    if table is None:
        return {}
    some = table.filter((pc.field("item") == writer) & (pc.field("kind") == "likelihood"))
    lists = some["token_logprobs"].to_pylist()
    return {
        name: (sum(values), len(values)) for name, values in zip(some["example_id"].to_pylist(), lists, strict=True)
    }


def readings_state(folder: Path) -> tuple[tuple[str, int], ...]:
    """Return what changes whenever readings are added: each file with its time (ns)."""
    return tuple((path.name, path.stat().st_mtime_ns) for path in sorted((folder / _READINGS).glob("*.parquet")))


def _path(folder: Path, reader: str) -> Path:
    return folder / _READINGS / f"{reader}.parquet"


def _table(path: Path, columns: list[str] | None = None, example_id: str | None = None) -> pa.Table | None:
    """Return what is kept in a file; None where it is missing or damaged, so that it is made again."""
    filters = None if example_id is None else [("example_id", "=", example_id)]
    try:
        table = pq.ParquetFile(path).read(columns) if filters is None else pq.read_table(path, filters=filters)
        return table if columns is not None else table.cast(EVIDENCE_SCHEMA)
    except (OSError, pa.ArrowException):
        return None
