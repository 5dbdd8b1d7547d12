"""Forgetting in words: what became of general text."""

from __future__ import annotations

from core.forgetting import ForgettingReport, VariantForgetting
from core.notation import MARKS, UNIT_NAMES, difference_texts
from core.results import MetricRow, Verdict

_GROUPS: tuple[tuple[Verdict, str, str], ...] = (
    ("worse", "has forgotten", "have forgotten"),
    ("better", "finds it likelier than before", "find it likelier than before"),
    ("same", "is the same within the band", "are the same within the band"),
    ("unclear", "cannot be told", "cannot be told"),
    ("none", "has nothing to compare", "have nothing to compare"),
)


def sentence(report: ForgettingReport) -> str:
    """Return what became of general text, ``On general (Bits per byte) all-r8 has forgotten (▼ +0.12 bits)``, as a sentence."""
    if report.reason is not None or not report.general_rows:
        return f"Not known: {report.reason or 'no metric of general text was computed'}."
    row = report.general_rows[0]
    parts = []
    for verdict, single, several in _GROUPS:
        found = [one for one in report.variants if one.verdict == verdict]
        if found:
            names = [f"{one.variant}{_amount(one, row)}" for one in found]
            told = ", ".join(names) if verdict != "unclear" or len(names) <= 2 else f"{len(names)} variants"
            parts.append(f"{told} {single if len(found) == 1 else several}")
    return f"On general text ({report.general}, {row.label}) {'; '.join(parts)}."


def _amount(one: VariantForgetting, row: MetricRow) -> str:
    difference = row.differences.get(one.variant)
    if difference is None or difference.difference is None:
        return ""
    unit = UNIT_NAMES[row.unit]
    return f" ({MARKS[one.verdict]} {difference_texts(difference, row.unit)[0]}{f' {unit}' if unit else ''})"
