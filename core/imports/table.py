"""Puts the rows of all systems together by example: who answered what, what the examples are, and what fits nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InputError, nearest
from core.imports.answers import ANSWER_FIELDS, Read, needed_fields, read_row
from core.imports.cells import as_text, is_empty, shown, without_nonfinite
from core.imports.sources import SourceRow
from core.imports.tags import tags_of
from core.records import Kind


@dataclass(frozen=True)
class Item:
    """One example, as the rows of all systems tell it."""

    id: str
    reference: Any
    bad_reference: str | None
    fields: Mapping[str, Any]
    """The fields that all its rows agree on."""
    tags: tuple[str, ...]
    language: str | None
    group: str | None


@dataclass(frozen=True)
class Answered:
    """What one system answered to one example, once; an example with several samples has several."""

    variant: str
    example_id: str
    sample: str | None
    read: Read


@dataclass(frozen=True)
class Table:
    """All predictions of a file, or of several."""

    variants: tuple[str, ...]
    """In the order in which they are named; the first is the reference."""
    items: tuple[Item, ...]
    """In the order in which they first stand in the file."""
    answers: Mapping[tuple[str, str], Sequence[Answered]]
    """By (variant, example id); a pair without an answer is not in it."""


def gather(rows: Sequence[SourceRow], kind: Kind) -> Table:
    """Put rows together by example.

    Raises:
        InputError: a field is missing or of the wrong type; an id is missing, or stands twice for one system without a
            field ``sample``; two rows disagree about an example's reference; a system shares no example with the first.
    """
    _check_fields(rows, kind)
    variants = tuple(dict.fromkeys(row.variant for row in rows))
    ids = _ids(rows, variants)
    answers: dict[tuple[str, str], list[Answered]] = {}
    seen: dict[tuple[str, str, str | None], str] = {}
    of_example: dict[str, list[tuple[SourceRow, Read]]] = {}
    for row, example_id in zip(rows, ids, strict=True):
        sample = _scalar(row, "sample")
        _check_single(seen, (row.variant, example_id, sample), row.where)
        read = read_row(row, kind)
        answers.setdefault((row.variant, example_id), []).append(Answered(row.variant, example_id, sample, read))
        of_example.setdefault(example_id, []).append((row, read))
    _check_shared(rows, variants, answers)
    order = _time_order(rows, ids, variants) if kind == "finance" else list(of_example)
    return Table(variants, _items(order, of_example), answers)


def _check_fields(rows: Sequence[SourceRow], kind: Kind) -> None:
    there = {name for row in rows for name in row.fields}
    file = rows[0].where.rpartition(", ")[0]
    for name in needed_fields(kind):
        if name not in there:
            raise InputError(
                f"{file}: there is no field {name!r}{nearest(name, there)}, which {kind} predictions need; the rows have "
                f"{', '.join(sorted(there))}."
            )


def _ids(rows: Sequence[SourceRow], variants: Sequence[str]) -> list[str]:
    """Return each row's example id; where no row of the only system has one they are numbered from 1."""
    if not any("id" in row.fields for row in rows):
        if len(variants) == 1:
            return [str(number) for number in range(1, len(rows) + 1)]
        raise InputError(
            f"{rows[0].where}: there is no field 'id', which tells the examples of {len(variants)} variants apart; give each "
            "example an id, the same for every variant."
        )
    ids = []
    for row in rows:
        found = _scalar(row, "id")
        if found is None:
            raise InputError(f"{row.where}: 'id' is missing; give each example an id, the same for every variant.")
        ids.append(found)
    return ids


def _scalar(row: SourceRow, name: str) -> str | None:
    value = row.fields.get(name)
    if isinstance(value, dict | list | bool):
        raise InputError(f"{row.where}: {name!r} is {shown(value)}, expected a text or a number.")
    return None if is_empty(value) else as_text(value)


