"""The outcome of every adapter on the same examples: values, resampled values, and paired differences as a comparison has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.ablation.records import Outcome
from core.contrasts import measure
from core.derived import StatisticsReader, task_identity
from core.errors import InputError, nearest
from core.families import declared_family
from core.lines import task_examples_kept
from core.measuring import MIN_TRIALS, RESAMPLES
from core.metrics.registry import find_metric
from core.panels import Panel, aligned
from core.records import BASELINE
from core.resampler import BootstrapJob, Resampler
from core.results import Difference, Value
from core.store import Run

FEWER_RESAMPLES = 2_000
"""Of the metrics that are not shown, whose p-values are in the family all the same."""


@dataclass(frozen=True)
class Measurement:
    """One metric over all variants."""

    outcome: Outcome
    panel: Panel
    """Of the variants that have a value of some example."""
    resampler: Resampler
    level: float
    values: Mapping[str, Value]
    """Of every variant, those without a value included."""
    point: Mapping[str, float]
    """Over the examples that all variants of the panel have; without those of which the value is undefined."""
    draws: np.ndarray
    """Resampled values over those examples, (resamples, variants of the panel); no row where there is no interval."""
    joint: np.ndarray
    """bool (n,): those examples."""

    @property
    def names(self) -> list[str]:
        """The variants of the panel, in order."""
        return list(self.panel.statistics)

    @property
    def units(self) -> int:
        """Examples (clusters of them, where they have groups) that all variants have."""
        return self.resampler.units(self.joint)

    def covariance(self, variants: Sequence[str]) -> np.ndarray:
        """Return the covariance of variants' values over resampled examples, (variants, variants)."""
        columns = [self.names.index(variant) for variant in variants]
        chosen = self.draws[:, columns]
        chosen = chosen[np.isfinite(chosen).all(axis=1)]
        if len(chosen) < 2:
            return np.full((len(columns), len(columns)), np.nan)
        return np.atleast_2d(np.cov(chosen, rowvar=False))

    def differences(self, a: str, others: Iterable[str]) -> dict[str, Difference]:
        """Return each of the others minus ``a``, paired by example, as `core.compare` has it; p is not adjusted yet."""
        others = [name for name in others if name != a]
        chosen = {name: self.panel.statistics[name] for name in (a, *others)}
        return measure([replace(self.panel, statistics=chosen)], a, self.resampler, self.level)[0].differences


def outcomes(run: Run) -> tuple[Outcome, ...]:
    """Return the metrics that can be looked at, primary ones first: those of the clean tasks that have one value a variant."""
    family = set(declared_family(run.spec))
    found = []
    for task, spec in run.spec.clean_tasks.items():
        for name in spec.metrics:
            metric = find_metric(name)
            if metric is None or metric.by_label:
                continue
            found.append(
                Outcome(
                    f"{task}/{name}", task, name, metric.label, metric.unit, metric.higher_is_better, metric.direction_free,
                    f"{task}/{name}" in family,
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda one: not one.primary))


def chosen_outcome(run: Run, key: str | None) -> Outcome:
    """Return the outcome with a key; the first without one.

    Raises:
        InputError: the run has no such metric, or none at all.
    """
    there = {one.key: one for one in outcomes(run)}
    if not there:
        raise InputError(
            f"{run.folder}: its tasks have no metric to compare adapters by; name some and evaluate again."
        )
    if key is None:
        return next(iter(there.values()))
    if key not in there:
        raise InputError(f"metric: found {key!r}{nearest(key, there)}, expected one of {', '.join(there)}.")
    return there[key]


