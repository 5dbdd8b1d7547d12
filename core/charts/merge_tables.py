"""What merging moves in a run's metrics, as a table for files and as texts for a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.merge_metrics import MergeMetric
from core.notation import decimals, difference_texts, in_shown_unit, number_text


def merge_metrics_records(found: Sequence[MergeMetric]) -> list[dict[str, Any]]:
    """Return each metric and pair of models by name, in the metric's own unit, unrounded."""
    return [
        {
            "task": one.task, "metric": one.metric, "label": one.label, "part": one.part, "unit": one.unit,
            "higher_is_better": one.higher_is_better, "model": one.model, "against": one.against, "value": one.value.value,
            "against_value": one.other.value, "difference": one.difference.difference, "low": one.difference.low,
            "high": one.difference.high, "n": one.difference.n, "flips": one.flips, "flips_of": one.flips_of, "level": one.level,
            "method": one.difference.method, "reason": one.difference.reason or one.value.reason or one.other.reason,
        }
        for one in found
    ]  # fmt: skip


def merge_metrics_table(found: Sequence[MergeMetric]) -> pd.DataFrame:
    """Return a row for each metric and pair of models, see `merge_metrics_records`."""
    return pd.DataFrame(merge_metrics_records(found))


def merge_metrics_rows(found: Sequence[MergeMetric]) -> list[tuple[str, ...]]:
    """Return metric, model, against, both values, difference, interval and flips as texts."""
    return [
        (metric_words(one), one.model, one.against, values_text(one), *difference_texts(one.difference, one.unit), flips_text(one))
        for one in found
    ]  # fmt: skip


def metric_words(one: MergeMetric) -> str:
    """Return task, metric and label: ``category: Accuracy``."""
    return f"{one.task}: {one.label}" + (f" ({one.part})" if one.part else "")


def values_text(one: MergeMetric) -> str:
    """Return the value before and after, ``71.0 → 70.4``, or why there is none."""
    before, after = one.other.value, one.value.value
    if before is None or after is None:
        return one.value.reason or one.other.reason or "–"
    shown = [in_shown_unit(number, one.unit) for number in (before, after)]
    places = decimals(shown, one.unit)
    return " → ".join(number_text(number, places) for number in shown)


def flips_text(one: MergeMetric) -> str:
    """Return how many examples flip, ``3 of 160``; a dash for a metric that single examples are not judged by."""
    return "–" if one.flips is None else f"{one.flips:,} of {one.flips_of:,}"
