"""How long slices of the sample run take to open, and its first comparison: ``python -m benchmarks.slices``.

Given are the statistics of each example, as they are in ``derived/`` after a first look. The first comparison is made of a copy without the
kept one; every slice that the run has is opened as the pages do, the first reading statistics from files, the others from memory.
CPU seconds stand beside the wall's, since they tell less of what else a machine does.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.compare import compare
from core.derived import StatisticsReader
from core.prepare_statistics import prepare_statistics
from core.results import Comparison
from core.slices import find_slices, matcher
from core.store import Run

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data" / "runs" / "sample"
Made = TypeVar("Made")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        # Where a run lies says whose it is: the copy has a workspace's shape.
        folder = Path(scratch) / "runs" / "sample"
        shutil.copytree(SAMPLE, folder)
        for kept in (folder / "derived").glob("comparison-*.json"):
            kept.unlink()
        run = Run(folder)
        prepare_statistics(run)
        cpu, wall, comparison = timed(lambda: compare(run))
        print(described(comparison))
        print("\n| what | examples | CPU s | wall s |\n|---|---|---|---|")
        n = max(one.of for one in find_slices(run))
        print(f"| first comparison, robustness included | {n} | {cpu:.2f} | {wall:.2f} |")
        for line in slices(run):
            print(line)


def slices(run: Run) -> list[str]:
    """Return a line for each slice, the slowest first, and before them one for the first that is opened."""
    reader, lines = StatisticsReader(run, in_memory=True), []
    names = Counter[str]()
    for one in find_slices(run):
        names[one.name] += one.n  # a language may part several datasets
    for number, (name, n) in enumerate([*list(names.items())[:1], *names.items()]):
        where = matcher(run, name)
        cpu, wall, _ = timed(lambda where=where: compare(run, where=where, reader=reader))
        what = f"slice {name}" if number else f"slice {name}, everything read"
        lines.append((cpu if number else float("inf"), f"| {what} | {n} | {cpu:.2f} | {wall:.2f} |"))
    return [line for _, line in sorted(lines, reverse=True)]


def timed(work: Callable[[], Made]) -> tuple[float, float, Made]:
    """Return the seconds of CPU and of the wall that something takes, and what it returns."""
    cpu, wall = time.process_time(), time.perf_counter()
    made = work()
    return time.process_time() - cpu, time.perf_counter() - wall, made


def described(comparison: Comparison) -> str:
    """Return how much there is to compare, in a sentence."""
    return (
        f"{len(comparison.rows)} rows (metrics, languages, labels) and {len(comparison.robustness)} of robustness, "
        f"{len(comparison.variants)} variants; {comparison.resamples:,} resamples and {comparison.trials:,} trials of all examples."
    )


if __name__ == "__main__":
    main()
