"""Robustness in words and as a table: who loses how much under which perturbation, and who loses more than the reference."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from core.charts.theme import Mode
from core.notation import MARKS, UNIT_NAMES, difference_texts, drop_texts, p_text, percent, value_texts
from core.results import Comparison, Difference, RobustnessRow, Verdict
from dashboard.parts.metric_cell import variant_name

_NAMED = 3
"""Variants beside the reference up to which the sentence has the loss of each."""
_FAMILIES = {"noise": "Noise", "outliers": "Outliers", "adversarial": "Adversarial", None: "Other"}
_AGAINST = {
    "worse": "more fragile", "better": "more robust", "unclear": "cannot be told apart", "same": "", "none": "no verdict",
}  # fmt: skip


def metric_key(row: RobustnessRow) -> str:
    """Return `MetricRow.key` of the metric that a row is about."""
    return f"{row.task}/{row.metric}" + (f"[{row.part}]" if row.part else "")


def metric_keys(comparison: Comparison) -> list[str]:
    """Return the metrics that robustness was measured of, the primary ones first."""
    primary = {row.key for row in comparison.rows if row.primary}
    keys = dict.fromkeys(metric_key(row) for row in comparison.robustness)
    return sorted(keys, key=lambda key: key not in primary)


def rows_of(comparison: Comparison, key: str) -> tuple[RobustnessRow, ...]:
    """Return the rows of one metric, one for each perturbation, in the order that the task names them."""
    return tuple(row for row in comparison.robustness if metric_key(row) == key)


def sentence(comparison: Comparison) -> str | None:
    """Return the worst perturbation's finding on the first primary metric; None where nothing was perturbed.

    ``Under typos Accuracy drops by 2.1 points for the baseline, 5.3 for qv-r8: qv-r8 is more fragile ▼.``
    """
    keys = metric_keys(comparison)
    rows = [row for row in rows_of(comparison, keys[0]) if _known(row)] if keys else []
    if not rows:
        return None
    row = max(rows, key=_badness)
    others = list(row.differences)
    amounts = (
        [f"{drop_texts(row.drops[name], row.unit)[0]} for {name}" for name in others] if len(others) <= _NAMED else []
    )
    told = f"Under {_lower(row.perturbation_label)} {', '.join([_reference_loss(comparison.reference, row), *amounts])}"
    verdicts = [
        _named(row, "worse", "more fragile"),
        _named(row, "better", "more robust"),
        _untold(row, comparison.reference),
    ]
    said = ", ".join(verdict for verdict in verdicts if verdict)
    end = f" Worst of {len(rows)} perturbations on {row.task}." if len(rows) > 1 else ""
    return f"{told}: {said}.{end}" if said else f"{told}.{end}"


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


def _known(row: RobustnessRow) -> bool:
    return all(drop.difference is not None for drop in row.drops.values()) and not row.direction_free


def _badness(row: RobustnessRow) -> tuple[int, int, float]:
    """Return how bad a perturbation is: variants more fragile than the reference, drops beyond noise, the mean drop."""
    fragile, beyond = (sum(one.verdict == "worse" for one in table.values()) for table in (row.differences, row.drops))
    return fragile, beyond, sum(drop.difference or 0.0 for drop in row.drops.values()) / len(row.drops)


def _reference_loss(name: str, row: RobustnessRow) -> str:
    drop, unit = row.drops[name], UNIT_NAMES[row.unit]
    unit = "points" if unit == "%" else unit
    amount = f"{drop_texts(drop, row.unit)[0]}{f' {unit}' if unit else ''}{' ?' if drop.verdict == 'unclear' else ''}"
    metric = f"{row.label}{f' ({row.part})' if row.part else ''}"
    return f"{metric} drops by {amount} for {'the baseline' if name == 'baseline' else name}"


def _named(row: RobustnessRow, verdict: Verdict, told: str) -> str:
    names = [name for name, found in row.differences.items() if found.verdict == verdict]
    if not names:
        return ""
    are = "is" if len(names) == 1 else "are"
    amounts = len(row.differences) > _NAMED
    listed = [f"{name} ({drop_texts(row.drops[name], row.unit)[0]})" if amounts else name for name in names]
    return f"{' and '.join(listed) if len(listed) < 3 else ', '.join(listed)} {are} {told} {MARKS[verdict]}"


def _untold(row: RobustnessRow, reference: str) -> str:
    names = [name for name, found in row.differences.items() if found.verdict == "unclear"]
    against = "the baseline" if reference == "baseline" else reference
    if not names:
        return ""
    told = (
        names[0]
        if len(names) == 1
        else f"none of the {len(names)}"
        if len(names) == len(row.differences)
        else f"{len(names)} others"
    )
    return f"{told} {'can' if told.startswith('none') else 'cannot'} be told from {against} ?"


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:] if label[1:2].islower() else label