class Pool:
    """The statistics of one run, or of several over the same examples."""

    def __init__(self, runs: Sequence[Run]) -> None:
        """Open the runs.

        Raises:
            InputError: two runs have different variants of one name.
        """
        self.readers = [StatisticsReader(run) for run in runs]
        self.first = runs[0]
        self.owner: dict[str, StatisticsReader] = {}
        for reader in self.readers:
            for variant in reader.run.spec.models.variants:
                known = self.owner.setdefault(variant, reader)
                if (
                    known is not reader
                    and variant != BASELINE
                    and _tensors(known.run, variant) != _tensors(reader.run, variant)
                ):
                    raise InputError(
                        f"{known.run.id} and {reader.run.id} both have a variant {variant!r}, and they are not the same adapter. Name "
                        "one of them otherwise and evaluate again."
                    )
        self._resamplers: dict[tuple[object, int], Resampler] = {}

    @property
    def variants(self) -> tuple[str, ...]:
        """All variants, those of the first run first."""
        return tuple(self.owner)

    def measurement(self, outcome: Outcome, variants: Sequence[str], *, shown: bool) -> Measurement:
        """Return one metric over some variants.

        Args:
            outcome: of the first run.
            variants: which of them, in order.
            shown: whether its intervals are shown; else fewer resamples do.
        """
        panel, identity = self._panel(outcome, variants)
        level, seed = self.first.spec.level, self.first.spec.settings.seed
        resamples = RESAMPLES if shown else FEWER_RESAMPLES
        key = (identity, resamples)
        if key not in self._resamplers:
            groups = [group for _, group in identity]
            grouped = groups if any(group is not None for group in groups) else None
            self._resamplers[key] = Resampler(len(identity), grouped, seed=seed, resamples=resamples, trials=MIN_TRIALS)
        resampler = self._resamplers[key]
        there = {name: some for name, some in panel.statistics.items() if panel.present(name).any()}
        values = self._values(panel, resampler, level, shown)
        panel = replace(panel, statistics=there)
        joint = (
            np.logical_and.reduce([panel.present(name) for name in there]) if there else np.zeros(len(identity), bool)
        )
        known = {name: panel.value(name, joint) for name in there} if joint.any() else {}
        known = {name: value for name, value in known.items() if np.isfinite(value)}
        draws = np.empty((0, len(there)))
        if panel.resampling != "none" and resampler.units(joint) > 1:
            job = BootstrapJob(panel.metric, [panel.masked(name, joint) for name in there], panel.resampling)
            draws = resampler.bootstrap([job])[0]
        return Measurement(outcome, panel, resampler, level, values, known, draws, joint)

    def _values(self, panel: Panel, resampler: Resampler, level: float, shown: bool) -> dict[str, Value]:
        if not shown:
            return {}
        first = next(iter(panel.statistics))
        return measure([panel], first, resampler, level)[0].values

    def _panel(self, outcome: Outcome, variants: Sequence[str]) -> tuple[Panel, tuple[tuple[str, str | None], ...]]:
        statistics, metric, identity, inside = {}, find_metric(outcome.metric), None, None
        if metric is None:
            raise InputError(f"metric {outcome.metric!r} is not known to this version.")
        for variant in variants:
            reader = self.owner[variant]
            self._same_task(reader, outcome.task)
            examples = task_examples_kept(reader, outcome.task, None)
            if identity is None:
                identity, inside = examples.identity, np.ones(examples.n, dtype=bool)
            elif identity != examples.identity:
                raise InputError(
                    f"{self.first.id} and {reader.run.id} have different examples of task {outcome.task!r} ({len(identity)} and "
                    f"{examples.n}); adapters are compared on the same ones. Evaluate them together."
                )
            statistics[variant] = reader.read(outcome.task, metric, variant)
        assert identity is not None and inside is not None, "asked of no variant"
        kind = self.first.spec.tasks[outcome.task].kind
        return Panel(metric, aligned(statistics), inside, kind), identity

    def _same_task(self, reader: StatisticsReader, task: str) -> None:
        if reader.run is self.first:
            return
        if task not in reader.run.spec.tasks or task_identity(reader.run, task) != task_identity(self.first, task):
            raise InputError(
                f"{self.first.id} and {reader.run.id} do not ask task {task!r} in the same way, so that their adapters cannot be "
                "compared. Evaluate them together."
            )


def _tensors(run: Run, variant: str) -> str | None:
    hashes = ((run.read_json("environment") or {}).get("hashes") or {}).get("adapters") or {}
    return hashes.get(variant)
