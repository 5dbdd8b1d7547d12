"""A run's composites measured: statistics of all parts side by side, so that everything else is as for any metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.composite.check import scale_of, unfit
from core.composite.dependence import weight_dependence
from core.composite.metric import FAMILY, CompositeMetric, ScaledMetric, side_by_side
from core.composite.results import CompositePart, CompositeResult
from core.contrasts import NOTHING, Measured, measure
from core.derived import StatisticsReader
from core.errors import InputError, nearest
from core.families import adjusted, judged
from core.lines import Filter, TaskExamples, task_examples_kept
from core.measuring import MIN_TRIALS, RESAMPLES
from core.metrics.metric import Metric, Statistics
from core.metrics.registry import find_metric
from core.panels import Panel, aligned, chosen_rows
from core.resampler import Resampler
from core.results import Difference, MetricRow, Value
from core.spec import CompositeSpec
from core.store import Run


def composites(
    run: Run, reference: str | None = None, *, where: Filter | None = None, reader: StatisticsReader | None = None
) -> tuple[CompositeResult, ...]:
    """Return every composite that the run's spec declares, in its order; empty where it declares none.

    Args:
        run: finished or not.
        reference: the variant to compare with; by default the run's own.
        where: keeps the examples for which it is true.
        reader: of this run, where one is at hand.

    Raises:
        InputError: no such variant.
    """
    spec = run.spec
    reference = spec.reference if reference is None else reference
    if reference not in spec.models.variants:
        hint = nearest(reference, spec.models.variants)
        raise InputError(
            f"run {run.id}: no variant {reference!r}{hint} to compare with; it has {', '.join(spec.models.variants)}"
        )
    if not spec.composites:
        return ()
    reader = StatisticsReader(run) if reader is None else reader
    found = [_measured(reader, name, composite, reference, where) for name, composite in spec.composites.items()]
    rows = adjusted([one.row for one, _ in found], [errors for _, errors in found], 0, spec.level)
    return tuple(replace(one, row=judged(row, None, spec.level)) for (one, _), row in zip(found, rows, strict=True))


@dataclass(frozen=True)
class _Asked:
    """A part as declared, with what it is of."""

    key: str
    task: str
    metric: Metric
    weight: float
    scale: tuple[float, float]
    declared: bool


@dataclass(frozen=True)
class _Union:
    """The examples of all parts, each once."""

    rows: Mapping[str, np.ndarray]
    """For each task where its examples stand, int (its examples,). Tasks that ask about the same example share its row."""
    n: int
    groups: list[str | None] | None


def _measured(
    reader: StatisticsReader, name: str, composite: CompositeSpec, reference: str, where: Filter | None
) -> tuple[CompositeResult, Mapping[str, float]]:
    """Return one composite before p-values are adjusted, and the standard errors of its differences."""
    spec = reader.run.spec
    variants = spec.models.variants
    asked = _asked(reader.run, composite)
    if isinstance(asked, str):
        return CompositeResult(name, _row(name, _without(variants, reference, asked)), (), None), {}
    examples = {one.task: task_examples_kept(reader, one.task, where) for one in asked}
    union = _union(examples.values())
    by_part = [_statistics(reader, one, examples[one.task]) for one in asked]
    parts = [
        ScaledMetric(one.key, one.metric, one.weight, *one.scale, next(iter(some.values())).array.shape[1])
        for one, some in zip(asked, by_part, strict=True)
    ]
    rows = [union.rows[one.task] for one in asked]
    statistics = {
        variant: side_by_side(parts, [some[variant] for some in by_part], union.n, rows) for variant in variants
    }
    panel = Panel(CompositeMetric(name, parts), statistics, np.ones(union.n, dtype=bool))
    resampler = Resampler(
        union.n, union.groups, seed=spec.settings.seed, resamples=RESAMPLES, trials=MIN_TRIALS
    )  # fmt: skip
    measured = _paired(panel, reference, resampler, spec.level)
    listed = _listed(asked, parts, panel, by_part)
    values = {variant: _explained(value, variant, listed) for variant, value in measured.values.items()}
    row = _row(name, replace(measured, values=values))
    scaled = {variant: [part.scaled[variant] for part in listed] for variant in variants}
    known = {variant: [one for one in some if one is not None] for variant, some in scaled.items() if None not in some}
    weights = {one.key: one.weight for one in asked}
    dependence = weight_dependence(weights, known, spec.settings.seed) if len(known) > 1 else None
    return CompositeResult(name, row, tuple(listed), dependence), measured.errors


def _asked(run: Run, composite: CompositeSpec) -> list[_Asked] | str:
    """Return the parts, or why the composite has no value for any variant."""
    found = []
    for key, weight in composite.weights.items():
        task, _, name = key.partition("/")
        spec, metric = run.spec.clean_tasks.get(task), find_metric(name)
        if spec is None or name not in spec.metrics:
            return f"{key} is not part of this run"
        if metric is None:
            return f"{key}: metric {name} is not known to this version"
        if why := unfit(metric, spec):
            return f"{key} {why}"
        scale = scale_of(metric, composite.scale.get(key))
        if scale is None:
            return f"{key} has no best or worst value, and no scale was declared"
        found.append(_Asked(key, task, metric, weight, scale, key in composite.scale))
    return found


def _union(examples: Iterable[TaskExamples]) -> _Union:
    position: dict[tuple[str, str], int] = {}
    groups: list[str | None] = []
    rows = {}
    for one in examples:
        dataset = one.spec.dataset
        places = []
        for example_id, group in one.identity:
            key = (dataset, example_id)
            if key not in position:
                position[key] = len(position)
                # A group is one of its dataset: the same name in another means another cluster.
                groups.append(None if group is None else f"{dataset}\n{group}")
            places.append(position[key])
        rows[one.task] = np.array(places, dtype=np.int64)
    return _Union(rows, len(position), groups if any(group is not None for group in groups) else None)


def _statistics(reader: StatisticsReader, one: _Asked, examples: TaskExamples) -> dict[str, Statistics]:
    variants = reader.run.spec.models.variants
    read = {variant: reader.read(one.task, one.metric, variant) for variant in variants}
    return aligned({variant: chosen_rows(some, examples.kept) for variant, some in read.items()})


def _paired(panel: Panel, reference: str, resampler: Resampler, level: float) -> Measured:
    """Return what is measured, differences over the examples that both variants have part by part."""
    pairs: dict[str, Panel] = {}
    for variant in panel.statistics:
        ours, theirs = panel.statistics[variant], panel.statistics[reference]
        both = _shared(panel.metric, ours, theirs)
        if not np.array_equal(both[0].array, ours.array) or not np.array_equal(both[1].array, theirs.array):
            pairs[variant] = replace(panel, statistics={reference: both[1], variant: both[0]})
    first, *others = measure([panel, *pairs.values()], reference, resampler, level)
    differences, errors = dict(first.differences), dict(first.errors)
    for variant, measured in zip(pairs, others, strict=True):
        differences[variant] = measured.differences[variant]
        errors.pop(variant, None)
        errors |= measured.errors
    return Measured(first.values, differences, errors)


def _shared(metric: Metric, ours: Statistics, theirs: Statistics) -> tuple[Statistics, Statistics]:
    """Return both statistics with a part's columns zero wherever one of the two lacks that part."""
    cut = []
    for own, other in ((ours, theirs), (theirs, ours)):
        array = own.array.copy()
        for _, columns in metric.columns() if isinstance(metric, CompositeMetric) else ():
            array[:, columns] *= other.array[:, columns.start, None] > 0
        cut.append(replace(own, array=array, missing=~array.any(axis=1)))
    return cut[0], cut[1]


