"""Robustness in words and as a table: who loses how much under which perturbation, and who loses more than the reference."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from core.charts.theme import Mode
from core.notation import MARKS, difference_texts, drop_texts, p_text, percent, value_texts
from core.results import Comparison, Difference, RobustnessRow
from dashboard.parts.metric_cell import variant_name

_FAMILIES = {"noise": "Noise", "outliers": "Outliers", "adversarial": "Adversarial", None: "Other"}
_AGAINST = {
    "worse": "more fragile", "better": "more robust", "unclear": "cannot be told apart", "same": "", "none": "no verdict",
}  # fmt: skip


def drop_table(comparison: Comparison, rows: Sequence[RobustnessRow], mode: Mode) -> str:
    """Return one metric's drops as escaped HTML: a row a perturbation, a column a variant, the reference first."""
    names = [comparison.reference, *(name for name in comparison.variants if name != comparison.reference)]
    head = "".join(f"<th>{variant_name(comparison, name, mode)}</th>" for name in names)
    clean = "".join(f"<td>{escape(' '.join(value_texts(rows[0].clean[name], rows[0].unit)))}</td>" for name in names)
    lines, family = [f"<tr><th>Clean inputs</th>{clean}</tr>"], ""
    for row in rows:
        if (title := _FAMILIES[row.perturbation_family]) != family:
            family = title
            lines.append(f'<tr class="family"><th colspan="{len(names) + 1}">{title}</th></tr>')
        cells = "".join(_cell(comparison, row, name) for name in names)
        n = next(iter(row.drops.values())).n
        tip = f"{row.n_changed:,} inputs were changed; the others are part of every number"
        lines.append(
            f'<tr><th title="{escape(tip, quote=True)}">{escape(row.perturbation_label)}<br><small>n = {n:,}, '
            f"{row.n_changed:,} changed</small></th>{cells}</tr>"
        )
    return f'<table class="wide dense"><thead><tr><th>Inputs</th>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _cell(comparison: Comparison, row: RobustnessRow, name: str) -> str:
    drop, more, value = row.drops[name], row.differences.get(name), row.perturbed[name]
    if drop.difference is None:
        reason = f"no drop: {drop.reason or value.reason or 'not known why'}"
        return f'<td><small class="why">{escape(reason)}</small></td>'
    number, interval = drop_texts(drop, row.unit)
    mark = "" if drop.verdict == "none" else f"{MARKS[drop.verdict]} "
    lines = [f'<span class="{drop.verdict}">{mark}{escape(number)}</span> <small>{escape(interval)}</small>']
    if more is not None and more.difference is not None:
        gap, between = difference_texts(more, row.unit)
        lines.append(
            f'<small class="{more.verdict}">{MARKS[more.verdict]} {escape(_AGAINST[more.verdict])} {escape(gap)}</small>'
            f"<br><small>{escape(between)}</small>"
        )
    tip = escape(_tip(comparison, row, name, drop, more), quote=True)
    return f'<td title="{tip}">{"<br>".join(lines)}</td>'


def _tip(comparison: Comparison, row: RobustnessRow, name: str, drop: Difference, more: Difference | None) -> str:
    clean, perturbed = (" ".join(value_texts(table[name], row.unit)) for table in (row.clean, row.perturbed))
    lines = [f"{name}: {clean} on clean inputs, {perturbed} on perturbed ones", _told("drop", drop)]
    if more is not None and more.difference is not None:
        lines.append(_told(f"drop minus that of {comparison.reference}", more))
    return "\n".join([*lines, f"{percent(comparison.level)} intervals", row.perturbed[name].signature])


def _told(what: str, found: Difference) -> str:
    return f"{what}: {p_text(found.p)} unadjusted, {p_text(found.p_adjusted)} adjusted, n = {found.n:,}, {found.method}"
