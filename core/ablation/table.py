"""The adapters of one base: run table, configurations, pairs, and everything that is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from core.ablation.choices import SEED
from core.ablation.design import Design, Group, design_of
from core.ablation.effects import interactions, main_effects
from core.ablation.fronts import fronts
from core.ablation.kept import Known
from core.ablation.measured import Measurement, Pool
from core.ablation.next_run import next_runs
from core.ablation.pairs import Pair, Slope, Told, measure_pairs, measure_slope, pairs_of, slopes_of
from core.ablation.records import BaseTable, Configuration, Level, OneFactor, Outcome, RunRow, Trend, TrendPoint
from core.ablation.statements import pair_statement, seed_note, statements_of, trend_statement, verdict_of
from core.ablation.summaries import summary_of
from core.ablation.variance import anova, importance
from core.stats.multiple import benjamini_hochberg

LEAST_RUNS = 3
_WAYS: Mapping[float, Literal["rising", "falling"]] = {1.0: "rising", -1.0: "falling"}


def base_table(
    pool: Pool,
    measured: Measurement,
    others: Sequence[Outcome],
    base: str,
    known: Sequence[Known],
    reference: str | None,
) -> BaseTable:
    """Return everything about the adapters of one base.

    Args:
        pool: reads statistics.
        measured: the outcome that is shown.
        others: the other outcomes whose p-values are in the family.
        base: its short name.
        known: its adapters.
        reference: a variant of the reference configuration; None (or one of another base) for the default.
    """
    design = design_of({one.variant: one.cells for one in known})
    variants = [one.variant for one in known]
    chosen = design.group_of(reference) if reference in variants else design.default_reference
    pairs, slopes = pairs_of(design, chosen), slopes_of(design, chosen)
    told, lines = measure_pairs(measured, pairs), [measure_slope(measured, slope) for slope in slopes]
    adjusted, size = _adjusted(pool, others, variants, pairs, slopes, [*told, *lines])
    one_factor = [
        _one_factor(design, measured, pair, one, p)
        for pair, one, p in zip(pairs, told, adjusted[: len(pairs)], strict=True)
    ]
    trends = [
        _trend(design, measured, slope, one, p)
        for slope, one, p in zip(slopes, lines, adjusted[len(pairs) :], strict=True)
    ]
    groups = (chosen, *(group for group in design.groups if group is not chosen))
    configurations = tuple(_configuration(design, measured, group) for group in groups)
    reason = _reason(design, known)
    planned = next_runs(design, measured, chosen, list(zip(pairs, told, strict=True)), slopes)
    point = {name: measured.point[name] for name in variants if name in measured.point}
    seed = pool.first.spec.settings.seed
    return BaseTable(
        base=base, reference=chosen.name, references=tuple(group.name for group in groups), columns=design.columns,
        constants=design.constants, rows=tuple(_rows(design, measured, known, groups)), configurations=configurations,
        factors=design.factors, one_factor=tuple(one_factor), main_effects=main_effects(design, measured, chosen),
        interactions=interactions(design, measured, chosen), anova=anova(design, point),
        trends=tuple(trends), pareto=fronts(pool, measured, variants), importance=importance(design, point, measured.level, seed),
        next_runs=planned,
        statements=statements_of(design.factors, configurations, one_factor, trends, measured.outcome, reason),
        family_size=size, reason=reason,
    )  # fmt: skip


def _reason(design: Design, known: Sequence[Known]) -> str | None:
    if len(known) < LEAST_RUNS:
        return f"{len(known)} adapter{'' if len(known) == 1 else 's'} of this base, and choices are told apart from {LEAST_RUNS} on"
    if not design.factors:
        return "the adapters' files state the same settings for all of them, seed aside"
    return None


def _adjusted(
    pool: Pool,
    others: Sequence[Outcome],
    variants: Sequence[str],
    pairs: Sequence[Pair],
    slopes: Sequence[Slope],
    told: Sequence[Told],
) -> tuple[list[float | None], int]:
    """Return the adjusted p of each pair and slope, and the size of the family: over these and the other primary metrics."""
    family = [one.p for one in told]
    for outcome in others if told else ():
        measured = pool.measurement(outcome, variants, shown=False)
        family += [one.p for one in measure_pairs(measured, pairs)]
        family += [measure_slope(measured, slope).p for slope in slopes]
    raw = np.array([np.nan if p is None else p for p in family], dtype=np.float64)
    adjusted = benjamini_hochberg(raw)[: len(told)].tolist()
    return [None if np.isnan(p) else p for p in adjusted], int(np.isfinite(raw).sum())


def _one_factor(design: Design, measured: Measurement, pair: Pair, told: Told, p: float | None) -> OneFactor:
    factor, outcome = design.factors[pair.factor], measured.outcome
    a, b = (factor.levels[group.levels[pair.factor]].text for group in (pair.a, pair.b))
    verdict = verdict_of(told, p, outcome, measured.level)
    one, other = pair.compared
    return OneFactor(
        factor=factor.name, factor_label=factor.label, a=pair.a.name, b=pair.b.name, variants_a=one, variants_b=other, level_a=a,
        level_b=b, n_seeds_a=pair.a.n_seeds, n_seeds_b=pair.b.n_seeds, kind=pair.kind, difference=told.estimate,
        low=told.low, high=told.high, p=told.p, p_adjusted=p, verdict=verdict, n=told.n, method=told.method,
        statement=pair_statement(pair, factor, told, p, verdict, outcome, measured.level), seed_note=seed_note(pair, measured),
        reason=told.reason, differs=p is not None and p < 1 - measured.level,
    )  # fmt: skip


def _trend(design: Design, measured: Measurement, slope: Slope, told: Told, p: float | None) -> Trend:
    factor = design.factors[slope.factor]
    points = tuple(
        TrendPoint(factor.levels[group.levels[slope.factor]], summary_of(measured, [group.variants], _seeds(group)))
        for group in slope.groups
    )
    means = [point.summary.mean for point in points if point.summary.mean is not None]
    steps = np.sign(np.diff(means)).tolist()
    way = _WAYS.get(steps[0]) if len(set(steps)) == 1 and len(means) == len(points) else None
    return Trend(
        factor=factor, points=points, others=design.others_text(slope.groups[0], slope.factor), slope=told.estimate, low=told.low,
        high=told.high, p=told.p, p_adjusted=p, kind=slope.kind, monotone=way, n=told.n,
        statement=trend_statement(slope, factor, told, p, measured.outcome, measured.level), reason=told.reason,
    )  # fmt: skip


def _configuration(design: Design, measured: Measurement, group: Group) -> Configuration:
    levels = {factor.name: factor.levels[k].text for factor, k in zip(design.factors, group.levels, strict=True)}
    summary = summary_of(measured, [group.variants], _seeds(group))
    return Configuration(group.name, group.variants, levels, group.n_seeds, group.seeds_stated, summary)


def _seeds(group: Group) -> dict[str, Level]:
    return dict(zip(group.variants, group.seeds, strict=True))


def _rows(design: Design, measured: Measurement, known: Sequence[Known], groups: Sequence[Group]) -> list[RunRow]:
    facts = {one.variant: one for one in known}
    shown = [*(column.name for column in design.columns), SEED]
    rows = []
    for number, group in enumerate(groups):
        for variant in group.variants:
            one, cells = facts[variant], design.cells[variant]
            rows.append(
                RunRow(
                    variant=variant, configuration=group.name, seed=cells[SEED].value if SEED in cells else None,
                    cells={name: cells[name] for name in shown if name in cells}, parameters=one.parameters, n_bytes=one.n_bytes,
                    training_seconds=one.training_seconds, value=measured.values[variant], is_reference=number == 0,
                    warnings=one.warnings,
                )
            )  # fmt: skip
    return rows
