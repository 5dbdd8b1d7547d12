"""Main effects and two-factor interactions: means over runs, the other choices held as equal as the runs allow."""

from __future__ import annotations

from collections.abc import Sequence

from core.ablation.design import Design, Group, factor_pairs
from core.ablation.measured import Measurement
from core.ablation.records import Interaction, InteractionCell, Level, MainEffect
from core.ablation.summaries import NOTHING, summary_of

Seeds = dict[str, Level]


def main_effects(design: Design, measured: Measurement, reference: Group) -> tuple[MainEffect, ...]:
    """Return each factor's levels with the mean over the runs that make them comparable.

    Those are the combinations of the other factors that every level was tried with; where there is none, the ones of the reference
    configuration; where not even two levels share those, all runs, and the effect says that it mixes other choices in.
    """
    return tuple(_main_effect(design, measured, reference, k) for k in range(len(design.factors)))


def interactions(design: Design, measured: Measurement, reference: Group) -> tuple[Interaction, ...]:
    """Return every two factors' combinations of levels, the other factors as in the reference; what was not tried is there, empty."""
    return tuple(_interaction(design, measured, reference, one, other) for one, other in factor_pairs(design))


def seeds_of(design: Design) -> Seeds:
    """Return the seed of each variant."""
    return {variant: seed for group in design.groups for variant, seed in zip(group.variants, group.seeds, strict=True)}


def _main_effect(design: Design, measured: Measurement, reference: Group, k: int) -> MainEffect:
    factor = design.factors[k]
    by_level: dict[int, list[Group]] = {}
    for group in design.groups:
        by_level.setdefault(group.levels[k], []).append(group)
    common = set.intersection(*({_without(group, k) for group in groups} for groups in by_level.values()))
    note, matched = "", True
    if not common:
        slice_levels = [
            level for level, groups in by_level.items() if any(_without(g, k) == _without(reference, k) for g in groups)
        ]
        if len(slice_levels) > 1:
            common = {_without(reference, k)}
            left = [factor.levels[level].text for level in sorted(set(by_level) - set(slice_levels))]
            note = f"Left out, since tried only beside other choices: {', '.join(left)}."
        else:
            common = {_without(group, k) for group in design.groups}
            matched = False
            note = "No two levels were tried with the same values of the other choices: these means mix those in."
    levels = []
    for level in sorted(by_level):
        groups = [group.variants for group in by_level[level] if _without(group, k) in common]
        if groups:
            levels.append((factor.levels[level], summary_of(measured, groups, seeds_of(design))))
    return MainEffect(factor, tuple(levels), _others(design, reference, k, common), matched, note)


def _without(group: Group, k: int) -> tuple[int, ...]:
    return tuple(level for number, level in enumerate(group.levels) if number != k)


def _others(design: Design, reference: Group, k: int, combinations: set[tuple[int, ...]]) -> str:
    if len(combinations) > 1:
        return f"averaged over {len(combinations)} combinations of the other choices"
    some = next(group for group in (reference, *design.groups) if _without(group, k) in combinations)
    text = design.others_text(some, k)
    return f"with {text}" if text else ""


def _interaction(design: Design, measured: Measurement, reference: Group, one: int, other: int) -> Interaction:
    rows, columns = design.factors[one], design.factors[other]
    there = {
        (group.levels[one], group.levels[other]): group
        for group in design.groups
        if set(design.differing(reference, group)) <= {one, other}
    }
    cells = tuple(
        InteractionCell(
            row, column,
            summary_of(measured, [there[i, j].variants], seeds_of(design)) if (i, j) in there else NOTHING,
        )
        for i, row in enumerate(rows.levels) for j, column in enumerate(columns.levels)
    )  # fmt: skip
    return Interaction(
        rows, columns, cells, _two_by_two(list(there)), _missing(design, reference, one, other, set(there))
    )


def _two_by_two(tried: Sequence[tuple[int, int]]) -> bool:
    known = set(tried)
    return any(i != k and j != m and (i, m) in known and (k, j) in known for i, j in tried for k, m in tried)


def _missing(design: Design, reference: Group, one: int, other: int, tried: set[tuple[int, int]]) -> str:
    """Return which run would show whether two factors depend on each other; nothing where runs show it."""
    if _two_by_two(list(tried)):
        return ""
    at = (reference.levels[one], reference.levels[other])
    rows = [i for i, j in sorted(tried) if j == at[1] and i != at[0]]
    columns = [j for i, j in sorted(tried) if i == at[0] and j != at[1]]
    first, second = design.factors[one], design.factors[other]
    if not rows or not columns:
        return f"{first.label} and {second.label} were never varied around {reference.name} one at a time."
    row, column = first.levels[rows[-1]].text, second.levels[columns[-1]].text
    return (
        f"Whether the effect of {first.label} depends on {second.label} would be shown by a run with {first.label} {row} and "
        f"{second.label} {column}."
    )
