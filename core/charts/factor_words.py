"""Numbers and names of an ablation as they stand on its charts: in the shown unit, with direction, short enough for an axis."""

from __future__ import annotations

from core.ablation.records import Outcome
from core.notation import UNIT_NAMES, decimals, in_shown_unit, number_text

_LEVEL_CHARACTERS = 16


def shown(number: float | None, outcome: Outcome) -> float | None:
    """Return a number of the outcome in the unit that people read; None stays None."""
    return None if number is None else in_shown_unit(number, outcome.unit)


def outcome_heading(outcome: Outcome, with_task: bool = True) -> str:
    """Return the outcome with task, direction and unit: ``reply: ROUGE-L ↑ %``."""
    name = f"{outcome.task}: {outcome.label}" if with_task else outcome.label
    unit = UNIT_NAMES[outcome.unit]
    arrow = direction_of(outcome)
    return " ".join(filter(None, (name, arrow, "" if unit in outcome.label.lower() else unit)))


def direction_of(outcome: Outcome) -> str:
    """Return which way is better, as an arrow; nothing where neither is."""
    return "" if outcome.direction_free else "↑" if outcome.higher_is_better else "↓"


def difference_unit(outcome: Outcome) -> str:
    """Return how a difference of the outcome is measured, ``points`` of a share; empty for a plain number."""
    unit = UNIT_NAMES[outcome.unit]
    return "points" if unit == "%" else unit


def interval_text(
    number: float | None, low: float | None, high: float | None, outcome: Outcome, signed: bool = False
) -> str:
    """Return a number of the outcome with its interval, ``+3.1 [+1.7, +4.6]``; a dash where there is none."""
    if number is None:
        return "–"
    known = [shown(x, outcome) for x in (number, low, high)]
    places = decimals(known, outcome.unit)
    texts = ["" if x is None else number_text(x, places, signed) for x in known]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]" if texts[1] and texts[2] else texts[0]


def short_level(text: str, limit: int = _LEVEL_CHARACTERS) -> str:
    """Return a level short enough for an axis; of a list its first member and how many more there are."""
    if len(text) <= limit:
        return text
    first, *rest = text.split(", ")
    if rest and len(first) <= limit:
        return f"{first} and {len(rest)} more"
    return text[: limit - 1] + "…"
