"""Results and examples as tables of plain numbers, for CSV: in the metric's own unit, unrounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from core.example_aggregates import Aggregate
from core.examples import ExampleTable, Selection
from core.gains import GainStrip
from core.results import Comparison


def comparison_table(comparison: Comparison) -> pd.DataFrame:
    """Return one row for each metric and variant, with value, interval, difference, p-values, n and how they were made."""
    rows = []
    for row in comparison.rows:
        for variant in comparison.variants:
            value, difference = row.values.get(variant), row.differences.get(variant)
            if value is None:
                continue
            rows.append({
                "task": row.task, "metric": row.metric, "label": row.label, "language": row.language, "unit": row.unit,
                "higher_is_better": row.higher_is_better, "primary": row.primary, "variant": variant,
                "value": value.value, "low": value.low, "high": value.high, "n": value.n, "n_missing": value.n_missing,
                "reference": comparison.reference,
                "difference": difference.difference if difference else None,
                "difference_low": difference.low if difference else None,
                "difference_high": difference.high if difference else None,
                "p": difference.p if difference else None, "p_adjusted": difference.p_adjusted if difference else None,
                "verdict": difference.verdict if difference else None,
                "level": comparison.level, "signature": value.signature, "value_method": value.method,
                "difference_method": difference.method if difference else None,
                "reason": value.reason or (difference.reason if difference else None),
            })  # fmt: skip
    return pd.DataFrame(rows)


def verdict_table(comparison: Comparison) -> pd.DataFrame:
    """Return one row a metric and one column a variant, holding the verdict."""
    names = [name for name in comparison.variants if name != comparison.reference]
    return pd.DataFrame([
        {"task": row.task, "metric": row.label, "language": row.language}
        | {name: row.differences[name].verdict if name in row.differences else None for name in names}
        for row in comparison.rows
    ])  # fmt: skip


def examples_table(table: ExampleTable, selection: Selection, scores: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row for each example of a selection, in its order: id, tags, each variant's score, difference, outcome.

    Args:
        table: the task's examples.
        selection: which of them.
        scores: rows as the table, columns variants; None for a task without metric, which leaves ids and tags.
    """
    positions = selection.positions
    first, last = (np.searchsorted(table.tag_at, positions + step) for step in (0, 1))
    tags = [
        "; ".join(table.tag_names[number] for number in table.tag_of[start:end])
        for start, end in zip(first, last, strict=True)
    ]
    made = pd.DataFrame({"example_id": [str(table.ids[at]) for at in positions], "tags": tags})
    if scores is None:
        return made
    for variant in scores:
        made[f"score of {variant}"] = scores[variant].to_numpy()[positions]
    return made.assign(difference=selection.difference[positions], outcome=selection.outcome[positions])


def aggregates_table(found: Sequence[Aggregate]) -> pd.DataFrame:
    """Return one row a variant: n, mean of the examples' own values, mean output length, most frequent labels."""
    rows = [
        asdict(each) | {"labels": "; ".join(f"{label} {count}" for label, count in each.labels) or None}
        for each in found
    ]
    return pd.DataFrame(rows, columns=["variant", "n", "mean", "mean_length", "labels"])


def gains_table(strip: GainStrip) -> pd.DataFrame:
    """Return one row for each piece of a reference text, in order; the end of the turn is the one without text."""
    return pd.DataFrame([asdict(gain) for gain in strip.gains])
