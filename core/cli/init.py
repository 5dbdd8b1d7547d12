"""``lorascope init``: write a workspace for what a training run left behind."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.options import examples, say, workspace_option
from core.scaffold import propose


@click.command(
    "init",
    epilog=examples(
        "lorascope init --base ./SmolLM2-135M --adapters ./outputs --data ./heldout.jsonl --workspace my-lora"
    ),
)
@click.option("--base", required=True, metavar="PATH", help="The base model: a folder, or a Hub id.")
@click.option(
    "--adapters", required=True, type=click.Path(path_type=Path), metavar="DIR",
    help="A folder with adapters in it, at any depth; checkpoints count where no finished adapter is above them.",
)  # fmt: skip
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Rows to evaluate on (JSONL, JSON, CSV, Parquet) with messages, prompt and completion, instruction and output, or text.",
)  # fmt: skip
@workspace_option
def command(base: str, adapters: Path, data: Path, workspace: Path) -> None:
    """Write workspace.yaml from a base model, a folder of adapters and a data file. Nothing is overwritten."""
    proposal = propose(base, adapters, data, workspace)
    path = proposal.write()
    models, tasks = proposal.spec.models, proposal.spec.tasks
    click.echo(f"Wrote {path}")
    click.echo(f"  {len(models.adapters)} adapters: {', '.join(models.adapters)}")
    click.echo(f"  {len(tasks)} tasks: {', '.join(f'{name} ({task.kind})' for name, task in tasks.items())}")
    for note in proposal.notes:
        say(f"Note: {note}")
    click.echo("Next: look through the file, then")
    click.echo(f"  lorascope evaluate --workspace {workspace} --limit 20")
    click.echo(f"  lorascope dashboard --workspace {workspace}")
