"""The statistics of each metric, task and variant of a run, kept in the run's ``derived/`` folder once it is finished.

What is kept can be thrown away at any time: it is keyed by the evidence, the examples, the task and the metric, and made
again when it is missing, damaged or of another key. A folder that cannot be written is read all the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from core.kept_statistics import load_statistics, narrowed, save_statistics
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.registry import get_metric
from core.panels import chosen_rows
from core.predict import asked_examples, observations, task_examples
from core.records import Example
from core.store import Run

Made = TypeVar("Made")
_FORMAT = 2
_BLOCK = 1 << 20
NOT_FINITE = "its statistics are not finite numbers"


def statistics_for(run: Run, task: str, metric: str, variant: str) -> Statistics:
    """Return the statistics of one metric, in the order of `example_index`.

    Raises:
        InputError: unknown task, metric or variant.
    """
    return StatisticsReader(run).read(task, get_metric(metric), variant)


def example_scores(run: Run, task: str, metric: str) -> pd.DataFrame:
    """Return each example's own value: index ``example_id``, one column a variant, NaN where there is none."""
    reader, chosen = StatisticsReader(run), get_metric(metric)
    columns = {variant: chosen.per_example(reader.read(task, chosen, variant)) for variant in run.spec.models.variants}
    return pd.DataFrame(columns, index=pd.Index(reader.index(task).ids, name="example_id"))


@dataclass(frozen=True)
class ExampleIndex:
    """The examples of one task, each id once, in order of first appearance: what can be told without reading their texts."""

    ids: tuple[str, ...]
    groups: tuple[str | None, ...]
    languages: tuple[str | None, ...]


def example_index(run: Run, task: str) -> ExampleIndex:
    """Return the index of a task's examples; of 100,000 in a tenth of a second, where their texts take several."""
    path = run.folder / "examples.parquet"
    if not path.is_file():
        return ExampleIndex((), (), ())
    table = pq.read_table(path, columns=["id", "group", "language"], filters=[("task", "=", task)])
    ids, groups, languages = (table[name].to_pylist() for name in ("id", "group", "language"))
    if len(set(ids)) == len(ids):
        return ExampleIndex(tuple(ids), tuple(groups), tuple(languages))
    first = {name: row for row, name in zip(range(len(ids) - 1, -1, -1), reversed(ids), strict=True)}
    rows = sorted(first.values())
    return ExampleIndex(*(tuple(column[row] for row in rows) for column in (ids, groups, languages)))


def single_examples(run: Run, task: str) -> tuple[Example, ...]:
    """Return the examples of one task, each id once, in the order of `example_index`."""
    examples = task_examples(run, task)
    first = dict.fromkeys(example.id for example in examples)
    by_id = {example.id: example for example in reversed(examples)}
    return examples if len(first) == len(examples) else tuple(by_id[name] for name in first)


def averaged_within(statistics: Statistics, ids: Sequence[str]) -> Statistics:
    """Return statistics with one row an example, where examples were observed several times (samples, seeds).

    Several samples of one example are no new evidence about others: their statistics are averaged first, those that are
    missing left out. An example whose samples are all missing is missing, with the reason of the first.

    Args:
        statistics: rows in any order.
        ids: (rows,) the example of each.

    Returns:
        One row for each id, in order of first appearance; the same object where no id is repeated.
    """
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in ids], dtype=np.int64)
    if len(numbers) == len(ids):
        return statistics
    there = ~statistics.missing
    counts = np.bincount(codes[there], minlength=len(numbers))
    array = np.zeros((len(numbers), statistics.array.shape[1]))
    np.add.at(array, codes[there], statistics.array[there])
    array /= np.maximum(counts, 1)[:, None]
    first = np.unique(codes, return_index=True)[1]
    missing = counts == 0
    reasons = tuple(
        statistics.reasons[row] if gone else None for row, gone in zip(first.tolist(), missing.tolist(), strict=True)
    )
    return replace(statistics, array=array, missing=missing, reasons=reasons)


