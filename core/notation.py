"""How numbers and verdicts are written for people: the same on a page, in a chart, in a report and on the command line.

Three significant digits; shares as percentage points; one number of decimals for a value and its interval; differences with
their sign. Machine-readable exports use the numbers themselves, not these texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from core.metrics.metric import Unit
from core.results import Difference, MetricRow, Value, Verdict

MARKS: dict[Verdict, str] = {"better": "▲", "worse": "▼", "same": "≈", "unclear": "?", "none": "–"}
MEANINGS: dict[Verdict, str] = {
    "better": "better than the reference",
    "worse": "worse than the reference",
    "same": "equivalent within the band declared beforehand",
    "unclear": "cannot be told at this n",
    "none": "nothing to compare",
}
UNIT_NAMES: dict[Unit, str] = {
    "share": "%", "points": "points", "nats": "nats", "perplexity": "", "bits": "bits", "seconds": "s",
    "tokens/s": "tokens/s", "bytes": "MB", "joules": "J", "number": "",
}  # fmt: skip
"""How a unit is written beside a number in the scale of `in_shown_unit`."""


def in_shown_unit(number: float, unit: Unit) -> float:
    """Return a number in the unit that people read: shares times 100, bytes in megabytes (10^6)."""
    return number * {"share": 100.0, "bytes": 1e-6}.get(unit, 1.0)


def decimals(numbers: Iterable[float | None], unit: Unit) -> int:
    """Return how many decimals give the largest of the shown numbers three significant digits.

    Percentages and points of 1 and more have one decimal, as their field prints them.
    """
    known = [abs(number) for number in numbers if number is not None and math.isfinite(number)]
    largest = max(known, default=0.0)
    if largest == 0:
        return 1
    places = 2 - math.floor(math.log10(largest))
    if unit in ("share", "points"):
        return 1 if largest >= 1 else min(places, 3)
    return min(max(places, 0), 6)


def number_text(number: float, places: int, signed: bool = False) -> str:
    """Return ``1,234.5`` or, signed, ``+0.42`` and ``−0.42`` (a true minus sign, no sign at zero)."""
    text = f"{abs(number):,.{places}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return ("−" if number < 0 else "+" if signed else "") + text


def value_texts(value: Value, unit: Unit) -> tuple[str, str]:
    """Return a value and its interval: ``("75.3", "[62.1, 85.3]")``; the interval is empty where there is none."""
    return _with_interval(value.value, value.low, value.high, unit, signed=False)


def difference_texts(difference: Difference, unit: Unit) -> tuple[str, str]:
    """Return a difference with its sign, and its interval: ``("+25.0", "[+12.1, +37.3]")``."""
    return _with_interval(difference.difference, difference.low, difference.high, unit, signed=True)


def drop_texts(drop: Difference, unit: Unit) -> tuple[str, str]:
    """Return how much worse a value became and its interval, ``("5.3", "[2.1, 8.4]")``: only what became better has a sign."""
    return _with_interval(drop.difference, drop.low, drop.high, unit, signed=False)


def bar_shares(row: MetricRow) -> dict[str, float]:
    """Return how long each variant's bar is in a row of a table, 0 to 1 of the largest value.

    Bars begin at zero: a row with a value below zero, or with nothing but zeros, has none.
    """
    known = {name: value.value for name, value in row.values.items() if value.value is not None}
    largest = max(known.values(), default=0.0)
    if largest <= 0 or min(known.values()) < 0 or not math.isfinite(largest):
        return {}
    return {name: number / largest for name, number in known.items()}


def detectable_text(difference: Difference, unit: Unit) -> str:
    """Return the smallest difference that so many examples would show, ``4.2``; nothing where it is not known."""
    if difference.detectable is None:
        return ""
    shown = in_shown_unit(difference.detectable, unit)
    return number_text(shown, decimals([shown], unit))


def _with_interval(
    number: float | None, low: float | None, high: float | None, unit: Unit, signed: bool
) -> tuple[str, str]:
    if number is None:
        return "–", ""
    shown = [None if x is None else in_shown_unit(x, unit) for x in (number, low, high)]
    places = decimals(shown, unit)
    texts = ["" if x is None else number_text(x, places, signed) for x in shown]
    interval = f"[{texts[1]}, {texts[2]}]" if texts[1] and texts[2] else ""
    return texts[0], interval


def p_text(p: float | None) -> str:
    """Return ``p < 0.001``, ``p = 0.012`` (two significant digits) or nothing; what is below 0.05 reads below it too."""
    if p is None:
        return ""
    if p < 0.001:
        return "p < 0.001"
    if p >= 0.995:
        return "p = 1"
    places = max(2, 1 - math.floor(math.log10(p)))
    while p < 0.05 <= round(p, places):  # rounding must not move it across the customary level
        places += 1
    return f"p = {p:.{places}f}"


def metric_heading(row: MetricRow) -> str:
    """Return the metric with its direction and unit: ``Accuracy ↑ %``."""
    unit = UNIT_NAMES[row.unit]
    if unit and unit in row.label.lower():
        unit = ""
    return " ".join(filter(None, (row.label, direction_arrow(row), unit)))


def direction_arrow(row: MetricRow) -> str:
    """Return which way is better, as an arrow; nothing where neither is."""
    return "" if row.direction_free else "↑" if row.higher_is_better else "↓"


def metric_name(row: MetricRow) -> str:
    """Return task, metric and language or label: ``reply: chrF (zh)``, ``category: F1 of a class (billing)``."""
    inner = row.language or row.part
    return f"{row.task}: {row.label}" + (f" ({inner})" if inner else "")


def percent(level: float) -> str:
    """Return an interval's level as ``95 %``."""
    return f"{level * 100:g} %"


def size_text(n_bytes: float) -> str:
    """Return a size in decimal units: ``0.92 MB``, ``35 kB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale or (unit == "MB" and n_bytes >= 1e5):
            number = n_bytes / scale
            return f"{number:.2f} {unit}" if number < 10 else f"{number:,.3g} {unit}"
    return f"{n_bytes:.0f} bytes"


def duration_text(seconds: float) -> str:
    """Return ``420 ms``, ``12.3 s``, ``4 min 5 s`` or ``2 h 10 min``."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 row``, ``1,204 rows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
