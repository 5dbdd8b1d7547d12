"""Tables of a comparison as escaped HTML: every metric by variant, and the matrix of marks; tasks as groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from core.charts.theme import Mode
from core.notation import metric_heading
from core.results import Comparison, MetricRow
from dashboard.parts.linked_html import link
from dashboard.parts.metric_cell import COMPACT_ABOVE, Link, mark_cell, row_cells, variant_name
from dashboard.parts.metric_rows import (
    EVERYTHING,
    FoldedFamily,
    LabelGroup,
    Line,
    TaskRows,
    Unfolded,
    shown_rows,
    task_rows,
)

Fold = Callable[[str | None], Mapping[str, str]]
"""Query parameters of the link that shows or hides a task's other metrics; with ``task/family`` the metrics of a family, with
None the labels apart."""
MARKS_SIDE_BY_SIDE = 16
"""A matrix with more rows stands in two columns, where the page is wide enough, so that it fits one screen."""


def comparison_table(
    comparison: Comparison,
    mode: Mode,
    parameters: Link | None,
    unfolded: Unfolded | None = None,
    fold: Fold | None = None,
    only: Sequence[str] | None = None,
) -> str:
    """Return the metric by variant table: tasks as groups, the reference first, primary metrics before the others.

    Args:
        comparison: what was compared.
        mode: light or dark.
        parameters: of the links; None for a table without any.
        unfolded: what is shown beside the primary metrics; by default all metrics, without languages and labels apart.
        fold: of the links that unfold; None for a table without any.
        only: the variants beside the reference that have a column; None is all.
    """
    unfolded = Unfolded((EVERYTHING,)) if unfolded is None else unfolded
    others = [name for name in comparison.variants if name != comparison.reference and (only is None or name in only)]
    columns = [comparison.reference, *others]
    head = "".join(f"<th>{variant_name(comparison, name, mode)}</th>" for name in columns)
    lines: list[str] = []
    for group in task_rows(comparison, unfolded):
        lines.append(f'<tr class="task"><th colspan="{len(columns) + 1}">{escape(group.task)}</th></tr>')
        lines += _group_lines(comparison, group, others, parameters, unfolded.chosen, fold)
    dense = " dense" if len(others) > COMPACT_ABOVE else ""
    return f'<table class="wide{dense}"><thead><tr><th>Metric</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def verdict_matrix(comparison: Comparison, mode: Mode, parameters: Link, more: bool = False) -> str:
    """Return the tables of marks: a row a metric, a column a variant but the reference, each cell a link to Compare.

    Args:
        comparison: what was compared.
        mode: light or dark.
        parameters: of the links.
        more: whether metrics that are not primary have a row too; languages and labels apart have none.
    """
    rows = matrix_rows(comparison, more)
    half = -(-len(rows) // 2) if len(rows) > MARKS_SIDE_BY_SIDE else len(rows)
    parts = [part for part in (rows[:half], rows[half:]) if part]
    return f'<div class="matrices">{"".join(_marks(comparison, part, mode, parameters) for part in parts)}</div>'


def matrix_rows(comparison: Comparison, more: bool = False) -> tuple[MetricRow, ...]:
    """Return the rows of `verdict_matrix`: the primary ones, and with ``more`` the other metrics after them."""
    unfolded = Unfolded((EVERYTHING,) if more else ())
    return tuple(row for row in shown_rows(comparison, unfolded) if row.primary or not row.is_detail)


def n_more(comparison: Comparison) -> int:
    """Return how many metrics `matrix_rows` leaves out unless they are asked for."""
    return len(matrix_rows(comparison, True)) - len(matrix_rows(comparison))


def _marks(comparison: Comparison, rows: Sequence[MetricRow], mode: Mode, parameters: Link) -> str:
    names = [name for name in comparison.variants if name != comparison.reference]
    head = "".join(f"<th>{variant_name(comparison, name, mode)}</th>" for name in names)
    lines = []
    for row in rows:
        address = link("compare", parameters(row, None))
        cells = "".join(mark_cell(row, name, comparison.level, parameters) for name in names)
        inner = f" ({row.part})" if row.part else ""
        label = f'<span class="muted">{escape(row.task)}</span> {escape(metric_heading(row) + inner)}'
        lines.append(f'<tr><th><a href="{address}">{label}</a></th>{cells}</tr>')
    return f'<table class="matrix"><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _group_lines(
    comparison: Comparison, group: TaskRows, others: Sequence[str], parameters: Link | None, chosen: str | None,
    fold: Fold | None,
) -> list[str]:  # fmt: skip
    width, lines, family = len(others) + 2, [], None
    families = {_family(line)[1] for line in group.lines}
    for line in group.lines:
        is_detail = isinstance(line, MetricRow) and line.is_detail
        if len(families) > 1 and not is_detail and _family(line) != family:
            family = _family(line)
            lines.append(_family_line(group, line, width, fold))
        if isinstance(line, LabelGroup):
            lines.append(_label_line(line, width - 1, fold))
        elif isinstance(line, MetricRow):
            lines.append(_line(comparison, line, others, parameters, line.key == chosen))
    if fold is not None and group.can_fold:
        metrics = f"{group.n_folded} more metric{'' if group.n_folded == 1 else 's'}"
        told = f"▸ {metrics}" if group.n_folded else "▾ The primary metrics alone"
        address = link("compare", fold(group.task))
        lines.append(f'<tr class="fold"><th colspan="{width}"><a href="{address}">{told}</a></th></tr>')
    return lines


def _family(line: Line) -> tuple[bool, str]:
    """Return whether a line's metric is primary, and its family."""
    row = line.first if isinstance(line, LabelGroup) else line
    return row.primary, row.family


def _family_line(group: TaskRows, line: Line, width: int, fold: Fold | None) -> str:
    """Return the heading of a family: a link that folds its metrics into it, or shows them again."""
    primary, family = _family(line)
    told = escape(("primary, " if primary and group.can_fold else "") + family)
    if fold is not None:
        is_folded = isinstance(line, FoldedFamily)
        count = f" ({line.n} metric{'' if line.n == 1 else 's'})" if isinstance(line, FoldedFamily) else ""
        address = link("compare", fold(f"{group.task}/{family}"))
        told = f'<a href="{address}">{"▸" if is_folded else "▾"} {told}{count}</a>'
    return f'<tr class="family"><th colspan="{width}">{told}</th></tr>'


def _label_line(group: LabelGroup, width: int, fold: Fold | None) -> str:
    labels = f"{len(group.rows)} labels"
    if fold is not None and not group.always:
        told = f"▾ {labels}" if group.opened else f"▸ {labels}, each apart"
        labels = f'<a href="{link("compare", fold(None))}">{told}</a>'
    return f'<tr><th>{escape(metric_heading(group.first))}</th><td class="labels" colspan="{width}">{labels}</td></tr>'


def _line(comparison: Comparison, row: MetricRow, others: Sequence[str], parameters: Link | None, chosen: bool) -> str:
    classes = " ".join(name for name, on in (("language", row.is_detail), ("chosen", chosen)) if on)
    label = escape(row.language or row.part or metric_heading(row))
    if parameters is not None:
        label = f'<a href="{link("compare", parameters(row, None))}">{label}</a>'
    named = f' class="{classes}"' if classes else ""
    opening = f'<tr{named} data-key="{escape(row.key, quote=True)}">'
    return f"{opening}<th>{label}</th>{row_cells(comparison, row, others, parameters)}</tr>"
