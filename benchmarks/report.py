"""How long a report takes: ``python benchmarks/report.py [RUN]``.

Prints the seconds for gathering what a report says, for the page, the tables and the spreadsheet, and for twenty charts as SVG drawn
by one browser that stays open. The run's comparison is kept in its ``derived/``, as it is after the first page or command.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from core.charts.export import Picture, browser_found, to_images
from core.compare import compare
from core.report.formats import FORMATS
from core.report.gather import gather
from core.store import Run

SAMPLE = Path(__file__).parents[1] / "sample_data" / "runs" / "sample"
CHARTS = 20
LIMITS = {"page, from the run to the file": 10.0, f"{CHARTS} charts as SVG": 20.0}


def timed(name: str, work: Callable[[], object]) -> float:
    """Run it once and print its seconds."""
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    limit = f"  (limit {LIMITS[name]:g})" if name in LIMITS else ""
    print(f"{name:36} {seconds:7.2f} s{limit}", flush=True)
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
        # What is computed here is kept in the copy, never in the run that was shipped.
        shutil.copytree(given.parents[1], Path(scratch) / "w", symlinks=True)
        measure(Run(Path(scratch) / "w" / "runs" / given.name))


def measure(run: Run) -> None:
    timed("comparison", lambda: compare(run))
    timed("gathering", lambda: gather(run))
    timed("page, from the run to the file", lambda: FORMATS["html"].make(gather(run)))
    report = gather(run)
    for ending in ("md", "tex", "xlsx"):
        timed(FORMATS[ending].label, lambda ending=ending: FORMATS[ending].make(report))
    if not browser_found():
        print("No Chrome or Chromium: charts are left out.")
        return
    figures = [chart.draw("light") for chart in report.charts]
    twenty = [Picture(figure, "svg") for figure in islice(cycle(figures), CHARTS)]
    timed(f"{CHARTS} charts as SVG", lambda: list(to_images(twenty)))


if __name__ == "__main__":
    main()
