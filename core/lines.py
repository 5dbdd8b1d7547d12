"""The rows of a comparison before they are measured: which there are, and the panel that each is computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from core.derived import StatisticsReader
from core.metrics.metric import Metric
from core.metrics.registry import find_metric
from core.panels import Panel, aligned, label_panels
from core.records import Example
from core.spec import TaskSpec

Filter = Callable[[Example], bool]


@dataclass(frozen=True)
class IdFilter:
    """Keeps the examples whose ids are listed: a filter that can be asked without reading any example."""

    ids: Mapping[str, Set[str]]
    """By task; of a task that is not there nothing is kept."""

    def __call__(self, example: Example) -> bool:
        """Tell whether an example is kept."""
        return example.id in self.of(example.task)

    def of(self, task: str) -> Set[str]:
        """Return the ids that are kept of a task."""
        return self.ids.get(task, frozenset())


@dataclass(frozen=True)
class TaskExamples:
    """The examples of one task that take part."""

    task: str
    spec: TaskSpec
    kept: np.ndarray
    """bool, over all examples of the task."""
    identity: tuple[tuple[str, str | None], ...]
    """(id, group) of each that is kept: tasks with the same ones share their resamples."""
    languages: np.ndarray
    """Of each that is kept, empty where it has none."""

    @property
    def n(self) -> int:
        """How many take part."""
        return len(self.identity)

    @property
    def groups(self) -> list[str | None] | None:
        """The cluster of each, None where no example has one."""
        groups = [group for _, group in self.identity]
        return groups if any(group is not None for group in groups) else None


@dataclass(frozen=True)
class Line:
    """A row before it is measured."""

    examples: TaskExamples
    name: str
    """The metric's, known or not."""
    metric: Metric | None
    """None where this version does not know the metric."""
    panel: Panel | None
    """None where there is nothing to measure: an unknown metric, or one with a row for each label where there is no label."""
    language: str | None = None
    part: str | None = None


def task_examples_kept(reader: StatisticsReader, task: str, where: Filter | None) -> TaskExamples:
    """Return the examples of a task for which ``where`` is true; all without it."""
    index = reader.index(task)
    if where is None:
        kept = np.ones(len(index.ids), dtype=bool)
    elif isinstance(where, IdFilter):
        inside = where.of(task)
        kept = np.array([name in inside for name in index.ids], dtype=bool)
    else:
        kept = np.array([bool(where(example)) for example in reader.examples(task)], dtype=bool)
    rows = np.flatnonzero(kept).tolist()
    identity = tuple([(index.ids[row], index.groups[row]) for row in rows])
    languages = np.array([index.languages[row] or "" for row in rows], dtype=object)
    return TaskExamples(task, reader.run.spec.tasks[task], kept, identity, languages)


def lines_of(reader: StatisticsReader, examples: TaskExamples, names: Sequence[str]) -> list[Line]:
    """Return the rows of some metrics of a task, in order; those of one language or label follow their metric.

    Args:
        reader: of the run.
        examples: those that take part.
        names: metrics.
    """
    variants = reader.run.spec.models.variants
    metrics = {name: find_metric(name) for name in names}
    # Variant by variant, so that the predictions of each are read once for all metrics.
    made = {
        (name, variant): reader.read(examples.task, metric, variant, examples.kept)
        for variant in variants
        for name, metric in metrics.items()
        if metric is not None
    }
    lines: list[Line] = []
    for name, metric in metrics.items():
        if metric is None:
            lines.append(Line(examples, name, None, None))
            continue
        statistics = aligned({variant: made[name, variant] for variant in variants})
        panel = Panel(metric, statistics, np.ones(examples.n, dtype=bool), examples.spec.kind)
        lines += _by_label(examples, panel) if metric.by_label else _by_language(examples, panel)
    return lines


def _by_label(examples: TaskExamples, panel: Panel) -> list[Line]:
    metric, parts = panel.metric, label_panels(panel)
    if not parts:
        return [Line(examples, metric.name, metric, None)]
    return [Line(examples, metric.name, metric, one, part=label) for label, one in parts.items()]


def _by_language(examples: TaskExamples, panel: Panel) -> Iterator[Line]:
    metric, languages = panel.metric, examples.languages
    yield Line(examples, metric.name, metric, panel)
    several = sorted(set(languages) - {""}) if metric.by_language else []
    for language in several if len(several) > 1 else ():
        inside = np.asarray(languages == language, dtype=bool)
        yield Line(examples, metric.name, metric, Panel(metric, panel.statistics, inside, panel.kind), language)
