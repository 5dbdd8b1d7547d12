"""Composites: a user's weighted score over any metrics, declared in workspace.yaml, with its interval like any metric."""

from core.composite.check import composite_mistakes
from core.composite.measured import composites
from core.composite.results import CompositePart, CompositeResult, WeightChange, WeightDependence

__all__ = [
    "CompositePart",
    "CompositeResult",
    "WeightChange",
    "WeightDependence",
    "composite_mistakes",
    "composites",
]
