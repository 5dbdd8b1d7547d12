"""The targets by name, and where each writes when nobody says."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from core.push.content import VariantResult
from core.push.target import Pushed, need


@dataclass(frozen=True)
class Target:
    """One place where people look at their experiments."""

    name: str
    label: str
    folder: str
    """In the workspace, where nothing else is said."""
    look: str
    """The command that shows what was written; ``{where}`` is the place."""

    def check(self) -> None:
        """Raise InputError where the target's library is not installed: the sentence says how to get it."""
        need(self.name, self.name, self.label)

    def default_place(self, workspace: Path) -> str:
        """Return where it writes when nobody says; MLflow's own setting wins."""
        set_by_user = os.environ.get("MLFLOW_TRACKING_URI") if self.name == "mlflow" else None
        return set_by_user or str(workspace / self.folder)

    def push(self, results: Sequence[VariantResult], where: str, project: str) -> list[Pushed]:
        """Write results; see `push` of the target's file."""
        write: Callable[[Sequence[VariantResult], str, str], list[Pushed]] = import_module(
            f"core.push.{self.name}"
        ).push
        return write(results, where, project)

    def look_command(self, where: str) -> str:
        """Return the command that shows what was written."""
        shown = where
        if self.name == "mlflow" and "://" not in where:
            shown = f"sqlite:///{Path(where).expanduser().resolve() / 'mlflow.db'}"
        return self.look.format(where=shown)


TARGETS: dict[str, Target] = {
    one.name: one
    for one in (
        Target("mlflow", "MLflow", "mlflow", "mlflow ui --backend-store-uri '{where}'"),
        Target("wandb", "Weights & Biases", ".", "wandb sync '{where}'/wandb/offline-run-*"),
        Target("tensorboard", "TensorBoard", "tensorboard", "tensorboard --logdir '{where}'"),
    )
}
"""By the name that ``--to`` takes."""
