"""What the Ablations page shows, as tables for files: in the metric's own unit, unrounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from core.ablation.records import (
    Anova,
    BaseTable,
    Factor,
    FactorLevel,
    Importance,
    Interaction,
    MainEffect,
    OneFactor,
    Pareto,
    Summary,
    Trend,
)


def run_table(table: BaseTable) -> pd.DataFrame:
    """Return a row for each variant: settings that differ with their sources, constants, costs and the outcome."""
    constants = {column.name: column.constant.text for column in table.constants if column.constant is not None}
    rows = []
    for row in table.rows:
        cells: dict[str, object] = {}
        for name, cell in row.cells.items():
            cells |= {name: cell.text, f"{name}: source": cell.source, f"{name}: conflict": cell.conflict or None}
        rows.append({
            "variant": row.variant, "configuration": row.configuration, "seed": row.seed, **cells, **constants,
            "parameters": row.parameters, "bytes": row.n_bytes, "training_seconds": row.training_seconds,
            "value": row.value.value, "low": row.value.low, "high": row.value.high, "n": row.value.n,
            "is_reference": row.is_reference, "warnings": " ".join(row.warnings),
        })  # fmt: skip
    return pd.DataFrame(rows)


def one_factor_table(pairs: Sequence[OneFactor]) -> pd.DataFrame:
    """Return a row for each pair of configurations that differ in one factor."""
    return pd.DataFrame([
        asdict(pair) | {"variants_a": " ".join(pair.variants_a), "variants_b": " ".join(pair.variants_b)} for pair in pairs
    ])  # fmt: skip


def main_effect_table(effects: Sequence[MainEffect]) -> pd.DataFrame:
    """Return a row for each run of each level of each factor."""
    return pd.DataFrame([
        line | {"others": effect.others, "matched": effect.matched}
        for effect in effects for level, summary in effect.levels for line in _dots(effect.factor, level, summary)
    ])  # fmt: skip


def trend_table(trend: Trend) -> pd.DataFrame:
    """Return a row for each run of each dose, with the trend beside it."""
    beside = {
        "slope": trend.slope, "slope_low": trend.low, "slope_high": trend.high, "p": trend.p,
        "p_adjusted": trend.p_adjusted, "kind": trend.kind, "reason": trend.reason,
    }  # fmt: skip
    return pd.DataFrame([
        line | beside for point in trend.points for line in _dots(trend.factor, point.level, point.summary)
    ])  # fmt: skip


def interaction_table(interactions: Sequence[Interaction]) -> pd.DataFrame:
    """Return a row for each combination of two factors' levels, those that were not run included."""
    return pd.DataFrame([
        {"first": found.rows.name, "first_level": cell.row.text, "second": found.columns.name, "second_level": cell.column.text,
         "mean": cell.summary.mean, "low": cell.summary.low, "high": cell.summary.high, "runs": cell.summary.n_runs,
         "spread": cell.summary.spread, "variants": " ".join(dot.variant for dot in cell.summary.dots)}
        for found in interactions for cell in found.cells
    ])  # fmt: skip


def pareto_table(pareto: Pareto) -> pd.DataFrame:
    """Return a row for each variant with quality, cost and how probably another one dominates it."""
    return pd.DataFrame([
        {"variant": point.variant, "quality": point.quality.value, "low": point.quality.low, "high": point.quality.high,
         pareto.cost: point.cost, "dominated_probability": point.dominated_probability, "on_front": point.on_front}
        for point in pareto.points
    ])  # fmt: skip


def anova_table(anova: Anova) -> pd.DataFrame:
    """Return a row for each factor of the analysis of variance."""
    return pd.DataFrame([asdict(row) | {"residual_degrees": anova.residual_degrees} for row in anova.rows])


def importance_table(importance: Importance) -> pd.DataFrame:
    """Return a row for each factor with the band of shuffled outcomes."""
    return pd.DataFrame([asdict(bar) for bar in importance.bars])


def values_table(values: Mapping[str, Mapping[str, object]]) -> pd.DataFrame:
    """Return a row for each variant from named columns of values by variant."""
    variants = list(dict.fromkeys(variant for column in values.values() for variant in column))
    return pd.DataFrame([
        {"variant": variant} | {name: column.get(variant) for name, column in values.items()} for variant in variants
    ])  # fmt: skip


def _dots(factor: Factor, level: FactorLevel, summary: Summary) -> list[dict[str, object]]:
    return [
        {"factor": factor.name, "level": level.text, "dose": level.dose, "variant": dot.variant, "seed": dot.seed, "value": dot.value,
         "mean": summary.mean, "low": summary.low, "high": summary.high, "spread": summary.spread, "runs": summary.n_runs}
        for dot in summary.dots
    ]  # fmt: skip
