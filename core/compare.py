"""Compares every variant of a run with a reference, metric by metric: the table that pages, command line and reports show.

p-values are adjusted within families that were declared before: Holm's over the run's primary metrics and variants,
whatever is shown or filtered; Benjamini and Hochberg's over all other rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.contrasts import Measured, measure
from core.derived import StatisticsReader, example_scores, statistics_for
from core.efficiency_rows import efficiency_rows
from core.errors import InputError, nearest
from core.metrics.metric import Metric, Statistics
from core.metrics.registry import get_metric
from core.panels import Panel, Resampler, aligned
from core.predict import task_examples
from core.records import Example
from core.results import Comparison, Difference, MetricRow, Verdict
from core.spec import RunSpec
from core.stats.multiple import benjamini_hochberg, holm
from core.store import Run

__all__ = ["Headline", "compare", "declared_family", "example_scores", "headline", "statistics_for"]

RESAMPLES = 10_000
MIN_TRIALS = 10_000
MIN_EXAMPLES = 15
"""Fewer are shown, but no verdict is given."""


@dataclass(frozen=True)
class Headline:
    """On how many primary metrics a variant is better, worse, the same, or cannot be told from the reference."""

    better: int
    worse: int
    same: int
    unclear: int
    """Those with nothing to compare included."""
    of: int


@dataclass(frozen=True)
class _Line:
    """A row of the table before it is measured."""

    task: str
    metric: Metric
    language: str | None
    primary: bool
    examples: tuple[tuple[str, str | None], ...]
    """(id, group) of each example: lines with the same ones share their resamples."""
    panel: Panel


def compare(run: Run, reference: str | None = None, *, where: Callable[[Example], bool] | None = None) -> Comparison:
    """Return every metric of a run for every variant, and every difference to the reference.

    Args:
        run: Finished or not; what has no evidence yet is missing, with the reason.
        reference: The variant to compare with; by default the run's own.
        where: Keeps the examples for which it is true. The family of the correction stays as declared.

    Raises:
        InputError: no such variant, or a metric of the run that this version does not know.
    """
    spec = run.spec
    variants = spec.models.variants
    reference = spec.reference if reference is None else reference
    if reference not in variants:
        hint = nearest(reference, variants)
        raise InputError(f"run {run.id}: no variant {reference!r}{hint} to compare with; it has {', '.join(variants)}")
    family = declared_family(spec)
    family_size = len(family) * (len(variants) - 1)
    trials = max(MIN_TRIALS, math.ceil(round(20 * family_size / (1 - spec.level), 6)))
    lines = _lines(run, family, where)
    found = _measure(lines, spec, reference, trials)
    rows = _adjusted([_row(line, measured) for line, measured in zip(lines, found, strict=True)], family_size)
    return Comparison(
        run_id=run.id,
        reference=reference,
        variants=variants,
        rows=tuple(_judged(row, spec.tasks[row.task].bands.get(row.metric), spec.level) for row in rows),
        level=spec.level,
        seed=spec.settings.seed,
        resamples=RESAMPLES,
        trials=trials,
        family_size=family_size,
        efficiency=efficiency_rows(run, reference, level=spec.level, seed=spec.settings.seed),
    )


def declared_family(spec: RunSpec) -> tuple[str, ...]:
    """Return the primary metrics as ``task/metric``: the run's declared family, or else what its tasks say."""
    return spec.family or tuple(
        f"{name}/{metric}"
        for name, task in spec.tasks.items()
        for metric in (task.metrics if task.primary is None else task.primary)
    )


def headline(comparison: Comparison, variant: str) -> Headline:
    """Return the count of each verdict over the primary rows of one variant.

    Raises:
        KeyError: the variant is the reference, or not in the comparison.
    """
    verdicts = [row.differences[variant].verdict for row in comparison.rows if row.primary]
    better, worse, same = (verdicts.count(verdict) for verdict in ("better", "worse", "same"))
    return Headline(better, worse, same, len(verdicts) - better - worse - same, len(verdicts))


