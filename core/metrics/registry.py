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
            for metric in member.instances():
                if metric.name in found:
                    raise RuntimeError(
                        f"two metrics are named {metric.name!r}: {member} and {type(found[metric.name])}"
                    )
                found[metric.name] = metric
    return MappingProxyType(found)


@cache
def _with_parameter(name: str) -> Metric | None:
    classes = dict.fromkeys(type(metric) for metric in all_metrics().values())
    return next((metric for metric in (some.parse(name) for some in classes) if metric is not None), None)


def find_metric(name: str) -> Metric | None:
    """Return the metric of this name, one with a parameter of the caller's (``ndcg_at_7``) included; else None."""
    return all_metrics().get(name) or _with_parameter(name)


def get_metric(name: str) -> Metric:
    """Return the metric of this name.

    Raises:
        InputError: there is none; the message says the nearest name and lists those that there are.
    """
    found = find_metric(name)
    if found is None:
        metrics = all_metrics()
        raise InputError(f"unknown metric {name!r}{nearest(name, metrics)}; the metrics are {', '.join(metrics)}")
    return found


def metrics_for(kind: str) -> tuple[Metric, ...]:
    """Return the metrics that apply to tasks of this kind."""
    return tuple(metric for metric in all_metrics().values() if kind in metric.kinds)
