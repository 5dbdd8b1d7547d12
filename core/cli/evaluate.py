"""``lorascope evaluate``: run the workspace's tasks over the baseline and its adapters."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import get_args

import click

from core.cli.options import examples, json_option, print_json, say, workspace_option
from core.cli.watch import clock, follow
from core.cluster import chosen_cluster
from core.errors import InputError
from core.jobs import launch
from core.prepare import Choice, estimate_seconds, prepare_run, run_settings
from core.spec import Engine
from core.store import Run
from core.vllm_checks import refuse_cluster
from core.workspace import load_workspace


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


def _asked(run: Run) -> str:
    """Return the names of a run's tasks, and how many perturbed copies of them it has."""
    clean = run.spec.clean_tasks
    twins = len(run.spec.tasks) - len(clean)
    return ", ".join(clean) + (f" and {twins} with perturbed inputs" if twins else "")


def _load_comparison() -> None:
    """Load what compares: with pandas and scipy it takes as long as all else here together, while the worker is at work."""
    import core.compare  # noqa: F401


def _compare(run: Run) -> None:
    """Keep the statistics, so that the first page opens at once; a page says what is amiss."""
    from core.cli.metrics_progress import metrics_progress
    from core.compare import compare

    with suppress(InputError):
        compare(Run(run.folder), progress=metrics_progress())


@click.command(
    "evaluate",
    epilog=examples(
        "lorascope evaluate", "lorascope evaluate --adapters qv-r8,all-r8 --tasks category --limit 50",
        "lorascope evaluate --ray local --workers 2", "lorascope evaluate --resume 20260131-120000",
    ),
)  # fmt: skip
@workspace_option
@click.option(
    "--adapters",
    callback=_names,
    metavar="A,B",
    help="Adapters, checkpoints and served variants to run beside the baseline (default: all).",
)
@click.option("--tasks", callback=_names, metavar="T,U", help="Tasks to run (default: all).")
@click.option("--limit", type=click.IntRange(min=1), help="The first so many examples of each dataset (default: all).")
@click.option("--name", help="Name of the run's folder (default: the time).")
@click.option("--device", help="cuda, mps, xpu, cpu or auto (default: the workspace's setting).")
@click.option(
    "--engine", type=click.Choice(get_args(Engine)),
    help="What computes the models that are here: vllm is an extra, for a GPU (default: the workspace's, else transformers).",
)  # fmt: skip
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    help="Precision (default: the workspace's).",
)
@click.option(
    "--max-new-tokens", type=click.IntRange(min=1), help="Longest answer, in tokens (default: the workspace's)."
)
@click.option("--probe/--no-probe", default=None, help="Measure speed and memory, each variant alone.")
@click.option(
    "--robustness/--no-robustness",
    default=True,
    help="Evaluate under the perturbations that tasks name (default: yes).",
)
@click.option(
    "--threads", type=click.IntRange(min=1), help="Threads of the processor a model (default: all there are)."
)
@click.option(
    "--ray", metavar="WHERE",
    help="Compute on a Ray cluster: local (this machine's GPUs, or --workers processes), auto (the cluster that this machine "
    "belongs to) or HOST:PORT.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(min=1), help="Workers of the cluster (default: one a GPU, else one a machine)."
)
@click.option(
    "--silent-minutes", type=click.IntRange(min=1),
    help="A worker of the cluster that answers nothing for so long is replaced (default: 10, and longer where parts take long).",
)  # fmt: skip
@click.option("--resume", metavar="RUN", help="Go on with a run that was cancelled, failed or killed.")
@click.option("--detach", is_flag=True, help="Start it, print its id, and do not wait.")
@json_option
def command(
    workspace: Path, adapters: tuple[str, ...] | None, tasks: tuple[str, ...] | None, limit: int | None, name: str | None,
    device: str | None, engine: str | None, dtype: str | None, max_new_tokens: int | None, probe: bool | None, robustness: bool,
    threads: int | None, ray: str | None, workers: int | None, silent_minutes: int | None, resume: str | None, detach: bool, as_json: bool,
) -> None:  # fmt: skip
    """Evaluate the baseline and every adapter of a workspace, in a process of its own.

    The run is a folder under runs/. Ctrl-C cancels it and keeps what is finished.
    """
    cluster = chosen_cluster(ray, workers, silent_minutes)
    opened = load_workspace(workspace)
    if resume is not None:
        run = opened.run(resume)
    else:
        given = {
            "device": device, "engine": engine, "dtype": dtype, "max_new_tokens": max_new_tokens, "probe": probe, "threads": threads,
        }  # fmt: skip
        settings = {key: value for key, value in given.items() if value is not None}
        choice = Choice(
            adapters=adapters, tasks=tasks, limit=limit, settings=settings, robustness=robustness, name=name
        )
        refuse_cluster(run_settings(opened, settings), cluster)
        seconds = estimate_seconds(opened, choice)
        run = prepare_run(opened, choice)
        guess = f"; going by the last run it takes about {clock(seconds)}" if seconds else ""
        say(f"Run {run.id}: {', '.join(run.spec.models.variants)} on {_asked(run)}{guess}")
    launch.start(run, cluster)
    if not detach:
        follow(run, meanwhile=_load_comparison)
        _compare(run)
        say(f"Done: {run.folder}\nSee it with: lorascope dashboard --workspace {workspace}")
    if as_json:
        print_json({"id": run.id, "folder": str(run.folder)})
    elif detach:
        click.echo(run.id)
