"""``lorascope feedback``: list a run's thumbs and notes, or import some from elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from core.cli.compare import open_run
from core.cli.options import examples, json_option, print_json, print_table, say, workspace_option


@click.command(
    "feedback",
    epilog=examples("lorascope feedback sample --import thumbs.csv", "lorascope feedback sample --json | jq '.[0]'"),
)
@click.argument("run", required=False)
@click.option(
    "--import", "path", type=click.Path(path_type=Path), metavar="FILE",
    help="Read thumbs and notes from JSONL, CSV or Parquet: id, variant, thumb (up or down); as needed note, source, task.",
)  # fmt: skip
@workspace_option
@json_option
def command(run: str | None, path: Path | None, workspace: Path, as_json: bool) -> None:
    """List the thumbs and notes on RUN's answers; with --import read some in first.

    RUN is an id, the start of one, or a run's folder; the newest run where it is left out. `lorascope compare` shows how
    satisfied users are with each variant.
    """
    from core.feedback import import_feedback, read_feedback

    opened = open_run(run, workspace)
    if path is not None:
        report = import_feedback(opened, path)
        for sentence in report.skipped:
            say(sentence)
        say(
            f"{path.name}: {report.imported} read in, {report.unchanged} known already, {len(report.skipped)} left out."
        )
    found = read_feedback(opened)
    for warning in found.warnings:
        say(warning)
    entries = list(found.latest.values())
    if as_json:
        print_json([asdict(entry) for entry in entries])
    elif entries:
        rows = [
            (one.task, one.example_id, one.variant, one.thumb or "", one.source, one.time[:16], one.note)
            for one in entries
        ]
        print_table(
            ("task", "example", "variant", "thumb", "source", "time (UTC)", "note"), [_on_a_line(row) for row in rows]
        )
    else:
        click.echo(
            f"Run {opened.id} has no feedback yet. Give some on the Examples page, or import it with --import FILE."
        )


def _on_a_line(cells: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(" ".join(cell.split()) for cell in cells)
