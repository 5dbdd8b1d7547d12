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
class TaskRows:
    """What is shown of one task."""

    task: str
    lines: tuple[MetricRow | LabelGroup, ...]
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


EVERYTHING = "all"


def task_rows(comparison: Comparison, unfolded: Unfolded) -> tuple[TaskRows, ...]:
    """Return the lines of a table, task by task in the order of the comparison.

    A task of which no metric is primary shows all of them. Metrics are ordered by family, those of one family as in the task;
    languages and labels follow their metric.
    """
    by_task: dict[str, list[MetricRow]] = {}
    for row in comparison.rows:
        by_task.setdefault(row.task, []).append(row)
    return tuple(_one_task(task, rows, unfolded) for task, rows in by_task.items())


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
        if is_open or name in primary or any(row.key == unfolded.chosen for row in metrics[name])
    ]
    lines = tuple(line for name in wanted for line in _one_metric(metrics[name], unfolded))
    return TaskRows(task, lines, len(ordered) - len(wanted), len(primary) < len(ordered))


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
