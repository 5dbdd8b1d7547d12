"""Where the variants differ most: every slice x primary metric x variant, corrected for how many were tried."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.contrasts import Measured
from core.derived import StatisticsReader
from core.errors import InputError, nearest
from core.estimators import Setting
from core.families import MIN_EXAMPLES, adjusted, declared_family, judged
from core.lines import Filter, Line, TaskExamples, lines_of, task_examples_kept
from core.measuring import MIN_TRIALS, RESAMPLES
from core.metrics.registry import find_metric
from core.resampler import LARGE, Resampler
from core.results import Difference, MetricRow
from core.slice_measures import measure_slices
from core.slices.contrast import contrast
from core.slices.find import partitions, slice_of
from core.slices.partition import Partition
from core.slices.results import Slice, SliceRow, SliceTable
from core.store import Run

_REST = "the rest of "
"""Before a slice's name: its complement among the masks that are measured."""


@dataclass(frozen=True)
class _Found:
    """One metric on one slice, all variants, before any p-value is adjusted."""

    slice: Slice
    within: MetricRow
    rest: Mapping[str, Difference]
    contrasts: MetricRow
    errors: Mapping[str, float]
    contrast_errors: Mapping[str, float]


def slice_table(
    run: Run,
    reference: str | None = None,
    *,
    more: Sequence[str] = (),
    where: Filter | None = None,
    reader: StatisticsReader | None = None,
) -> SliceTable:
    """Return differences on every slice, and how they differ from those on the rest, ranked.

    The run's primary metrics are always all tried and corrected for together, whatever is shown of them: filter with
    `SliceTable.of`. Perturbed tasks and a user's own metrics have no slices.

    A slice in which every example has one label (or no other has) is tried only for metrics that average over examples: a macro
    F1 of one label is another number than one of eight.

    Args:
        run: finished or not.
        reference: the variant to compare with; by default the run's own.
        more: keys ``task/metric`` to try beside the primary metrics; they are corrected for too.
        where: keeps the examples for which it is true.
        reader: of this run, where one is at hand that holds statistics in memory.

    Raises:
        InputError: no such variant, task or metric.
    """
    spec = run.spec
    reference = spec.reference if reference is None else reference
    if reference not in spec.models.variants:
        hint = nearest(reference, spec.models.variants)
        raise InputError(
            f"run {run.id}: no variant {reference!r}{hint} to compare with; it has {', '.join(spec.models.variants)}"
        )
    reader = StatisticsReader(run) if reader is None else reader
    parted = {one.dataset: one for one in partitions(run)}
    found: list[_Found] = []
    for task, names in _metrics_by_task(run, more).items():
        examples = task_examples_kept(reader, task, where)
        found += _of_task(reader, parted[examples.spec.dataset], examples, names, reference)
    return _ranked(run, reference, found)


def _metrics_by_task(run: Run, more: Sequence[str]) -> dict[str, list[str]]:
    """Return the metrics to try, by task in the run's order."""
    spec = run.spec
    asked = {f"{task}/{name}" for task, one in spec.clean_tasks.items() for name in one.metrics}
    for key in more:
        if key not in asked:
            raise InputError(
                f"run {run.id}: it computed no metric {key!r}{nearest(key, asked)}; expected one of {', '.join(sorted(asked))}."
            )
    wanted = {*declared_family(spec), *more}
    chosen = {
        task: [name for name in one.metrics if f"{task}/{name}" in wanted and find_metric(name) is not None]
        for task, one in spec.clean_tasks.items()
    }
    return {task: names for task, names in chosen.items() if names}


def _of_task(
    reader: StatisticsReader, parted: Partition, examples: TaskExamples, names: Sequence[str], reference: str
) -> Iterator[_Found]:
    rows = parted.rows([name for name, _ in examples.identity])
    slices, masks = _slices_of(parted, rows)
    separating = {
        part.name for part in parted.parts if part.name in slices and parted.separates(part, examples.task, rows)
    }
    resampler = _resampler(reader, examples)
    # One metric at a time where examples are many: the statistics of all of them would fill gigabytes.
    for chosen in [[name] for name in names] if examples.n > LARGE else [list(names)]:
        for by_example in (True, False):
            lines = [
                line
                for line in lines_of(
                    reader, examples, [name for name in chosen if _judges_examples(name) is by_example]
                )
                if line.language is None and line.panel is not None
            ]
            wanted = {name: mask for name, mask in masks.items() if by_example or name not in separating}
            for line, name, pair, setting in _measured(lines, reference, wanted, resampler, reader.run.spec.level):
                yield _found(slices[name], line, setting, wanted[name], *pair)


