"""The runs of an ablation as points in the space of their factors: axes of parallel coordinates, and pairs of factors for heights."""

from __future__ import annotations

from itertools import combinations

from core.ablation.records import BaseTable, Factor, Outcome
from core.charts.contour import FactorPair
from core.charts.factor_words import outcome_heading, shown
from core.charts.parallel import ParallelAxis


def parallel_axes(table: BaseTable, outcome: Outcome) -> list[ParallelAxis]:
    """Return an axis for each factor, and one for the metric at the end."""
    axes = [_axis(table, factor) for factor in table.factors]
    return [*axes, ParallelAxis(outcome_heading(outcome), qualities(table, outcome))]


def qualities(table: BaseTable, outcome: Outcome) -> dict[str, float]:
    """Return the outcome of each variant that has one, in the unit that is drawn."""
    found = {row.variant: shown(row.value.value, outcome) for row in table.rows}
    return {variant: value for variant, value in found.items() if value is not None}


def factor_pairs(table: BaseTable) -> list[FactorPair]:
    """Return every two numeric factors with what each variant has of them, those with most combinations first."""
    numeric = [factor for factor in table.factors if factor.numeric]
    pairs = []
    for first, second in combinations(numeric, 2):
        ours, theirs = (_doses(table, factor) for factor in (first, second))
        values = {variant: (ours[variant], theirs[variant]) for variant in ours if variant in theirs}
        pairs.append(FactorPair((first.label, second.label), values, (first.log, second.log)))
    return sorted(pairs, key=lambda pair: -pair.cells)


def _axis(table: BaseTable, factor: Factor) -> ParallelAxis:
    doses = _doses(table, factor)
    if factor.numeric:
        return ParallelAxis(factor.label, doses, factor.log)
    names = {
        variant: one.levels[factor.name]
        for one in table.configurations
        for variant in one.variants
        if factor.name in one.levels
    }
    return ParallelAxis(factor.label, names)


def _doses(table: BaseTable, factor: Factor) -> dict[str, float]:
    """Return the number of a factor's level by variant; variants whose level is no number are left out."""
    of_text = {level.text: level.dose for level in factor.levels}
    found = {
        variant: of_text.get(one.levels.get(factor.name, ""))
        for one in table.configurations
        for variant in one.variants
    }
    return {variant: dose for variant, dose in found.items() if dose is not None}
