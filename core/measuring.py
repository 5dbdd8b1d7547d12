"""Measures every row of a comparison: shared draws for tasks of the same examples, metric by metric where examples are many."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from core.blas_threads import one_blas_thread
from core.contrasts import NOTHING, Measured, measure
from core.derived import StatisticsReader
from core.lines import Filter, Line, TaskExamples, lines_of, task_examples_kept
from core.metrics.registry import find_metric
from core.panels import Panel, aligned
from core.resampler import LARGE, Resampler
from core.results import Difference, Value
from core.slice_measures import measure_slices

Found = tuple[Line, Measured]
THREADS = 4
"""More would hold the statistics of as many metrics at once, gigabytes of large runs."""
RESAMPLES = 10_000
"""Of every bootstrap of a whole comparison."""
SLICE_RESAMPLES = 1_000
"""Of every bootstrap of a slice, which has to open at once: its bounds are off by a tenth of a standard error at the most, as a rule."""
MIN_TRIALS = 10_000
SLICE_ENOUGH = 100
"""Exchanges as extreme as what was observed after which the test of a slice stops: its p is then off by a tenth of itself, as a rule."""


def family_size(reader: StatisticsReader, family: Sequence[str]) -> int:
    """Return how many p-values were declared: a metric with a row for each label has as many as there are labels."""
    spec, rows = reader.run.spec, 0
    for key in family:
        task, _, name = key.partition("/")
        metric = find_metric(name)
        if metric is None or not metric.by_label or task not in spec.tasks:
            rows += 1
            continue
        some = aligned({variant: reader.read(task, metric, variant) for variant in spec.models.variants})
        rows += max(1, len(next(iter(some.values())).labels))
    return rows * (len(spec.models.variants) - 1)


def swap_trials(declared: int, level: float) -> int:
    """Return how many exchanges a swap test makes, so that a family of this size can reach its level: 20 x size / alpha."""
    return max(MIN_TRIALS, math.ceil(round(20 * declared / (1 - level), 6)))


def measured_lines(
    reader: StatisticsReader, reference: str, where: Filter | None, *, resamples: int, trials: int
) -> list[Found]:
    """Return every row of a run's tasks with what was found, in order.

    Args:
        reader: of the run.
        reference: the variant to compare with.
        where: keeps the examples for which it is true.
        resamples: of every bootstrap.
        trials: of every swap test.
    """
    by_task: dict[str, list[Found]] = {}
    waiting: dict[tuple[tuple[str, str | None], ...], list[Line]] = {}
    for task, spec in reader.run.spec.clean_tasks.items():
        examples = task_examples_kept(reader, task, where)
        by_task[task] = []
        if len(examples.kept) > LARGE and reader.evidence_hash is not None:
            by_task[task] = _one_by_one(
                reader, examples, reference, resampler_of(reader, examples, resamples, trials, where), where is not None
            )
        else:
            waiting.setdefault(examples.identity, []).extend(lines_of(reader, examples, spec.metrics))
    # A second thread of the linear algebra wins nothing on products this small, and doubles the processor time.
    with one_blas_thread():
        for lines in waiting.values():
            resampler = resampler_of(reader, lines[0].examples, resamples, trials, where) if lines else None
            for line, one in _measured(reader, lines, reference, resampler) if resampler else ():
                by_task[line.examples.task].append((line, one))
    return [one for found in by_task.values() for one in found]


def _one_by_one(
    reader: StatisticsReader, examples: TaskExamples, reference: str, resampler: Resampler, is_slice: bool
) -> list[Found]:
    """Return the rows of a task of many examples; of the metrics only as many are in memory as there are threads."""

    def measured(name: str) -> list[Found]:
        found = _measured(reader, lines_of(reader, examples, [name]), reference, resampler, is_slice)
        return [(replace(line, panel=None), one) for line, one in found]

    # numpy sorts and multiplies outside the interpreter's lock.
    with one_blas_thread(), ThreadPoolExecutor(max_workers=min(THREADS, os.cpu_count() or 1)) as threads:
        return [one for found in threads.map(measured, examples.spec.metrics) for one in found]


def resampler_of(
    reader: StatisticsReader, examples: TaskExamples, resamples: int, trials: int, where: Filter | None
) -> Resampler:
    """Return what the examples of a task are resampled and exchanged with; the tests of a slice stop early."""
    return Resampler(
        examples.n, examples.groups, seed=reader.run.spec.settings.seed, resamples=resamples, trials=trials,
        enough=None if where is None else SLICE_ENOUGH,
    )  # fmt: skip


def _measured(
    reader: StatisticsReader, lines: Sequence[Line], reference: str, resampler: Resampler, is_slice: bool = False
) -> list[Found]:
    """Return lines of the same examples with what was found; a slice of many examples is measured without draws."""
    spec = reader.run.spec
    panels: list[Panel] = [line.panel for line in lines if line.panel is not None]
    if is_slice:
        whole = {"": np.ones(resampler.n, dtype=bool)}
        measured = iter(measure_slices(panels, reference, whole, resampler, spec.level)[""])
    else:
        measured = iter(measure(panels, reference, resampler, spec.level))
    return [
        (line, next(measured) if line.panel is not None else _unmeasured(line, spec.models.variants, reference))
        for line in lines
    ]


def _unmeasured(line: Line, variants: Sequence[str], reference: str) -> Measured:
    """Return the row of a metric that this version does not know, or of one by label where there is no label."""
    n = line.examples.n
    if line.metric is None:
        reason = f"metric {line.name} is not known to this version"
    else:
        reason = line.metric.undefined if n else "no example is left by the filter"
    value = Value(None, None, None, 0, n, reason, "", NOTHING)
    difference = Difference(None, None, None, None, None, 0, "none", reason, NOTHING)
    return Measured(
        {variant: value for variant in variants}, {variant: difference for variant in variants if variant != reference}
    )
