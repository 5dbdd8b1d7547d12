"""A run of 100,000 examples and 5 variants, statistics given: ``python -m benchmarks.large [--examples N]``.

The run is made up and so are its statistics, of the shapes that the metrics give; they are read from ``derived/`` as they are after the
first look at a run. Timed are all metrics with intervals, differences and p-values; one slice of them opened afterwards, with
the statistics still in memory; and a hundred slices at once. Beside the seconds stands the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.large_texts import write_texts
from core.compare import compare
from core.derived import StatisticsReader
from core.jobs.status import RunStatus, write_status
from core.kept_statistics import save_statistics
from core.lines import lines_of, task_examples_kept
from core.metrics.metric import Observations, Statistics
from core.metrics.registry import get_metric, metrics_for
from core.records import Example
from core.resampler import Resampler
from core.results import Comparison
from core.slice_measures import measure_slices
from core.spec import AdapterRef, DatasetSpec, ModelRef, ModelSet, RunSpec, Settings, TaskSpec
from core.store import EVIDENCE_SCHEMA, Run, create_run, write_table

VARIANTS = ("baseline", "a", "b", "c", "d")
LABELS = tuple(f"class {number}" for number in range(8))
METRICS = {
    "category": tuple(metric.name for metric in metrics_for("classification")),
    "reply": (
        "bleu",
        "chrf",
        "rouge_1",
        "rouge_2",
        "rouge_l",
        "exact_match",
        "token_f1",
        "perplexity",
        "bits_per_byte",
    ),
}


def made_run(folder: Path, n: int, *, texts: bool = False) -> Run:
    """Write a run of n examples whose statistics are drawn, and kept where a first look would have kept them.

    Args:
        folder: of the run; it is made.
        n: examples of each of the two tasks.
        texts: whether prompts, references and answers are made up too; without, there are none.
    """
    tasks = {
        "category": TaskSpec(
            dataset="data", kind="classification", prompt="{x}", options=LABELS, reference="y", metrics=METRICS["category"]
        ),
        "reply": TaskSpec(dataset="data", kind="generation", prompt="{x}", reference="y", metrics=METRICS["reply"]),
    }  # fmt: skip
    adapters = {name: AdapterRef(path=name) for name in VARIANTS[1:]}
    run = create_run(
        folder, RunSpec(id="large", created="2026-11-22T16:00:00Z", models=ModelSet(base=ModelRef(path="base"), adapters=adapters),
                        datasets={"data": DatasetSpec(path="data.jsonl")}, tasks=tasks, settings=Settings()),
    )  # fmt: skip
    if texts:
        write_texts(run, n, LABELS)
        write_status(folder, RunStatus("finished"))
    else:
        run.write_examples([
            Example(task, f"e{i}", "", {}, "y", tags=(f"field={i % 10}",), language=("en", "zh")[i % 3 == 0])
            for task in tasks for i in range(n)
        ])  # fmt: skip
        write_table(folder / "evidence.parquet", pa.Table.from_pylist([], schema=EVIDENCE_SCHEMA))
    reader = StatisticsReader(run)
    for task, names in METRICS.items():
        for number, variant in enumerate(VARIANTS):
            labels = drawn_labels(n, number) if task == "category" else None
            for name in names:
                metric = get_metric(name)
                made = drawn_statistics(name, n, number) if labels is None else metric.statistics(labels)
                path = reader.path(task, metric, variant)
                assert path is not None
                save_statistics(path, made)
    return run


def drawn_labels(n: int, variant: int) -> Observations:
    """Return what a variant answered among eight classes, with the probability of each."""
    shared, own = np.random.default_rng(1), np.random.default_rng([3, variant])
    truth = shared.integers(0, len(LABELS), n)
    logits = own.normal(size=(n, len(LABELS))) + 1.5 * (np.arange(len(LABELS)) == truth[:, None])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chances /= chances.sum(axis=1, keepdims=True)
    return Observations(
        example_ids=[f"e{i}" for i in range(n)], predictions=[LABELS[i] for i in chances.argmax(axis=1)],
        references=[LABELS[i] for i in truth], reasons=(None,) * n, scores=[tuple(row) for row in chances.tolist()],
        labels=LABELS, kind="classification", options=(LABELS,) * n,
    )  # fmt: skip


def drawn_statistics(name: str, n: int, variant: int) -> Statistics:
    """Return statistics of the shape and the kind of numbers that a metric gives."""
    shared, own = np.random.default_rng(1), np.random.default_rng([2, variant])
    lengths = shared.integers(5, 40, n)
    ease = np.clip(shared.beta(4, 3, n) + 0.002 * variant, 0, 1)
    if name == "exact_match":
        array = np.column_stack([own.random(n) < ease, np.ones(n)])
    elif name == "bleu":
        totals = np.stack([lengths - order for order in range(4)], axis=1)
        array = np.column_stack([lengths, lengths, own.binomial(totals, ease[:, None] ** np.arange(1, 5)), totals])
    elif name == "chrf":
        totals = 5 * lengths[:, None] - np.arange(6)
        array = np.stack([totals, totals, own.binomial(totals, ease[:, None])], axis=2).reshape(n, 18)
    elif name in ("perplexity", "bits_per_byte"):
        array = np.column_stack([lengths * (3 * (1 - ease) + own.gamma(2, 0.3, n)), lengths])
    else:
        array = np.column_stack([np.clip(ease + own.normal(0, 0.1, n), 0, 1), np.ones(n)])
    array = np.asarray(array, dtype=np.float64)
    return Statistics(array, np.zeros(n, dtype=bool), (None,) * n, f"{name}|made up")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something takes, and what it returns."""
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def hundred_slices(reader: StatisticsReader) -> int:
    """Measure a hundred overlapping slices of the reply task; return how many rows that gives."""
    spec = reader.run.spec
    examples = task_examples_kept(reader, "reply", None)
    generator = np.random.default_rng(0)
    masks = {
        f"slice {i}": generator.random(examples.n) < share for i, share in enumerate(np.geomspace(0.002, 0.5, 100))
    }
    resampler = Resampler(examples.n, None, seed=0, resamples=1_000, trials=1_000)
    rows = 0
    for name in spec.tasks["reply"].metrics:
        panels = [line.panel for line in lines_of(reader, examples, [name]) if line.panel is not None]
        rows += sum(
            len(found) for found in measure_slices(panels, spec.reference, masks, resampler, spec.level).values()
        )
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    n = parser.parse_args().examples
    with tempfile.TemporaryDirectory() as scratch:
        made_run(Path(scratch) / "large", n)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        whole, comparison = timed(lambda: compare(Run(Path(scratch) / "large")))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        run = Run(Path(scratch) / "large")
        reader = StatisticsReader(run, in_memory=True)
        opened, kept = timed(lambda: compare(Run(run.folder)))
        first, _ = timed(lambda: compare(run, where=lambda example: "field=4" in example.tags, reader=reader))
        sliced, _ = timed(lambda: compare(run, where=lambda example: "field=3" in example.tags, reader=reader))
        many, rows = timed(lambda: hundred_slices(reader))
    assert isinstance(comparison, Comparison)
    assert kept.rows == comparison.rows
    print(f"{n:,} examples, {len(comparison.rows)} rows (metrics and languages), {len(VARIANTS)} variants\n")
    print("| what | seconds |\n|---|---|")
    print(f"| all metrics with intervals, statistics given | {whole:.1f} |")
    print(f"| the kept comparison opened again | {opened:.2f} |")
    print(f"| a first slice opened, everything read | {first:.2f} |")
    print(f"| another slice opened, statistics in memory | {sliced:.2f} |")
    print(f"| a hundred slices at once, {rows:,} rows | {many:.1f} |")
    print(f"\npeak memory {peak / 1e6:.2f} GB (before: {before / 1e6:.2f} GB)")


if __name__ == "__main__":
    main()
