"""``lorascope trust``: allow the code in a workspace's ``metrics/`` folder to run, as it is now."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.options import examples, workspace_option
from core.errors import InputError
from core.trust import TrustState, is_trusted, revoke, trust
from core.workspace import FILE_NAME


@click.command("trust", epilog=examples("lorascope trust --workspace my-lora", "lorascope trust --revoke"))
@click.option("--revoke", "forget", is_flag=True, help="Trust it no longer.")
@click.option("--show", is_flag=True, help="Only say what is trusted.")
@workspace_option
def command(forget: bool, show: bool, workspace: Path) -> None:
    """Allow the metrics of a workspace (the files in its metrics/ folder) to run, as they are now.

    They are code, and can do whatever you can: read them first. A file that changes has to be trusted again. What is
    trusted is kept in your own settings, outside the workspace.
    """
    folder = workspace if workspace.is_dir() else workspace.parent
    if not (folder / FILE_NAME).is_file():
        raise InputError(f"{folder}: found no {FILE_NAME}; expected a workspace. Name it with --workspace DIR.")
    if forget:
        click.echo("No code of it runs any more." if revoke(folder) else "It was not trusted.")
        return
    print_state(is_trusted(folder) if show else trust(folder))


def print_state(state: TrustState) -> None:
    """Print each file of a workspace's metrics/ with whether it may run."""
    if state.state == "nothing":
        click.echo("There is no code in its metrics/ folder.")
    for name in state.files:
        told = "changed since it was trusted" if name in state.changed else "not trusted"
        click.echo(f"{name}: {told if name in state.changed + state.untrusted else 'trusted'}")
