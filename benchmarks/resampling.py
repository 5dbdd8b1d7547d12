"""How long 10,000 bootstrap resamples of every metric of the sample run take, all variants: ``python -m benchmarks.resampling``.

Statistics are given, as they are after the first look at a run. The paired tests are timed beside it.
"""

from __future__ import annotations

import time
from pathlib import Path

from core.compare import compare, statistics_for
from core.metrics.registry import get_metric
from core.stats import bootstrap_weights
from core.stats.resampling import bootstrap_sums
from core.store import Run

RESAMPLES = 10_000
RUN = Path(__file__).resolve().parent.parent / "sample_data" / "runs" / "sample"


def main() -> None:
    """Print a table of seconds, the best of five."""
    run = Run(RUN)
    named = [(task, name) for task, spec in run.spec.tasks.items() for name in spec.metrics]
    given = {
        (task, name, v): statistics_for(run, task, name, v).array
        for task, name in named
        for v in run.spec.models.variants
    }

    def resample() -> None:
        weights: dict[int, object] = {}
        for (_, name, _), array in given.items():
            drawn = weights.setdefault(len(array), bootstrap_weights(len(array), RESAMPLES, 0))
            get_metric(name).value(bootstrap_sums(array, drawn))  # type: ignore[arg-type]

    compare(run)
    rows = [
        (
            f"{RESAMPLES:,} resamples of {len(named)} metrics x {len(run.spec.models.variants)} variants, weights drawn anew",
            _best(resample),
        ),
        ("the whole comparison: intervals, paired tests, corrections", _best(lambda: compare(Run(RUN)))),
    ]
    print("| what | seconds |\n|---|---|")
    for what, seconds in rows:
        print(f"| {what} | {seconds:.2f} |")


def _best(function, times: int = 5) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main()
