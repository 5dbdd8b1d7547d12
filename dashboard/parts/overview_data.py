"""What the overview says, gathered from a comparison, the probe and the pre-flight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.charts.cost import CostPoint
from core.metrics.efficiency import Efficiency
from core.notation import in_shown_unit
from core.pareto import FrontCertainty
from core.results import Comparison, MetricRow
from core.store import Run
from core.wording.verdicts import Card, cards_of
from dashboard import cache, result_cache

COSTS = {
    "ms a token": "time", "s an answer, median": "latency_p50", "MB of weights": "weights", "MB of peak memory": "memory",
    "s of training": "training_time",
}  # fmt: skip
"""What a variant can cost, as the page calls it."""
_TIMES = {"time": "tokens_per_second", "latency_p50": "latency_p50"}
"""Figures of the probe, which are resampled over its repeats."""


def efficiency(run: Run, comparison: Comparison) -> dict[str, Efficiency]:
    """Return what each variant costs by the run's probe; empty without one."""
    return cache.efficiency(run, comparison.reference, comparison.level, comparison.seed)


def preflight(run: Run) -> dict[str, dict[str, Any]]:
    """Return what the pre-flight found of each adapter."""
    return dict((run.read_json("preflight") or {}).get("variants") or {})


def cards(run: Run, comparison: Comparison) -> list[Card]:
    """Return one card for each variant but the reference, in workspace order."""
    return cards_of(comparison, efficiency(run, comparison), preflight(run))


def known_costs(run: Run, comparison: Comparison) -> tuple[list[str], list[str]]:
    """Return the `COSTS` that a variant other than the run's reference is known to have, and why the others are missing.

    Args:
        run: the run.
        comparison: of the run.

    Returns:
        Names, in the order of `COSTS`, and sentences.
    """
    measured = efficiency(run, comparison)
    names = [name for name in comparison.variants if name != run.spec.reference] or list(comparison.variants)
    known = [cost for cost in COSTS if any(_price(run, comparison, name, cost) is not None for name in names)]
    missing = []
    if not measured:
        reason = (
            "its probe of speed was switched off"
            if not run.spec.settings.probe
            else "its probe of speed has no measurement yet: it comes at the end of a run"
        )
        missing.append(f"Time and memory of this run are not known: {reason}.")
    elif "MB of peak memory" not in known:
        missing.append("Peak memory is not known: the probe could not measure it on its device.")
    if "MB of weights" not in known:
        missing.append("The weights' size is not known: the run has no pre-flight of an adapter.")
    return known, missing


def cost_points(run: Run, comparison: Comparison, row: MetricRow, cost: str) -> list[CostPoint]:
    """Return quality and cost of every variant that has both.

    Args:
        run: the run.
        comparison: of the run.
        row: the metric that stands for quality.
        cost: one of `COSTS`.
    """
    points = []
    for name in comparison.variants:
        value = row.values.get(name)
        price = _price(run, comparison, name, cost)
        if value is None or value.value is None or price is None:
            continue
        low, high = (None if x is None else in_shown_unit(x, row.unit) for x in (value.low, value.high))
        points.append(CostPoint(name, in_shown_unit(value.value, row.unit), low, high, price))
    return points


def is_time(cost: str) -> bool:
    """Tell whether one of `COSTS` is a time of the probe, which is resampled over its repeats."""
    return COSTS[cost] in _TIMES


def with_certainty(
    run: Run, points: Sequence[CostPoint], row: MetricRow, cost: str, part: str | None
) -> tuple[list[CostPoint], FrontCertainty | None]:
    """Return the points with how surely each is on the front, and over how many examples; as they are where that is not known.

    Args:
        run: the run.
        points: of `cost_points`.
        row: the metric that stands for quality.
        cost: one of `COSTS`; a time is resampled with the quality.
        part: the slice; None is all examples.
    """
    found = result_cache.front(
        run, row, tuple((point.variant, point.cost) for point in points), _TIMES.get(COSTS[cost]), part
    )
    shares = {} if found is None else found.shares
    return [replace(point, certainty=shares.get(point.variant)) for point in points], found


def _price(run: Run, comparison: Comparison, name: str, cost: str) -> float | None:
    kind = COSTS[cost]
    if kind == "weights":
        n_bytes = preflight(run).get(name, {}).get("adapter_bytes")
        return 0.0 if name == run.spec.reference and n_bytes is None else None if n_bytes is None else n_bytes / 1e6
    if kind == "training_time":
        row = next((row for row in comparison.efficiency if row.metric == kind), None)
        value = None if row is None or name not in row.values else row.values[name].value
        return 0.0 if name == run.spec.reference and value is None else value
    measured = efficiency(run, comparison)
    if name not in measured:
        return None
    if kind == "memory":
        peak = measured[name].peak_bytes
        return None if peak is None else peak / 1e6
    if kind == "latency_p50":
        return measured[name].latency_p50.value
    speed = measured[name].tokens_per_second.value
    return 1000 / speed if speed > 0 else None
