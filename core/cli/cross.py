"""``lorascope cross``: have each variant's answers read by another, and say how much likelier each finds its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.options import examples, json_option, print_json, print_table, say, workspace_option
from core.errors import InputError

if TYPE_CHECKING:
    from core.cross.kept import CrossRequest
    from core.cross.summary import CrossRow
    from core.store import Run


@click.command(
    "cross",
    epilog=examples(
        "lorascope cross sample --task reply --examples 20",
        "lorascope cross sample --task reply --variants qv-r8,all-r8 --json | jq '.rows[].difference'",
    ),
)
@workspace_option
@click.argument("run")
@click.option("--task", metavar="TASK", help="A task with generated answers (default: the run's only one).")
@click.option("--variants", metavar="A,B", help="Whose answers (default: all of the run).")
@click.option("--against", metavar="VARIANT", help="The other reader and writer (default: the run's reference).")
@click.option("--examples", "limit", type=click.IntRange(min=1), help="The first so many examples (default: all).")
@json_option
def command(
    workspace: Path, run: str, task: str | None, variants: str | None, against: str | None, limit: int | None, as_json: bool
) -> None:  # fmt: skip
    """Let the models of RUN read each other's answers: how likely is each token to the one that did not write it?

    What was read is kept with the run and shown on the Examples page; nothing is computed twice.
    """
    from core.charts.cross import cross_records
    from core.cli.watch import follow_job
    from core.cross.kept import cross_job
    from core.cross.summary import cross_rows, recorded_gap
    from core.derived import StatisticsReader
    from core.jobs.adapter_launch import start_job
    from core.workspace import load_workspace

    opened = load_workspace(workspace).run(run)
    request = _request(opened, task, variants, against, limit)
    evidence_hash = StatisticsReader(opened).evidence_hash
    if evidence_hash is None:
        raise InputError(f"{opened.folder}: the run is not finished; answers are read when all are there.")
    job = cross_job(request, evidence_hash)
    start_job(job)
    follow_job(job)
    rows = cross_rows(opened, request.task, job.folder, request.variants, request.reference)
    gap = recorded_gap(opened, request.task, job.folder, (request.reference, *request.variants))
    if as_json:
        print_json({"run": opened.id, "largest_difference_to_recorded_nats": gap, "rows": cross_records(rows)})
        return
    _print(rows, gap)


def _request(run: Run, task: str | None, variants: str | None, against: str | None, limit: int | None) -> CrossRequest:
    from core.cross.kept import CrossRequest
    from core.derived import example_index

    generating = [name for name, spec in run.spec.clean_tasks.items() if spec.generates]
    if task is None and len(generating) != 1:
        listed = ", ".join(generating) or "none"
        raise InputError(f"run {run.id}: tasks with generated answers: {listed}. Name one with --task.")
    chosen = generating[0] if task is None else task
    reference = run.spec.reference if against is None else against
    named = (
        run.spec.models.variants if variants is None else [one.strip() for one in variants.split(",") if one.strip()]
    )
    ids = None if limit is None else example_index(run, chosen).ids[:limit]
    return CrossRequest(run.folder, chosen, tuple(name for name in named if name != reference), reference, ids)


def _print(rows: tuple[CrossRow, ...], gap: float | None) -> None:
    from core.notation import difference_texts, number_text, p_text
    from core.wording.cross import what_it_estimates

    lines = [
        (row.variant, row.writer, *difference_texts(row.difference, "nats"),
         "" if row.nats_per_token is None else number_text(row.nats_per_token, 3, signed=True),
         f"{row.difference.n} of {row.n_of}", p_text(row.difference.p) or row.difference.reason or "")
        for row in rows
    ]  # fmt: skip
    print_table(("variant", "answers of", "nats an answer", "interval", "nats a token", "examples", ""), lines)
    if rows:
        click.echo(f"Against {rows[0].reference}. {what_it_estimates(rows[0].divergence, rows[0].level)}")
    if gap is not None:
        say(f"Read again by its own writer, an answer's log-likelihood is within {gap:.2g} nats of what was recorded.")
