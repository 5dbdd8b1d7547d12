"""What stands beside the numbers in the pictures of an experiment: names, axes, hovers and the line under the title."""

from __future__ import annotations

from collections.abc import Sequence

from core.ablation_spec import Trial
from core.experiment.results import Experiment, MetricEffects
from core.notation import MARKS, UNIT_NAMES, difference_texts, in_shown_unit, p_text, percent, value_texts
from core.results import Difference, Value

TOLD = "filled: told apart from {whole}"
EVIDENT = ("better", "worse", "same")
"""Verdicts that say something for certain."""


def hover(experiment: Experiment, found: MetricEffects, trial: Trial) -> tuple[str, ...]:
    """Return what is told of a trial: its value, and its differences to the whole adapter and to the baseline."""
    value = found.row.values[trial.variant]
    lines = [f"{found.row.label} {' '.join(value_texts(value, found.row.unit))}"]
    for table, name in ((found.to_whole, experiment.whole), (found.to_baseline, "the baseline")):
        if (difference := table.get(trial.variant)) is not None and difference.difference is not None:
            lines += [f"to {name}: {difference_text(found, difference)}", *how_told(difference)]
    return (*lines, f"n = {value.n:,}")


def how_told(difference: Difference, against: str = "") -> tuple[str, ...]:
    """Return the adjusted p-value and the method of a difference as one line; none where there is neither."""
    parts = [
        p_text(difference.p_adjusted) + " (adjusted)" if difference.p_adjusted is not None else "",
        difference.method,
    ]
    told = ", ".join(part for part in parts if part and part != "none")
    return (f"to {against}: {told}" if against else told,) if told else ()


def difference_text(found: MetricEffects, difference: Difference) -> str:
    """Return a difference with its mark and interval, or why there is none."""
    if difference.difference is None:
        return difference.reason or "no value"
    number, interval = difference_texts(difference, found.row.unit)
    mark = "" if difference.verdict == "none" else f"{MARKS[difference.verdict]} "
    return f"{mark}{number} {interval}".strip()


def shown_difference(found: MetricEffects, difference: Difference) -> tuple[float | None, float | None, float | None]:
    """Return a difference and the ends of its interval in the unit that people read."""
    return (
        _shown(found, difference.difference),
        _shown(found, difference.low),
        _shown(found, difference.high),
    )


def shown_value(found: MetricEffects, value: Value) -> tuple[float, float | None, float | None]:
    """Return a value, which is known, and the ends of its interval in the unit that people read."""
    return _shown(found, value.value) or 0.0, _shown(found, value.low), _shown(found, value.high)


def _shown(found: MetricEffects, number: float | None) -> float | None:
    return None if number is None else in_shown_unit(number, found.row.unit)


def heading(found: MetricEffects) -> str:
    """Return task, metric and label: ``category: Accuracy``."""
    return f"{found.row.task}: {found.row.label}{f' ({found.row.part})' if found.row.part else ''}"


def unit_name(found: MetricEffects) -> str:
    """Return the unit of a metric's differences."""
    return "points" if UNIT_NAMES[found.row.unit] == "%" else UNIT_NAMES[found.row.unit]


def better_side(found: MetricEffects, upright: bool = False) -> str:
    """Return which side of zero is better, to follow the title of an axis, an ``upright`` one or not; nothing where neither is."""
    if found.row.direction_free:
        return ""
    sides = ("upwards", "downwards") if upright else ("to the right", "to the left")
    return f", better {sides[0] if found.row.higher_is_better else sides[1]}"


def difference_axis(experiment: Experiment, found: MetricEffects, upright: bool = False) -> str:
    """Return the title of an axis of differences to the whole adapter; a short one, without the names, for an upright axis."""
    unit = f" ({unit_name(found)})" if unit_name(found) else ""
    name = "Difference" if upright else f"{found.row.label} minus {experiment.whole}'s"
    return f"{name}{unit}{better_side(found, upright)}"


def is_told(found: MetricEffects, trial: Trial) -> bool:
    """Tell whether a trial differs from the whole adapter for certain."""
    return (one := found.to_whole.get(trial.variant)) is not None and one.verdict in EVIDENT


def sizes(found: MetricEffects, trials: Sequence[Trial]) -> set[int]:
    """Return on how many pairs of examples the differences of some trials stand."""
    return {one.n for trial in trials if (one := found.to_whole.get(trial.variant)) is not None and one.n}


def reading(experiment: Experiment, found: MetricEffects, trials: Sequence[Trial]) -> str:
    """Return the line under the title of a picture of differences to the whole adapter."""
    return subtitle(experiment, sizes(found, trials), TOLD.format(whole=experiment.whole))


def subtitle(experiment: Experiment, counts: set[int], told: str) -> str:
    """Return n, the level of the intervals, and what filled means, as the line under a title."""
    n = "" if not counts else f"n = {min(counts):,}" + ("" if len(counts) == 1 else f" to {max(counts):,}")
    return "; ".join(filter(None, (n, f"{percent(experiment.level)} intervals", told)))


def capital(text: str) -> str:
    """Return a text with its first letter upper case."""
    return text[:1].upper() + text[1:]
