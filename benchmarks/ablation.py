"""What taking an adapter apart costs: ``python -m benchmarks.ablation [WORKSPACE] [--adapter A] [--examples N] [--parts K]``.

Each part of the adapter is asked the very batches that the whole adapter is asked, in turn with it: a plain evaluation. The
base should be loaded once, parts should cost at most 1.15 times as much, and memory should not grow with them.
"""

from __future__ import annotations

import argparse
import gc
import time
from pathlib import Path
from typing import Any

import psutil

from core.data.prompt import PromptRenderer
from core.data.read import load_examples
from core.experiment.prepare import AblationChoice, drawn, plan_ablation
from core.plan import CPU_BATCH_TOKENS, Plan, make_plan
from core.prepare import run_settings
from core.records import BASELINE
from core.spec import ModelSet, RunSpec
from core.workspace import Workspace, load_workspace

TASKS = ("category", "general")
MOST = 1.15
"""Times the cost of as many plain evaluations."""


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "workspace", type=Path, nargs="?", default=Path(__file__).resolve().parent.parent / "sample_data"
    )
    parser.add_argument("--adapter", default="all-r8")
    parser.add_argument("--examples", type=int, default=4)
    parser.add_argument("--parts", type=int, default=20)
    options = parser.parse_args()
    workspace = load_workspace(options.workspace)
    spec = asked(workspace, options.adapter, options.parts)
    loads, session, plan = loaded(workspace, spec, options.examples)
    parts = [name for name, ref in spec.models.adapters.items() if ref.of]
    once(session, BASELINE, plan)  # warms up
    once(session, options.adapter, plan)
    plain, switched, memory = (0.0, 0.0), (0.0, 0.0), []
    for name in parts:
        plain = added(plain, once(session, options.adapter, plan))
        switched = added(switched, once(session, name, plan))
        gc.collect()
        memory.append(psutil.Process().memory_info().rss)
    report(options.adapter, plan, len(parts), plain, switched, loads, memory)


def asked(workspace: Workspace, adapter: str, count: int) -> RunSpec:
    """Return the spec of an ablation with the first so many parts of an adapter."""
    settings = {"probe": False, "device": "cpu", "dtype": "float32"}
    tasks = tuple(name for name in TASKS if name in workspace.spec.tasks) or None
    choice = AblationChoice(adapter, ("modules", "depth", "strength", "rank"), tasks=tasks, settings=settings)
    prepared = plan_ablation(workspace, choice)
    adapters = dict(list(prepared.planned.adapters.items())[: 1 + count])
    datasets = {task.dataset: workspace.spec.datasets[task.dataset] for task in prepared.tasks.values()}
    return RunSpec(
        id="benchmark", created="", models=ModelSet(base=workspace.spec.models.base, adapters=adapters), datasets=datasets,
        tasks=prepared.tasks, settings=run_settings(workspace, settings),
    )  # fmt: skip


def loaded(workspace: Workspace, spec: RunSpec, n_examples: int) -> tuple[list[Path], Any, Plan]:
    """Return which folders of models were loaded, the engine with all variants, and what each is asked."""
    from core.engine import models
    from core.engine.session import Session

    base = workspace.resolve(spec.models.base.path)
    renderer = PromptRenderer(base)
    examples = [e for name in spec.tasks for e in drawn(load_examples(workspace, name), n_examples, spec.settings.seed)]
    plan = make_plan(examples, spec, renderer, batch_tokens=CPU_BATCH_TOKENS)
    loads: list[Path] = []
    load = models.load_causal

    def counted(folder: Path, *rest: Any) -> Any:
        loads.append(folder)
        return load(folder, *rest)

    models.load_causal = counted
    session = Session(
        base, {name: (workspace.adapter_folder(ref.of or name), ref.scale) for name, ref in spec.models.adapters.items()}, {},
        spec.settings.device, spec.settings.dtype, spec.settings, renderer, warn=print,
        parts={name: ref.part for name, ref in spec.models.adapters.items() if ref.part},
    )  # fmt: skip
    return loads, session, plan


def added(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return the sum of two pairs."""
    return one[0] + other[0], one[1] + other[1]


def once(session: Any, variant: str, plan: Plan) -> tuple[float, float]:
    """Return the seconds and the CPU seconds that a variant takes for the whole plan, switching to it included."""
    start, cpu = time.perf_counter(), time.process_time()
    with session.models.variant(variant) as model:
        for part in plan.parts:
            session.observe(model, variant, part)
    return time.perf_counter() - start, time.process_time() - cpu


def report(
    adapter: str, plan: Plan, count: int, plain: tuple[float, float], switched: tuple[float, float], loads: list[Path],
    memory: list[int],
) -> None:  # fmt: skip
    """Print what was measured beside what it should be."""
    tokens = sum(part.tokens for part in plan.parts)
    print(f"{count} parts of {adapter}, each asked {tokens:,} tokens, in turn with the whole adapter\n")
    print("| | measured | should be |\n|---|---|---|")
    print(f"| {count} plain evaluations | {plain[0]:.1f} s, {plain[1]:.1f} CPU seconds | |")
    print(f"| {count} parts | {switched[0]:.1f} s, {switched[1]:.1f} CPU seconds | |")
    print(
        f"| parts / plain | {switched[0] / plain[0]:.3f}, of CPU seconds {switched[1] / plain[1]:.3f} | at most {MOST} |"
    )
    print(f"| loads of the base | {len(loads)} | 1 |")
    growth = (memory[-1] - memory[0]) / 1e6
    print(
        f"| memory after the first part, growth until the last | {memory[0] / 1e6:,.0f} MB, {growth:+,.0f} MB | no growth |"
    )


if __name__ == "__main__":
    main()
