"""Cells and tables of a comparison as escaped HTML: a value with its interval, a difference, a mark, and the links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from core.charts.theme import Mode, variant_colours
from core.notation import (
    MARKS,
    MEANINGS,
    UNIT_NAMES,
    difference_texts,
    metric_heading,
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


def verdict_matrix(comparison: Comparison, mode: Mode, parameters: Link) -> str:
    """Return the table of marks: a row a metric, a column a variant but the reference, each cell a link to Compare."""
    names = [name for name in comparison.variants if name != comparison.reference]
    head = "".join(f"<th>{variant_name(comparison, name, mode)}</th>" for name in names)
    lines = []
    for row in comparison.rows:
        if row.language is not None:
            continue
        address = link("compare", parameters(row, None))
        cells = "".join(_mark_cell(row, name, comparison.level, parameters) for name in names)
        label = f'<span class="muted">{escape(row.task)}</span> {escape(metric_heading(row))}'
        lines.append(f'<tr><th><a href="{address}">{label}</a></th>{cells}</tr>')
    return f'<table class="matrix"><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def comparison_table(
    comparison: Comparison, mode: Mode, parameters: Link | None, chosen: str | None = None, languages: bool = False
) -> str:
    """Return the metric by variant table: tasks as groups, the reference first, languages under their metric if wanted.

    Args:
        comparison: what was compared.
        mode: light or dark.
        parameters: of the links; None for a table without any.
        chosen: `MetricRow.key` of the row that is shown below the table.
        languages: whether rows of one language are shown.
    """
    others = [name for name in comparison.variants if name != comparison.reference]
    columns = [comparison.reference, *others]
    head = "".join(f"<th>{variant_name(comparison, name, mode)}</th>" for name in columns)
    lines, task = [], None
    for row in comparison.rows:
        if row.language is not None and not languages:
            continue
        if row.task != task:
            task = row.task
            lines.append(f'<tr class="task"><th colspan="{len(columns) + 1}">{escape(task)}</th></tr>')
        lines.append(_line(comparison, row, others, parameters, row.key == chosen))
    dense = " dense" if len(others) > COMPACT_ABOVE else ""
    return f'<table class="wide{dense}"><thead><tr><th>Metric</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


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
    lines = [f"{number} {UNIT_NAMES[row.unit]} {interval} ({percent(level)}: {value.method})".replace("  ", " "),
             f"n = {value.n:,}{missing}", value.signature]  # fmt: skip
    return "\n".join(lines)


def difference_tip(difference: Difference, row: MetricRow, level: float) -> str:
    """Return everything about a difference, for its tooltip, as plain text."""
    if difference.difference is None:
        return f"nothing to compare: {difference.reason or 'not known why'}"
    number, interval = difference_texts(difference, row.unit)
    unit = "points" if UNIT_NAMES[row.unit] == "%" else UNIT_NAMES[row.unit]
    raw = (
        f"{p_text(difference.p)} unadjusted, {p_text(difference.p_adjusted)} adjusted"
        if difference.p is not None
        else ""
    )
    lines = [MEANINGS[difference.verdict], f"{number} {unit} {interval} ({percent(level)})".replace("  ", " "), raw,
             f"n = {difference.n:,} pairs", difference.method]  # fmt: skip
    return "\n".join(line for line in lines if line)


def _mark_cell(row: MetricRow, name: str, level: float, parameters: Link) -> str:
    difference = row.differences.get(name)
    if difference is None:
        return '<td class="mark none">–</td>'
    verdict = difference.verdict
    tip = escape(f"{name}: {difference_tip(difference, row, level)}", quote=True)
    return (
        f'<td class="mark"><a class="{verdict} bg-{verdict}" href="{link("compare", parameters(row, name))}" title="{tip}" '
        f'aria-label="{tip}">{MARKS[verdict]}</a></td>'
    )


def _line(comparison: Comparison, row: MetricRow, others: Sequence[str], parameters: Link | None, chosen: bool) -> str:
    classes = " ".join(name for name, on in (("language", row.language is not None), ("chosen", chosen)) if on)
    label = escape(row.language or "") if row.language is not None else escape(metric_heading(row))
    if parameters is not None:
        label = f'<a href="{link("compare", parameters(row, None))}">{label}</a>'
    cells = [_value_cell(row, comparison.reference, comparison.level, len(others))]
    cells += [_pair_cell(row, name, comparison.level, parameters, len(others)) for name in others]
    opening = f'<tr class="{classes}">' if classes else "<tr>"
    return f"{opening}<th>{label}</th>{''.join(cells)}</tr>"


def _value_cell(row: MetricRow, name: str, level: float, n_others: int) -> str:
    if (value := row.values.get(name)) is None:
        return '<td class="none">–</td>'
    return f'<td title="{escape(value_tip(value, row, level), quote=True)}">{_value_html(value, row, n_others)}</td>'


def _pair_cell(row: MetricRow, name: str, level: float, parameters: Link | None, n_others: int) -> str:
    value, difference = row.values.get(name), row.differences.get(name)
    if value is None:
        return '<td class="none">–</td>'
    tip, lines = value_tip(value, row, level), [_value_html(value, row, n_others)]
    if difference is not None and difference.difference is not None:
        number, interval = difference_texts(difference, row.unit)
        tip += f"\n\n{difference_tip(difference, row, level)}"
        mark = f'<span class="{difference.verdict}">{MARKS[difference.verdict]} {escape(number)}</span>'
        between = f"<small>{escape(interval)}</small>" if interval else ""
        p = f"<small>{escape(p_text(difference.p_adjusted))}</small>" if difference.p_adjusted is not None else ""
        if n_others <= ONE_LINE_UP_TO:
            lines.append(f"{mark} {between} {p}")
        else:
            parts = [mark, between, p] if n_others > COMPACT_ABOVE else [f"{mark} {between}", p]
            lines += [part for part in parts if part]
    if parameters is None:
        return f'<td title="{escape(tip, quote=True)}">{"<br>".join(lines)}</td>'
    address = link("compare", parameters(row, name))
    return f'<td><a class="cell" href="{address}" title="{escape(tip, quote=True)}">{"<br>".join(lines)}</a></td>'


def _value_html(value: Value, row: MetricRow, n_others: int) -> str:
    number, interval = value_texts(value, row.unit)
    return escape(number) + ("" if n_others > COMPACT_ABOVE or not interval else f" <small>{escape(interval)}</small>")
