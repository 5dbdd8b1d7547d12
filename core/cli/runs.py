"""``lorascope runs``: list the runs of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from core.cli.options import examples, json_option, print_json, print_table, say, workspace_option
from core.errors import InputError
from core.jobs.status import read_status
from core.store import Run
from core.workspace import load_workspace


@click.command("runs", epilog=examples("lorascope runs", "lorascope runs --json | jq -r '.[0].id'"))
@workspace_option
@json_option
def command(workspace: Path, as_json: bool) -> None:
    """List the runs of the workspace, newest first."""
    opened = load_workspace(workspace)
    listed = [_describe(run) for run in opened.runs()]
    for broken in opened.broken_runs():
        say(f"Left out: {broken.reason}")
    if as_json:
        print_json(listed)
        return
    if not listed:
        click.echo(f"No runs in {opened.runs_folder} yet. Make one with: lorascope evaluate --workspace {workspace}")
        return
    rows = [
        (entry["id"], entry["state"], f"{entry['done']}/{entry['total']}", entry["created"], ", ".join(entry["variants"]),
         ", ".join(entry["tasks"]))
        for entry in listed
    ]  # fmt: skip
    print_table(("run", "state", "done", "created (UTC)", "variants", "tasks"), rows)


def _describe(run: Run) -> dict[str, Any]:
    """Return what a script wants to know of a run."""
    spec = run.spec
    try:
        status = read_status(run)
        state, done, total, error = status.state, status.done, status.total, status.error
    except InputError as problem:
        state, done, total, error = "unknown", 0, 0, str(problem)
    return {
        "id": run.id, "state": state, "created": spec.created, "variants": list(spec.models.variants), "tasks": list(spec.clean_tasks),
        "reference": spec.reference, "limit": spec.limit, "done": done, "total": total, "error": error,
        "folder": str(run.folder),
    }  # fmt: skip