class StatisticsReader:
    """Reads the statistics of one run; hashes its evidence once, and reads predictions once for all metrics."""

    def __init__(self, run: Run, *, in_memory: bool = False) -> None:
        """Hash the evidence of ``run``, so that what is kept can be told to be of it.

        Args:
            run: finished or not; of one that goes on nothing is kept.
            in_memory: whether what was read once stays in memory, in the narrowest type that holds it, so that the
                next look at it (a slice) reads nothing. Only for a run that is finished.
        """
        self.run = run
        self.evidence_hash = _hash_files(run.truth, run.folder / "examples.parquet")
        self._environment = (run.read_json("environment") or {}).get("tokenizer")
        self._observed: tuple[tuple[str, str], Observations] | None = None
        self._asked: tuple[str, tuple[Example, ...]] | None = None
        self._examples: dict[str, tuple[Example, ...]] = {}
        self._index: dict[str, ExampleIndex] = {}
        self._tasks = {task: task_identity(run, task) for task in run.spec.tasks}
        self.in_memory = in_memory and self.evidence_hash is not None
        self._held: dict[tuple[str, str, str], Statistics] = {}
        self._remembered: dict[Hashable, object] = {}

    def read(self, task: str, metric: Metric, variant: str, kept: np.ndarray | None = None) -> Statistics:
        """Return kept statistics, or make them from the evidence and keep them; a row for each of `example_index`.

        Args:
            task: of the run.
            metric: any; it need not be one of the task's.
            variant: of the run.
            kept: bool (n,), to have the rows of these examples alone.
        """
        key = (task, metric.name, variant)
        if key in self._held:
            return _widened(self._held[key], kept)
        path = self.path(task, metric, variant)
        found = load_statistics(path) if path is not None else None
        if found is None:
            found = self._made(task, metric, variant)
            if path is not None:
                save_statistics(path, found)
            # What comes from a file is narrow already.
            found = replace(found, array=narrowed(found.array)) if self.in_memory else found
        if self.in_memory:
            self._held[key] = found
        return _widened(found, kept)

    def remembered(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what ``make`` gives, made once for a key where statistics stay in memory: what no slice changes."""
        if not self.in_memory:
            return make()
        if key not in self._remembered:
            self._remembered[key] = make()
        return cast("Made", self._remembered[key])

    def index(self, task: str) -> ExampleIndex:
        """Return `example_index` of a task; read once."""
        if task not in self._index:
            self._index[task] = example_index(self.run, task)
        return self._index[task]

    def examples(self, task: str) -> tuple[Example, ...]:
        """Return `single_examples` of a task; found once."""
        if task not in self._examples:
            self._examples[task] = single_examples(self.run, task)
        return self._examples[task]

    def path(self, task: str, metric: Metric, variant: str) -> Path | None:
        """Return where the statistics are kept; None while the run is not finished, or where there is no such task."""
        spec = self.run.spec
        if self.evidence_hash is None or task not in spec.tasks or variant not in spec.models.variants:
            return None
        identity = [_FORMAT, self.evidence_hash, self._environment, task, variant, self._tasks[task]]
        key = hashlib.sha256(json.dumps([*identity, *metric_identity(metric)], sort_keys=True).encode()).hexdigest()
        return self.run.folder / "derived" / "statistics" / f"{task}-{metric.name}-{variant}-{key[:24]}.npz"

    def _made(self, task: str, metric: Metric, variant: str) -> Statistics:
        observed = self.observed(task, variant)
        made = averaged_within(metric.statistics(observed), observed.example_ids)
        return made if metric.ordered else _finite(made)

    def observed(self, task: str, variant: str) -> Observations:
        """Return what metrics look at of one task and variant; the last one stays in memory, and no other beside it."""
        held = self._observed
        if held is None or held[0] != (task, variant):
            self._observed = held = None  # of a large run it is gigabytes: not twice at once
            held = (task, variant), observations(self.run, task, variant, self._asked_of)
            self._observed = held
        return held[1]

    def _asked_of(self, task: str) -> tuple[Example, ...]:
        """Return what metrics look at of a task's examples; those of one task are held, since variants come one after the other."""
        held = self._asked
        if held is None or held[0] != task:
            self._asked = held = None
            held = task, asked_examples(self.run, task)
            self._asked = held
        return held[1]


def metric_identity(metric: Metric) -> list[Any]:
    """Return what tells whether a metric would give the same statistics again."""
    packages = [f"{name}=={version(name)}" for name in metric.distributions]
    return [metric.name, metric.version, packages, *filter(None, [metric.environment()])]


def task_identity(run: Run, task: str) -> dict[str, Any]:
    """Return what of a task moves its statistics; what is as by default is left out, so that a new setting leaves kept ones valid."""
    return run.spec.tasks[task].model_dump(mode="json", exclude={"metrics", "primary", "bands"}, exclude_defaults=True)


def _widened(statistics: Statistics, kept: np.ndarray | None) -> Statistics:
    # Cut before it is widened: of 100,000 examples the narrow numbers are a tenth of the bytes.
    some = statistics if kept is None else chosen_rows(statistics, kept)
    return replace(some, array=some.array.astype(np.float64, copy=False))


def _finite(statistics: Statistics) -> Statistics:
    """Return statistics in which a row with NaN or infinity is a missing one, so that it cannot spoil a sum."""
    broken: np.ndarray = ~np.all(np.isfinite(statistics.array), axis=1)
    if not broken.any():
        return statistics
    reasons = tuple(
        reason or NOT_FINITE if wrong else reason
        for reason, wrong in zip(statistics.reasons, broken.tolist(), strict=True)
    )
    array = np.where(broken[:, None], 0.0, statistics.array)
    return replace(statistics, array=array, missing=statistics.missing | broken, reasons=reasons)


def _hash_files(*paths: Path) -> str | None:
    digest = hashlib.sha256()
    for path in paths:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
