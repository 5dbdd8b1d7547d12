"""What an estimator works on, and what each of them answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from core.draws import Scheme
from core.metrics.metric import Metric
from core.panels import Panel
from core.resampler import Resampler

FEW_CLUSTERS = 20
"""Under so many clusters a bootstrap is too narrow: Student's t on clusters - 1 degrees of freedom takes its place."""

ROUNDING = 1e-9
"""Relative to a value: a spread up to this is rounding, and no spread at all."""
UNMOVED = "none: no example moves the value"
"""Of influences; `core.estimators.drawn.SAME` says it of resamples."""


@dataclass(frozen=True)
class Bounds:
    """An interval, how it was made, and the standard error behind it where one is known."""

    low: float | None
    high: float | None
    method: str
    error: float | None = None


@dataclass(frozen=True)
class Setting:
    """What an estimator works on."""

    panel: Panel
    reference: str
    resampler: Resampler
    level: float

    @property
    def metric(self) -> Metric:
        """The panel's metric."""
        return self.panel.metric

    @property
    def others(self) -> list[str]:
        """Every variant but the reference."""
        return [variant for variant in self.panel.statistics if variant != self.reference]

    @cached_property
    def pairs(self) -> dict[str, np.ndarray]:
        """The examples that a variant and the reference both have, bool (n,), by variant."""
        base = self.panel.present(self.reference)
        return {variant: self.panel.present(variant) & base for variant in self.others}

    @property
    def clusters(self) -> bool:
        """Whether examples have groups."""
        return self.resampler.groups is not None

    @property
    def scheme(self) -> Scheme:
        """What is drawn or exchanged as a whole."""
        return self.resampler.scheme(self.panel.resampling)

    def incomparable(self, variant: str) -> str | None:
        """Return why a variant's statistics must not be compared with the reference's; None where they may be."""
        return self.metric.incomparable(*(self.panel.statistics[name] for name in (variant, self.reference)))

    def codes(self, mask: np.ndarray) -> np.ndarray | None:
        """Return the unit of each example in ``mask``; None where examples are independent."""
        return None if self.scheme == "examples" else self.resampler.codes_of(self.panel.resampling)[mask]


class Estimator(Protocol):
    """Intervals and tests of one panel."""

    def interval(self, variant: str, mask: np.ndarray, value: float) -> Bounds:
        """Return the interval of a variant's value over the examples in ``mask``."""
        ...

    def difference(self, variant: str, difference: float) -> Bounds:
        """Return the interval of a variant's difference to the reference over their pairs."""
        ...

    def test(self, variant: str, difference: float) -> tuple[float | None, str]:
        """Return the p-value of that difference and the name of the test."""
        ...
