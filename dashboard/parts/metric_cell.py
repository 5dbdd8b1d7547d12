"""Cells of a comparison as escaped HTML: a value with its interval, a difference with its mark and p, and what tooltips say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import groupby

from core.charts.theme import Mode, variant_colours
from core.notation import (
    MARKS,
    MEANINGS,
    UNIT_NAMES,
    bar_shares,
    detectable_text,
    difference_texts,
    p_text,
    percent,
    value_texts,
)
from core.results import Comparison, Difference, MetricRow, Value
from dashboard.parts.linked_html import link

ONE_LINE_UP_TO = 3
"""With so few variants beside the reference a difference, its interval and its p fit one line."""
COMPACT_ABOVE = 5
"""With more a cell keeps the value's own interval for the tooltip; the difference's has a line to itself."""

Link = Callable[[MetricRow, str | None], Mapping[str, str]]
"""Query parameters for a metric and, where a cell was clicked, a variant."""


def variant_name(comparison: Comparison, name: str, mode: Mode) -> str:
    """Return a variant's name with its colour in front, as HTML."""
    colour = variant_colours(comparison.variants, mode)[name]
    return f'<span class="swatch" style="--variant: {colour}"></span>{escape(name)}'


def value_tip(value: Value, row: MetricRow, level: float) -> str:
    """Return everything about a value, for its tooltip, as plain text."""
    if value.value is None:
        return f"no value: {value.reason or 'not known why'}"
    number, interval = value_texts(value, row.unit)
    missing = f", {value.n_missing:,} without a value" if value.n_missing else ""
    how = f"({percent(level)}: {value.method})" if interval else f"(interval: {value.method})" if value.method else ""
    lines = [f"{number} {UNIT_NAMES[row.unit]} {interval} {how}".replace("  ", " ").strip(),
             f"n = {value.n:,}{missing}", value.signature, row.caution]  # fmt: skip
    return "\n".join(line for line in lines if line)


def difference_tip(difference: Difference, row: MetricRow, level: float) -> str:
    """Return everything about a difference, for its tooltip, as plain text."""
    if difference.difference is None:
        return f"nothing to compare: {difference.reason or 'not known why'}"
    number, interval = difference_texts(difference, row.unit)
    unit = "points" if UNIT_NAMES[row.unit] == "%" else UNIT_NAMES[row.unit]
    adjusted = f", {p_text(difference.p_adjusted)} adjusted" if difference.p_adjusted is not None else ""
    raw = f"{p_text(difference.p)} unadjusted{adjusted}" if difference.p is not None else ""
    seen = detectable_text(difference, row.unit)
    lines = [
        difference.reason or MEANINGS[difference.verdict],
        f"{number} {unit} {interval} ({percent(level)})".replace("  ", " "),
        raw,
        f"n = {difference.n:,} pairs" + (f"; shows differences of {seen} {unit} and more".rstrip() if seen else ""),
        difference.method,
    ]
    return "\n".join(line for line in lines if line)


def mark_cell(row: MetricRow, name: str, level: float, parameters: Link) -> str:
    """Return a cell that holds the mark of a difference alone, and leads to it."""
    difference = row.differences.get(name)
    if difference is None:
        return '<td class="mark none">–</td>'
    verdict = difference.verdict
    tip = escape(f"{name}: {difference_tip(difference, row, level)}", quote=True)
    return (
        f'<td class="mark"><a class="{verdict} bg-{verdict}" href="{link("compare", parameters(row, name))}" title="{tip}" '
        f'aria-label="{tip}">{MARKS[verdict]}</a></td>'
    )


def row_cells(comparison: Comparison, row: MetricRow, others: Sequence[str], parameters: Link | None) -> str:
    """Return the cells of a row, the reference's first; neighbours without a value for one reason share a cell."""
    names, level, bars = [comparison.reference, *others], comparison.level, bar_shares(row)
    cells = []
    for reason, group in groupby(names, lambda name: _why_none(row.values.get(name))):
        some = list(group)
        if reason and len(some) > 1:
            cells.append(_reason_cell(reason, len(some)))
            continue
        for name in some:
            is_reference = name == comparison.reference
            cells.append(
                _value_cell(row, name, level, len(others), _bar_html(bars.get(name)))
                if is_reference
                else _pair_cell(row, name, level, parameters, len(others), _bar_html(bars.get(name)))
            )
    return "".join(cells)


def _why_none(value: Value | None) -> str | None:
    return None if value is None or value.value is not None else value.reason or "not known why"


def _reason_cell(reason: str, width: int) -> str:
    told = escape(f"no value: {reason}", quote=True)
    return f'<td class="reason" colspan="{width}" title="{told}">{told}</td>'


def _value_cell(row: MetricRow, name: str, level: float, n_others: int, bar: str) -> str:
    if (value := row.values.get(name)) is None:
        return '<td class="none">–</td>'
    return (
        f'<td title="{escape(value_tip(value, row, level), quote=True)}">{_value_html(value, row, n_others)}{bar}</td>'
    )


def _pair_cell(row: MetricRow, name: str, level: float, parameters: Link | None, n_others: int, bar: str) -> str:
    value, difference = row.values.get(name), row.differences.get(name)
    if value is None:
        return '<td class="none">–</td>'
    tip, lines = value_tip(value, row, level), [_value_html(value, row, n_others)]
    if difference is not None:
        tip += f"\n\n{difference_tip(difference, row, level)}" if value.value is not None else ""
        lines += _difference_lines(difference, row, n_others)
    if parameters is None:
        return f'<td title="{escape(tip, quote=True)}">{"<br>".join(lines)}{bar}</td>'
    address = link("compare", parameters(row, name))
    return f'<td><a class="cell" href="{address}" title="{escape(tip, quote=True)}">{"<br>".join(lines)}{bar}</a></td>'


def _bar_html(share: float | None) -> str:
    """Return the bar of a value; texts say the number, so that readers of screens need no bar."""
    return "" if share is None else f'<span class="bar" style="--share: {share:.3f}" aria-hidden="true"></span>'


def _difference_lines(difference: Difference, row: MetricRow, n_others: int) -> list[str]:
    if difference.difference is None:
        return []
    number, interval = difference_texts(difference, row.unit)
    # Where neither more nor less is better, a dash beside the number would read as its sign.
    mark = "" if difference.verdict == "none" else f"{MARKS[difference.verdict]} "
    told = f'<span class="{difference.verdict}">{mark}{escape(number)}</span>'
    between = f"<small>{escape(interval)}</small>" if interval else ""
    p = f"<small>{escape(p_text(difference.p_adjusted))}</small>" if difference.p_adjusted is not None else ""
    if n_others <= ONE_LINE_UP_TO:
        return [f"{told} {between} {p}"]
    parts = [told, between, p] if n_others > COMPACT_ABOVE else [f"{told} {between}", p]
    return [part for part in parts if part]


def _value_html(value: Value, row: MetricRow, n_others: int) -> str:
    if value.value is None:
        return f'<small class="why">no value: {escape(value.reason or "not known why")}</small>'
    number, interval = value_texts(value, row.unit)
    return escape(number) + ("" if n_others > COMPACT_ABOVE or not interval else f" <small>{escape(interval)}</small>")
