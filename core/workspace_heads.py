"""The classification heads among a workspace's models, as far as their files are on this disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.heads import Head, check_heads, find_heads
from core.spec import ModelSet, TaskSpec
from core.workspace import Workspace


def workspace_heads(workspace: Workspace, models: ModelSet) -> dict[str, Head]:
    """Return the variants that answer by a classification head; a checkpoint that is still on the Hub is not looked at.

    Raises:
        InputError: see `core.heads.find_heads`.
    """
    located = {name: workspace.model_location(ref) for name, ref in models.checkpoints.items()}
    here = {name: folder for name, folder in located.items() if isinstance(folder, Path)}
    return find_heads(models, workspace.adapter_folder, here)


def check_workspace_heads(workspace: Workspace, models: ModelSet, tasks: Mapping[str, TaskSpec]) -> None:
    """Check that each head answers one of the tasks, and that it is applied as it was trained.

    Raises:
        InputError: it cannot, or its adapter is given a scale or a part.
    """
    heads = workspace_heads(workspace, models)
    check_heads(heads, tasks, {name: ref for name, ref in models.adapters.items() if name in heads})
