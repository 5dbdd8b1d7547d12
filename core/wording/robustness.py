"""Robustness in words: who loses how much under which perturbation, and who loses more than the reference."""

from __future__ import annotations

from core.notation import MARKS, UNIT_NAMES, drop_texts
from core.results import Comparison, RobustnessRow, Verdict

_NAMED = 3
"""Variants beside the reference up to which the sentence has the loss of each."""


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