def _check_single(seen: dict[tuple[str, str, str | None], str], key: tuple[str, str, str | None], where: str) -> None:
    variant, example_id, sample = key
    if key in seen:
        said = f"the sample {sample!r} of the id {example_id!r}" if sample is not None else f"the id {example_id!r}"
        raise InputError(
            f"{where}: {said} stands here and in {seen[key].rpartition(', ')[2]} for the variant {variant!r}; give each example one "
            "row a variant, or number several answers to one example in a field 'sample'."
        )
    seen[key] = where


def _check_shared(
    rows: Sequence[SourceRow], variants: Sequence[str], answers: Mapping[tuple[str, str], Sequence[Answered]]
) -> None:
    of_variant: dict[str, set[str]] = {variant: set() for variant in variants}
    for variant, example_id in answers:
        of_variant[variant].add(example_id)
    for variant in variants[1:]:
        if of_variant[variant].isdisjoint(of_variant[variants[0]]):
            where = next(row.where for row in rows if row.variant == variant)
            raise InputError(
                f"{where}: the variant {variant!r} has no example in common with {variants[0]!r}: not one id is the same. Give the "
                "same example the same id in both."
            )


def _items(order: Sequence[str], of_example: Mapping[str, Sequence[tuple[SourceRow, Read]]]) -> tuple[Item, ...]:
    fields = {example_id: _agreed([row.fields for row, _ in of_example[example_id]]) for example_id in order}
    tags = tags_of([fields[example_id] for example_id in order])
    items = []
    for example_id, its_tags in zip(order, tags, strict=True):
        reference, bad = _reference(example_id, of_example[example_id])
        kept = fields[example_id]
        language, group = (None if is_empty(kept.get(name)) else as_text(kept[name]) for name in ("language", "group"))
        items.append(Item(example_id, reference, bad, kept, its_tags, language, group))
    return tuple(items)


def _agreed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fields that are the same in all rows: those are of the example, the others of the systems."""
    first = {name: without_nonfinite(value) for name, value in rows[0].items() if name not in ANSWER_FIELDS}
    return {
        name: value
        for name, value in first.items()
        if all(without_nonfinite(row.get(name)) == value for row in rows[1:])
    }


def _reference(example_id: str, rows: Sequence[tuple[SourceRow, Read]]) -> tuple[Any, str | None]:
    (first_row, first), *others = rows
    for row, read in others:
        if read.reference != first.reference or read.bad_reference != first.bad_reference:
            raise InputError(
                f"{row.where}: the reference of {example_id!r} is {shown(row.fields.get('reference'))}, but "
                f"{shown(first_row.fields.get('reference'))} in {first_row.where.rpartition(', ')[2]} (variant {first_row.variant!r}); the "
                "same example has the same reference for every variant."
            )
    return first.reference, first.bad_reference


def _time_order(rows: Sequence[SourceRow], ids: Sequence[str], variants: Sequence[str]) -> list[str]:
    """Return the periods in order of time, which is each system's order of rows.

    Raises:
        InputError: two systems have the same periods in different orders.
    """
    merged: list[str] = []
    for variant in variants:
        place = -1
        position = {example_id: number for number, example_id in enumerate(merged)}
        fresh: dict[int, list[str]] = {}
        own = [(row, i) for row, i in zip(rows, ids, strict=True) if row.variant == variant]
        for row, example_id in own:
            at = position.get(example_id)
            if at is None:
                if example_id not in fresh.get(place, []):
                    fresh.setdefault(place, []).append(example_id)
            elif at < place:
                raise InputError(
                    f"{row.where}: the period {example_id!r} of {variant!r} comes after a later one; rows of finance predictions stand in "
                    "order of time, the same for every variant."
                )
            else:
                place = at
        merged = [
            *fresh.get(-1, []),
            *(one for at, before in enumerate(merged) for one in (before, *fresh.get(at, []))),
        ]
    return merged
