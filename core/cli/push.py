"""``lorascope push``: hand a run's results on to MLflow, Weights & Biases or TensorBoard."""

from __future__ import annotations

import re
from pathlib import Path

import click

from core.cli.compare import open_run
from core.cli.options import examples, say, workspace_option
from core.cli.report import people_of
from core.errors import InputError
from core.push.target import Change, Pushed
from core.push.targets import TARGETS, Target
from core.spec import NAME_PATTERN

_SAID: dict[Change, str] = {
    "new": "written", "replaced": "written anew, in place of what was there", "unchanged": "is there already, nothing has changed",
    "kept": "was written before and is kept, although its results have changed; take its folder away to write it anew",
}  # fmt: skip


@click.command(
    "push",
    epilog=examples(
        "lorascope push sample --to mlflow --experiment support-desk",
        "lorascope push sample --to mlflow --where http://localhost:5000",
        "lorascope push sample --to wandb --project support-desk --variant qv-r8",
        "lorascope push sample --to tensorboard --where runs/tb",
    ),
)
@click.argument("run", required=False)
@click.option(
    "--to",
    "target",
    type=click.Choice(list(TARGETS)),
    required=True,
    help="Each is an extra: lorascope[mlflow] and so on.",
)
@click.option(
    "--where", metavar="PLACE",
    help="A folder; of MLflow also a tracking URI. By default MLFLOW_TRACKING_URI, or else a folder in the workspace.",
)  # fmt: skip
@click.option(
    "--project", "--experiment", "project", default="lorascope", show_default=True, metavar="NAME",
    help="MLflow's experiment, the project of Weights & Biases, the folder of TensorBoard.",
)  # fmt: skip
@click.option("--reference", metavar="VARIANT", help="What the others are compared with; by default what the run says.")
@click.option("--variant", "variants", multiple=True, metavar="VARIANT", help="Only this one; give it once for each.")
@click.option("--no-report", is_flag=True, help="Leave out the report's page and its tables.")
@workspace_option
def command(
    run: str | None, target: str, where: str | None, project: str, reference: str | None, variants: tuple[str, ...],
    no_report: bool, workspace: Path,
) -> None:  # fmt: skip
    """Write each variant of RUN as a run of an experiment tracker: parameters, metrics with intervals, cost, report and tables.

    RUN is an id, the start of one, or a run's folder; the newest run where it is left out. Pushed again, a variant is replaced or,
    where nothing has changed, left as it is. Weights & Biases is written offline: `wandb sync` sends it.
    """
    from core.compare import compare
    from core.own.rows import workspace_of
    from core.push.content import check_variants, results_of
    from core.push.files import report_files

    _check_name(project)
    opened, chosen = open_run(run, workspace), TARGETS[target]
    place = where or chosen.default_place(workspace_of(opened) or Path.cwd())
    chosen.check()
    comparison = compare(opened, reference or opened.spec.reference)
    check_variants(opened, comparison, variants)
    files = {} if no_report else report_files(opened, comparison, people_of(opened))
    _tell(chosen, place, chosen.push(results_of(opened, comparison, variants, files), place, project))


def _check_name(project: str) -> None:
    if not re.fullmatch(NAME_PATTERN, project):
        raise InputError(
            f"--project {project!r}: expected letters, digits and . _ + - only, 80 at the most, so that every target takes it."
        )


def _tell(target: Target, place: str, pushed: list[Pushed]) -> None:
    for one in pushed:
        click.echo(f"{one.variant}: {_SAID[one.change]} ({one.where})")
    say(f"Look at it with: {target.look_command(place)}")
