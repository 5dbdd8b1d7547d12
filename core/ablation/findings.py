"""What is found out about choices: pairs, effects, trends, fronts, importance, the next run, and the sentences that say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.ablation.factors import Factor, FactorLevel, Kind, Summary
from core.metrics.metric import Unit
from core.results import Value, Verdict


@dataclass(frozen=True)
class OneFactor:
    """Two configurations that differ in one factor alone: b minus a."""

    factor: str
    """`Factor.name`."""
    factor_label: str
    a: str
    """Name of the configuration that is subtracted."""
    b: str
    variants_a: tuple[str, ...]
    """What was compared: one adapter a side for ``adapters``, all seeds for ``factor``."""
    variants_b: tuple[str, ...]
    level_a: str
    level_b: str
    n_seeds_a: int
    n_seeds_b: int
    kind: Kind
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    """Benjamini and Hochberg's, over all pairs and trends of the table and the run's primary metrics."""
    verdict: Verdict
    """``unclear`` cannot be told; never ``same``."""
    n: int
    """Examples."""
    method: str
    statement: str
    """One true sentence."""
    seed_note: str = ""
    """Where one side has two seeds or more: how far apart those are, as description and not as a test."""
    reason: str | None = None
    """Why there is no difference."""
    differs: bool = False
    """Whether the adjusted p tells the two apart: a metric without a direction has that and no verdict."""


@dataclass(frozen=True)
class MainEffect:
    """One factor's levels, the other factors as equal as the runs allow."""

    factor: Factor
    levels: tuple[tuple[FactorLevel, Summary], ...]
    others: str
    """What the other factors were: ``with target modules q_proj, v_proj; data rows 760``."""
    matched: bool
    """Whether every level was seen with the same values of the others; else the means mix other choices in."""
    note: str = ""


@dataclass(frozen=True)
class InteractionCell:
    """One combination of two factors' levels, the others at the reference."""

    row: FactorLevel
    column: FactorLevel
    summary: Summary
    """``n_runs`` 0 and no mean where it was not tried."""


@dataclass(frozen=True)
class Interaction:
    """Two factors at once."""

    rows: Factor
    columns: Factor
    cells: tuple[InteractionCell, ...]
    """Row by row, those without a run included."""
    can_tell: bool
    """Whether at least two by two of the levels were all tried."""
    note: str
    """Otherwise the run that would decide it."""


@dataclass(frozen=True)
class AnovaRow:
    """One factor in a type-II analysis of variance."""

    factor: str
    label: str
    degrees: int
    sum_of_squares: float
    f: float
    p: float
    vif: float | None
    """Variance-inflation factor of its columns (the largest); above 5 it is entangled with others."""
    share: float
    """Of all the variance."""


@dataclass(frozen=True)
class Anova:
    """Type-II analysis of variance over runs; no rows where the design does not carry it."""

    rows: tuple[AnovaRow, ...]
    residual_degrees: int
    n_runs: int
    reason: str | None
    """Why there is none, and what run would make it possible."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrendPoint:
    """One dose."""

    level: FactorLevel
    summary: Summary


@dataclass(frozen=True)
class Trend:
    """The outcome along a factor of three ordered levels or more, the other factors fixed."""

    factor: Factor
    points: tuple[TrendPoint, ...]
    others: str
    slope: float | None
    """For each doubling where the axis is logarithmic, else for each unit."""
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    kind: Kind
    monotone: Literal["rising", "falling"] | None
    """Whether each step of the means goes the same way."""
    n: int
    statement: str
    reason: str | None = None


@dataclass(frozen=True)
class ParetoPoint:
    """One variant's quality and cost."""

    variant: str
    quality: Value
    cost: float
    dominated_probability: float
    """In what share of the resamples another variant is at least as good and as cheap, and better in one."""
    on_front: bool
    """By the values themselves."""


@dataclass(frozen=True)
class Pareto:
    """Quality against one cost; lower cost is better."""

    cost: str
    """``trainable_parameters``, ``adapter_size``, ``latency_p50``, ``peak_host_memory`` or ``peak_gpu_memory``, ``training_time``."""
    label: str
    unit: Unit
    points: tuple[ParetoPoint, ...]
    left_out: tuple[str, ...]
    """Variants whose cost or value is not known."""
    resamples: int
    n: int


@dataclass(frozen=True)
class ImportanceBar:
    """How much of the variance between runs one factor takes up, beside what permuted outcomes give it."""

    factor: str
    label: str
    share: float
    """Type-II share of the variance, 0 to 1."""
    null_median: float
    null_high: float
    """The upper end of its permutation band, at the level divided by the number of factors."""
    outside: bool


@dataclass(frozen=True)
class Importance:
    """The importance panel; no bars where there are fewer runs than three times the factors."""

    bars: tuple[ImportanceBar, ...]
    n_runs: int
    permutations: int
    reason: str | None


@dataclass(frozen=True)
class NextRun:
    """One training that would tell more, the most informative first."""

    what: str
    """``Train qv-r2 with two more seeds.``"""
    why: str
    changes: dict[str, str]
    """Settings that differ from the reference: name, value as text."""
    n_examples: int | None
    """How many examples show the difference as now estimated, four times out of five; None where nothing is estimated."""
    n_now: int
    score: float
    """What it is ranked by: the chance that it tells the difference as now estimated, for each training that it takes (see
    `core.ablation.next_run`)."""


StatementKind = Literal["factor", "adapters", "unclear", "trend", "seeds", "tied", "design"]
"""What a sentence is about."""


@dataclass(frozen=True)
class Statement:
    """One sentence that is true of how the adapters were trained."""

    kind: StatementKind
    text: str
    factors: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
