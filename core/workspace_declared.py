"""Mistakes in what a workspace declares beside its tasks: composites, which tasks show forgetting, how adapters were trained."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.composite.check import composite_mistakes
from core.errors import nearest
from core.own.files import find_own_metrics
from core.spec import WorkspaceSpec

Key = tuple[str, ...]


def declared_mistakes(spec: WorkspaceSpec, folder: Path) -> Iterable[tuple[Key, str]]:
    """Yield the key, and a sentence without its stop, for each mistake.

    Args:
        spec: whose tasks are sound.
        folder: the workspace's; its ``metrics/`` may hold metrics of the user's own.
    """
    own = find_own_metrics(folder) if spec.composites else {}
    for name, composite in spec.composites.items():
        for key, text in composite_mistakes(composite, spec.tasks, own):
            yield ("composites", name, *key), text
    yield from _forgetting_mistakes(spec)
    yield from _factor_mistakes(spec)


def _factor_mistakes(spec: WorkspaceSpec) -> Iterable[tuple[Key, str]]:
    for name in spec.factors:
        if name not in spec.models.adapters:
            listed = ", ".join(spec.models.adapters) or "none yet"
            yield (
                ("factors", name),
                f"found {name!r}{nearest(name, spec.models.adapters)}, expected an adapter: {listed}",
            )


def _forgetting_mistakes(spec: WorkspaceSpec) -> Iterable[tuple[Key, str]]:
    if spec.forgetting is None:
        return
    for key in ("general", "domain"):
        name = getattr(spec.forgetting, key)
        if name not in spec.tasks:
            yield (
                ("forgetting", key),
                f"found {name!r}{nearest(name, spec.tasks)}, expected a task: {', '.join(spec.tasks) or 'none yet'}",
            )
            continue
        task = spec.tasks[name]
        if not task.metrics:
            yield (
                ("forgetting", key),
                f"found {name!r}, a task without metrics; name at least one under tasks.{name}.metrics",
            )
        elif key == "general" and task.kind != "likelihood":
            yield (
                ("forgetting", key),
                f"found {name!r}, a {task.kind} task; expected one of kind likelihood: what is forgotten shows in how likely general "
                "text is",
            )
        elif key == "general" and task.template != "none":
            yield (
                ("forgetting", key),
                f"found {name!r}, whose texts stand in the chat template; general text is scored as it is: set "
                f"tasks.{name}.template to none",
            )
    if spec.forgetting.general == spec.forgetting.domain:
        yield (
            ("forgetting", "domain"),
            f"found {spec.forgetting.domain!r}, which is the general task too; expected another task",
        )
