"""What merging an adapter moves in a run's metrics, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from core.merge_metrics import MergeMetric
from core.notation import UNIT_NAMES, difference_texts


def metrics_sentence(found: Sequence[MergeMetric]) -> str:
    """Return for each merged model on which metric most examples flip, and by how much it moves; empty where nothing was answered."""
    models = dict.fromkeys(one.model for one in found if one.model.startswith("merged"))
    told = [_model(model, [one for one in found if one.model == model]) for model in models]
    sentence = "; ".join(told)
    return f"{sentence[:1].upper()}{sentence[1:]}." if told else ""


def _model(model: str, found: Sequence[MergeMetric]) -> str:
    precision = f"in {model.partition(', ')[2]}"
    judged = [one for one in found if one.flips is not None]
    if not judged:
        return f"{precision} no metric judges single examples"
    most = max(judged, key=lambda one: (one.flips or 0) / max(1, one.flips_of))
    if not most.flips:
        on = judged[0].label if len(judged) == 1 else f"any of {len(judged)} metrics"
        return f"{precision} no example flips on {on}"
    amount, interval = difference_texts(most.difference, most.unit)
    unit = "points" if most.unit == "share" else UNIT_NAMES[most.unit]
    moved = " ".join(part for part in (amount, unit, interval) if part)
    flips = f"{most.flips:,} of {most.flips_of:,} examples flip"
    return f"{precision} most examples flip on {most.label} ({most.task}): {flips}, {moved}"
