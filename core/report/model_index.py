"""The ``model-index`` block of a model card: the results of one variant, to paste between the dashes at the top of README.md.

The format is the Hub's (huggingface.co/docs/hub/model-cards, "Specify a model's evaluation results", and
``huggingface_hub.EvalResult``): a list of results, each with task, dataset and metrics.
"""

from __future__ import annotations

from typing import Any

import yaml

from core.errors import InputError, nearest
from core.records import Kind
from core.results import Comparison, MetricRow
from core.store import Run

_HUB_TASKS: dict[Kind, tuple[str, str]] = {
    "generation": ("text-generation", "Text generation"),
    "likelihood": ("text-generation", "Text generation"),
    "classification": ("text-classification", "Text classification"),
    "multilabel": ("text-classification", "Text classification"),
    "medical": ("text-classification", "Text classification"),
    "regression": ("text-classification", "Text scoring"),
    "ranking": ("text-ranking", "Text ranking"),
    "finance": ("time-series-forecasting", "Time series forecasting"),
    "vision": ("object-detection", "Object detection"),
}
"""The Hub's task ids; it has none for reading a number out of a text, which is scored as a classification of it here."""


def model_index_yaml(run: Run, comparison: Comparison, variant: str) -> str:
    """Return the block of one variant as YAML, with its primary metrics; empty where none has a value.

    Values are in the metric's own unit (shares 0-1), as the Hub's leaderboards expect; interval, n and the baseline's value stand in
    ``args``.

    Raises:
        InputError: the run has no such variant.
    """
    if variant not in comparison.variants:
        known = ", ".join(comparison.variants)
        raise InputError(
            f"run {run.id}: no variant {variant!r}{nearest(variant, comparison.variants)}; it has {known}."
        )
    results = [found for task in run.spec.clean_tasks if (found := _result(run, comparison, variant, task))]
    if not results:
        return ""
    content = {"model-index": [{"name": variant, "results": results}]}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _result(run: Run, comparison: Comparison, variant: str, task: str) -> dict[str, Any] | None:
    rows = [
        row
        for row in comparison.rows
        if row.task == task and row.language is None and row.values[variant].value is not None
    ]
    rows = [row for row in rows if row.primary] or [row for row in rows if row.part is None]
    if not rows:
        return None
    spec = run.spec.tasks[task]
    kind, name = _HUB_TASKS[spec.kind]
    hashes = ((run.read_json("environment") or {}).get("hashes") or {}).get("datasets") or {}
    dataset: dict[str, Any] = {"name": spec.dataset, "type": spec.dataset}
    if found := hashes.get(spec.dataset):
        dataset["args"] = {"sha256": found}
    return {
        "task": {"type": kind, "name": f"{name}: {task}"},
        "dataset": dataset,
        "metrics": [_metric(row, comparison, variant) for row in rows],
    }


def _metric(row: MetricRow, comparison: Comparison, variant: str) -> dict[str, Any]:
    value, base = row.values[variant], row.values.get(comparison.reference)
    facts = {
        "low": value.low, "high": value.high, "level": comparison.level if value.low is not None else None, "n": value.n,
        comparison.reference: base.value if base is not None and variant != comparison.reference else None,
    }  # fmt: skip
    name = row.label + (f" ({row.part})" if row.part else "")
    return {
        "type": row.metric, "value": value.value, "name": name,
        "args": {key: number for key, number in facts.items() if number is not None},
    }  # fmt: skip