def _slices_of(parted: Partition, rows: np.ndarray) -> tuple[dict[str, Slice], dict[str, np.ndarray]]:
    """Return a task's slices and their masks; of two that are each other's rest the smaller, since a row shows both sides."""
    slices: dict[str, Slice] = {}
    masks: dict[str, np.ndarray] = {}
    known: dict[bytes, str] = {}
    for part in parted.parts:
        inside = part.inside[rows]
        n = int(np.count_nonzero(inside))
        if part.repeats or not MIN_EXAMPLES <= n < len(rows):
            continue
        other = known.get(np.packbits(~inside).tobytes())
        if other is not None:
            if slices[other].n <= n:
                continue
            del slices[other], masks[other]
        slices[part.name], masks[part.name] = slice_of(parted, part, n, len(rows)), inside
        known[np.packbits(inside).tobytes()] = part.name
    return slices, masks


def _judges_examples(name: str) -> bool:
    """Whether a metric averages what it says of single examples, so that a slice of one label is a slice like any other."""
    metric = find_metric(name)
    return metric is not None and metric.test in ("rate", "mean") and not metric.ordered


def _resampler(reader: StatisticsReader, examples: TaskExamples) -> Resampler:
    seed = reader.run.spec.settings.seed
    return Resampler(examples.n, examples.groups, seed=seed, resamples=RESAMPLES, trials=MIN_TRIALS)


def _measured(
    lines: Sequence[Line], reference: str, masks: Mapping[str, np.ndarray], resampler: Resampler, level: float
) -> Iterator[tuple[Line, str, tuple[Measured, Measured], Setting]]:
    """Yield each metric on each slice: what was found inside and in the rest."""
    panels = [line.panel for line in lines if line.panel is not None]
    if not panels or not masks:
        return
    both = {**masks, **{_REST + name: ~mask for name, mask in masks.items()}}
    measured = measure_slices(panels, reference, both, resampler, level)
    for number, (line, panel) in enumerate(zip(lines, panels, strict=True)):
        setting = Setting(panel, reference, resampler, level)
        for name in masks:
            yield line, name, (measured[name][number], measured[_REST + name][number]), setting


def _found(one: Slice, line: Line, setting: Setting, inside: np.ndarray, within: Measured, rest: Measured) -> _Found:
    metric = setting.metric
    contrasts = {
        name: contrast(setting, name, inside, within.differences[name], rest.differences[name])
        for name in setting.others
    }
    row = MetricRow(
        task=line.examples.task, metric=metric.name, label=metric.label, family=metric.family, unit=metric.unit,
        higher_is_better=metric.higher_is_better, primary=False, language=None, values=within.values,
        differences=within.differences, part=line.part, direction_free=metric.direction_free, caution=metric.caution,
    )  # fmt: skip
    beside = {name: _shown_alone(some) for name, some in rest.differences.items()}
    contrasted = replace(row, differences={name: some.difference for name, some in contrasts.items()})
    errors = {name: some.error for name, some in contrasts.items() if some.error is not None}
    return _Found(one, row, beside, contrasted, within.errors, errors)


def _shown_alone(difference: Difference) -> Difference:
    """Return a difference of which nothing is asked."""
    return replace(difference, p=None, verdict="none", reason=difference.reason or "shown beside the slice, not tested")


def _ranked(run: Run, reference: str, found: Sequence[_Found]) -> SliceTable:
    level = run.spec.level
    # Differences and contrasts are one family.
    rows = [one.within for one in found] + [one.contrasts for one in found]
    errors = [one.errors for one in found] + [one.contrast_errors for one in found]
    rows = [judged(row, None, level) for row in adjusted(rows, errors, 0, level)]
    listed = [
        row
        for one, within, contrasts in zip(found, rows[: len(found)], rows[len(found) :], strict=True)
        for row in _rows(one, within, contrasts, reference)
    ]
    n_tests = sum(difference.p is not None for row in rows for difference in row.differences.values())
    slices = {(one.slice.dataset, one.slice.name): one.slice for one in reversed(found)}
    in_order = tuple(reversed(slices.values()))
    return SliceTable(run.id, reference, level, in_order, tuple(sorted(listed, key=_rank)), n_tests)


def _rows(one: _Found, within: MetricRow, contrasts: MetricRow, reference: str) -> Iterator[SliceRow]:
    for variant, difference in within.differences.items():
        yield SliceRow(
            slice=one.slice, task=within.task, metric=within.metric, label=within.label, part=within.part, unit=within.unit,
            higher_is_better=within.higher_is_better, direction_free=within.direction_free, variant=variant,
            value=within.values[variant], reference_value=within.values[reference], difference=difference,
            rest=one.rest[variant], contrast=contrasts.differences[variant],
        )  # fmt: skip


def _rank(row: SliceRow) -> tuple[float, float]:
    """Return what rows are sorted by, see `core.slices.results.RULE`."""
    p, size = row.contrast.p, row.difference.difference
    return (math.inf if p is None else p), (math.inf if size is None else -abs(size))
