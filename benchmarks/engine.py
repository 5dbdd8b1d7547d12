"""The engine beside lm-evaluation-harness and plain transformers: ``python -m benchmarks.engine [--prompts N] [--json]``.

On one machine, with the same prompts, in one precision: (A) lm-evaluation-harness as its command line runs, a load a variant; (B) the
same in one process over a PeftModel that switches adapters; (C) transformers' ``generate`` in the best fixed batch; and
lorascope's own worker, from finding the files to the finished run. Each in processes of its own, one after the other. Loading
counts in each workload, as for somebody who asks for that one. The harness comes with ``pip install lm_eval==0.4.13``.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.engine_limit import Limit, arithmetic, measure_limit
from benchmarks.engine_scores import agreement
from benchmarks.engine_systems import WORKLOADS
from benchmarks.engine_work import ROOT, make_rows, make_workspace, model_folder

ADAPTERS = ("qv-r8", "all-r8", "qv-r2", "qv-r32")


def main() -> None:
    """Print how well the scores agree, then the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path.home() / ".cache" / "lorascope" / "models" / "smollm2-135m")
    parser.add_argument("--adapters", type=Path, nargs="*", help="folders; by default four of the sample's")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--counts", default="4", help="how many adapters, as 0,1,4")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--skip", default="", help="systems to leave out: a, b, c")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="engine-") as scratch:
        print(json.dumps(Benchmark(options, Path(scratch)).go(), indent=None if options.json else 2))


class Benchmark:
    """One call: the same work for every system."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.adapters: list[Path] = options.adapters or [ROOT / "sample_data" / "adapters" / name for name in ADAPTERS]
        self.model = model_folder(options.model, folder)
        self.rows = make_rows(options.model, options.prompts, options.seed)
        self.skip = set(filter(None, options.skip.split(",")))
        variants = [("baseline", ""), *((path.name, str(path)) for path in self.adapters)]
        self.variants = [{"name": name, "folder": path} for name, path in variants]
        self.job: dict[str, Any] = {
            "model": str(self.model), "rows": self.rows, "device": options.device, "dtype": options.dtype, "workloads": WORKLOADS,
        }  # fmt: skip

    def say(self, text: str) -> None:
        """Print a line for a person; with --json to standard error."""
        print(text, file=sys.stderr if self.options.json else sys.stdout, flush=True)

    def run(self, system: str, **job: Any) -> dict[str, Any]:
        """Run one system in a process of its own."""
        asked, answered = self.folder / "job.json", self.folder / "out.json"
        asked.write_text(json.dumps(self.job | job))
        command = [sys.executable, "-m", "benchmarks.engine_systems", system, str(asked), str(answered)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{system}: {done.stderr[-2000:]}")
        return json.loads(answered.read_text())

    def go(self) -> dict[str, Any]:
        """Run everything and return the figures."""
        most = max(int(count) for count in self.options.counts.split(","))
        variants = self.variants[: most + 1]
        batches: dict[str, Any] = {}
        ran: dict[str, list[dict[str, Any]]] = {}
        if not {"a", "b", "c"} <= self.skip:
            batches = self.run("batches", variants=variants)
            self.say(
                f"Fastest batches of the harness here: {batches['batch']} for scores, {batches['batch_answers']} for answers"
            )
            job = {"batch": batches["batch"], "batch_answers": batches["batch_answers"]}
            if "a" not in self.skip:
                ran["a"] = [self.run("a", variants=[variant], **job) for variant in variants]
            if "b" not in self.skip:
                ran["b"] = [self.run("b", variants=variants, **job)]
            if "c" not in self.skip:
                ran["c"] = [self.run("c", variants=variants, **job)]
        ours = {count: self.ours(count) for count in map(int, self.options.counts.split(","))}
        result = agreement(self, ours[most], ran) | self.figures(ran, ours[most], most)
        result["counts"] = {count: {w: o["wall"] for w, o in found.items()} for count, found in ours.items()}
        return result

    def ours(self, count: int) -> dict[str, Any]:
        """Run lorascope on each workload, twice: everything anew, then from what it kept."""
        found: dict[str, Any] = {}
        for workload in WORKLOADS:
            adapters = self.adapters[:count]
            folder = self.folder / f"{workload}-{count}"
            make_workspace(folder, self.model, adapters, self.rows, self.options.device, self.options.dtype)
            job = {"workspace": str(folder), "workloads": [workload], "adapters": [path.name for path in adapters]}
            first = self.run("ours", name="first", **job)
            second = self.run("ours", name="second", **job)
            wall, cpu = (sum(seconds[k] for seconds in first["seconds"].values()) for k in (0, 1))
            again = sum(seconds[0] for seconds in second["seconds"].values())
            found[workload] = {
                "wall": wall, "cpu": cpu, "again": again, "above": first["peak"] - first["ready"], "folder": first["folder"],
            }  # fmt: skip
            self.say(f"lorascope, {count} adapters, {workload}: {wall:.1f} s, again {again:.2f} s")
        return found

    def figures(self, ran: dict[str, list[dict[str, Any]]], ours: dict[str, Any], count: int) -> dict[str, Any]:
        """Return the ratios, and print the table."""
        limit = measure_limit(self.options.device, self.options.dtype)
        self.say(
            f"This machine: {limit.gflops:.0f} GFLOP/s ({self.options.dtype} matmul), {limit.gbytes:.0f} GB/s (memory read)"
        )
        table: dict[str, dict[str, Any]] = {}
        for workload in WORKLOADS:
            line: dict[str, Any] = {"lorascope": ours[workload]}
            for name, processes in ran.items():
                if any(workload in process["seconds"] for process in processes):
                    line[name] = _cost(processes, workload)
            table[workload] = line
        for workload, line in table.items():
            for name, cost in line.items():
                share = self.share(workload, limit, count + 1, cost["wall"])
                self.say(
                    f"{workload:10} {name:9} {cost['wall']:7.1f} s wall {cost['cpu']:7.1f} s CPU {cost['above'] / 2**20:6.0f} MiB above "
                    f"imports and weights, {share:4.0%} of the limit, {cost['wall'] / line['lorascope']['wall']:.2f} x lorascope"
                )
        ratios = {
            name: [line[name]["wall"] / line["lorascope"]["wall"] for line in table.values() if name in line]
            for name in ran
        }
        result: dict[str, Any] = {
            f"ratio_{name}": math.prod(values) ** (1 / len(values)) for name, values in ratios.items()
        }
        result["ratios"] = ratios
        if "b" in ratios:
            result["worst_ratio_b"] = min(ratios["b"])
        result["rerun_ratio"] = sum(o["wall"] for o in ours.values()) / sum(o["again"] for o in ours.values())
        result["limit"] = vars(limit)
        result["table"] = table
        return result

    def share(self, workload: str, limit: Limit, variants: int, wall: float) -> float:
        """Return the time that the needed arithmetic alone would take here, over the time that was taken."""
        return arithmetic(self, workload) * variants / (limit.gflops * 1e9) / wall


def _cost(processes: list[dict[str, Any]], workload: str) -> dict[str, Any]:
    """Return what a workload cost a system: each process loads, and does its variants."""
    wall, cpu = (sum(p["seconds"]["load"][k] + p["seconds"][workload][k] for p in processes) for k in (0, 1))
    return {"wall": wall, "cpu": cpu, "above": max(p["peak"] - p["ready"] for p in processes)}


if __name__ == "__main__":
    main()
