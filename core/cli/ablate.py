"""``lorascope ablate``: take an adapter apart and measure each part, without training again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from core.cli.options import examples, json_option, print_json, say, workspace_option
from core.cli.watch import clock, follow
from core.errors import InputError, nearest
from core.jobs import launch
from core.jobs.status import read_status
from core.store import Run
from core.workspace import Workspace, load_workspace


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@click.command(
    "ablate",
    epilog=examples(
        "lorascope ablate --adapter all-r8 --parts modules,depth --examples 50 --minutes 10",
        "lorascope ablate --adapter all-r8 --parts mixing --with qv-r8 --method cat,ties",
        "lorascope ablate --resume ablation-20260131-120000",
    ),
)  # fmt: skip
@workspace_option
@click.option("--adapter", metavar="A", help="The adapter to take apart, by its name in the workspace.")
@click.option(
    "--parts", callback=_names, default="modules,depth,strength,rank", show_default=True, metavar="P,Q",
    help="What to try: modules, depth, strength, rank, mixing, prompt.",
)  # fmt: skip
@click.option("--with", "partners", callback=_names, metavar="B,C", help="Adapters to mix it with (part mixing).")
@click.option(
    "--method", "methods", callback=_names, default="cat", show_default=True, metavar="M,N",
    help="How to mix: cat (the exact weighted sum), svd, linear, ties, dare_linear, dare_ties, magnitude_prune.",
)  # fmt: skip
@click.option("--tasks", callback=_names, metavar="T,U", help="Tasks to measure by (default: all).")
@click.option(
    "--examples", "n_examples", type=click.IntRange(min=1), metavar="N",
    help="So many examples of each dataset, drawn with the workspace's seed (default: all).",
)  # fmt: skip
@click.option(
    "--minutes", type=float, metavar="M", help="Begin no variant that would end later; what was left out is said."
)
@click.option("--metric", "shown", multiple=True, metavar="TASK/METRIC", help="Print only this one; once for each.")
@click.option("--name", help="Name of the run's folder (default: the time).")
@click.option("--resume", metavar="RUN", help="Go on with an ablation that was stopped, or print a finished one.")
@click.option("--detach", is_flag=True, help="Start it, print its id, and do not wait.")
@json_option
def command(
    workspace: Path, adapter: str | None, parts: tuple[Any, ...], partners: tuple[str, ...] | None, methods: tuple[Any, ...],
    tasks: tuple[str, ...] | None, n_examples: int | None, minutes: float | None, shown: tuple[str, ...], name: str | None,
    resume: str | None, detach: bool, as_json: bool,
) -> None:  # fmt: skip
    """Switch parts of an adapter off, cut or mix it, and print what each part is worth.

    It is a run of its own under runs/, of the baseline, the whole adapter and its parts, the most telling ones first. The base is
    loaded once. Ctrl-C cancels it and keeps what is finished.
    """
    from core.experiment import AblationChoice

    opened = load_workspace(workspace)
    if resume is not None:
        run = _ablation(opened, resume)
        if read_status(run).state != "finished":
            launch.start(run)
    else:
        if adapter is None:
            known = ", ".join(opened.spec.models.adapters) or "none"
            raise InputError(f"--adapter is missing: name the adapter to take apart. The workspace has: {known}.")
        choice = AblationChoice(
            adapter=adapter, parts=parts, partners=partners or (), tasks=tasks, examples=n_examples, minutes=minutes,
            methods=methods, name=name,
        )  # fmt: skip
        run = _prepared(opened, choice)
        launch.start(run)
    if detach:
        _detached(run, as_json)
        return
    status = follow(run) if read_status(run).state != "finished" else read_status(run)
    _print(Run(run.folder), status.left_out, shown, as_json)
    if status.left_out:
        say(f"{status.message}\nGo on with: lorascope ablate --resume {run.id} --workspace {workspace}")
    say(f"Done: {run.folder}\nSee it with: lorascope dashboard --workspace {workspace}")


def _prepared(workspace: Workspace, choice: Any) -> Run:
    from core.experiment import estimate_ablation, prepare_ablation

    estimate = estimate_ablation(workspace, choice)
    run = prepare_ablation(workspace, choice)
    guess = f"; going by the last run it takes about {clock(estimate.seconds)}" if estimate.seconds else ""
    say(f"Run {run.id}: {estimate.n_variants} variants on {', '.join(run.spec.clean_tasks)}{guess}")
    for reason in estimate.off.values():
        say(f"Off: {reason}")
    return run


def _ablation(workspace: Workspace, name: str) -> Run:
    run = workspace.run(name)
    if run.spec.ablation is None:
        raise InputError(
            f"{run.folder}: this run takes no adapter apart; go on with it by: lorascope evaluate --resume {run.id}"
        )
    return run


def _detached(run: Run, as_json: bool) -> None:
    if as_json:
        print_json({"id": run.id, "folder": str(run.folder)})
    else:
        click.echo(run.id)


def _print(run: Run, left_out: tuple[str, ...], shown: tuple[str, ...], as_json: bool) -> None:
    from core.cli.ablation_table import experiment_json, print_experiment
    from core.experiment.results import experiment_results

    experiment = experiment_results(run)
    known = {one.key: one for one in experiment.metrics}
    for key in shown:
        if key not in known:
            raise InputError(
                f"{run.folder}: the run has no metric {key!r}{nearest(key, known)}; it has {', '.join(known)}."
            )
    chosen = [one for key, one in known.items() if key in shown or (not shown and one.row.primary)]
    if as_json:
        print_json(
            {"id": run.id, "folder": str(run.folder), "left_out": list(left_out)} | experiment_json(experiment, chosen)
        )
    else:
        print_experiment(experiment, chosen, left_out)
