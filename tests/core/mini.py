"""Small runs written by hand, for tests that compute the right answer on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.records import BASELINE, Evidence, Example, Generation, Likelihood, OptionScores
from core.spec import AdapterRef, DatasetSpec, ModelRef, ModelSet, RunSpec, Settings, TaskSpec
from core.store import Run, create_run, evidence_table, write_table

LABELS = ("yes", "no", "maybe")


def spec(tasks: Mapping[str, TaskSpec], variants: Sequence[str] = ("lora",), **more: Any) -> RunSpec:
    adapters = {variant: AdapterRef(path=f"adapters/{variant}") for variant in variants}
    return RunSpec(
        id="mini", created="2026-11-22T16:00:00Z", models=ModelSet(base=ModelRef(path="base"), adapters=adapters),
        datasets={task.dataset: DatasetSpec(path="data.jsonl") for task in tasks.values()}, tasks=dict(tasks),
        settings=Settings(seed=3), **more,
    )  # fmt: skip


def task(kind: str = "classification", **more: Any) -> TaskSpec:
    asked = {} if kind == "likelihood" else {"prompt": "{text} {option}"}
    if kind in ("classification", "ranking", "multilabel") and "answer" not in more:
        asked["options"] = LABELS
    return TaskSpec.model_validate({"dataset": "data", "kind": kind, "reference": "label", **asked, **more})


def write(
    folder: Path, spec: RunSpec, examples: Sequence[Example], evidence: Sequence[Evidence], finished: bool = True
) -> Run:
    run = create_run(folder, spec)
    run.write_examples(examples)
    for variant in (BASELINE, *spec.models.adapters):
        rows = [piece for piece in evidence if piece.variant == variant]
        if rows:
            write_table(run.part_path(variant, 0), evidence_table(rows))
    if finished and evidence:
        run.compact()
    return run


def example(task: str, number: int, reference: Any, options: Sequence[str] = LABELS, **more: Any) -> Example:
    return Example(task, f"e{number:03d}", "prompt", {"text": "x"}, reference, tuple(options), **more)


def chosen(
    task: str, variant: str, number: int, label: str, options: Sequence[str] = LABELS, item: str = ""
) -> Evidence:
    """Option scores whose likeliest option is ``label``."""
    sums = tuple(-1.0 if option == label else -3.0 for option in options)
    counts = (1,) * len(options)
    return Evidence(
        task, variant, f"e{number:03d}", item, option_scores=OptionScores(tuple(options), sums, counts, counts)
    )


def said(task: str, variant: str, number: int, text: str) -> Evidence:
    return Evidence(task, variant, f"e{number:03d}", generation=Generation(text, "eos", 5, (1, 2), (-0.1, -0.2)))


def likely(
    task: str, variant: str, number: int, logprobs: Sequence[float], item: str = "", n_bytes: int = 8
) -> Evidence:
    n = len(logprobs)
    observed = Likelihood(tuple(range(n)), tuple(logprobs), tuple(range(n)), (True,) * n, n_bytes)
    return Evidence(task, variant, f"e{number:03d}", item, likelihood=observed)


def failed(task: str, variant: str, number: int, reason: str = "out of memory", item: str = "") -> Evidence:
    return Evidence(task, variant, f"e{number:03d}", item, reason=reason)
