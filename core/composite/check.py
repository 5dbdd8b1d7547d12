"""What makes a declared composite or its parts impossible, as sentences; and the scale on which a metric counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from core.errors import nearest
from core.metrics.metric import Metric
from core.metrics.registry import find_metric
from core.spec import CompositeSpec, TaskSpec

Key = tuple[str, ...]


def composite_mistakes(
    composite: CompositeSpec, tasks: Mapping[str, TaskSpec], own: Collection[str] = ()
) -> Iterable[tuple[Key, str]]:
    """Yield the key within the composite, and a sentence without its stop, for each mistake.

    Args:
        composite: as declared.
        tasks: of the workspace.
        own: names of the user's own metrics.
    """
    if not composite.weights:
        yield ("weights",), "found none, expected at least one task/metric with its weight"
    for key in composite.weights:
        if mistake := _part_mistake(key, composite, tasks, own):
            yield ("weights", key), mistake
    for key, scale in composite.scale.items():
        if key not in composite.weights:
            hint = nearest(key, composite.weights)
            yield (
                ("scale", key),
                f"found a scale for {key!r}{hint}, which has no weight; expected one of {_listed(composite.weights)}",
            )
        elif len(scale) != 2 or not all(map(math.isfinite, scale)) or scale[0] == scale[1]:
            shown = ", ".join(f"{one:g}" for one in scale)
            yield ("scale", key), f"found [{shown}], expected [worst, best]: two different numbers in the metric's unit"


def scale_of(metric: Metric, declared: tuple[float, ...] | None) -> tuple[float, float] | None:
    """Return the values that count as 0 and 1: as declared, or else the metric's bounds by its direction; None without."""
    if declared is not None:
        return declared[0], declared[1]
    low, high = metric.bounds
    if low is None or high is None:
        return None
    return (low, high) if metric.higher_is_better else (high, low)


def unfit(metric: Metric, task: TaskSpec) -> str | None:
    """Return why a metric cannot be part of a composite at all, as a sentence without its stop; None where it can."""
    if metric.by_label:
        return "has a value for each label; a composite is made of metrics with one value"
    if metric.direction_free:
        return "is neither better higher nor lower; a composite is made of metrics with a direction"
    if metric.resampling_for(task.kind) != "examples":
        return "is of a time series; a composite is made of metrics whose examples can be resampled"
    return None


def _part_mistake(
    key: str, composite: CompositeSpec, tasks: Mapping[str, TaskSpec], own: Collection[str]
) -> str | None:
    task, _, name = key.partition("/")
    computed = [f"{other}/{one}" for other, asked in tasks.items() for one in asked.metrics]
    if key not in computed:
        return f"found {key!r}{nearest(key, computed)}, expected task/metric of a task's metrics, one of {_listed(computed)}"
    metric = find_metric(name)
    if metric is None:
        return f"found {key!r}, a metric of your own; a composite is made of built-in metrics" if name in own else None
    if why := unfit(metric, tasks[task]):
        return f"found {key!r}, which {why}"
    if key not in composite.scale and scale_of(metric, None) is None:
        return f"found {key!r}, which has no best or worst value; state under `scale` which values count as 0 and 1: {key}: [worst, best]"
    return None


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "none"
