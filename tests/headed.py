"""A tiny workspace in which classification heads stand beside causal variants, and a finished run of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tiny import make_workspace
from tests.tiny_heads import make_head_adapter, make_head_checkpoint

LABELS = ("red", "blue", "green")


def make_headed_workspace(folder: Path, *, n: int = 12) -> Path:
    """Write it: an adapter that classifies, one that gives a number, and a checkpoint that gives any number of labels."""
    make_workspace(folder, n=n, adapters=1)
    make_head_adapter(folder / "base", folder / "adapters" / "judge", 3)
    make_head_adapter(folder / "base", folder / "adapters" / "meter", 1)
    make_head_checkpoint(folder / "base", folder / "tagger", LABELS, problem_type="multi_label_classification")
    path = folder / "workspace.yaml"
    text = path.read_text()
    text = text.replace(
        "datasets:",
        "    judge: {path: adapters/judge, head: {labels: [Blue, Green, Red]}}\n"
        "    meter: {path: adapters/meter}\n"
        "  checkpoints: {tagger: {path: tagger, head: {text: '{text}'}}}\n"
        "datasets:",
        1,
    )
    for name, metrics in {"level": "[mse, mae]", "marks": "[jaccard_micro]", "docs": "[mrr]"}.items():
        text = text.replace(f"  {name}: {{dataset: data,", f"  {name}: {{dataset: data, metrics: {metrics},", 1)
    path.write_text(text)
    return folder


def rows(folder: Path) -> list[dict]:
    """Return the dataset's rows."""
    return [json.loads(line) for line in (folder / "data.jsonl").read_text().splitlines()]
