"""A comparison as tables of plain numbers, for CSV: in the metric's own unit, unrounded."""

from __future__ import annotations

import pandas as pd

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
