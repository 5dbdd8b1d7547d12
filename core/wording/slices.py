"""Slices in words: where a variant's effect differs most."""

from __future__ import annotations

from core.notation import UNIT_NAMES, difference_texts
from core.slices import SliceRow, SliceTable


def sentence(table: SliceTable, found: tuple[SliceRow, ...], variant: str) -> str:
    """Return where a variant's effect differs most, as a sentence."""
    told = [row for row in found if row.contrast.verdict in ("better", "worse")]
    if not told:
        return f"On none of {len(found)} slices does the effect of {variant} differ from the rest by more than noise would show."
    first = told[0]
    number = difference_texts(first.contrast, first.unit)[0]
    unit = UNIT_NAMES[first.unit]
    unit = "points" if unit == "%" else unit
    more = "more" if first.contrast.verdict == "better" else "less"
    others = (
        f" {len(told)} of {len(found)} slices stand out."
        if len(told) > 1
        else f" It alone of {len(found)} slices stands out."
    )
    return (
        f"{variant} gains {more} on {first.slice.name} than on the rest ({number}{f' {unit}' if unit else ''}).{others}"
    )
