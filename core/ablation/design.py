"""The design that a set of adapters amounts to: which settings differ, which always moved together, which adapters differ in nothing
but their seed, and which pairs differ in one choice alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from core.ablation.choices import (
    DERIVED,
    KNOWN,
    ROWS,
    SEED,
    UNKNOWN,
    has_source_in_config,
    label_of,
    number,
    plain_cell,
    rank_of,
    rows_from_steps,
)
from core.ablation.records import Cell, Column, Factor, FactorLevel, Level

Cells = Mapping[str, Cell]
_NOTHING = Cell(None, UNKNOWN, "")
_LABELLED = 3


@dataclass(frozen=True)
class Group:
    """Variants that differ in nothing but their seed."""

    name: str
    """The first variant's."""
    variants: tuple[str, ...]
    levels: tuple[int, ...]
    """For each factor of the design: the number of its level."""
    seeds: tuple[Level, ...]
    """Of each variant."""

    @property
    def n_seeds(self) -> int:
        """How many seeds there are: two trainings that state the same one are no two seeds, whatever else differs."""
        return count_seeds(self.seeds)

    @property
    def seeds_stated(self) -> bool:
        """Whether a seed is known of every variant, each another."""
        known = [seed for seed in self.seeds if seed is not None]
        return len(known) == len(self.variants) == len(set(known))


@dataclass(frozen=True)
class Design:
    """The choices behind the adapters of one base."""

    cells: Mapping[str, Cells]
    """By variant: every setting of every variant, "not known" included."""
    columns: tuple[Column, ...]
    constants: tuple[Column, ...]
    factors: tuple[Factor, ...]
    groups: tuple[Group, ...]
    """In the order of their first variants."""

    @cached_property
    def by_name(self) -> dict[str, Group]:
        """Groups by name."""
        return {group.name: group for group in self.groups}

    def group_of(self, variant: str) -> Group:
        """Return the group that a variant belongs to; KeyError where there is none."""
        for group in self.groups:
            if variant in group.variants:
                return group
        raise KeyError(variant)

    def differing(self, one: Group, other: Group) -> tuple[int, ...]:
        """Return the numbers of the factors in which two groups differ."""
        return tuple(k for k, (a, b) in enumerate(zip(one.levels, other.levels, strict=True)) if a != b)

    def neighbours(self, group: Group) -> list[tuple[int, Group]]:
        """Return the groups that differ from one in a single factor, with the factor's number; both levels are known."""
        found = [(self.differing(group, other), other) for other in self.groups]
        return [
            (one[0], other)
            for one, other in found
            if len(one) == 1 and self.level(group, one[0]).known and self.level(other, one[0]).known
        ]

    def level(self, group: Group, factor: int) -> FactorLevel:
        """Return a group's level of a factor."""
        return self.factors[factor].levels[group.levels[factor]]

    @cached_property
    def default_reference(self) -> Group:
        """The group from which most others differ in one factor; of equals the one of most seeds, then the first."""
        return max(self.groups, key=lambda group: (len(self.neighbours(group)), group.n_seeds))

    def others_text(self, group: Group, *varied: int) -> str:
        """Return what the factors that are not varied were in a group: ``target modules q_proj, v_proj; data rows 760``."""
        fixed = [
            f"{factor.label} {factor.levels[group.levels[k]].text}"
            for k, factor in enumerate(self.factors)
            if k not in varied
        ]
        return "; ".join(fixed)


def count_seeds(seeds: Iterable[Level]) -> int:
    """Return how many seeds there are among some of which a few may not be known: those count as one each."""
    listed = list(seeds)
    known = [seed for seed in listed if seed is not None]
    return len(listed) - len(known) + len(set(known))


def design_of(cells: Mapping[str, Cells]) -> Design:
    """Return the design of the adapters of one base.

    Args:
        cells: by variant, in the run's order: what is known of each setting (see `core.ablation.choices.cells_of`).
    """
    filled = _filled(cells)
    variants = list(filled)
    names = sorted({name for some in filled.values() for name in some} - {SEED}, key=rank_of)
    columns = {name: tuple(_key(filled[variant][name].value) for variant in variants) for name in names}
    differing = [name for name in names if _differs(name, filled, columns[name])]
    derived = {name for name in differing if _follows(name, columns, differing)}
    factors, levels = _factors(filled, columns, differing, derived)
    return Design(
        cells=filled,
        columns=tuple(
            Column(name, label_of(name), derived=name in derived)
            for name in sorted(differing, key=lambda name: (name in derived, -len(set(columns[name])), rank_of(name)))
        ),
        constants=tuple(
            Column(name, label_of(name), constant=next((c for v in variants if (c := filled[v][name]).value is not None), _NOTHING))
            for name in names if name not in differing
        ),
        factors=factors,
        groups=_groups(filled, variants, levels),
    )  # fmt: skip


