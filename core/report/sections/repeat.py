"""All that is needed to make the run again: the spec, commands, versions, seeds, and the hashes of everything that was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.joined.results import joined_facts
from core.report.document import Cell, Section, Table
from core.report.model_index import model_index_yaml
from core.report.scene import Scene
from core.spec import WorkspaceSpec
from core.workspace import workspace_yaml

_KINDS = {
    "datasets": "data set", "base": "base model", "model_configs": "model's config", "adapters": "adapter",
    "adapter_configs": "adapter's config", "checkpoints": "checkpoint",
}  # fmt: skip
_PLAIN = ("device", "dtype", "batch_tokens", "plan", "tokenizer", "git", "platform", "python", "lorascope")
_LABELS = {
    "dtype": "precision", "batch_tokens": "tokens a batch", "plan": "plan of batches (SHA-256)", "tokenizer": "tokenizer (SHA-256)",
    "git": "workspace's git revision",
}  # fmt: skip


def repeat(scene: Scene) -> Section:
    """Return the section."""
    spec, environment = scene.run.spec, scene.environment
    told = (f"Run {scene.run.id}, started {spec.created}. Statistics: seed {scene.comparison.seed}, {scene.comparison.resamples:,} "
            f"resamples, {scene.comparison.trials:,} exchanges.")  # fmt: skip
    blocks = [("Commands", _commands(scene))]
    if not spec.models.imported:
        blocks.append(("workspace.yaml", _workspace_text(scene)))
        card = "" if scene.variant is None else model_index_yaml(scene.run, scene.comparison, scene.variant)
        blocks += [(f"model-index for the model card of {scene.variant}", card)] if card else []
    return Section("repeat", (told,), tables=tuple(_tables(environment)), blocks=tuple(blocks))


def _commands(scene: Scene) -> str:
    spec, joined = scene.run.spec, joined_facts(scene.run)
    against = "" if scene.comparison.reference == spec.reference else f" --reference {scene.comparison.reference}"
    runs = scene.run.id if joined is None else " --join ".join(joined.runs)
    lines = [
        f"lorascope compare {runs} --slices{against}",
        f"lorascope report {runs}{against} -o report.html",
    ]
    if not spec.models.imported:
        lines.insert(0, "lorascope evaluate --workspace .")
    return "\n".join(lines)


def _workspace_text(scene: Scene) -> str:
    spec = scene.run.spec
    whole = WorkspaceSpec(
        models=spec.models, datasets=spec.datasets, tasks=spec.clean_tasks, settings=spec.settings,
        composites=spec.composites, forgetting=spec.forgetting,
    )  # fmt: skip
    return workspace_yaml(whole)


def _tables(environment: Mapping[str, Any]) -> list[Table]:
    facts = [(_LABELS.get(name, name), str(environment[name])) for name in _PLAIN if environment.get(name) is not None]
    facts += [(name, str(found)) for name, found in (environment.get("versions") or {}).items() if found]
    hashes = []
    for kind, found in (environment.get("hashes") or {}).items():
        several = found if isinstance(found, Mapping) else {"": found}
        hashes += [(_KINDS.get(kind, kind), str(name), str(value)) for name, value in several.items() if value]
    tables = []
    if facts:
        tables.append(_table("environment", "Made with", ("What", "Value"), facts))
    if hashes:
        tables.append(_table("hashes", "Hashes (SHA-256)", ("What", "Name", "Hash"), hashes))
    return tables


def _table(name: str, title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    lines = tuple(tuple(Cell(text) for text in row) for row in rows)
    return Table(name, title, head, lines, pd.DataFrame(rows, columns=list(head)), n_text=len(head))
