"""Which p-values belong together, what they become when adjusted for how many they are, and the verdict that follows.

Families are declared before any result is seen: Holm's over the run's primary metrics and variants, whatever is shown or
filtered; Benjamini and Hochberg's over all other rows.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.metrics.registry import find_metric
from core.results import Difference, MetricRow, Verdict
from core.spec import RunSpec, TaskSpec

MIN_EXAMPLES = 15
"""Fewer are shown, but no verdict is given."""
POWER = 0.8
"""Of the smallest difference that is called detectable."""


def task_family(tasks: Mapping[str, TaskSpec], own: Collection[str] = ()) -> tuple[str, ...]:
    """Return the primary metrics of tasks as ``task/metric``: what they declare, or else all of their metrics.

    A metric with a row for each label is one only where a task declares it, so that no label's luck is in the family by default;
    so is one of the user's ``own``, which may never be computed.
    """
    family = []
    for name, task in tasks.items():
        for metric in task.metrics if task.primary is None else task.primary:
            known = find_metric(metric)
            declared = task.primary is not None
            if declared or (metric not in own and (known is None or not known.by_label)):
                family.append(f"{name}/{metric}")
    return tuple(family)


def declared_family(spec: RunSpec) -> tuple[str, ...]:
    """Return the primary metrics as ``task/metric``: the run's declared family, or else what its tasks say."""
    return spec.family or task_family(spec.clean_tasks, spec.own_metrics)


def adjusted(
    rows: Sequence[MetricRow], errors: Sequence[Mapping[str, float]], family_size: int, level: float
) -> list[MetricRow]:
    """Fill in ``p_adjusted`` and ``detectable``: primary rows in the declared family, all others in one of their own.

    Args:
        rows: of the whole comparison.
        errors: the standard error of each difference of each row, by variant, where it is known.
        family_size: how many p-values were declared; tests that could not be made count too.
        level: of the intervals; 1 - level is the family's error.
    """
    from core.stats.multiple import benjamini_hochberg, holm  # with scipy, which naming a run's family does not need

    out = list(rows)
    for primary in (True, False):
        chosen = [(i, variant) for i, row in enumerate(rows) if row.primary is primary for variant in row.differences]
        raw = [rows[i].differences[variant].p for i, variant in chosen]
        p = np.array([math.nan if one is None else one for one in raw], dtype=np.float64)
        size = family_size if primary else int(np.isfinite(p).sum())
        if primary:
            # A test that could not be made still counts: what was declared cannot shrink afterwards.
            padded = np.concatenate([np.nan_to_num(p, nan=1.0), np.ones(max(0, family_size - len(p)))])
            corrected = np.where(np.isnan(p), np.nan, holm(padded)[: len(p)])
        else:
            corrected = benjamini_hochberg(p)
        for (i, variant), one in zip(chosen, corrected.tolist(), strict=True):
            changed = replace(
                out[i].differences[variant],
                p_adjusted=None if math.isnan(one) else one,
                detectable=_detectable(errors[i].get(variant), size, level),
            )
            out[i] = replace(out[i], differences={**out[i].differences, variant: changed})
    return out


def _detectable(error: float | None, family_size: int, level: float) -> float | None:
    """Return the smallest true difference that is shown with `POWER` by the hardest member of a family this large."""
    if not error or not math.isfinite(error):
        return None
    from core.stats.power import minimum_detectable_effect

    return minimum_detectable_effect(error**2, 1, (1 - level) / max(1, family_size), POWER)


def judged(row: MetricRow, band: float | None, level: float) -> MetricRow:
    """Return a row with its verdicts.

    Args:
        row: with adjusted p-values.
        band: its equivalence band, None where none was declared.
        level: of the intervals.
    """
    differences = {
        variant: _with_verdict(difference, row, band, level) for variant, difference in row.differences.items()
    }
    return replace(row, differences=differences)


def _with_verdict(difference: Difference, row: MetricRow, band: float | None, level: float) -> Difference:
    if difference.verdict == "none" or difference.difference is None:
        return difference
    if difference.n < MIN_EXAMPLES:
        reason = f"too few examples (n = {difference.n}, at least {MIN_EXAMPLES})"
        return replace(difference, verdict="unclear", reason=reason)
    verdict: Verdict = "unclear"
    low, high = difference.low, difference.high
    if band is not None and low is not None and high is not None and -band <= low and high <= band:
        verdict = "same"
    elif row.direction_free:
        return replace(difference, verdict="none", reason="neither more nor less is better: shown without a verdict")
    elif difference.p_adjusted is not None and difference.p_adjusted < 1 - level and difference.difference:
        verdict = "better" if (difference.difference > 0) is row.higher_is_better else "worse"
    return replace(difference, verdict=verdict)
