"""Forgetting in words and as a table: what each variant lost on general text beside what it gained in its domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from core.charts.theme import Mode
from core.forgetting import ForgettingReport, VariantForgetting
from core.notation import MARKS, difference_texts, metric_heading, p_text
from core.results import Comparison, Difference, MetricRow
from dashboard.parts.metric_cell import difference_tip, variant_name


def forgetting_table(comparison: Comparison, report: ForgettingReport, mode: Mode) -> str:
    """Return the table as escaped HTML: a row a variant; general text first, then the domain's primary metrics."""
    rows = (*report.general_rows, *report.domain_rows)
    groups = (
        "<tr><th></th>"
        f'<th class="left" colspan="{len(report.general_rows) + 1}">General text: {escape(report.general)}</th>'
        f'<th class="left" colspan="{max(1, len(report.domain_rows))}">Domain: {escape(report.domain)}</th></tr>'
    )
    titles = [*(metric_heading(row) for row in report.general_rows), "Perplexity ratio"]
    titles += [metric_heading(row) for row in report.domain_rows] or ["no primary metric"]
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join(
        f"<tr><th>{variant_name(comparison, one.variant, mode)}</th>{''.join(_cells(comparison, report, one, rows))}</tr>"
        for one in report.variants
    )
    return f'<table class="wide dense"><thead>{groups}<tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>'


def forgetting_rows(comparison: Comparison, report: ForgettingReport) -> Comparison:
    """Return the comparison with the rows that the report shows alone, for export."""
    return replace(comparison, rows=(*report.general_rows, *report.domain_rows))


def _cells(
    comparison: Comparison, report: ForgettingReport, one: VariantForgetting, rows: Sequence[MetricRow]
) -> list[str]:
    cells = [_cell(row.differences.get(one.variant), row, comparison.level) for row in rows]
    ratio = "–"
    if one.ratio is not None:
        ratio = f"{one.ratio.ratio:.3f}"
        if one.ratio.low is not None and one.ratio.high is not None:
            ratio += f"<br><small>[{one.ratio.low:.3f}, {one.ratio.high:.3f}]</small>"
    cells.insert(len(report.general_rows), f"<td>{ratio}</td>")
    return cells if report.domain_rows else [*cells, "<td>–</td>"]


def _cell(difference: Difference | None, row: MetricRow, level: float) -> str:
    if difference is None or difference.difference is None:
        reason = "not measured" if difference is None else difference.reason or "nothing to compare"
        return f'<td><small class="why">{escape(reason)}</small></td>'
    number, interval = difference_texts(difference, row.unit)
    mark = "" if difference.verdict == "none" else f"{MARKS[difference.verdict]} "
    tip = escape(difference_tip(difference, row, level), quote=True)
    return (
        f'<td title="{tip}"><span class="{difference.verdict}">{mark}{escape(number)}</span><br>'
        f"<small>{escape(interval)}</small><br><small>{escape(p_text(difference.p_adjusted))}</small></td>"
    )
