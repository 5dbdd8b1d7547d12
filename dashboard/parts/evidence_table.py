"""One metric's evidence side by side: each variant's value, difference, raw and adjusted p, n, and what this n could have shown."""

from __future__ import annotations

from html import escape

from core.charts.theme import Mode
from core.notation import (
    MARKS,
    MEANINGS,
    UNIT_NAMES,
    detectable_text,
    difference_texts,
    metric_heading,
    p_text,
    percent,
    value_texts,
)
from core.results import Comparison, MetricRow
from dashboard.parts.metric_cell import variant_name


def evidence_table(comparison: Comparison, row: MetricRow, mode: Mode, chosen: str | None = None) -> str:
    """Return the table as escaped HTML.

    Args:
        comparison: that the row is of.
        row: the metric.
        mode: light or dark.
        chosen: the variant whose line is marked.
    """
    names = [comparison.reference, *(name for name in comparison.variants if name in row.differences)]
    unit = "points" if UNIT_NAMES[row.unit] == "%" else UNIT_NAMES[row.unit]
    tips = {
        "Adjusted p": family_sentence(comparison, row),
        "Detectable": "The smallest true difference that so many pairs would show four times out of five, after the correction.",
    }
    titles = (
        "",
        metric_heading(row),
        f"Difference{f' ({unit})' if unit else ''}",
        "p",
        "Adjusted p",
        "n",
        "Detectable",
        "",
    )
    head = "".join(f'<th title="{escape(tips.get(title, ""), quote=True)}">{escape(title)}</th>' for title in titles)
    body = "".join(_line(comparison, row, name, mode, name == chosen) for name in names)
    return f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def family_sentence(comparison: Comparison, row: MetricRow) -> str:
    """Return how the p-values of a row are adjusted, as a sentence."""
    if row.primary:
        return (
            f"Holm's correction over the {comparison.family_size} tests that were declared beforehand, hidden or shown."
        )
    others = sum(
        found.p is not None for other in comparison.rows if not other.primary for found in other.differences.values()
    )
    return f"Not a primary metric: Benjamini and Hochberg's correction over the {others} tests of all that are not."


def reading(comparison: Comparison, row: MetricRow) -> list[str]:
    """Return what has to be known of a metric's numbers, as plain sentences: correction, methods, signature, caution."""
    methods = {found.method: None for found in row.differences.values() if found.difference is not None}
    signatures = {value.signature: None for value in row.values.values() if value.signature}
    detectable = "Detectable: the smallest true difference that so many pairs would show four times out of five."
    sentences = [f"Adjusted: {family_sentence(comparison, row)}", detectable]
    sentences += [f"Differences: {'; '.join(methods)}, {percent(comparison.level)} intervals."] if methods else []
    sentences += [f"Computed as {' and '.join(signatures)}."] if signatures else []
    return [*sentences, *([row.caution] if row.caution else [])]


def _line(comparison: Comparison, row: MetricRow, name: str, mode: Mode, chosen: bool) -> str:
    value, difference = row.values.get(name), row.differences.get(name)
    cells = [f"<th>{variant_name(comparison, name, mode)}</th>"]
    if value is None or value.value is None:
        reason = "not measured" if value is None else f"no value: {value.reason or 'not known why'}"
        return f'<tr>{cells[0]}<td class="text reason" colspan="7">{escape(reason)}</td></tr>'
    number, interval = value_texts(value, row.unit)
    cells.append(f"<td>{escape(number)} <small>{escape(interval)}</small></td>")
    if difference is None:
        missing = f" <small>{value.n_missing:,} missing</small>" if value.n_missing else ""
        cells += ["<td></td>"] * 3 + [
            f"<td>{value.n:,}{missing}</td>",
            "<td></td>",
            '<td class="text muted">the reference</td>',
        ]
    elif difference.difference is None:
        cells.append(f'<td class="text reason" colspan="6">{escape(difference.reason or "nothing to compare")}</td>')
    else:
        gap, between = difference_texts(difference, row.unit)
        told = difference.reason or MEANINGS[difference.verdict]
        mark = "" if difference.verdict == "none" else f"{MARKS[difference.verdict]} "
        cells += [
            f'<td><span class="{difference.verdict}">{escape(gap)}</span> <small>{escape(between)}</small></td>',
            f"<td>{escape(_bare(difference.p))}</td>", f"<td>{escape(_bare(difference.p_adjusted))}</td>",
            f"<td>{difference.n:,}</td>", f"<td>{escape(detectable_text(difference, row.unit) or '–')}</td>",
            f'<td class="text"><span class="{difference.verdict}">{mark}</span>{escape(told)}</td>',
        ]  # fmt: skip
    return f"<tr{' class=chosen' if chosen else ''}>{''.join(cells)}</tr>"


def _bare(p: float | None) -> str:
    """Return ``0.012`` or ``< 0.001``; a dash where there is none."""
    return p_text(p).removeprefix("p ").removeprefix("= ") or "–"
