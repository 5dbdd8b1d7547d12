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
    direction_free: bool = False
    """Whether neither more nor less is better; differences then have no verdict."""
    caution: str = ""
    """What a reader has to know of the number or its interval (a bootstrap that is biased upward, say)."""

    @property
    def is_detail(self) -> bool:
        """Whether it is one language or one label of a metric rather than the metric itself."""
        return self.language is not None or self.part is not None

    @property
    def key(self) -> str:
        """``task/metric``, ``task/metric[language]`` or ``task/metric[label]``: unique in a comparison."""
        inner = self.language or self.part
        return f"{self.task}/{self.metric}" + (f"[{inner}]" if inner else "")


@dataclass(frozen=True)
class RobustnessRow:
    """One metric of one task under one perturbation of its inputs, for every variant, paired with the clean run."""

    task: str
    """The clean task."""
    perturbation: str
    """Its name, as in the task's ``robustness``."""
    perturbation_label: str
    perturbation_family: str | None
    """``noise``, ``outliers`` or ``adversarial``; None for a perturbation that this version does not know."""
    metric: str
    label: str
    unit: Unit
    higher_is_better: bool
    """Of the metric; a drop above zero is worse either way."""
    direction_free: bool
    """Whether neither more nor less is better; a drop, clean minus perturbed, then has no verdict."""
    part: str | None
    """The label, of a metric that has a row for each."""
    n_changed: int
    """Examples whose input the perturbation changed at all; the others are part of every number."""
    clean: dict[str, Value]
    perturbed: dict[str, Value]
    """Of the worst of k copies, where there are copies."""
    drops: dict[str, Difference]
    """For each variant how much worse its perturbed value is than its clean one: above zero is worse. Over the examples that
    have both; verdict ``worse`` where it is more than noise."""
    differences: dict[str, Difference]
    """For every variant but the reference: its drop minus the reference's; above zero it loses more."""

    @property
    def key(self) -> str:
        """``task+perturbation/metric`` or ``task+perturbation/metric[label]``: unique in a comparison."""
        return f"{self.task}+{self.perturbation}/{self.metric}" + (f"[{self.part}]" if self.part else "")


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
    robustness: tuple[RobustnessRow, ...] = ()
    """Under each perturbation of inputs; their p-values are a family of their own, Benjamini and Hochberg's."""
    feedback: tuple[MetricRow, ...] = ()
    """How satisfied users are, a row for each task that has thumbs; their p-values are a family of their own too."""

    def row(self, key: str) -> MetricRow:
        """Return the row with this `MetricRow.key`; KeyError if there is none."""
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)
