"""What adapters were trained with, and the outcome of a configuration: the words that every part of the analysis shares.

Values of the outcome are in the metric's own unit (`Outcome.unit`); `core.notation` writes them for people. What cannot be told
is None, or an empty tuple, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.metrics.metric import Unit

Level = str | int | float | bool | tuple[str, ...] | None
"""What a setting can be; None where no file says."""
Kind = Literal["adapters", "factor"]
"""``factor``: holds for trainings with other seeds too. ``adapters``: holds for these trained adapters alone."""
Spread = Literal["seeds", "two seeds", "one seed"]
"""What an interval covers: ``seeds``: seeds and examples together; ``two seeds``: no interval; ``one seed``: the examples alone,
"seed variance unknown"."""


@dataclass(frozen=True)
class Outcome:
    """The metric that is looked at."""

    key: str
    """``task/metric``."""
    task: str
    metric: str
    label: str
    unit: Unit
    higher_is_better: bool
    direction_free: bool
    primary: bool
    """Whether it is in the run's declared family."""


@dataclass(frozen=True)
class Cell:
    """One setting of one variant."""

    value: Level
    text: str
    """As people write it; "not known" where no file says."""
    source: str
    """The file that says so, "your override", or how it was worked out; empty where nothing says."""
    conflict: str = ""
    """A sentence where two files disagree."""


@dataclass(frozen=True)
class Column:
    """One column of the run table, or one constant under it."""

    name: str
    """The setting as PEFT or transformers call it today."""
    label: str
    """As people say it: ``rank``."""
    constant: Cell | None = None
    """Its one value where all variants share it."""
    derived: bool = False
    """Whether it follows from other columns (scale, steps), so that it is no choice of its own."""


@dataclass(frozen=True)
class FactorLevel:
    """One value that a factor takes."""

    text: str
    """``8``; of a tied factor ``8 + 16``."""
    dose: float | None
    """The number to draw it at, where the factor is numeric: of a tied factor its first member's."""
    values: tuple[Level, ...]
    """One for each member."""

    @property
    def known(self) -> bool:
        """Whether every member's value is."""
        return all(value is not None for value in self.values)


@dataclass(frozen=True)
class Factor:
    """One choice, or several that always moved together and cannot be told apart."""

    name: str
    """Unique in a table: the members joined by ``+``."""
    label: str
    """``rank + alpha``."""
    members: tuple[str, ...]
    """Names of settings; several where they are tied."""
    levels: tuple[FactorLevel, ...]
    """Two or more, rising where they are numbers; one that is not known comes last."""
    numeric: bool
    log: bool
    """Whether an axis of it is logarithmic (rank, alpha, data, steps, rate)."""

    @property
    def tied(self) -> bool:
        """Whether several settings always moved together."""
        return len(self.members) > 1


@dataclass(frozen=True)
class Dot:
    """One run's value of the outcome."""

    variant: str
    seed: Level
    value: float


@dataclass(frozen=True)
class Summary:
    """The outcome over the seeds of one configuration, or of several."""

    mean: float | None
    low: float | None
    high: float | None
    """None with two seeds."""
    spread: Spread | None
    """What the interval covers; None where there is no value."""
    n_runs: int
    seed_deviation: float | None
    """Standard deviation between seeds; None below two."""
    label: str
    """``3 seeds, interval over seeds and examples``, ``1 seed: seed variance unknown``."""
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Configuration:
    """Variants with the same settings, seed aside."""

    name: str
    """The first variant's."""
    variants: tuple[str, ...]
    levels: dict[str, str]
    """By `Factor.name`: the text of its level."""
    n_seeds: int
    seeds_stated: bool
    """Whether the files or the user say every seed; else the variants are taken for seeds since nothing else differs."""
    summary: Summary
