"""How long the comparison of the sample run takes, all metrics and variants: ``python -m benchmarks.resampling``.

Statistics are given, as they are after the first look at a run. The time holds 10,000 bootstrap resamples of every metric and
variant with weights drawn anew, and the paired tests with their trials.
"""

from __future__ import annotations

import time
from pathlib import Path

from core.compare import compare
from core.results import Comparison
from core.store import Run

RUN = Path(__file__).resolve().parent.parent / "sample_data" / "runs" / "sample"
REPEATS = 5


def main() -> None:
    """Print a table of seconds: the best and the worst of five, after one look that reads everything once."""
    comparison = compare(Run(RUN))
    seconds = sorted(_timed() for _ in range(REPEATS))
    print("| what | best, s | worst, s |\n|---|---|---|")
    print(f"| {_described(comparison)} | {seconds[0]:.2f} | {seconds[-1]:.2f} |")


def _described(comparison: Comparison) -> str:
    rows = f"{len(comparison.rows)} metrics and languages x {len(comparison.variants)} variants"
    return f"{rows}: {comparison.resamples:,} resamples, {comparison.trials:,} trials a test"


def _timed() -> float:
    started = time.perf_counter()
    compare(Run(RUN))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
