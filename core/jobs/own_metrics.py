"""The job that runs one of the user's own metrics over a finished run, and stores what the comparison shows of it.

It runs in a process of its own that may crash, hang or be killed: what is stored is stored task by task, and whoever started the
process (`core.jobs.own_launch`) says of the rest why it is not there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core.contrasts import measure
from core.derived import StatisticsReader, averaged_within
from core.errors import InputError
from core.families import declared_family
from core.jobs.own_code import Fault, faults_of, load_code
from core.jobs.own_evaluate import DRAWS, EvaluateModule, evaluate_metric
from core.jobs.own_functions import FunctionMetric
from core.lines import TaskExamples, task_examples_kept
from core.measuring import RESAMPLES, family_size, swap_trials
from core.metrics.metric import Metric, Observations, Statistics
from core.own.files import Declaration, OwnFile, own_file, read_declaration
from core.own.results import OwnResult, OwnScores, OwnTask, identity_of, save_result, tasks_of
from core.own.rows import workspace_of
from core.panels import Panel
from core.predict import observations
from core.resampler import Resampler
from core.store import Run
from core.trust import trusted_hashes, why_untrusted

Builder = Callable[[Mapping[str, Observations]], tuple[Metric, dict[str, Statistics]]]
"""Makes the metric and the statistics of each variant from what the variants were observed to do."""


def own_metrics(folder: Path, name: str, reference: str) -> None:
    """Compute one own metric for every task that names it, against one reference, and store it.

    Args:
        folder: the run's.
        name: the metric's.
        reference: the variant to compare with.

    Raises:
        InputError: the run is not finished or lies in no workspace, or the metric is not there or not trusted.
        OSError: the result cannot be written.
    """
    job = _Job(Run(folder), name, reference)
    try:
        build: Builder | Fault = job.builder()
    except Fault as fault:
        build = fault
    tasks: dict[str, OwnTask] = {}
    for task in tasks_of(job.run, name):
        tasks[task] = job.task(task, build)
        save_result(job.run, job.result(tasks))


@dataclass(frozen=True)
class _Place:
    """Where the metric is, and that it may run."""

    workspace: Path
    own: OwnFile
    declared: Declaration


class _Job:
    """One metric of one run."""

    def __init__(self, run: Run, name: str, reference: str) -> None:
        self.run, self.name, self.reference = run, name, reference
        self.reader = StatisticsReader(run)
        self.place = _place(run, name)
        self._scratch = tempfile.TemporaryDirectory(prefix="lorascope-own-", ignore_cleanup_errors=True)
        self.started = datetime.now(UTC).isoformat()
        identity = identity_of(self.reader, name, reference)
        if identity is None:
            raise InputError(f"{run.folder}: the run is not finished; a metric of your own is computed when it is.")
        self._identity = identity
        self._fingerprint = self.place.own.fingerprint
        declared = family_size(self.reader, declared_family(run.spec))
        self._trials = swap_trials(declared, run.spec.level)

    def builder(self) -> Builder:
        """Load the user's code, once for all tasks.

        Raises:
            Fault: it cannot be loaded.
        """
        own, declared = self.place.own, self.place.declared
        module = load_code(own, self.place.workspace, trusted_hashes(self.place.workspace))
        if hasattr(module, "statistics"):
            return lambda observed: _by_functions(FunctionMetric(own, declared, module), observed)
        loaded = EvaluateModule(own, module, self._scratch.name)

        def build(observed: Mapping[str, Observations]) -> tuple[Metric, dict[str, Statistics]]:
            metric = evaluate_metric(own, declared, loaded, observed)
            return metric, {variant: metric.statistics(one) for variant, one in observed.items()}

        return build

    def task(self, task: str, build: Builder | Fault) -> OwnTask:
        """Return what is measured in one task, or the fault."""
        if isinstance(build, Fault):
            return OwnTask(None, str(build))
        try:
            with faults_of(self.place.own):
                return self._measured(task, build)
        except Fault as fault:
            return OwnTask(None, str(fault))

    def result(self, tasks: Mapping[str, OwnTask]) -> OwnResult:
        """Return what is known so far."""
        declared = self.place.declared
        return OwnResult(
            name=self.name, label=declared.label, higher_is_better=declared.higher_is_better, unit=declared.unit,
            fingerprint=self._fingerprint, identity=self._identity, computed=self.started, tasks=dict(tasks),
        )  # fmt: skip

    def _measured(self, task: str, build: Builder) -> OwnTask:
        examples = task_examples_kept(self.reader, task, None)
        observed = {variant: observations(self.run, task, variant) for variant in self.run.spec.models.variants}
        metric, made = build(observed)
        statistics = {variant: averaged_within(some, observed[variant].example_ids) for variant, some in made.items()}
        panel = Panel(metric, statistics, np.ones(examples.n, dtype=bool), examples.spec.kind)
        measured = measure([panel], self.reference, self._resampler(metric, examples), self.run.spec.level)[0]
        return OwnTask(measured, None, _scores(metric, statistics, self.reader.index(task).ids))

    def _resampler(self, metric: Metric, examples: TaskExamples) -> Resampler:
        """Return the draws of the comparison: the same seed gives the same ones; fewer where each is slow."""
        resamples, trials = (DRAWS, DRAWS) if metric.ordered else (RESAMPLES, self._trials)
        return Resampler(
            examples.n, examples.groups, seed=self.run.spec.settings.seed, resamples=resamples, trials=trials
        )


def _scores(metric: Metric, statistics: Mapping[str, Statistics], ids: tuple[str, ...]) -> OwnScores | None:
    """Return what single examples score; None for a metric that is computed anew of all of them, or says nothing of one alone."""
    if metric.ordered:
        return None
    values = {name: metric.per_example(some) for name, some in statistics.items()}
    if not any(np.isfinite(some).any() for some in values.values()):
        return None
    plain = {name: tuple(float(x) if np.isfinite(x) else None for x in some) for name, some in values.items()}
    return OwnScores(metric.test, ids, plain)


def _place(run: Run, name: str) -> _Place:
    workspace = workspace_of(run)
    if workspace is None:
        raise InputError(
            f"{run.folder}: the run lies in no workspace; its own metrics are computed in the one that it was made in."
        )
    own = own_file(workspace, name)
    if own is None:
        raise InputError(f"{workspace}: there is no metrics/{name}.py, which the run names as a metric.")
    if untrusted := why_untrusted(workspace, own):
        raise InputError(untrusted)
    return _Place(workspace, own, read_declaration(own))


def _by_functions(metric: FunctionMetric, observed: Mapping[str, Observations]) -> tuple[Metric, dict[str, Statistics]]:
    made = metric.settle({variant: metric.statistics(one) for variant, one in observed.items()})
    for some in made.values():
        metric.whole(some)
    return metric, made
