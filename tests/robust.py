"""A made-up run whose classification task was asked again with perturbed inputs, under which the adapters fall back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.records import BASELINE
from core.spec import PerturbationRef, RunSpec
from core.store import Run, evidence_table, write_json, write_table
from tests.synthetic import make_run
from tests.synthetic_drawing import draw_evidence

TWIN = "category+typos"


def make_robust_run(
    folder: Path, n: int = 60, variants: tuple[str, ...] = (BASELINE, "qv-r8", "qv-r2"), **spec: Any
) -> Run:
    """Write a run of category, reply and general in which typos cost the adapters what they had learned.

    Args:
        folder: the run's folder, not there yet.
        n: tickets.
        variants: the baseline first.
        spec: further keys of the run's spec.
    """
    run = make_run(folder, n=n, variants=variants, tasks=("category", "reply", "general"))
    clean = run.spec.tasks["category"]
    ref = PerturbationRef(of="category", name="typos")
    twin = clean.model_copy(update={"robustness": (), "primary": (), "perturbation": ref})
    tasks = {**run.spec.tasks, "category": clean.model_copy(update={"robustness": ("typos",)}), TWIN: twin}
    content = json.loads((folder / "spec.json").read_text())
    content |= json.loads(RunSpec.model_validate(content | spec | {"tasks": tasks}).model_dump_json())
    examples = [example for example in run.examples if example.task == "category"]
    twins = [replace(one, task=TWIN, prompt=one.prompt.replace("Ticket: ", "Tikcet: ")) for one in examples]
    pieces = [
        replace(piece, task=TWIN)
        for number, variant in enumerate(variants)
        for example in examples
        # As if the adapter were not there, but drawn anew.
        for piece in (replace(one, variant=variant) for one in draw_evidence(example, BASELINE, number, 1))
    ]
    everything = [*run.examples, *(replace(one, fields={**one.fields, "ticket": "typos"}) for one in twins)]
    (folder / "examples.parquet").unlink()
    Run(folder).write_examples(everything)
    path = folder / "evidence.parquet"
    kept = pq.read_table(path)
    write_table(path, pa.concat_tables([kept, evidence_table(pieces).cast(kept.schema)]))
    write_json(folder / "spec.json", content)
    return Run(folder)
