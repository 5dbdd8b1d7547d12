"""``lorascope demo``: fetch the sample's base, evaluate three adapters on a few examples, open the dashboard."""

from __future__ import annotations

import os
from pathlib import Path

import click

from core.cli import compare, dashboard
from core.cli.options import examples, say
from core.cli.watch import follow
from core.jobs import launch
from core.prepare import prepare_run
from core.sample import DEMO, fetch_base, sample_workspace
from core.workspace import load_workspace


@click.command("demo", epilog=examples("lorascope demo", "DEMO_SERVE=0 lorascope demo"))
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The sample's folder (default: found by itself).",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Where the dashboard listens."
)
@click.option("--fetch-only", is_flag=True, help="Fetch the base model and stop.")
@click.pass_context
def command(context: click.Context, workspace: Path | None, port: int, fetch_only: bool) -> None:
    """See lorascope at work: a real base model, three LoRA adapters, 24 support tickets, then the dashboard.

    Takes about three minutes on two cores. With DEMO_SERVE=0 it stops before it serves.
    """
    folder = workspace or sample_workspace()
    serve = os.environ.get("DEMO_SERVE", "1") != "0"
    if serve and not fetch_only:
        dashboard.check_port("127.0.0.1", port)  # said now rather than after three minutes
    fetch_base()
    if fetch_only:
        return
    opened = load_workspace(folder)
    run = prepare_run(opened, DEMO)
    say(f"Evaluating {', '.join(run.spec.models.variants)} on {DEMO.limit} tickets: {', '.join(run.spec.tasks)}")
    launch.start(run)
    follow(run)
    context.invoke(compare.command, run=run.id, reference=None, tasks=(), workspace=folder, as_json=False)
    if serve:
        dashboard.serve(folder, port)
