"""A run's folder: written in parts, atomically; resumed; compacted; read lazily.

    spec.json  environment.json  status.json  log.txt  preflight.json  probe.json  feedback.jsonl
    examples.parquet           what was asked, with prompts and references
    parts/VARIANT/00012.parquet   evidence of one planned part (whole batches), while the run goes on
    evidence.parquet           all evidence, once the run is finished
    predictions.parquet        instead of evidence, where the predictions came from elsewhere
    derived/                   what can be computed again from the above

The folder is all there is to copy to another machine. Reading it needs neither torch nor the models.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from core.compaction import join_parts
from core.errors import InputError
from core.parquet_rows import rows_where
from core.records import FORMAT_VERSION, Evidence, Example, Generation, Likelihood, OptionScores
from core.spec import RunSpec
from core.stored_examples import examples_table, read_examples

_INTS, _FLOATS, _TEXTS = pa.list_(pa.int32()), pa.list_(pa.float32()), pa.list_(pa.string())

EVIDENCE_SCHEMA = pa.schema([
    ("task", pa.string()), ("variant", pa.string()), ("example_id", pa.string()), ("item", pa.string()),
    ("kind", pa.string()), ("reason", pa.string()),
    ("text", pa.string()), ("finish", pa.string()), ("n_prompt_tokens", pa.int32()),
    ("token_ids", _INTS), ("token_logprobs", _FLOATS), ("token_starts", _INTS), ("token_top", pa.list_(pa.bool_())),
    ("n_bytes", pa.int64()),
    ("options", _TEXTS), ("option_logprob_sums", pa.list_(pa.float64())), ("option_n_tokens", _INTS),
    ("option_n_bytes", _INTS),
])  # fmt: skip
"""One row a piece of evidence; the columns of the other kinds are null."""

EXAMPLE_SCHEMA = pa.schema([
    ("task", pa.string()), ("id", pa.string()), ("prompt", pa.string()), ("fields", pa.string()),
    ("reference", pa.string()), ("options", _TEXTS), ("tags", _TEXTS), ("language", pa.string()), ("group", pa.string()),
])  # fmt: skip
"""``fields`` and ``reference`` are JSON."""

PREDICTION_SCHEMA = pa.schema([
    ("task", pa.string()), ("variant", pa.string()), ("example_id", pa.string()), ("sample", pa.string()),
    ("value", pa.string()), ("reason", pa.string()), ("unreadable", pa.bool_()), ("scores", pa.list_(pa.float64())),
    ("nll_sum", pa.float64()), ("n_tokens", pa.int64()), ("n_bytes", pa.int64()),
])  # fmt: skip
"""One row a prediction from elsewhere, examples in order, several rows for several samples. ``value`` is JSON (null: none, with
its ``reason``); within ``scores`` a null is a number that was not finite, within a ranking's value a document that was not returned."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole or not at all, and is on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(scratch, 0o644)
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, readable by people."""
    write_atomically(path, (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode())


ROWS_A_GROUP = 16_384
"""Of a Parquet file: opening one example of 100,000 reads the groups that can hold it (measured: 0.09 s; 0.6 to 1.3 s in one)."""


_JOINING = ".joining"
"""Among the parts: where they are joined, so that what a kill leaves of it goes with them."""


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file atomically."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", row_group_size=ROWS_A_GROUP)
    write_atomically(path, sink.getvalue().to_pybytes())


def evidence_table(evidence: Iterable[Evidence]) -> pa.Table:
    """Return evidence as a table of `EVIDENCE_SCHEMA`."""
    return pa.Table.from_pylist([_evidence_row(piece) for piece in evidence], schema=EVIDENCE_SCHEMA)


def _evidence_row(piece: Evidence) -> dict[str, Any]:
    row: dict[str, Any] = {
        "task": piece.task, "variant": piece.variant, "example_id": piece.example_id, "item": piece.item, "reason": piece.reason,
    }  # fmt: skip
    if (generation := piece.generation) is not None:
        row |= {"kind": "generation", **{f.name: getattr(generation, f.name) for f in fields(generation)}}
    elif (likelihood := piece.likelihood) is not None:
        row |= {"kind": "likelihood", **{f.name: getattr(likelihood, f.name) for f in fields(likelihood)}}
    elif piece.number is not None:
        row |= {"kind": "number", "text": repr(piece.number)}
    elif (scores := piece.option_scores) is not None:
        row |= {
            "kind": "options", "options": scores.options, "option_logprob_sums": scores.logprob_sums,
            "option_n_tokens": scores.n_tokens, "option_n_bytes": scores.n_bytes,
        }  # fmt: skip
    return row


def evidence_from_row(row: dict[str, Any]) -> Evidence:
    """Return the evidence that one row of `EVIDENCE_SCHEMA` holds."""
    identity = {key: row[key] for key in ("task", "variant", "example_id", "item", "reason")}
    if row["kind"] == "generation":
        generation = Generation(
            row["text"], row["finish"], row["n_prompt_tokens"], tuple(row["token_ids"]), tuple(row["token_logprobs"])
        )
        return Evidence(**identity, generation=generation)
    if row["kind"] == "likelihood":
        likelihood = Likelihood(
            tuple(row["token_ids"]), tuple(row["token_logprobs"]), tuple(row["token_starts"]), tuple(row["token_top"]),
            row["n_bytes"],
        )  # fmt: skip
        return Evidence(**identity, likelihood=likelihood)
    if row["kind"] == "number":
        return Evidence(**identity, number=float(row["text"]))
    if row["kind"] == "options":
        scores = OptionScores(
            tuple(row["options"]), tuple(row["option_logprob_sums"]), tuple(row["option_n_tokens"]),
            tuple(row["option_n_bytes"]),
        )  # fmt: skip
        return Evidence(**identity, option_scores=scores)
    return Evidence(**identity)


class Run:
    """A run's folder, read. Nothing is cached across instances: open a new one to see what has changed."""

    def __init__(self, folder: Path) -> None:
        """Open the run in ``folder``; nothing but the existence of spec.json is checked until it is needed.

        Raises:
            InputError: there is no run in this folder.
        """
        self.folder = Path(folder)
        if not (self.folder / "spec.json").is_file():
            raise InputError(
                f"{folder}: there is no run here (no spec.json). `lorascope runs` lists the runs of a workspace."
            )

    @property
    def id(self) -> str:
        """The run's name, which is its folder's."""
        return self.folder.name

    @cached_property
    def spec(self) -> RunSpec:
        """What was asked.

        Raises:
            InputError: spec.json is broken, or was written by a newer version.
        """
        path = self.folder / "spec.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            version = content.get("format_version")
        except (ValueError, AttributeError) as error:
            raise InputError(
                f"{path}: this is not a run's spec ({error}). Restore the file from a copy of the run."
            ) from None
        if not isinstance(version, int) or version > FORMAT_VERSION:
            raise InputError(
                f"{path}: the run has format version {version!r}; this lorascope reads up to {FORMAT_VERSION}. "
                "Update lorascope to open it: pip install -U lorascope"
            )
        try:
            return RunSpec.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{path}: {key}: {first['msg']}. Restore the file from a copy of the run.") from None

    def read_json(self, name: str, default: Any = None) -> Any:
        """Return the content of a JSON file of the run (``status``, ``environment``, ``preflight``, ``probe``)."""
        path = self.folder / f"{name}.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return default
        except ValueError as error:
            raise InputError(f"{path}: not valid JSON ({error}).") from None

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Every example of every task, in the order of task and dataset."""
        return read_examples(self.folder / "examples.parquet")

    def write_examples(self, examples: Sequence[Example]) -> None:
        """Store what is asked."""
        write_table(self.folder / "examples.parquet", examples_table(examples, EXAMPLE_SCHEMA))

    @property
    def truth(self) -> Path:
        """The file that everything is derived from once the run is finished: evidence, or predictions from elsewhere."""
        return self.folder / ("predictions.parquet" if self.spec.models.imported else "evidence.parquet")

    def predictions(self, **where: str) -> pa.Table:
        """Return predictions from elsewhere (`PREDICTION_SCHEMA`), filtered by equality, in the order of the file."""
        return rows_where(self.folder / "predictions.parquet", None, where)

    def part_path(self, variant: str, part: int) -> Path:
        """Return where the evidence of one planned part of one variant is kept while the run goes on."""
        return self.folder / "parts" / variant / f"{part:05d}.parquet"

    def evidence(self, columns: list[str] | None = None, **where: str) -> pa.Table:
        """Return the evidence that is there so far, filtered by equality: ``evidence(task="reply", variant="qv-r8")``.

        Rows are in the order of variant, task, planned part; join them by ``example_id``, never by position.
        """
        whole = self.folder / "evidence.parquet"
        if whole.is_file():
            return rows_where(whole, columns, where)
        paths = sorted((self.folder / "parts").glob(f"{where.get('variant', '*')}/*.parquet"))
        try:
            tables = [rows_where(path, columns, where) for path in paths]
        except FileNotFoundError:  # joined between the look and the read
            return self.evidence(columns, **where)
        if not tables and whole.is_file():
            return self.evidence(columns, **where)
        if not tables:
            schema = (
                EVIDENCE_SCHEMA if columns is None else pa.schema([EVIDENCE_SCHEMA.field(name) for name in columns])
            )
            return pa.Table.from_batches([], schema)
        return pa.concat_tables(tables)

    def compact(self) -> None:
        """Join the parts into evidence.parquet, in one order whatever the order they were made in; then remove them."""
        parts = self.folder / "parts"
        if (self.folder / "evidence.parquet").is_file():
            shutil.rmtree(parts, ignore_errors=True)  # killed after the file was written, before its parts were gone
            return
        paths = sorted(parts.glob("*/*.parquet"))
        join_parts(
            paths, self.folder / "evidence.parquet", parts / _JOINING, EVIDENCE_SCHEMA, rows_a_group=ROWS_A_GROUP
        )
        shutil.rmtree(parts, ignore_errors=True)


def create_run(folder: Path, spec: RunSpec) -> Run:
    """Make a run's folder with its spec.

    Raises:
        InputError: the folder holds another run already.
    """
    path = folder / "spec.json"
    if path.exists():
        raise InputError(f"{folder}: there is a run here already; a new run needs a folder of its own.")
    write_json(path, spec.model_dump(mode="json"))
    return Run(folder)
