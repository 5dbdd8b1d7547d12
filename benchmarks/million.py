"""A run of 1,000,000 examples and 10 variants: ``python -m benchmarks.million [--examples N] [--variants V] [--keep FOLDER]``.

The run is made up (`benchmarks.million_run`) and lies in parts, as a worker leaves it. Each step is done in a process of its own,
through the functions that the pages call, so that its memory is its own: beside the seconds of the wall and of the processor stands
the most that the process and its children had in memory together.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.million_run import described, write_run
from core.store import Run
from core.stored_examples import count_examples

_LOOK_SECONDS = 0.1
TASK, METRIC, VARIANT = "reply", "token_f1", "adapter-1"


@dataclass(frozen=True)
class Measured:
    """What one step took."""

    name: str
    seconds: float
    processor_seconds: float
    peak_bytes: int
    told: str


def compaction(run: Run) -> str:
    run.compact()
    return f"{(run.folder / 'evidence.parquet').stat().st_size / 1e9:.2f} GB"


def opening(run: Run) -> str:
    from core.example_texts import read_table

    return f"{len(run.spec.models.variants)} variants, {len(read_table(run, TASK).ids):,} examples"


def statistics(run: Run) -> str:
    from core.prepare_statistics import prepare_statistics

    return f"{prepare_statistics(run)} made"


def comparison(run: Run) -> str:
    from core.compare import compare

    return f"{len(compare(run).rows)} rows"


def listing(run: Run) -> str:
    """What Examples does before it draws: a page of 50, filtered and sorted, and the aggregates beside it."""
    import numpy as np

    from core.example_aggregates import aggregates
    from core.examples import Query, measure_of, select
    from core.metrics.registry import get_metric
    from dashboard import cache, example_cache

    table, scores = cache.example_table(run, TASK), cache.example_scores_of(run, TASK, METRIC)
    measure = measure_of(get_metric(METRIC), scores)
    found = select(table, scores, measure, Query(VARIANT, "baseline", "gained", ("field=3",), sort="gain"))
    example_cache.snippets(run, TASK, "x", found.page(1).tolist())
    aggregates(np.sort(found.positions), run.spec.models.variants, scores, cache.output_lengths(run, TASK))
    return f"{len(found.positions):,} listed"


def labels(run: Run) -> str:
    from dashboard import cache

    return f"{len(cache.predicted_labels(run, 'category')):,} variants"


def one_example(run: Run) -> str:
    from dashboard import example_cache

    name = f"e{count_examples(run.folder / 'examples.parquet') // 4:08d}"  # in the middle of one of the two tasks
    asked, found = example_cache.example(run, TASK, name), example_cache.example_evidence(run, TASK, name)
    return f"{name}: {asked is not None}, {len(found)} variants"


def searching(run: Run) -> str:
    from dashboard import cache

    return f"{len(cache.search_hits(run, TASK, 'gift card')):,} found"


def slicing(run: Run) -> str:
    from dashboard import cache

    return f"{len(cache.comparison(run, 'baseline', 'field=4').rows)} rows"


STEPS: dict[str, tuple[str, Callable[[Run], str]]] = {
    "compaction": ("parts joined into one file", compaction),
    "opening": ("the run opened, its examples listed", opening),
    "statistics": ("statistics of every example, first time", statistics),
    "comparison": ("first comparison, statistics given", comparison),
    "again": ("the comparison opened again", comparison),
    "listing": ("Examples: filtered, sorted, one page", listing),
    "labels": ("Examples: what each variant answered", labels),
    "relisting": ("Examples: what each variant answered, again", labels),
    "example": ("one example opened", one_example),
    "search": ("search in all texts", searching),
    "slice": ("one slice, everything read", slicing),
}


def measured(name: str, folder: Path) -> Measured:
    """Do a step in a process of its own and watch its memory."""
    command = [sys.executable, "-m", "benchmarks.million", "--step", name, "--keep", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        peak, watched = 0, psutil.Process(child.pid)
        while child.poll() is None:
            peak = max(peak, _resident(watched))
            time.sleep(_LOOK_SECONDS)
        out = child.stdout.read() if child.stdout else ""
    if child.returncode:
        raise SystemExit(f"{name} failed with {child.returncode}")
    told = json.loads(out.splitlines()[-1])
    return Measured(
        STEPS[name][0], told["seconds"], told["processor_seconds"], max(peak, told["peak_bytes"]), told["told"]
    )


def _resident(process: psutil.Process) -> int:
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def do(name: str, folder: Path) -> None:
    """Do one step and print what it took as JSON."""
    logging.disable(logging.WARNING)  # caches without a server say so
    import resource

    started = time.perf_counter()
    told = STEPS[name][1](Run(folder))
    seconds = time.perf_counter() - started
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({
        "seconds": seconds, "processor_seconds": sum(one.ru_utime + one.ru_stime for one in spent),
        "peak_bytes": spent[0].ru_maxrss * 1024, "told": told,
    }))  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--variants", type=int, default=10)
    parser.add_argument("--metrics", default="exact_match,token_f1", help="of the task with texts")
    parser.add_argument("--keep", type=Path, help="where the made-up run lies, or is put, to be used again")
    parser.add_argument("--steps", default=",".join(STEPS), help="which, in this order")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        do(options.step, options.keep)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch) / "runs" / "million"
        if not (folder / "spec.json").is_file():
            write_run(folder, options.examples, options.variants, tuple(options.metrics.split(",")))
        print(described(Run(folder), options.examples) + "\n")
        print("| step | seconds | processor time, s | peak memory, GB | |\n|---|---|---|---|---|")
        for name in options.steps.split(","):
            one = measured(name, folder)
            print(
                f"| {one.name} | {one.seconds:.2f} | {one.processor_seconds:.2f} | {one.peak_bytes / 1e9:.2f} | {one.told} |",
                flush=True,
            )
        os.sync()


if __name__ == "__main__":
    main()
