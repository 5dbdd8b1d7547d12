"""What is known of a user's composites: their parts, their values, and how far a ranking depends on the weights. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from core.metrics.metric import Unit
from core.results import MetricRow, Value


@dataclass(frozen=True)
class CompositePart:
    """One metric of a composite."""

    key: str
    """``task/metric``."""
    label: str
    unit: Unit
    weight: float
    """As declared."""
    share: float
    """Of the sum of all weights, 0-1."""
    worst: float
    """The metric's value that counts as 0."""
    best: float
    """The metric's value that counts as 1."""
    declared_scale: bool
    """Whether ``worst`` and ``best`` were declared; else they are the metric's bounds."""
    values: dict[str, Value]
    """The metric's own value for each variant, without an interval (the comparison has it)."""
    scaled: dict[str, float | None]
    """The value mapped to 0-1 (beyond the scale counts as its end); None where there is no value."""


@dataclass(frozen=True)
class WeightChange:
    """The smallest change of one weight after which another variant is first, all other weights as they are."""

    key: str
    """Whose weight."""
    weight: float
    """The weight at which the two are level; 0 is the metric left out."""
    declared: float
    """The weight now."""
    first: str
    """Who is first beyond it."""


@dataclass(frozen=True)
class WeightDependence:
    """How far it depends on the weights which variant is first. Of the values as they are: their uncertainty is another matter."""

    first: str
    """Under the declared weights; the earlier in workspace order where several are level."""
    around: dict[str, float]
    """For each variant the share of weightings near the declared ones (Dirichlet with their shares as means) under which it is first."""
    anywhere: dict[str, float]
    """The same over all weightings alike (uniform Dirichlet)."""
    concentration: float
    """Of the Dirichlet distribution around the declared weights: the sum of its parameters."""
    draws: int
    seed: int
    change: WeightChange | None
    """None where no change of a single weight puts another variant first."""


@dataclass(frozen=True)
class CompositeResult:
    """One composite over all variants."""

    name: str
    row: MetricRow
    """Value, interval, difference and p as of any metric: ``task`` is "composite", ``family`` "composite", unit "share", the
    key ``composite/NAME``. A value is None where a part has none, with the reason. Its p-values are corrected for all
    composites x variants (Benjamini and Hochberg)."""
    parts: tuple[CompositePart, ...]
    dependence: WeightDependence | None
    """None where fewer than two variants have a value."""
