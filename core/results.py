"""The result of a comparison: what pages, command line and reports show. Plain data, no arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.metrics.metric import Unit

Verdict = Literal["better", "worse", "same", "unclear", "none"]
"""``better`` and ``worse`` need an adjusted p below 1 - level; ``same`` a band declared beforehand that holds the interval;
``unclear`` cannot be told at this n; ``none`` there is nothing to compare (see ``reason``)."""


@dataclass(frozen=True)
class Value:
    """A metric's value for one variant. ``value`` is None with a ``reason``, never NaN."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Examples that have a value."""
    n_missing: int
    reason: str | None
    signature: str
    method: str
    """How the interval was made: ``Wilson``, ``bootstrap (10,000 resamples)``."""


@dataclass(frozen=True)
class Difference:
    """Variant minus reference, over the examples that both have."""

    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    n: int
    verdict: Verdict
    reason: str | None
    method: str
    """``mid-p McNemar, Tango interval``, ``sign-flip (25,000 draws), bootstrap``, ``swap test ...``."""
    detectable: float | None = None
    """The smallest true difference that so many examples would show four times out of five, at the level that the family's
    correction leaves to its hardest member; None where nothing can be said."""


@dataclass(frozen=True)
class MetricRow:
    """One metric of one task, for every variant."""

    task: str
    metric: str
    label: str
    family: str
    unit: Unit
    higher_is_better: bool
    primary: bool
    """Whether its p-values belong to the run's declared family."""
    language: str | None
    """Set on the rows that show one language of a metric apart."""
    values: dict[str, Value]
    differences: dict[str, Difference]
    """For every variant but the reference."""
    part: str | None = None
    """Set on the rows of a metric that has one for each label: the label."""

    @property
    def key(self) -> str:
        """``task/metric``, ``task/metric[language]`` or ``task/metric[label]``: unique in a comparison."""
        inner = self.language or self.part
        return f"{self.task}/{self.metric}" + (f"[{inner}]" if inner else "")


@dataclass(frozen=True)
class Comparison:
    """All metrics of a run, every variant against one reference."""

    run_id: str
    reference: str
    variants: tuple[str, ...]
    """In workspace order, the reference included."""
    rows: tuple[MetricRow, ...]
    level: float
    seed: int
    resamples: int
    trials: int
    family_size: int
    """How many p-values Holm's correction is over."""
    efficiency: tuple[MetricRow, ...] = ()
    """Speed and latency from the run's probe: without p-values, and in nobody's family."""

    def row(self, key: str) -> MetricRow:
        """Return the row with this `MetricRow.key`; KeyError if there is none."""
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)
