"""An analysis of ablations made by hand, so that charts and the page can be held against numbers that are known.

Seven adapters: three seeds of rank 8, rank 2, rank 32 with three seeds fewer, half of the data, and rank 2 with half of the data.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.ablation.records import (
    Analysis,
    Anova,
    AnovaRow,
    BaseTable,
    Cell,
    Column,
    Configuration,
    Dot,
    Factor,
    FactorLevel,
    Importance,
    ImportanceBar,
    Interaction,
    InteractionCell,
    MainEffect,
    NextRun,
    OneFactor,
    Outcome,
    Pareto,
    ParetoPoint,
    RunRow,
    Statement,
    Summary,
    Trend,
    TrendPoint,
)  # fmt: skip
from core.results import Value

OUTCOME = Outcome("reply/rouge_l", "reply", "rouge_l", "ROUGE-L", "share", True, False, True)
ACCURACY = Outcome("category/accuracy", "category", "accuracy", "Accuracy", "share", True, False, True)
VALUES = {"r8": 0.30, "r8-s1": 0.32, "r8-s2": 0.31, "r2": 0.28, "r32": 0.33, "half": 0.25, "r2-half": 0.22}
"""ROUGE-L of each adapter."""
VARIANTS = ("baseline", *VALUES)
RANKS = tuple(FactorLevel(str(rank), float(rank), (rank, 2 * rank)) for rank in (2, 8, 32))
DATA = tuple(FactorLevel(f"{rows}", float(rows), (rows,)) for rows in (380, 760))
RANK = Factor("r+lora_alpha", "rank + alpha", ("r", "lora_alpha"), RANKS, True, True)
ROWS = Factor("data", "data rows", ("data",), DATA, True, True)
MODULES = Factor("target_modules", "target modules", ("target_modules",), (
    FactorLevel("q_proj, v_proj", None, (("q_proj", "v_proj"),)),
    FactorLevel("down_proj, gate_proj, k_proj, q_proj, v_proj", None, (("down_proj", "gate_proj", "k_proj", "q_proj", "v_proj"),)),
), False, False)  # fmt: skip
CONFIGURATIONS: Mapping[str, tuple[tuple[str, ...], int, int]] = {
    "r8": (("r8", "r8-s1", "r8-s2"), 8, 760), "r2": (("r2",), 2, 760), "r32": (("r32",), 32, 760), "half": (("half",), 8, 380),
    "r2-half": (("r2-half",), 2, 380),
}  # fmt: skip
"""Variants, rank and data rows of each configuration."""


def value(number: float, width: float = 0.02) -> Value:
    """Return a value with an interval of twice ``width``."""
    return Value(number, number - width, number + width, 80, 0, None, "rouge_l", "bootstrap (1,000 resamples)")


def summary(*names: str) -> Summary:
    """Return what the named adapters gave: an interval over seeds of three, none of two, the examples' of one."""
    dots = tuple(Dot(name, i, VALUES[name]) for i, name in enumerate(names))
    if not dots:
        return Summary(None, None, None, None, 0, None, "not run", ())
    mean = sum(dot.value for dot in dots) / len(dots)
    if len(dots) == 2:
        return Summary(mean, None, None, "two seeds", 2, 0.01, "2 seeds, no interval", dots)
    spread, label = (
        ("one seed", "1 seed: seed variance unknown")
        if len(dots) == 1
        else ("seeds", f"{len(dots)} seeds, interval over seeds and examples")
    )
    return Summary(mean, mean - 0.03, mean + 0.03, spread, len(dots), 0.01 if len(dots) > 1 else None, label, dots)


def one_factor(b: str, verdict: str = "unclear", **more: object) -> OneFactor:
    """Return the difference of one configuration to the reference of rank 8."""
    names, rank, rows = CONFIGURATIONS[b]
    factor, levels = (RANK, ("8", str(rank))) if rank != 8 else (ROWS, ("760", str(rows)))
    difference = VALUES[names[0]] - VALUES["r8"]
    made = {
        "factor": factor.name, "factor_label": factor.label, "a": "r8", "b": b, "variants_a": ("r8",), "variants_b": names,
        "level_a": levels[0], "level_b": levels[1], "n_seeds_a": 3, "n_seeds_b": 1, "kind": "adapters",
        "difference": difference, "low": difference - 0.015, "high": difference + 0.015, "p": 0.004, "p_adjusted": 0.012,
        "verdict": verdict, "n": 80, "method": "sign-flip, bootstrap", "statement": f"The adapters {b} and r8 differ.",
    } | more  # fmt: skip
    return OneFactor(**made)  # type: ignore[arg-type]


