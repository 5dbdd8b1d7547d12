"""Made-up sweeps: adapters as files with the settings that a test plants, and a run whose answers a test plants too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core.records import BASELINE
from core.store import Run
from core.workspace import Workspace, load_workspace
from tests.core import mini
from tests.core.adapters.made import made_adapter

TASK = "t"
Recipe = Mapping[str, Any]
"""``rank``, ``config`` (keys of adapter_config.json) and any other setting, which goes into training_args.yaml."""


def write_adapter(folder: Path, recipe: Recipe, number: int) -> Path:
    """Write one adapter; tensors differ from adapter to adapter, as of trainings of their own."""
    arguments = {name: value for name, value in recipe.items() if name not in ("rank", "config")}
    made_adapter(folder, rank=recipe.get("rank", 8), seed=number, **recipe.get("config", {}))
    if arguments:
        (folder / "training_args.yaml").write_text(yaml.safe_dump(arguments), encoding="utf-8")
    return folder


def sweep(
    folder: Path,
    recipes: Mapping[str, Recipe],
    right: Mapping[str, np.ndarray],
    factors: Mapping[str, Any] | None = None,
) -> tuple[Run, Workspace]:
    """Write a workspace with adapters and a run of a classification task.

    Args:
        folder: of the workspace, not there yet.
        recipes: by adapter.
        right: by adapter: bool (n,), which examples it has right; the baseline gets those of none.
        factors: what the user states in the workspace.
    """
    for number, (name, recipe) in enumerate(recipes.items()):
        write_adapter(folder / "adapters" / name, recipe, number)
    n = len(next(iter(right.values())))
    tasks = {TASK: mini.task(metrics=("accuracy", "f1_macro"), primary=("accuracy",))}
    spec = mini.spec(tasks, list(recipes), family=(f"{TASK}/accuracy",))
    examples = [mini.example(TASK, k, mini.LABELS[k % 3]) for k in range(n)]
    by_variant = {BASELINE: np.zeros(n, dtype=bool), **right}
    evidence = [
        mini.chosen(TASK, variant, k, mini.LABELS[(k + (0 if hit else 1)) % 3])
        for variant, given in by_variant.items()
        for k, hit in enumerate(given)
    ]
    run = mini.write(folder / "runs" / "mini", spec, examples, evidence)
    content = {
        "models": {"base": {"path": "base"}, "adapters": {name: {"path": f"adapters/{name}"} for name in recipes}},
        "datasets": {"data": {"path": "data.jsonl"}},
        "tasks": {TASK: tasks[TASK].model_dump(mode="json", exclude_defaults=True)},
    }
    if factors:
        content["factors"] = dict(factors)
    (folder / "workspace.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return run, load_workspace(folder)


def answers(
    rng: np.random.Generator, names: Iterable[str], shares: Sequence[float], difficulty: np.ndarray
) -> dict[str, np.ndarray]:
    """Return `hits` by adapter."""
    return dict(zip(names, hits(rng, shares, difficulty), strict=True))


def hits(rng: np.random.Generator, shares: Sequence[float], difficulty: np.ndarray) -> list[np.ndarray]:
    """Return which examples adapters have right, a share of each given: hard examples are hard for all of them.

    Args:
        rng: of what is each adapter's own.
        shares: between 0 and 1.
        difficulty: (n,) uniform on 0 to 1.
    """
    noise = rng.uniform(size=(len(shares), len(difficulty)))
    return [0.5 * (one + difficulty) < _quantile(share) for one, share in zip(noise, shares, strict=True)]


def _quantile(share: float) -> float:
    """Return below what the mean of two uniform numbers lies with this probability."""
    return (share / 2) ** 0.5 if share < 0.5 else 1 - ((1 - share) / 2) ** 0.5
