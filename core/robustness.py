"""How much worse each variant does when its inputs are perturbed, paired by example with the clean run.

A drop is the clean value minus the perturbed one, turned so that above zero is worse, for metrics where less is better too.
Two questions are asked of it: is a variant's drop more than noise (clean and perturbed exchanged example by example), and does
a variant drop more than the reference does (the two variants' pairs exchanged)? All these p-values together form one family of
Benjamini and Hochberg's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.contrasts import Measured, measure
from core.data.perturb import Perturbation, find_perturbation
from core.derived import StatisticsReader
from core.drops import DropMetric, side_by_side, worst_copies
from core.families import MIN_EXAMPLES
from core.lines import Filter, TaskExamples, task_examples_kept
from core.metrics.metric import Metric
from core.metrics.registry import find_metric
from core.panels import Panel, aligned, chosen_rows, label_panels
from core.predict import task_examples
from core.records import Example
from core.resampler import Resampler
from core.results import Difference, RobustnessRow, Verdict
from core.spec import TaskSpec
from core.stats.multiple import benjamini_hochberg
from core.store import Run

RESAMPLES = 10_000
MIN_TRIALS = 10_000
CLEAN, PERTURBED = "clean", "perturbed"


@dataclass(frozen=True)
class _Twin:
    """A task under one perturbation: the names of the twins, several where the worst of copies counts."""

    task: str
    perturbation: str
    names: tuple[str, ...]
    n_changed: int
    """Examples whose input is not the clean one."""


@dataclass(frozen=True)
class _Line:
    """A row before it is measured."""

    twin: _Twin
    examples: TaskExamples
    metric: Metric
    part: str | None
    within: dict[str, Panel]
    """For each variant its own clean and perturbed statistics."""
    between: Panel
    """The drops of all variants."""


def robustness(
    run: Run, reference: str | None = None, *, where: Filter | None = None, reader: StatisticsReader | None = None
) -> tuple[RobustnessRow, ...]:
    """Return the drop of each metric of each task under each of its perturbations; empty where a run has none.

    Metrics with a row for each label and ordered ones (areas under curves) have one only where the task names them primary.

    Args:
        run: Finished or not; what has no evidence yet is missing, with the reason.
        reference: The variant whose drops the others' are compared with; by default the run's own.
        where: Keeps the examples of the clean tasks for which it is true.
        reader: Of this run, where one is at hand.
    """
    spec = run.spec
    if len(spec.clean_tasks) == len(spec.tasks):
        return ()
    reference = spec.reference if reference is None else reference
    reader = StatisticsReader(run) if reader is None else reader
    lines = [line for twin in _twins(run) for line in _lines(reader, twin, where)]
    # An ablation asks whole adapters and the baseline alone.
    n_asked = 1 + len(spec.ablation.whole) if spec.ablation else len(spec.models.variants)
    n_tests = len(lines) * (2 * n_asked - 1)
    # So many that a finding that stands alone can still pass the correction.
    trials = max(MIN_TRIALS, math.ceil(n_tests / (1 - spec.level)))
    found: dict[int, RobustnessRow] = {}
    for identity in dict.fromkeys(line.examples.identity for line in lines):
        chosen = [number for number, line in enumerate(lines) if line.examples.identity == identity]
        groups = lines[chosen[0]].examples.groups
        resampler = Resampler(len(identity), groups, seed=spec.settings.seed, resamples=RESAMPLES, trials=trials)
        rows = _measured([lines[number] for number in chosen], reference, resampler, spec.level)
        found.update(zip(chosen, rows, strict=True))
    return tuple(_judged(row, spec.level) for row in _adjusted([found[number] for number in range(len(lines))]))


def original_of(run: Run, example: Example) -> Example | None:
    """Return the clean example that a perturbed one was made from; None for an example that was not perturbed."""
    task = run.spec.tasks.get(example.task)
    if task is None or task.perturbation is None:
        return None
    return next((one for one in task_examples(run, task.perturbation.of) if one.id == example.id), None)


def _twins(run: Run) -> list[_Twin]:
    """Return every task under every perturbation, in the order of the run's tasks."""
    names: dict[tuple[str, str], list[str]] = {}
    for name, task in run.spec.tasks.items():
        if task.perturbation is not None:
            names.setdefault((task.perturbation.of, task.perturbation.name), []).append(name)
    # What an ablation changes is the prompt around the fields, or how the answer is decoded, and not the fields.
    inputs = {
        (example.task, example.id): (
            (example.prompt, run.spec.tasks[example.task].temperature) if run.spec.ablation else example.fields
        )
        for example in (run.examples if names else ())
    }
    found = []
    for (task, perturbation), listed in names.items():
        ordered = sorted(listed, key=lambda name: _copy_number(run, name))
        changed = {
            example_id
            for (name, example_id), asked in inputs.items()
            if name in ordered and asked != inputs.get((task, example_id))
        }
        found.append(_Twin(task, perturbation, tuple(ordered), len(changed)))
    return found


def _copy_number(run: Run, name: str) -> int:
    ref = run.spec.tasks[name].perturbation
    return 0 if ref is None else ref.copy_number


def _has_drop(metric: Metric, task: TaskSpec) -> bool:
    """Tell whether a metric's drop is shown: of rows by label, and of what costs an ordering a draw, only where it is primary."""
    return not (metric.by_label or metric.ordered) or metric.name in (task.primary or ())


