"""Writes a joined run's folder: the examples that all runs have, each variant's answers under its name there, and what was known."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.jobs.status import RunStatus, write_status
from core.joined.results import Joined, write_facts
from core.joined.reuse import take_over_statistics
from core.joined.variants import joined_models
from core.spec import RunSpec
from core.store import Run, create_run, write_json, write_table

_BY_VARIANT = ("adapters", "adapter_configs", "checkpoints", "model_configs")
"""In the ``hashes`` of environment.json."""
_ORDER = ("task", "variant", "example_id", "item", "kind")
"""Of evidence, as a run's own file has it."""


@dataclass(frozen=True)
class Parts:
    """What a joined run is written from."""

    runs: tuple[Run, ...]
    """The first one first."""
    ids: Mapping[str, Sequence[str]]
    """The examples of each task that all runs have."""
    spec: RunSpec
    """With the first run's models."""
    joined: Joined


def write_joined(folder: Path, parts: Parts) -> None:
    """Write the run.

    Args:
        folder: not there yet.
        parts: what was agreed on.

    Raises:
        OSError: it cannot be written; what is there then is no run yet.
    """
    first = parts.runs[0]
    spec = parts.spec.model_copy(update={"models": joined_models(parts.runs, parts.joined.variants)})
    run = create_run(folder, RunSpec.model_validate(spec.model_dump(mode="json")))
    examples = pq.read_table(first.folder / "examples.parquet")
    write_table(folder / "examples.parquet", _of_examples(examples, "id", parts.ids))
    table = pa.concat_tables([_answers(one, parts) for one in parts.runs])
    is_evidence = not first.spec.models.imported
    write_table(run.truth, table.sort_by([(key, "ascending") for key in _ORDER]) if is_evidence else table)
    write_json(folder / "environment.json", _environment(parts))
    if (probe := first.read_json("probe")) is not None:
        # Speed is compared within one run alone: repeats were interleaved there, on one machine.
        write_json(folder / "probe.json", probe)
    if checked := _preflight(parts):
        write_json(folder / "preflight.json", {"variants": checked})
    n = table.num_rows
    told = "Joined from " + ", ".join(parts.joined.runs) + "."
    write_status(folder, RunStatus("finished", done=n, total=n, started=time.time(), message=told))
    take_over_statistics(run, parts.joined, parts.runs)
    write_facts(run, parts.joined)


def _answers(run: Run, parts: Parts) -> pa.Table:
    """Return a run's evidence or predictions of the variants that have a column, under their new names."""
    names = parts.joined.renamed(run.id)
    wanted = [("task", "in", list(parts.ids)), ("variant", "in", list(names))]
    if not names:
        return pq.read_schema(run.truth).empty_table()
    table = _of_examples(pq.read_table(run.truth, filters=wanted), "example_id", parts.ids)
    variants = pa.array([names[name] for name in table["variant"].to_pylist()], pa.string())
    return table.set_column(table.schema.get_field_index("variant"), "variant", variants)


def _of_examples(table: pa.Table, column: str, ids: Mapping[str, Sequence[str]]) -> pa.Table:
    """Return the rows of some examples of each task, in their order; ``column`` holds the examples' ids."""
    kept = [(pc.field("task") == task) & pc.field(column).isin(list(some)) for task, some in ids.items()]
    return table.filter(reduce(or_, kept))


def _environment(parts: Parts) -> dict[str, Any]:
    """Return the first run's environment with what the others say of their own variants."""
    every = [run.read_json("environment") or {} for run in parts.runs]
    merged = dict(every[0])
    hashes = dict(merged.get("hashes") or {})
    for key in _BY_VARIANT:
        hashes[key] = _by_variant(parts, [(one.get("hashes") or {}).get(key) or {} for one in every])
    merged["hashes"] = hashes
    merged["training"] = _by_variant(parts, [one.get("training") or {} for one in every])
    return merged


def _preflight(parts: Parts) -> dict[str, Any]:
    found = [(run.read_json("preflight") or {}).get("variants") or {} for run in parts.runs]
    return _by_variant(parts, found)


def _by_variant(parts: Parts, found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several runs say of their variants, under the variants' names in the joined run."""
    merged: dict[str, Any] = {}
    for run, said in zip(parts.runs, found, strict=True):
        names = parts.joined.renamed(run.id)
        merged |= {names[name]: value for name, value in said.items() if name in names}
    return merged
