"""``lorascope ablations``: print what the adapters of a run differ in, and what can be said of each choice."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from core import notation
from core.ablation.records import Analysis, BaseTable, Outcome
from core.cli.compare import open_run
from core.cli.options import examples, json_option, print_json, print_table, workspace_option
from core.errors import InputError
from core.results import Value
from core.store import Run
from core.workspace import Workspace, load_workspace


@click.command(
    "ablations",
    epilog=examples(
        "lorascope ablations sample --workspace sample_data --metric reply/rouge_l",
        "lorascope ablations sample --workspace sample_data --reference qv-r2 --json",
    ),
)
@click.argument("run", required=False)
@click.option("--metric", metavar="TASK/METRIC", help="The outcome; by default the first primary metric.")
@click.option(
    "--reference", metavar="ADAPTER",
    help="An adapter of the configuration that others are held against; by default the one from which most others differ in one choice.",
)  # fmt: skip
@workspace_option
@json_option
def command(run: str | None, metric: str | None, reference: str | None, workspace: Path, as_json: bool) -> None:
    """Print which choices (rank, modules, data, rate) the adapters of RUN differ in, and what made a difference.

    RUN is an id, the start of one, or a run's folder; the newest run where it is left out. Settings are read from the adapters'
    own files; what they do not say can be stated under `factors` in the workspace.
    """
    from core.ablation.analyse import analyse

    opened = open_run(run, workspace)
    analysis = analyse(opened, _workspace(opened, workspace), metric=metric, reference=reference)
    if as_json:
        print_json(asdict(analysis))
    else:
        print_analysis(analysis)


def print_analysis(analysis: Analysis) -> None:
    """Print an analysis for people: sentences first, then the run table and the pairs, and how it was made."""
    for number, table in enumerate(analysis.tables):
        if number:
            click.echo("")
        if len(analysis.tables) > 1:
            click.echo(f"Adapters of {table.base}:")
        _print_table(table, analysis.outcome)
    for note in analysis.notes:
        click.echo(note)
    for one in analysis.left_out:
        click.echo(f"Left out: {one.variant}: {one.reason}")
    click.echo("")
    click.echo(
        f"Run {', '.join(analysis.run_ids)}. {analysis.outcome.key}, n = {analysis.n}; {notation.percent(analysis.level)} intervals, "
        f"{analysis.resamples:,} resamples, seed {analysis.seed}; p adjusted over "
        f"{', '.join(str(table.family_size) for table in analysis.tables) or '0'} (Benjamini and Hochberg)."
    )


def _print_table(table: BaseTable, outcome: Outcome) -> None:
    for statement in table.statements:
        click.echo(f"- {statement.text}")
    click.echo("")
    header = ("adapter", "configuration", *(column.label for column in table.columns), outcome.label)
    lines = []
    for row in table.rows:
        cells = [row.cells[column.name] for column in table.columns]
        marked = [cell.text + (" (contradicted)" if cell.conflict else "") for cell in cells]
        lines.append((row.variant, row.configuration, *marked, _value_text(row.value, outcome)))
    print_table(header, lines)
    constants = [f"{one.label} {one.constant.text}" for one in table.constants if one.constant is not None]
    if constants:
        click.echo(f"The same for all: {'; '.join(constants)}.")
    for row in table.rows:
        for warning in row.warnings:
            click.echo(f"Note on {row.variant}: {warning}")
    if not table.anova.rows and table.anova.reason:
        click.echo(f"No analysis of variance: {table.anova.reason}.")
    if table.importance.reason:
        click.echo(f"No importance: {table.importance.reason}.")
    for one in table.next_runs[:1]:
        click.echo(f"Next: {one.what} {one.why}")


def _value_text(value: Value, outcome: Outcome) -> str:
    shown = " ".join(filter(None, notation.value_texts(value, outcome.unit)))
    return f"– ({value.reason})" if value.value is None else shown


def _workspace(run: Run, folder: Path) -> Workspace | None:
    """Return the workspace around a run's folder, or else the one that was asked for; None where there is neither."""
    for place in (run.folder.resolve().parent.parent, folder):
        try:
            return load_workspace(place)
        except InputError:
            continue
    return None
