"""The workspace that a run belongs to, for what computes with its models."""

from __future__ import annotations

from core.errors import InputError
from core.store import Run
from core.workspace import Workspace, load_workspace


def run_workspace(run: Run) -> Workspace:
    """Return the workspace whose runs folder the run lies in.

    Raises:
        InputError: it was copied away from its workspace: it can be viewed, but its models are not here.
    """
    folder = run.folder.resolve().parent.parent
    if not (folder / "workspace.yaml").is_file():
        raise InputError(
            f"{run.folder}: the run lies in no workspace (no workspace.yaml in {folder}): it can be viewed but not computed."
        )
    return load_workspace(folder)
