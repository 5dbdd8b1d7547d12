"""The analysis of a run's adapters as pages, command line and reports get it: plain data, no arithmetic.

The parts are in `core.ablation.factors` and `core.ablation.findings`; whoever shows them imports them from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.ablation.factors import (
    Cell,
    Column,
    Configuration,
    Dot,
    Factor,
    FactorLevel,
    Kind,
    Level,
    Outcome,
    Spread,
    Summary,
)
from core.ablation.findings import (
    Anova,
    AnovaRow,
    Importance,
    ImportanceBar,
    Interaction,
    InteractionCell,
    MainEffect,
    NextRun,
    OneFactor,
    Pareto,
    ParetoPoint,
    Statement,
    StatementKind,
    Trend,
    TrendPoint,
)
from core.results import Value

__all__ = [
    "Analysis",
    "Anova",
    "AnovaRow",
    "BaseTable",
    "Cell",
    "Column",
    "Configuration",
    "Dot",
    "Factor",
    "FactorLevel",
    "Importance",
    "ImportanceBar",
    "Interaction",
    "InteractionCell",
    "Kind",
    "LeftOut",
    "Level",
    "MainEffect",
    "NextRun",
    "OneFactor",
    "Outcome",
    "Pareto",
    "ParetoPoint",
    "RunRow",
    "Spread",
    "Statement",
    "StatementKind",
    "Summary",
    "Trend",
    "TrendPoint",
]


@dataclass(frozen=True)
class RunRow:
    """One variant in the run table."""

    variant: str
    configuration: str
    """The name of its `Configuration`."""
    seed: Level
    """None where no file says."""
    cells: dict[str, Cell]
    """By setting: every differing column and the seed."""
    parameters: int | None
    n_bytes: int | None
    training_seconds: float | None
    value: Value
    """Of the outcome."""
    is_reference: bool
    """Whether it belongs to the reference configuration; those rows come first."""
    warnings: tuple[str, ...] = ()
    """What looks odd in its files, contradictions and broken logs included."""


@dataclass(frozen=True)
class LeftOut:
    """A variant that no table holds, or a part that makes no sense for it."""

    variant: str
    reason: str


@dataclass(frozen=True)
class BaseTable:
    """Everything about the adapters of one base."""

    base: str
    """The base's short name, ``smollm2-135m``."""
    reference: str
    """Name of the reference configuration."""
    references: tuple[str, ...]
    """Configurations that can be chosen instead."""
    columns: tuple[Column, ...]
    """That differ, the most often first; derived ones last."""
    constants: tuple[Column, ...]
    rows: tuple[RunRow, ...]
    """The reference's first, then by configuration."""
    configurations: tuple[Configuration, ...]
    """The reference first."""
    factors: tuple[Factor, ...]
    one_factor: tuple[OneFactor, ...]
    main_effects: tuple[MainEffect, ...]
    interactions: tuple[Interaction, ...]
    anova: Anova
    trends: tuple[Trend, ...]
    pareto: tuple[Pareto, ...]
    importance: Importance
    next_runs: tuple[NextRun, ...]
    statements: tuple[Statement, ...]
    """The first one is the page's first line."""
    family_size: int
    """How many p-values Benjamini and Hochberg's correction is over."""
    reason: str | None = None
    """Why there is little to say: fewer than three runs, no differing setting."""


@dataclass(frozen=True)
class Analysis:
    """What a run's adapters say about the choices behind them, for one outcome."""

    run_ids: tuple[str, ...]
    outcome: Outcome
    outcomes: tuple[Outcome, ...]
    """That can be chosen, primary ones first."""
    level: float
    seed: int
    resamples: int
    n: int
    """Examples that every adapter and the baseline have a value for."""
    baseline: Value | None
    """Of the baseline: the band of dose-response charts."""
    variants: tuple[str, ...]
    """Of the run, in its order, the baseline included: for colours."""
    tables: tuple[BaseTable, ...]
    """One for each base; none where there is no adapter."""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
