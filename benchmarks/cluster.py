"""One run without Ray, and with 1 and 2 workers of a Ray cluster on this machine: ``python -m benchmarks.cluster [--json]``.

The sample workspace (or ``--workspace``), the baseline and one adapter, a few examples of each task, an empty cache for every run,
one thread a model throughout. Printed are the seconds from the start of the run's process to its first part (imports, Ray, loading
and checking the models), parts and planned tokens a second between the first part and the last, and whether the evidence is
the same file. Two workers need two processors that are otherwise idle.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from core.cluster import ClusterChoice
from core.jobs import launch
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.workspace import load_workspace


@dataclass(frozen=True)
class Timing:
    """One run."""

    workers: int
    """0 is without Ray."""
    seconds: float
    seconds_to_first_part: float
    parts: int
    parts_per_second: float | None
    evidence_bytes: int


def timed(workspace: Path, adapter: str, limit: int, workers: int) -> tuple[Timing, bytes]:
    """Return how one run went, and its evidence."""
    shutil.rmtree(workspace / ".lorascope", ignore_errors=True)
    settings = {"threads": 1, "device": "cpu", "probe": False, "max_new_tokens": 24}
    choice = Choice(adapters=(adapter,), limit=limit, robustness=False, name=f"workers-{workers}", settings=settings)
    run = prepare_run(load_workspace(workspace), choice)
    began = time.time()
    launch.start(run, ClusterChoice("local", workers) if workers else None)
    arrived: dict[Path, float] = {}
    while read_status(run).active:
        for path in run.folder.glob("parts/*/[0-9]*.parquet"):
            arrived.setdefault(path, time.time())
        time.sleep(0.05)
    status = read_status(run)
    if status.state != "finished":
        raise SystemExit(f"{status.error or status.message}\n{launch.log_tail(run)}")
    evidence = (run.folder / "evidence.parquet").read_bytes()
    first, last = min(arrived.values()), max(arrived.values())
    rate = (len(arrived) - 1) / (last - first) if last > first else None
    return Timing(workers, time.time() - began, first - began, len(arrived), rate, len(evidence)), evidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path(__file__).resolve().parent.parent / "sample_data")
    parser.add_argument("--adapter", default="qv-r8")
    parser.add_argument("--limit", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Path(scratch) / "workspace"
        shutil.copytree(arguments.workspace, workspace, ignore=shutil.ignore_patterns("runs", ".lorascope"))
        done = [timed(workspace, arguments.adapter, arguments.limit, workers) for workers in (0, 1, 2)]
    same = len({evidence for _, evidence in done}) == 1
    if arguments.json:
        print(json.dumps({"same_evidence": same, "runs": [asdict(timing) for timing, _ in done]}))
        return
    print("| workers | seconds | to the first part | parts | parts/s after it |\n|---|---|---|---|---|")
    for timing, _ in done:
        name = timing.workers or "without Ray"
        rate = "" if timing.parts_per_second is None else f"{timing.parts_per_second:.2f}"
        print(f"| {name} | {timing.seconds:.1f} | {timing.seconds_to_first_part:.1f} | {timing.parts} | {rate} |")
    print(f"The evidence is {'the same to the last bit' if same else 'NOT the same'}.")


if __name__ == "__main__":
    main()