def _lines(run: Run, family: Sequence[str], where: Callable[[Example], bool] | None) -> list[_Line]:
    reader = StatisticsReader(run)
    lines: list[_Line] = []
    for task, task_spec in run.spec.tasks.items():
        everything = task_examples(run, task)
        kept = np.array([where is None or bool(where(example)) for example in everything], dtype=bool)
        examples = [example for example, keep in zip(everything, kept, strict=True) if keep]
        metrics = [get_metric(name) for name in task_spec.metrics]
        # Variant by variant, so that the predictions of each are read once for all metrics.
        made = {
            (metric.name, variant): _kept(reader.read(task, metric, variant), kept)
            for variant in run.spec.models.variants
            for metric in metrics
        }
        languages = np.array([example.language or "" for example in examples], dtype=object)
        identity = tuple((example.id, example.group) for example in examples)
        for metric in metrics:
            statistics = aligned({variant: made[metric.name, variant] for variant in run.spec.models.variants})
            primary = f"{task}/{metric.name}" in family
            everyone = Panel(metric, statistics, np.ones(len(examples), dtype=bool))
            lines.append(_Line(task, metric, None, primary, identity, everyone))
            several = sorted(set(languages) - {""}) if metric.by_language else []
            for language in several if len(several) > 1 else ():
                panel = Panel(metric, statistics, np.asarray(languages == language, dtype=bool))
                lines.append(_Line(task, metric, language, False, identity, panel))
    return lines


def _kept(statistics: Statistics, kept: np.ndarray) -> Statistics:
    if kept.all():
        return statistics
    reasons = tuple(reason for reason, keep in zip(statistics.reasons, kept, strict=True) if keep)
    return replace(statistics, array=statistics.array[kept], missing=statistics.missing[kept], reasons=reasons)


def _measure(lines: Sequence[_Line], spec: RunSpec, reference: str, trials: int) -> list[Measured]:
    found: dict[int, Measured] = {}
    for examples in dict.fromkeys(line.examples for line in lines):
        chosen = [index for index, line in enumerate(lines) if line.examples == examples]
        groups = [group for _, group in examples]
        resampler = Resampler(
            len(examples),
            groups if any(group is not None for group in groups) else None,
            seed=spec.settings.seed,
            resamples=RESAMPLES,
            trials=trials,
        )
        measured = measure([lines[index].panel for index in chosen], reference, resampler, spec.level)
        found.update(zip(chosen, measured, strict=True))
    return [found[index] for index in range(len(lines))]


def _row(line: _Line, measured: Measured) -> MetricRow:
    metric = line.metric
    return MetricRow(
        task=line.task,
        metric=metric.name,
        label=metric.label,
        family=metric.family,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        primary=line.primary,
        language=line.language,
        values=measured.values,
        differences=measured.differences,
    )


def _adjusted(rows: Sequence[MetricRow], family_size: int) -> list[MetricRow]:
    """Fill in ``p_adjusted``: primary rows in the declared family, all others in one of their own."""
    out = list(rows)
    for primary in (True, False):
        chosen = [
            (index, variant) for index, row in enumerate(rows) if row.primary is primary for variant in row.differences
        ]
        raw = [rows[index].differences[variant].p for index, variant in chosen]
        p = np.array([math.nan if one is None else one for one in raw], dtype=np.float64)
        if primary:
            # A test that could not be made still counts: what was declared cannot shrink afterwards.
            padded = np.concatenate([np.nan_to_num(p, nan=1.0), np.ones(max(0, family_size - len(p)))])
            adjusted = np.where(np.isnan(p), np.nan, holm(padded)[: len(p)])
        else:
            adjusted = benjamini_hochberg(p)
        for (index, variant), one in zip(chosen, adjusted.tolist(), strict=True):
            if not math.isnan(one):
                changed = replace(out[index].differences[variant], p_adjusted=one)
                out[index] = replace(out[index], differences={**out[index].differences, variant: changed})
    return out


def _judged(row: MetricRow, band: float | None, level: float) -> MetricRow:
    differences = {
        variant: _with_verdict(difference, row.higher_is_better, band, level)
        for variant, difference in row.differences.items()
    }
    return replace(row, differences=differences)


def _with_verdict(difference: Difference, higher_is_better: bool, band: float | None, level: float) -> Difference:
    if difference.verdict == "none" or difference.difference is None:
        return difference
    if difference.n < MIN_EXAMPLES:
        reason = f"too few examples (n = {difference.n}, at least {MIN_EXAMPLES})"
        return replace(difference, verdict="unclear", reason=reason)
    verdict: Verdict = "unclear"
    low, high = difference.low, difference.high
    if band is not None and low is not None and high is not None and -band <= low and high <= band:
        verdict = "same"
    elif difference.p_adjusted is not None and difference.p_adjusted < 1 - level and difference.difference:
        verdict = "better" if (difference.difference > 0) is higher_is_better else "worse"
    return replace(difference, verdict=verdict)
