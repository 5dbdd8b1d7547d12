"""Results and examples as tables of plain numbers, for CSV: in the metric's own unit, unrounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from core.data.profile.mask import RenderedExample
from core.example_aggregates import Aggregate
from core.examples import ExampleTable, Selection
from core.gains import GainStrip
from core.results import Comparison, RobustnessRow
from core.slices.results import SliceTable


def comparison_table(comparison: Comparison) -> pd.DataFrame:
    """Return one row for each metric and variant, with value, interval, difference, p-values, n and how they were made."""
    rows = []
    for row in comparison.rows:
        for variant in comparison.variants:
            value, difference = row.values.get(variant), row.differences.get(variant)
            if value is None:
                continue
            rows.append({
                "task": row.task, "metric": row.metric, "label": row.label, "family": row.family,
                "language": row.language, "part": row.part, "unit": row.unit,
                "higher_is_better": row.higher_is_better, "primary": row.primary, "variant": variant,
                "value": value.value, "low": value.low, "high": value.high, "n": value.n, "n_missing": value.n_missing,
                "reference": comparison.reference,
                "difference": difference.difference if difference else None,
                "difference_low": difference.low if difference else None,
                "difference_high": difference.high if difference else None,
                "p": difference.p if difference else None, "p_adjusted": difference.p_adjusted if difference else None,
                "n_pairs": difference.n if difference else None,
                "detectable": difference.detectable if difference else None,
                "verdict": difference.verdict if difference else None,
                "level": comparison.level, "signature": value.signature, "value_method": value.method,
                "difference_method": difference.method if difference else None,
                "reason": value.reason or (difference.reason if difference else None), "caution": row.caution,
            })  # fmt: skip
    return pd.DataFrame(rows)


def verdict_table(comparison: Comparison) -> pd.DataFrame:
    """Return one row a metric and one column a variant, holding the verdict."""
    names = [name for name in comparison.variants if name != comparison.reference]
    return pd.DataFrame([
        {"task": row.task, "metric": row.label, "language": row.language, "part": row.part}
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


def tokens_table(example: RenderedExample) -> pd.DataFrame:
    """Return one row for each token of a rendered row: id, text, role, whether it is special, and each mask that is defined."""
    table = pd.DataFrame([asdict(token) for token in example.tokens], columns=["id", "text", "special", "role"])
    for name, mask in example.masks.items():
        table[f"trained, {name}"] = mask.trained if mask.trained is not None else None
    return table


def robustness_table(comparison: Comparison, rows: Sequence[RobustnessRow]) -> pd.DataFrame:
    """Return one row for each perturbation and variant: clean and perturbed value, drop, and the drop minus the reference's."""
    made = []
    for row in rows:
        for variant, drop in row.drops.items():
            more = row.differences.get(variant)
            made.append({
                "task": row.task, "perturbation": row.perturbation, "family": row.perturbation_family, "metric": row.metric,
                "label": row.label, "part": row.part, "unit": row.unit, "higher_is_better": row.higher_is_better,
                "variant": variant, "clean": row.clean[variant].value, "perturbed": row.perturbed[variant].value,
                "drop": drop.difference, "drop_low": drop.low, "drop_high": drop.high, "p": drop.p,
                "p_adjusted": drop.p_adjusted, "verdict": drop.verdict, "n": drop.n, "n_changed": row.n_changed,
                "reference": comparison.reference, "more_than_reference": more.difference if more else None,
                "more_low": more.low if more else None, "more_high": more.high if more else None,
                "more_p": more.p if more else None, "more_p_adjusted": more.p_adjusted if more else None,
                "more_verdict": more.verdict if more else None, "level": comparison.level,
                "signature": row.perturbed[variant].signature, "method": drop.method,
                "reason": drop.reason or row.perturbed[variant].reason,
            })  # fmt: skip
    return pd.DataFrame(made)


def slices_table(table: SliceTable) -> pd.DataFrame:
    """Return one row for each slice, metric and variant that was tried, in the order of the ranking."""
    made = []
    for rank, row in enumerate(table.rows, start=1):
        inside, rest, contrast = row.difference, row.rest, row.contrast
        made.append({
            "rank": rank, "slice": row.slice.name, "kind": row.slice.kind, "dataset": row.slice.dataset, "n": row.slice.n,
            "of": row.slice.of, "task": row.task, "metric": row.metric, "label": row.label, "part": row.part, "unit": row.unit,
            "higher_is_better": row.higher_is_better, "variant": row.variant, "reference": table.reference,
            "value": row.value.value, "reference_value": row.reference_value.value, "difference": inside.difference,
            "difference_low": inside.low, "difference_high": inside.high, "p": inside.p, "p_adjusted": inside.p_adjusted,
            "n_pairs": inside.n, "rest": rest.difference, "rest_low": rest.low, "rest_high": rest.high,
            "contrast": contrast.difference, "contrast_low": contrast.low, "contrast_high": contrast.high,
            "contrast_p": contrast.p, "contrast_p_adjusted": contrast.p_adjusted, "contrast_verdict": contrast.verdict,
            "tests": table.n_tests, "level": table.level, "signature": row.value.signature, "method": contrast.method,
            "reason": contrast.reason or inside.reason,
        })  # fmt: skip
    return pd.DataFrame(made)