def _lines(reader: StatisticsReader, twin: _Twin, where: Filter | None) -> Iterator[_Line]:
    """Yield the rows of one task under one perturbation; metrics that this version does not know have none."""
    examples = task_examples_kept(reader, twin.task, where)
    variants = reader.run.spec.models.variants
    metrics = [
        metric
        for metric in map(find_metric, examples.spec.metrics)
        if metric is not None and _has_drop(metric, examples.spec)
    ]
    names = (twin.task, *twin.names)
    # Task by task and variant by variant, so that the predictions of each are read once for all metrics.
    made = {
        (metric.name, variant, place): chosen_rows(reader.read(name, metric, variant), examples.kept)
        for place, name in enumerate(names)
        for variant in variants
        for metric in metrics
    }
    everyone = np.ones(examples.n, dtype=bool)
    for metric in metrics:
        # One order of columns for all variants, clean and perturbed.
        some = {_column(v, place): made[metric.name, v, place] for v in variants for place in range(len(names))}
        panel = Panel(metric, aligned(some), everyone, examples.spec.kind)
        for part, one in label_panels(panel).items() if metric.by_label else [(None, panel)]:
            within = {variant: _within(one, variant, len(names)) for variant in variants}
            drops = {
                name: side_by_side(own.statistics[CLEAN], own.statistics[PERTURBED]) for name, own in within.items()
            }
            between = replace(one, metric=DropMetric(metric), statistics=drops)
            yield _Line(twin, examples, metric, part, within, between)


def _column(variant: str, place: int) -> str:
    """Return the key of a variant's statistics on clean inputs (place 0) or on a perturbed copy (1 and on)."""
    return f"{place}/{variant}"


def _within(panel: Panel, variant: str, places: int) -> Panel:
    """Return the panel of one variant's clean and perturbed statistics, of the worst copy where there are several."""
    clean, *copies = (panel.statistics[_column(variant, place)] for place in range(places))
    perturbed = copies[0] if len(copies) == 1 else worst_copies(panel.metric, copies)
    return replace(panel, statistics={CLEAN: clean, PERTURBED: perturbed})


def _measured(lines: Sequence[_Line], reference: str, resampler: Resampler, level: float) -> Iterator[RobustnessRow]:
    """Yield the rows over the same examples, before any p-value is adjusted."""
    between = measure([line.between for line in lines], reference, resampler, level)
    keys = [(index, variant) for index, line in enumerate(lines) for variant in line.within]
    found = measure([lines[index].within[variant] for index, variant in keys], CLEAN, resampler, level)
    within: list[dict[str, Measured]] = [{} for _ in lines]
    for (index, variant), one in zip(keys, found, strict=True):
        within[index][variant] = one
    for line, own, drops in zip(lines, within, between, strict=True):
        yield _row(line, own, drops)


def _row(line: _Line, own: Mapping[str, Measured], between: Measured) -> RobustnessRow:
    metric, twin = line.metric, line.twin
    perturbation: Perturbation | None = find_perturbation(twin.perturbation)
    return RobustnessRow(
        task=twin.task,
        perturbation=twin.perturbation,
        perturbation_label=twin.perturbation if perturbation is None else perturbation.label,
        perturbation_family=None if perturbation is None else perturbation.family,
        metric=metric.name,
        label=metric.label,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        direction_free=metric.direction_free,
        part=line.part,
        n_changed=twin.n_changed,
        clean={variant: measured.values[CLEAN] for variant, measured in own.items()},
        perturbed={variant: measured.values[PERTURBED] for variant, measured in own.items()},
        drops={
            variant: _as_drop(measured.differences[PERTURBED], metric.higher_is_better)
            for variant, measured in own.items()
        },
        differences=between.differences,
    )


def _as_drop(difference: Difference, higher_is_better: bool) -> Difference:
    """Return perturbed minus clean as a drop: the sign turned where more is better."""
    if not higher_is_better or difference.difference is None:
        return difference
    low, high = difference.low, difference.high
    return replace(
        difference, difference=-difference.difference + 0.0, low=None if high is None else -high + 0.0,
        high=None if low is None else -low + 0.0,
    )  # fmt: skip


def _adjusted(rows: Sequence[RobustnessRow]) -> list[RobustnessRow]:
    """Fill in ``p_adjusted`` of every drop and every difference of drops, all in one family."""
    tables = [table for row in rows for table in (row.drops, row.differences)]
    keys = [(index, variant) for index, table in enumerate(tables) for variant in table]
    raw = [tables[index][variant].p for index, variant in keys]
    adjusted = benjamini_hochberg(np.array([math.nan if p is None else p for p in raw], dtype=np.float64))
    filled: list[dict[str, Difference]] = [{} for _ in tables]
    for (index, variant), p in zip(keys, adjusted.tolist(), strict=True):
        filled[index][variant] = replace(tables[index][variant], p_adjusted=None if math.isnan(p) else p)
    return [
        replace(row, drops=drops, differences=differences)
        for row, drops, differences in zip(rows, filled[::2], filled[1::2], strict=True)
    ]


def _judged(row: RobustnessRow, level: float) -> RobustnessRow:
    return replace(
        row,
        drops={variant: _with_verdict(drop, row, level) for variant, drop in row.drops.items()},
        differences={variant: _with_verdict(one, row, level) for variant, one in row.differences.items()},
    )


def _with_verdict(drop: Difference, row: RobustnessRow, level: float) -> Difference:
    if drop.verdict == "none" or drop.difference is None:
        return drop
    if row.direction_free:
        return replace(drop, verdict="none", reason="neither more nor less is better: shown without a verdict")
    if drop.n < MIN_EXAMPLES:
        reason = f"too few examples (n = {drop.n}, at least {MIN_EXAMPLES})"
        return replace(drop, verdict="unclear", reason=reason)
    verdict: Verdict = "unclear"
    if drop.p_adjusted is not None and drop.p_adjusted < 1 - level and drop.difference:
        verdict = "worse" if drop.difference > 0 else "better"
    return replace(drop, verdict=verdict)
