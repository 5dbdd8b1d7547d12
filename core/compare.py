"""Compares every variant of a run with a reference, metric by metric: the table that pages, command line and reports show.

p-values are adjusted within families that were declared before (`core.families`). A run of thousands of examples is measured
metric by metric, so that the statistics of all of them never stand in memory at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.contrasts import Measured
from core.derived import StatisticsReader, example_scores, statistics_for
from core.efficiency_rows import efficiency_rows
from core.errors import InputError, nearest
from core.families import MIN_EXAMPLES, adjusted, declared_family, judged
from core.feedback.satisfaction import feedback_rows
from core.kept import kept_comparison
from core.lines import Filter, Line
from core.measuring import (
    MIN_TRIALS,
    RESAMPLES,
    SLICE_RESAMPLES,
    family_size,
    measured_lines,
    resampler_of,
    swap_trials,
)
from core.own.rows import OwnRows
from core.prepare_statistics import Progress, prepare_statistics
from core.results import Comparison, MetricRow
from core.robustness import robustness
from core.store import Run

__all__ = [
    "MIN_EXAMPLES", "RESAMPLES", "Headline", "compare", "declared_family", "example_scores", "headline", "statistics_for",
]  # fmt: skip

UNKNOWN = "unknown"
"""The family of a metric that this version does not know."""


@dataclass(frozen=True)
class Headline:
    """On how many primary metrics a variant is better, worse, the same, or cannot be told from the reference."""

    better: int
    worse: int
    same: int
    unclear: int
    """Those with nothing to compare included."""
    of: int


def compare(
    run: Run, reference: str | None = None, *, where: Filter | None = None, reader: StatisticsReader | None = None,
    progress: Progress | None = None,
) -> Comparison:  # fmt: skip
    """Return every metric of a run for every variant, and every difference to the reference.

    Of a finished run the comparison of all examples is kept in ``derived/``, and read from there the next time.

    Args:
        run: Finished or not; what has no evidence yet is missing, with the reason.
        reference: The variant to compare with; by default the run's own.
        where: Keeps the examples for which it is true. The family of the correction stays as declared.
        reader: Of this run, where one is at hand that holds statistics in memory: a slice is then computed at once.
        progress: Called while the statistics of all examples are made for the first time, see `prepare_statistics`.

    Raises:
        InputError: no such variant.
    """
    variants = run.spec.models.variants
    reference = run.spec.reference if reference is None else reference
    if reference not in variants:
        hint = nearest(reference, variants)
        raise InputError(f"run {run.id}: no variant {reference!r}{hint} to compare with; it has {', '.join(variants)}")
    reader = StatisticsReader(run) if reader is None else reader
    if where is not None:
        found = _compared(run, reference, where, reader)
    else:
        found = kept_comparison(reader, reference, lambda: _compared(run, reference, None, reader, progress))
    # Thumbs come and go after a run is finished: they are read each time.
    return replace(found, feedback=feedback_rows(run, reference, where=where))


def headline(comparison: Comparison, variant: str) -> Headline:
    """Return the count of each verdict over the primary rows of one variant.

    Raises:
        KeyError: the variant is the reference, or not in the comparison.
    """
    verdicts = [row.differences[variant].verdict for row in comparison.rows if row.primary]
    better, worse, same = (verdicts.count(verdict) for verdict in ("better", "worse", "same"))
    return Headline(better, worse, same, len(verdicts) - better - worse - same, len(verdicts))


def _compared(
    run: Run, reference: str, where: Filter | None, reader: StatisticsReader, progress: Progress | None = None
) -> Comparison:
    spec = run.spec
    if not reader.in_memory:
        prepare_statistics(run, progress, reader=reader)
    family = declared_family(spec)
    declared = family_size(reader, family)
    # A slice is looked at, not declared: it has the fewest draws that there are, so that it opens at once.
    trials = swap_trials(declared, spec.level) if where is None else MIN_TRIALS
    resamples = RESAMPLES if where is None else SLICE_RESAMPLES
    own = OwnRows(reader, reference, where)
    lines = measured_lines(reader, reference, where, resamples=resamples, trials=trials)
    found = own.filled_in(lines, lambda examples: resampler_of(reader, examples, resamples, trials, where))
    rows = [own.described(_row(line, measured, family)) for line, measured in found]
    rows = adjusted(rows, [measured.errors for _, measured in found], declared, spec.level)
    return Comparison(
        run_id=run.id,
        reference=reference,
        variants=spec.models.variants,
        rows=tuple(judged(row, spec.tasks[row.task].bands.get(row.metric), spec.level) for row in rows),
        level=spec.level,
        seed=spec.settings.seed,
        resamples=resamples,
        trials=trials,
        family_size=declared,
        # Measured of whole variants: the same for every slice.
        efficiency=reader.remembered(
            ("efficiency", reference),
            lambda: efficiency_rows(run, reference, level=spec.level, seed=spec.settings.seed),
        ),
        # Of all examples only: a slice has to open at once, and its drops would be a family of their own.
        robustness=robustness(run, reference, reader=reader) if where is None else (),
    )


def _row(line: Line, measured: Measured, family: Sequence[str]) -> MetricRow:
    metric, task = line.metric, line.examples.task
    row = MetricRow(
        task=task,
        metric=line.name,
        label=line.name if metric is None else metric.label,
        family=UNKNOWN if metric is None else metric.family,
        unit="number" if metric is None else metric.unit,
        higher_is_better=metric is None or metric.higher_is_better,
        direction_free=metric is not None and metric.direction_free,
        primary=False,
        language=line.language,
        part=line.part,
        values=measured.values,
        differences=measured.differences,
        caution="" if metric is None else metric.caution,
    )
    declared = row.key in family or (line.language is None and f"{task}/{line.name}" in family)
    return replace(row, primary=declared)
