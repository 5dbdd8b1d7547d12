"""Makes an ordinary run's folder of predictions from elsewhere, so that comparisons, pages and exports work on it unchanged."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.errors import InputError
from core.imported_predictions import NO_ROW
from core.imports.cells import read_text
from core.imports.options import aligned_scores, documents, label_set
from core.imports.request import ScoreRequest, task_spec
from core.imports.sources import Source, read_sources
from core.imports.table import Answered, Item, Table, gather
from core.jobs.status import RunStatus, write_status
from core.records import Example, Kind
from core.spec import DatasetSpec, ModelRef, ModelSet, RunSpec, Settings, TaskSpec
from core.store import PREDICTION_SCHEMA, Run, create_run, write_json, write_table

DATASET = "predictions"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True)
class Imported:
    """Predictions that were read and checked; nothing is written yet."""

    kind: Kind
    sources: tuple[Source, ...]
    task: TaskSpec
    examples: tuple[Example, ...]
    predictions: pa.Table
    """`core.store.PREDICTION_SCHEMA`."""
    names: Mapping[str, str]
    """The variants' names in the run to those in the file, the reference first. A run's names are part of its files' names."""
    dataset: DatasetSpec
    notes: tuple[str, ...]
    """What a reader has to know about how the files were read, a sentence each."""


def read_predictions(request: ScoreRequest) -> Imported:
    """Read and check predictions.

    Raises:
        InputError: a file, a field or an option is wrong; the message says what was found, where, and what to do.
    """
    found = read_sources(request.sources, request.kind)
    table = gather(found.rows, request.kind)
    variants = request.ordered(table.variants)
    labels = label_set(table, request.kind)
    tags = [tag for item in table.items for tag in item.tags]
    task = task_spec(request, DATASET, labels, tags, has_likelihoods=_has_likelihoods(table))
    names = _names(variants)
    examples = tuple(_example(table, item, request.kind, labels) for item in table.items)
    fields = {name for item in table.items for name in item.fields}
    dataset = DatasetSpec(
        path=", ".join(source.path.name for source in request.sources),
        language="language" if "language" in fields else None,
        group="group" if "group" in fields else None,
        tags=tuple(dict.fromkeys(tag.partition("=")[0] for tag in tags)),
    )
    predictions = _predictions(table, names, examples, request.kind, labels)
    return Imported(request.kind, tuple(request.sources), task, examples, predictions, names, dataset, found.notes)


def write_run(folder: Path, imported: Imported) -> Run:
    """Write the run's folder and return the run.

    Raises:
        InputError: there is a run already, or the folder cannot be written; nothing is left behind.
    """
    new = not folder.exists()
    try:
        run = create_run(folder, _spec(folder.name, imported))
        run.write_examples(imported.examples)
        write_table(folder / "predictions.parquet", imported.predictions)
        write_json(folder / "environment.json", _environment(imported))
        told = "Imported from " + ", ".join(source.path.name for source in imported.sources) + "."
        n = imported.predictions.num_rows
        write_status(folder, RunStatus("finished", done=n, total=n, started=time.time(), message=told))
    except OSError as error:
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        raise InputError(
            f"{folder}: the run's folder cannot be written ({error.strerror}). Free some space or make it writable."
        ) from None
    return run


def _spec(run_id: str, imported: Imported) -> RunSpec:
    variants = tuple(imported.names)
    primary = imported.task.metrics if imported.task.primary is None else imported.task.primary
    return RunSpec(
        id=run_id, created=datetime.now(UTC).isoformat(timespec="seconds"),
        models=ModelSet(base=ModelRef(path="imported"), imported=variants), datasets={DATASET: imported.dataset},
        tasks={imported.kind: imported.task}, settings=Settings(probe=False), reference=variants[0],
        family=tuple(f"{imported.kind}/{metric}" for metric in primary),
    )  # fmt: skip


def _environment(imported: Imported) -> dict[str, Any]:
    hashes = {source.path.name: _file_hash(source.path) for source in imported.sources}
    together = hashlib.sha256("".join(hashes.values()).encode()).hexdigest()
    try:
        ours = version("lorascope")
    except PackageNotFoundError:  # run from a source tree that was never installed
        ours = None
    return {
        "lorascope": ours,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "hashes": {"datasets": {DATASET: next(iter(hashes.values())) if len(hashes) == 1 else together}},
        "imported": {"files": hashes, "variants": dict(imported.names)},
    }


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _names(variants: Sequence[str]) -> dict[str, str]:
    """Return a name that can be part of a file's name for each system: ``org/model 7B`` becomes ``org-model-7B``."""
    names: dict[str, str] = {}
    for number, variant in enumerate(variants, start=1):
        stem = _NOT_IN_A_NAME.sub("-", variant).strip("-._+")[:72] or f"system-{number}"
        name = stem if stem not in names else f"{stem}-{number}"
        names[name] = variant
    return names


def _has_likelihoods(table: Table) -> bool:
    return any(answered.read.likelihood is not None for several in table.answers.values() for answered in several)


def _example(table: Table, item: Item, kind: Kind, labels: tuple[str, ...]) -> Example:
    options = documents(table, item) if kind == "ranking" else labels if kind in _LABELLED else ()
    reference = item.reference
    if kind == "ranking" and reference is not None:
        reference = [reference.get(document, 0) for document in options]
    elif kind == "multilabel" and reference is not None:
        reference = list(reference)
    prompt = read_text(item.id, "prompt", item.fields.get("prompt")) or ""
    return Example(
        task=kind, id=item.id, prompt=prompt, fields=dict(item.fields), reference=reference, options=options, tags=item.tags,
        language=item.language, group=item.group,
    )  # fmt: skip


_LABELLED: tuple[Kind, ...] = ("classification", "medical", "multilabel")


def _predictions(
    table: Table, names: Mapping[str, str], examples: Sequence[Example], kind: Kind, labels: tuple[str, ...]
) -> pa.Table:
    rows: list[dict[str, Any]] = []
    items = {item.id: item for item in table.items}
    for name, variant in names.items():
        for example in examples:
            answers = table.answers.get((variant, example.id))
            shared = {"task": kind, "variant": name, "example_id": example.id, "unreadable": False}
            if answers is None:
                rows.append(shared | {"reason": NO_ROW})
            else:
                rows += [shared | _stored(answered, items[example.id], example, kind, labels) for answered in answers]
    return pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA)


def _stored(answered: Answered, item: Item, example: Example, kind: Kind, labels: tuple[str, ...]) -> dict[str, Any]:
    read = answered.read
    value, reason = read.value, read.reason
    if item.bad_reference is not None:
        value, reason = None, item.bad_reference
    elif kind == "medical" and value is not None and value not in labels:
        value, reason = None, f"the label {value!r} is none of {', '.join(labels)}"
    elif kind == "ranking" and value is not None:
        value = [value.get(document) for document in example.options]
    scores = aligned_scores(read.scores, labels) if kind in _LABELLED else ()
    likelihood = read.likelihood
    return {
        "sample": answered.sample,
        "value": None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False),
        "reason": reason,
        "unreadable": read.unreadable and item.bad_reference is None,
        "scores": [score if abs(score) < float("inf") else None for score in scores],
        "nll_sum": None if likelihood is None else likelihood.nll_sum,
        "n_tokens": None if likelihood is None else likelihood.n_tokens,
        "n_bytes": None if likelihood is None or not likelihood.n_bytes else likelihood.n_bytes,
    }