def run_rows() -> tuple[RunRow, ...]:
    """Return a row for each adapter: its choices, where they were read, its cost and its value."""
    return tuple(
        RunRow(
            variant, name, seed, {
                "r": Cell(rank, str(rank), "adapter_config.json", "tensors say 9, which counts" if variant == "r2" else ""),
                "lora_alpha": Cell(2 * rank, str(2 * rank), "adapter_config.json"),
                "data": Cell(data, str(data), "all_results.json"), "seed": Cell(seed, str(seed), "training_args.bin"),
            }, 57_600 * rank, 230_400 * rank, 60.0, value(VALUES[variant]), name == "r8",
        )
        for name, (variants, rank, data) in CONFIGURATIONS.items()
        for seed, variant in enumerate(variants)
    )  # fmt: skip


def configurations() -> tuple[Configuration, ...]:
    """Return the adapters that differ in nothing but their seed, together."""
    return tuple(
        Configuration(
            name, variants, {RANK.name: str(rank), ROWS.name: str(data)}, len(variants), True, summary(*variants)
        )
        for name, (variants, rank, data) in CONFIGURATIONS.items()
    )


def interaction() -> Interaction:
    """Return rank beside data rows: three of the six cells were run."""
    by_cell = {(str(rank), str(data)): variants for variants, rank, data in CONFIGURATIONS.values()}
    return Interaction(RANK, ROWS, tuple(
        InteractionCell(row, column, summary(*by_cell.get((row.text, column.text), ()))) for row in RANKS for column in DATA
    ), True, "")  # fmt: skip


def rank_levels() -> tuple[tuple[FactorLevel, Summary], ...]:
    """Return what each rank gave with all of the data."""
    named = (("r2",), ("r8", "r8-s1", "r8-s2"), ("r32",))
    return tuple((level, summary(*names)) for level, names in zip(RANKS, named, strict=True))


def data_levels() -> tuple[tuple[FactorLevel, Summary], ...]:
    """Return what each number of data rows gave with rank 8."""
    named = (("half",), ("r8", "r8-s1", "r8-s2"))
    return tuple((level, summary(*names)) for level, names in zip(DATA, named, strict=True))


def trend() -> Trend:
    """Return how the outcome goes with rank."""
    points = tuple(TrendPoint(*pair) for pair in rank_levels())
    return Trend(RANK, points, "with data rows 760", 0.0125, 0.002, 0.023, 0.01, 0.03, "adapters", "rising", 80,
                 "ROUGE-L rises with rank + alpha across these adapters.")  # fmt: skip


PARETO = Pareto("trainable_parameters", "trainable parameters", "number", (
    ParetoPoint("r2", value(0.28), 115_200.0, 0.1, True), ParetoPoint("r8", value(0.30), 460_800.0, 0.95, False),
    ParetoPoint("r32", value(0.33), 1_843_200.0, 0.0, True),
), (), 1000, 80)  # fmt: skip
ANOVA = Anova((
    AnovaRow(RANK.name, RANK.label, 2, 0.004, 6.5, 0.04, 1.2, 0.5), AnovaRow(ROWS.name, ROWS.label, 1, 0.003, 9.1, 0.03, 7.5, 0.4),
), 5, 9, None, ("data rows is entangled with others.",))  # fmt: skip
IMPORTANCE = Importance((
    ImportanceBar(RANK.name, RANK.label, 0.6, 0.1, 0.4, True), ImportanceBar(ROWS.name, ROWS.label, 0.2, 0.1, 0.4, False),
), 9, 2000, None)  # fmt: skip
NEXT_RUNS = (NextRun("Train r2 with two more seeds.", "Then it can be said of rank.", {"seed": "1"}, 240, 80, 1.5),)
STATEMENTS = (
    Statement("adapters", "The adapters half and r8 differ by 5.0 points of ROUGE-L."),
    Statement("tied", "rank and alpha always moved together."),
)


def table(**more: object) -> BaseTable:
    """Return the table of the seven adapters."""
    made = {
        "base": "smollm2-135m", "reference": "r8", "references": tuple(CONFIGURATIONS),
        "columns": (Column("r", "rank"), Column("lora_alpha", "alpha"), Column("data", "data rows")),
        "constants": (Column("lora_dropout", "dropout", Cell(0.05, "0.05", "adapter_config.json")),),
        "rows": run_rows(), "configurations": configurations(), "factors": (RANK, ROWS),
        "one_factor": (one_factor("r2"), one_factor("r32", "better"), one_factor("half", "worse")),
        "main_effects": (MainEffect(RANK, rank_levels(), "with data rows 760", True),
                         MainEffect(ROWS, data_levels(), "with rank 8", False, "other choices differ too")),
        "interactions": (interaction(),), "anova": ANOVA, "trends": (trend(),), "pareto": (PARETO,), "importance": IMPORTANCE,
        "next_runs": NEXT_RUNS, "statements": STATEMENTS, "family_size": 24,
    } | more  # fmt: skip
    return BaseTable(**made)  # type: ignore[arg-type]


def analysis(*tables: BaseTable) -> Analysis:
    """Return the analysis of the tables, by default of `table` alone."""
    return Analysis(
        ("one",), OUTCOME, (OUTCOME, ACCURACY), 0.95, 0, 1000, 80, value(0.20), VARIANTS, tables or (table(),)
    )
