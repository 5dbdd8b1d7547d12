"""A made-up run of very many examples and variants, written part by part as a worker would, and never held in memory.

Two tasks: ``category`` (the scores of six options) and ``reply`` (a short answer with its tokens). What each variant answers is
drawn from a seed: the later a variant, the more often it is right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.jobs.status import RunStatus, write_status
from core.spec import AdapterRef, DatasetSpec, ModelRef, ModelSet, RunSpec, Settings, TaskSpec
from core.store import EVIDENCE_SCHEMA, EXAMPLE_SCHEMA, ROWS_A_GROUP, Run, create_run

LABELS = ("refund", "delivery", "invoice", "account", "complaint", "praise")
PART_ROWS = 1_024
_BLOCK = 64 * PART_ROWS
"""Rows that are drawn at once."""
_SENTENCES = 5_000
_WORDS = (
    "your", "parcel", "left", "our", "house", "today", "please", "return", "the", "jacket", "in", "its", "box", "we", "sent", "a",
    "new", "label", "refund", "invoice", "within", "four", "days", "discount", "gift", "card", "colleagues", "look", "into", "it",
)  # fmt: skip


def write_run(folder: Path, examples: int, variants: int, text_metrics: tuple[str, ...]) -> Run:
    """Write a run whose evidence still lies in parts.

    Args:
        folder: of the run; it is made.
        examples: of each of the two tasks.
        variants: the baseline included.
        text_metrics: of ``reply``.
    """
    tasks = {
        "category": TaskSpec(dataset="data", kind="classification", prompt="{x}", options=LABELS, reference="y",
                             metrics=("accuracy", "f1_macro")),
        "reply": TaskSpec(dataset="data", kind="generation", prompt="{x}", reference="y", metrics=text_metrics),
    }  # fmt: skip
    names = [f"adapter-{number}" for number in range(1, variants)]
    models = ModelSet(base=ModelRef(path="base"), adapters={name: AdapterRef(path=name) for name in names})
    spec = RunSpec(id=folder.name, created="2026-11-23T06:00:00Z", models=models,
                   datasets={"data": DatasetSpec(path="data.jsonl")}, tasks=tasks, settings=Settings())  # fmt: skip
    run = create_run(folder, spec)
    drawn = np.random.default_rng(5)
    sentences = pa.array([" ".join(drawn.choice(_WORDS, length)) + "." for length in drawn.integers(3, 9, _SENTENCES)])
    truth = {"category": drawn.integers(0, len(LABELS), examples), "reply": drawn.integers(0, _SENTENCES, examples)}
    _write_examples(run, examples, sentences, truth)
    # A worker asks the longest first: the ids of a part are any.
    order = drawn.permutation(examples)
    for number, variant in enumerate(spec.models.variants):
        for index, table in enumerate(_evidence(variant, number, order, sentences, truth)):
            path = run.part_path(variant, index)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path, compression="zstd")
    write_status(folder, RunStatus("finished"))
    return run


def _ids(numbers: np.ndarray) -> pa.Array:
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width=8, padding="0")  # type: ignore[attr-defined]
    return _joined("e", padded, "")


def _joined(*texts: pa.Array | str) -> pa.Array:
    """Return texts put together row by row; the last is what stands between them."""
    return pc.binary_join_element_wise(*texts)  # type: ignore[attr-defined]


def _write_examples(run: Run, n: int, sentences: pa.Array, truth: dict[str, np.ndarray]) -> None:
    with pq.ParquetWriter(run.folder / "examples.parquet", EXAMPLE_SCHEMA, compression="zstd") as file:
        for task, answers in truth.items():
            told = sentences if task == "reply" else pa.array(LABELS)
            for first in range(0, n, _BLOCK):
                rows = np.arange(first, min(n, first + _BLOCK))
                asked = sentences.take(pa.array(rows * 7919 % _SENTENCES))
                columns = {
                    "id": _ids(rows), "prompt": _joined("A customer writes: ", asked, "\n\nAnswer:", ""),
                    "fields": _joined('{"x": "', asked, '"}', ""),
                    "reference": _joined('"', told.take(pa.array(answers[rows])), '"', ""),
                    "tags": pa.array([[f"field={row % 10}"] for row in rows.tolist()], pa.list_(pa.string())),
                    "language": pa.array(np.where(rows % 3 == 0, "de", "en")),
                }  # fmt: skip
                if task == "category":
                    columns["options"] = _lists(np.full(len(rows), len(LABELS)), pa.array(list(LABELS) * len(rows)))
                file.write_table(_table(EXAMPLE_SCHEMA, len(rows), task, columns), row_group_size=ROWS_A_GROUP)


def _evidence(
    variant: str, number: int, order: np.ndarray, sentences: pa.Array, truth: dict[str, np.ndarray]
) -> Iterator[pa.Table]:
    """Yield the parts of one variant, those of ``category`` first."""
    drawn = np.random.default_rng([7, number])
    for task, draw in (("category", _scores), ("reply", _answers)):
        for first in range(0, len(order), _BLOCK):
            rows = order[first : first + _BLOCK]
            right = drawn.random(len(rows)) < 0.5 + 0.01 * number
            columns = draw(drawn, truth[task][rows], right, sentences)
            known = {
                "variant": pa.array([variant] * len(rows)),
                "example_id": _ids(rows),
                "item": pa.array([""] * len(rows)),
            }
            block = _table(EVIDENCE_SCHEMA, len(rows), task, known | columns)
            yield from (block.slice(start, PART_ROWS) for start in range(0, len(rows), PART_ROWS))


def _scores(drawn: np.random.Generator, truth: np.ndarray, right: np.ndarray, _: pa.Array) -> dict[str, pa.Array]:
    n, width = len(truth), len(LABELS)
    sums = drawn.normal(-9, 1, (n, width))
    chosen = np.where(right, truth, (truth + drawn.integers(1, width, n)) % width)
    sums[np.arange(n), chosen] += 6
    each = np.full(n, width)
    return {
        "kind": pa.array(["options"] * n), "options": _lists(each, pa.array(list(LABELS) * n)),
        "option_logprob_sums": _lists(each, pa.array(sums.ravel())),
        "option_n_tokens": _lists(each, pa.array(np.full(n * width, 3), pa.int32())),
        "option_n_bytes": _lists(each, pa.array(np.full(n * width, 7), pa.int32())),
    }  # fmt: skip


def _answers(
    drawn: np.random.Generator, truth: np.ndarray, right: np.ndarray, sentences: pa.Array
) -> dict[str, pa.Array]:
    n = len(truth)
    said = sentences.take(pa.array(np.where(right, truth, drawn.integers(0, _SENTENCES, n))))
    lengths = drawn.integers(4, 12, n)
    total = int(lengths.sum())
    return {
        "kind": pa.array(["generation"] * n), "text": said, "finish": pa.array(["eos"] * n),
        "n_prompt_tokens": pa.array(np.full(n, 30), pa.int32()),
        "token_ids": _lists(lengths, pa.array(drawn.integers(0, 49_000, total), pa.int32())),
        "token_logprobs": _lists(lengths, pa.array(-drawn.exponential(1, total), pa.float32())),
    }  # fmt: skip


def _lists(lengths: np.ndarray, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32()), values)


def _table(schema: pa.Schema, n: int, task: str, columns: dict[str, pa.Array]) -> pa.Table:
    """Return a table of a schema; what ``columns`` does not name is null."""
    known = {"task": pa.array([task] * n)} | columns
    made = [known[field.name].cast(field.type) if field.name in known else pa.nulls(n, field.type) for field in schema]
    return pa.Table.from_arrays(made, schema=schema)


def described(run: Run, examples: int) -> str:
    """Return what the run is, in a sentence."""
    bytes_held = sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file())
    names = {task: spec.metrics for task, spec in run.spec.tasks.items()}
    return (
        f"{examples:,} examples of each of {len(names)} tasks ({json.dumps(names)}), {len(run.spec.models.variants)} variants, "
        f"{bytes_held / 1e9:.2f} GB in the run's folder."
    )