def _filled(cells: Mapping[str, Cells]) -> dict[str, dict[str, Cell]]:
    """Return cells with an entry for each setting: flags that an older PEFT did not write are off, the rest is not known."""
    names = {
        name: [some[name] for some in cells.values() if name in some]
        for name in {n for some in cells.values() for n in some}
    }
    flags = {
        name
        for name, known in names.items()
        if all(has_source_in_config(cell) and isinstance(cell.value, bool) for cell in known)
    }
    filled = {
        variant: {
            name: some.get(name, plain_cell(False, "PEFT's default") if name in flags else _NOTHING)
            for name in sorted(names)
        }
        for variant, some in cells.items()
    }
    if all(some.get(ROWS, _NOTHING).value is None for some in filled.values()):
        worked_out = {variant: rows_from_steps(some) for variant, some in filled.items()}
        for variant, cell in worked_out.items():
            if cell is not None:
                filled[variant][ROWS] = cell
    return filled


def _key(value: Level) -> Hashable:
    """Return by what two values of a setting are told apart."""
    if isinstance(value, bool) or value is None:
        return (type(value).__name__, value)
    if isinstance(value, int | float):
        return ("number", float(f"{value:.9g}"))
    if isinstance(value, tuple):
        return ("several", tuple(sorted(map(str, value))))
    return ("text", str(value).casefold())


def _differs(name: str, filled: Mapping[str, Cells], column: Sequence[Hashable]) -> bool:
    """Tell whether variants differ in a setting; a key of PEFT's file that an older PEFT did not write is no difference."""
    known = [cells[name] for cells in filled.values() if cells[name].value is not None]
    if known and all(has_source_in_config(cell) for cell in known):
        return len({key for key in column if key != _key(None)}) > 1
    return len(set(column)) > 1


def _follows(name: str, columns: Mapping[str, Sequence[Hashable]], differing: Sequence[str]) -> bool:
    """Tell whether a setting follows from others here: the same values of those never come with two of it."""
    parents = [parent for parent in DERIVED.get(name, ()) if parent in differing]
    if not parents:
        return False
    seen: dict[tuple[Hashable, ...], Hashable] = {}
    rows = zip(*(columns[parent] for parent in parents), strict=True)
    return all(seen.setdefault(key, value) == value for key, value in zip(rows, columns[name], strict=True))


def _partition(column: Sequence[Hashable]) -> tuple[int, ...]:
    """Return which variants share a value, whatever the values are."""
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(key, len(numbers)) for key in column)


def _factors(
    filled: Mapping[str, Cells], columns: Mapping[str, Sequence[Hashable]], differing: Sequence[str], derived: set[str]
) -> tuple[tuple[Factor, ...], dict[str, tuple[int, ...]]]:
    """Return the factors, and for each variant the number of its level in each."""
    variants = list(filled)
    tied: dict[tuple[int, ...], list[str]] = {}
    for name in differing:
        if name not in derived:
            tied.setdefault(_partition(columns[name]), []).append(name)
    for name in differing:
        if name in derived and (part := _partition(columns[name])) in tied:
            tied[part].append(name)
    factors, numbers = [], []
    for part, members in tied.items():
        members = sorted(members, key=rank_of)
        first = [part.index(level) for level in range(max(part) + 1)]
        levels = [_level(filled[variants[row]], members) for row in first]
        doses = [level.dose for level in levels if level.dose is not None]
        numeric = len(doses) > 1 and all(level.dose is not None for level in levels if level.known)
        order = sorted(range(len(levels)), key=lambda k: _place(levels[k])) if numeric else list(range(len(levels)))
        log = numeric and members[0] in KNOWN and KNOWN[members[0]].log and min(doses) > 0
        factors.append(
            Factor("+".join(members), _label(members), tuple(members), tuple(levels[k] for k in order), numeric, log)
        )
        place = {old: new for new, old in enumerate(order)}
        numbers.append([place[old] for old in part])
    return tuple(factors), {variant: tuple(one[row] for one in numbers) for row, variant in enumerate(variants)}


def _place(level: FactorLevel) -> float:
    return float("inf") if level.dose is None else level.dose


def _label(members: Sequence[str]) -> str:
    shown = [label_of(name) for name in members[:_LABELLED]]
    more = len(members) - _LABELLED
    return " + ".join(shown) + (f" and {more} more" if more > 0 else "")


def _level(cells: Cells, members: Sequence[str]) -> FactorLevel:
    text = " + ".join(_short(name, cells[name]) for name in members[:_LABELLED])
    return FactorLevel(text, number(cells[members[0]]), tuple(cells[name].value for name in members))


def _short(name: str, cell: Cell) -> str:
    """Return a level's text; projections without what all of their names end in, so that seven of them fit a label."""
    if name == "target_modules" and isinstance(cell.value, tuple):
        return ", ".join(str(module).removesuffix("_proj") for module in cell.value)
    return cell.text


def _groups(
    filled: Mapping[str, Cells], variants: Sequence[str], levels: Mapping[str, tuple[int, ...]]
) -> tuple[Group, ...]:
    found: dict[tuple[int, ...], list[str]] = {}
    for variant in variants:
        found.setdefault(levels[variant], []).append(variant)
    return tuple(
        Group(some[0], tuple(some), key, tuple(filled[variant].get(SEED, _NOTHING).value for variant in some))
        for key, some in found.items()
    )


def factor_pairs(design: Design) -> list[tuple[int, int]]:
    """Return every two factors by their numbers."""
    return list(combinations(range(len(design.factors)), 2))
