"""Values and differences as cells of a report's tables, in the words and digits of every page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from core.charts.tables import comparison_table
from core.notation import (
    MARKS,
    UNIT_NAMES,
    detectable_text,
    difference_texts,
    direction_arrow,
    metric_name,
    p_text,
    value_texts,
)
from core.report.document import Cell, Table
from core.results import Comparison, Difference, MetricRow, Value

HEAD = ("Metric", "Variant", "Value", "Difference", "Adjusted p", "", "Shows from", "n")
"""Of a table with a line for each metric and variant."""


def slug(text: str) -> str:
    """Return a text as letters, digits and hyphens, fit to name a file."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "unnamed"


def value_cell(value: Value | None, row: MetricRow) -> Cell:
    """Return a value with its interval, or why there is none."""
    if value is None:
        return Cell("")
    if value.value is None:
        return Cell("–", value.reason or "not known why")
    return Cell(*value_texts(value, row.unit))


def difference_cell(difference: Difference | None, row: MetricRow) -> Cell:
    """Return a difference with its interval; empty for the reference."""
    if difference is None:
        return Cell("")
    if difference.difference is None:
        return Cell("–")
    return Cell(*difference_texts(difference, row.unit), tone=difference.verdict)


def p_cell(difference: Difference | None) -> Cell:
    """Return the adjusted p without its letter: ``< 0.001``, ``0.012``."""
    return Cell("" if difference is None else p_text(difference.p_adjusted).removeprefix("p ").removeprefix("= "))


def mark_cell(difference: Difference | None) -> Cell:
    """Return a verdict's mark."""
    return Cell("") if difference is None else Cell(MARKS[difference.verdict], tone=difference.verdict)


def n_cell(value: Value | None) -> Cell:
    """Return how many examples have a value, and how many have none."""
    if value is None:
        return Cell("")
    return Cell(f"{value.n:,}", f"{value.n_missing:,} missing" if value.n_missing else "")


def metric_lines(comparison: Comparison, rows: Sequence[MetricRow], whole_name: bool = False) -> list[tuple[Cell, ...]]:
    """Return a line for each metric and variant under `HEAD`, the metric's name in its first line alone.

    Args:
        comparison: whose variants they are; the reference comes first.
        rows: which metrics.
        whole_name: whether the task stands before the metric.
    """
    names = [comparison.reference, *(name for name in comparison.variants if name != comparison.reference)]
    lines: list[tuple[Cell, ...]] = []
    for row in rows:
        heading = _heading(row, whole_name)
        for name in (name for name in names if name in row.values):
            value, difference = row.values[name], row.differences.get(name)
            seen = "" if difference is None else detectable_text(difference, row.unit)
            lines.append((
                Cell(heading), Cell(name), value_cell(value, row), difference_cell(difference, row), p_cell(difference),
                mark_cell(difference), Cell(seen), n_cell(value),
            ))  # fmt: skip
            heading = ""
    return lines


def metric_table(
    name: str, title: str, comparison: Comparison, rows: Sequence[MetricRow], *, note: str = "", folded: bool = False,
    whole_name: bool = False,
) -> Table:  # fmt: skip
    """Return a table of metrics with a line for each variant; its data are those of every CSV of a comparison."""
    data = comparison_table(replace(comparison, rows=tuple(rows)))
    return Table(name, title, HEAD, tuple(metric_lines(comparison, rows, whole_name)), data, note, 2, folded)


def _heading(row: MetricRow, whole_name: bool) -> str:
    inner = row.language or row.part
    name = metric_name(row) if whole_name else row.label + (f" ({inner})" if inner else "")
    unit = UNIT_NAMES[row.unit]
    return " ".join(filter(None, (name, direction_arrow(row), "" if unit and unit in name.lower() else unit)))
