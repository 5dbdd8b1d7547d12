"""The same run twice, each time by the whole command in new processes: ``python -m benchmarks.rerun [--workspace DIR] [--json]``.

The first run computes; the second finds everything in the evidence cache of the workspace. Timed are `lorascope evaluate` from its
start to its end (its worker and the comparison included), and the worker alone. Speed is not probed: a probe is measured anew in
every run, never found, and takes as long each time. Nor are inputs perturbed, unless ``--robustness`` is given.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from core.jobs.status import read_status
from core.paths import import_path
from core.store import Run

_SET_CHILD_SUBREAPER = 36
"""Of Linux's prctl: the worker has a session of its own, and its time comes to us only if we take it over."""


@dataclass(frozen=True)
class Timed:
    """What one run took."""

    seconds: float
    """Of the command, by the clock."""
    cpu_seconds: float
    """Of the command and its worker, by the processor."""
    worker_cpu_seconds: float
    reused: int
    asked: int


def timed(workspace: Path, name: str, arguments: list[str]) -> Timed:
    """Evaluate once.

    Raises:
        RuntimeError: the run did not finish.
    """
    command = [
        sys.executable,
        "-P",
        "-m",
        "core.cli.main",
        "evaluate",
        "--workspace",
        str(workspace),
        "--name",
        name,
        "--no-probe",
    ]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, *arguments], env=os.environ | {"PYTHONPATH": import_path()}, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    told = process.stderr.read().decode(errors="replace")
    _, code, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise RuntimeError(f"lorascope evaluate exited with {process.returncode}:\n{told}")
    worker = 0.0
    while True:
        try:
            _, _, others = os.wait4(-1, 0)
        except ChildProcessError:
            break
        worker += others.ru_utime + others.ru_stime
    status = read_status(Run(workspace / "runs" / name))
    return Timed(seconds, used.ru_utime + used.ru_stime + worker, worker, status.reused, status.done)


def main() -> None:
    """Run twice and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--workspace", type=Path, default=Path("sample_data"), help="copied; the copy has no runs and no cache"
    )
    parser.add_argument("--limit", type=int, help="the first so many examples of each dataset")
    parser.add_argument("--adapters", help="A,B (default: all)")
    parser.add_argument("--robustness", action="store_true", help="with perturbed inputs too")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    arguments = [] if given.robustness else ["--no-robustness"]
    arguments += ["--limit", str(given.limit)] if given.limit else []
    arguments += ["--adapters", given.adapters] if given.adapters else []
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Path(
            shutil.copytree(given.workspace, Path(scratch) / "w", ignore=shutil.ignore_patterns("runs", ".lorascope"))
        )
        first, second = (timed(workspace, name, arguments) for name in ("first", "second"))
        same = len({(workspace / "runs" / name / "evidence.parquet").read_bytes() for name in ("first", "second")}) == 1
    found = {
        "first": asdict(first), "second": asdict(second), "same_bytes": same,
        "rerun_ratio": first.seconds / second.seconds, "rerun_cpu_ratio": first.cpu_seconds / second.cpu_seconds,
        "worker_cpu_ratio": first.worker_cpu_seconds / second.worker_cpu_seconds,
    }  # fmt: skip
    print(json.dumps(found, indent=2) if given.json else _table(first, second, found["rerun_ratio"], same))


def _table(first: Timed, second: Timed, ratio: float, same: bool) -> str:
    lines = [f"{'run':8}{'seconds':>10}{'CPU':>10}{'worker CPU':>12}  from the cache"]
    for name, one in (("first", first), ("second", second)):
        share = f"{one.reused:,} of {one.asked:,}"
        lines.append(f"{name:8}{one.seconds:10.2f}{one.cpu_seconds:10.2f}{one.worker_cpu_seconds:12.2f}  {share}")
    lines.append(f"{ratio:.1f} times faster; the evidence is {'the same to the last byte' if same else 'NOT the same'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