def _listed(
    asked: Sequence[_Asked], parts: Sequence[ScaledMetric], panel: Panel, by_part: Sequence[Mapping[str, Statistics]]
) -> list[CompositePart]:
    """Return the parts with each variant's own value."""
    metric = panel.metric
    assert isinstance(metric, CompositeMetric)
    own = {variant: metric.part_values(some.array) for variant, some in panel.statistics.items()}
    total = sum(one.weight for one in asked)
    found = []
    for one, part, statistics in zip(asked, parts, by_part, strict=True):
        values = {variant: _value(one.metric, own[variant][one.key], some) for variant, some in statistics.items()}
        scaled = {
            variant: None if value.value is None else float(part.scaled(np.array(value.value)))
            for variant, value in values.items()
        }
        found.append(
            CompositePart(
                one.key,
                one.metric.label,
                one.metric.unit,
                one.weight,
                one.weight / total,
                *one.scale,
                one.declared,
                values,
                scaled,
            )  # fmt: skip
        )
    return found


def _value(metric: Metric, value: float, statistics: Statistics) -> Value:
    n_missing = int(statistics.missing.sum())
    n = len(statistics.missing) - n_missing
    if np.isfinite(value):
        return Value(value, None, None, n, n_missing, None, statistics.signature, NOTHING)
    told = Counter(reason for reason in statistics.reasons if reason)
    if n:
        reason = "the value is too large for a number" if np.isinf(value) else metric.undefined
    else:
        reason = told.most_common(1)[0][0] if told else "no example is left by the filter"
    return Value(None, None, None, n, n_missing, reason, statistics.signature, NOTHING)


def _explained(value: Value, variant: str, parts: Sequence[CompositePart]) -> Value:
    """Return a value whose reason names the part that has none."""
    lacking = next((part for part in parts if part.values[variant].value is None), None)
    if value.value is not None or lacking is None:
        return value
    return replace(value, reason=f"{lacking.key} has no value: {lacking.values[variant].reason}")


def _without(variants: Sequence[str], reference: str, reason: str) -> Measured:
    value = Value(None, None, None, 0, 0, reason, "", NOTHING)
    difference = Difference(None, None, None, None, None, 0, "none", reason, NOTHING)
    return Measured(dict.fromkeys(variants, value), {v: difference for v in variants if v != reference})


def _row(name: str, measured: Measured) -> MetricRow:
    return MetricRow(
        task=FAMILY, metric=name, label=name, family=FAMILY, unit="share", higher_is_better=True, primary=False,
        language=None, values=measured.values, differences=measured.differences,
        caution="It is as good as its weights: read it beside its parts.",
    )  # fmt: skip
