"""Finds the metrics: every concrete `Metric` defined in a module of this package. Adding a metric is adding a file."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

import core.metrics
from core.errors import InputError, nearest
from core.metrics.metric import Metric


@cache
def all_metrics() -> Mapping[str, Metric]:
    """Return every metric by its name, in the order of module and definition.

    Raises:
        RuntimeError: two metrics have the same name.
    """
    found: dict[str, Metric] = {}
    for module_info in pkgutil.iter_modules(core.metrics.__path__):
        module = import_module(f"core.metrics.{module_info.name}")
        for member in vars(module).values():
            if not inspect.isclass(member) or not issubclass(member, Metric) or inspect.isabstract(member):
                continue
            if member.__module__ != module.__name__:
                continue
            if member.name in found:
                raise RuntimeError(f"two metrics are named {member.name!r}: {member} and {type(found[member.name])}")
            found[member.name] = member()
    return MappingProxyType(found)


def get_metric(name: str) -> Metric:
    """Return the metric of this name.

    Raises:
        InputError: there is none; the message says the nearest name and lists those that there are.
    """
    metrics = all_metrics()
    if name not in metrics:
        raise InputError(f"unknown metric {name!r}{nearest(name, metrics)}; the metrics are {', '.join(metrics)}")
    return metrics[name]


def metrics_for(kind: str) -> tuple[Metric, ...]:
    """Return the metrics that apply to tasks of this kind."""
    return tuple(metric for metric in all_metrics().values() if kind in metric.kinds)
