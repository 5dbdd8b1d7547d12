"""``lorascope metrics``: list the metrics, what each is, and for which tasks."""

from __future__ import annotations

from dataclasses import asdict

import click

from core.cli.options import examples, json_option, print_json, print_table
from core.errors import InputError, nearest
from core.metrics.catalogue import entries
from core.spec import KINDS

_ARROWS = {"higher": "↑", "lower": "↓", "none": ""}


@click.command("metrics", epilog=examples("lorascope metrics --kind ranking", "lorascope metrics --json"))
@click.option("--kind", metavar="KIND", help=f"Only those for tasks of this kind: {', '.join(KINDS)}.")
@json_option
def command(kind: str | None, as_json: bool) -> None:
    """List every metric: its name, whether higher (↑) or lower (↓) is better, its tasks, and its definition."""
    if kind is not None and kind not in KINDS:
        raise InputError(
            f"--kind: there is no kind of task {kind!r}{nearest(kind, KINDS)}; the kinds are {', '.join(KINDS)}."
        )
    listed = entries(kind)
    if as_json:
        print_json([asdict(entry) for entry in listed])
        return
    rows = [
        (entry.family, entry.name, _ARROWS[entry.direction], ", ".join(entry.kinds), entry.definition)
        for entry in listed
    ]
    print_table(("family", "metric", "", "tasks", "definition"), rows)
