"""Which rows of a comparison a table shows, and in what order: task by task, primary metrics first, the others on request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.metrics.catalogue import FAMILIES
from core.results import Comparison, MetricRow


@dataclass(frozen=True)
class LabelGroup:
    """The rows of a metric that has one for each label, folded into one line."""

    rows: tuple[MetricRow, ...]
    opened: bool
    """Whether the rows themselves follow."""
    always: bool = False
    """Whether they do in any case: rows that are primary are never hidden."""

    @property
    def first(self) -> MetricRow:
        """A row that stands for the metric."""
        return self.rows[0]


@dataclass(frozen=True)
class FoldedFamily:
    """The metrics of one family of a task, folded into its heading."""

    family: str
    primary: bool
    n: int
    """Metrics."""


Line = MetricRow | LabelGroup | FoldedFamily


@dataclass(frozen=True)
class TaskRows:
    """What is shown of one task."""

    task: str
    lines: tuple[Line, ...]
    n_folded: int
    """Metrics that are not shown."""
    can_fold: bool
    """Whether there are metrics that are shown on request alone."""

    @property
    def rows(self) -> tuple[MetricRow, ...]:
        """The rows that are shown, labels apart included."""
        return tuple(line for line in self.lines if isinstance(line, MetricRow))


@dataclass(frozen=True)
class Unfolded:
    """What a reader asked to see beside the primary metrics."""

    tasks: Collection[str] = ()
    """Tasks whose other metrics are shown."""
    languages: bool = False
    labels: bool = False
    chosen: str | None = None
    """`MetricRow.key` of a row that is shown in any case."""
    metrics: Collection[str] = ()
    """``task/metric`` of those that alone are shown; without any the primary ones are, and those of ``tasks``."""
    folded: Collection[str] = ()
    """``task/family`` of families of which only the heading is shown."""


EVERYTHING = "all"


def metric_key(row: MetricRow) -> str:
    """Return ``task/metric``: what a row has in common with the rows of its languages and labels."""
    return f"{row.task}/{row.metric}"


def task_rows(comparison: Comparison, unfolded: Unfolded) -> tuple[TaskRows, ...]:
    """Return the lines of a table, task by task in the order of the comparison.

    A task of which no metric is primary shows all of them. Metrics are ordered by family, those of one family as in the task;
    languages and labels follow their metric.
    """
    by_task: dict[str, list[MetricRow]] = {}
    for row in comparison.rows:
        by_task.setdefault(row.task, []).append(row)
    groups = [_one_task(task, rows, unfolded) for task, rows in by_task.items()]
    return tuple(group for group in groups if group.lines or not unfolded.metrics)


def shown_rows(comparison: Comparison, unfolded: Unfolded) -> tuple[MetricRow, ...]:
    """Return the rows of `task_rows` one after the other."""
    return tuple(row for group in task_rows(comparison, unfolded) for row in group.rows)


def _one_task(task: str, rows: Sequence[MetricRow], unfolded: Unfolded) -> TaskRows:
    metrics: dict[str, list[MetricRow]] = {}
    for row in rows:
        metrics.setdefault(row.metric, []).append(row)
    primary = {name for name, some in metrics.items() if any(row.primary for row in some)} or set(metrics)
    place = {family: number for number, family in enumerate(FAMILIES)}
    ordered = sorted(metrics, key=lambda name: (name not in primary, place.get(metrics[name][0].family, len(place))))
    is_open = task in unfolded.tasks or EVERYTHING in unfolded.tasks
    wanted = [
        name
        for name in ordered
        if (f"{task}/{name}" in unfolded.metrics if unfolded.metrics else is_open or name in primary)
        or any(row.key == unfolded.chosen for row in metrics[name])
    ]
    families = dict.fromkeys((name in primary, metrics[name][0].family) for name in wanted)
    lines: list[Line] = []
    for is_primary, family in families:
        some = [name for name in wanted if (name in primary, metrics[name][0].family) == (is_primary, family)]
        if len(families) > 1 and f"{task}/{family}" in unfolded.folded:
            lines.append(FoldedFamily(family, metrics[some[0]][0].primary, len(some)))
        else:
            lines += [line for name in some for line in _one_metric(metrics[name], unfolded)]
    can_fold = len(primary) < len(ordered) and not unfolded.metrics
    return TaskRows(task, tuple(lines), len(ordered) - len(wanted) if can_fold else 0, can_fold)


def _one_metric(rows: Sequence[MetricRow], unfolded: Unfolded) -> list[MetricRow | LabelGroup]:
    labels = tuple(row for row in rows if row.part is not None)
    shown: list[MetricRow | LabelGroup] = [
        row
        for row in rows
        if row.part is None and (row.language is None or unfolded.languages or row.key == unfolded.chosen)
    ]
    if labels:
        always = any(row.primary for row in labels)
        opened = unfolded.labels or always
        shown.append(LabelGroup(labels, opened, always))
        shown += [row for row in labels if opened or row.key == unfolded.chosen]
    return shown
