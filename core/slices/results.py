"""What is known of a run's slices: which there are, and where the variants differ most. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.metrics.metric import Unit
from core.results import Difference, Value

SliceKind = Literal["tag", "language", "label", "group", "field", "length"]
RULE = (
    "by the p-value of the contrast (the difference inside the slice minus the difference in the rest), smallest first; "
    "slices without one come last, by the size of the difference"
)
"""How `SliceTable.rows` are ranked, as a sentence's end."""


@dataclass(frozen=True)
class Slice:
    """A part of the examples of a dataset."""

    name: str
    """What the pages' URL carries: ``category=billing``, ``prompt length: 4th quarter (212-480 characters)``."""
    dimension: str
    """``category``, ``language``, ``prompt length``: slices of one dimension do not overlap."""
    kind: SliceKind
    dataset: str
    n: int
    """Examples inside; an example that several tasks ask about is one."""
    of: int
    """Examples of the dataset."""


@dataclass(frozen=True)
class SliceRow:
    """One metric of one variant on one slice, against the reference and against the rest of the examples."""

    slice: Slice
    task: str
    metric: str
    label: str
    part: str | None
    """The label, of a metric that has a row for each."""
    unit: Unit
    higher_is_better: bool
    direction_free: bool
    variant: str
    value: Value
    """Of the variant inside the slice."""
    reference_value: Value
    difference: Difference
    """Inside the slice: variant minus reference; ``verdict`` by the adjusted p of this table's family."""
    rest: Difference
    """The same over the task's other examples; without p and verdict, since nothing is asked of it."""
    contrast: Difference
    """``difference`` minus ``rest``: does the effect differ inside and outside? Its ``verdict`` is ``better`` where the variant
    gains more (or loses less) inside than outside, by the adjusted p."""

    @property
    def key(self) -> str:
        """``task/metric`` or ``task/metric[label]``: that of the `core.results.MetricRow` of the same metric."""
        return f"{self.task}/{self.metric}" + (f"[{self.part}]" if self.part else "")


@dataclass(frozen=True)
class SliceTable:
    """Every slice x metric x variant that was tried, ranked."""

    run_id: str
    reference: str
    level: float
    slices: tuple[Slice, ...]
    rows: tuple[SliceRow, ...]
    """Ranked by `RULE`."""
    n_tests: int
    """How many p-values Benjamini and Hochberg's correction is over: differences and contrasts of all rows."""
    rule: str = RULE

    def of(self, key: str | None = None, variant: str | None = None) -> tuple[SliceRow, ...]:
        """Return the rows of one metric (`SliceRow.key`) or one variant alone, ranking and correction as they are."""
        return tuple(
            row for row in self.rows if (key is None or row.key == key) and (variant is None or row.variant == variant)
        )
