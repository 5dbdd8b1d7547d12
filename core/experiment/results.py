"""What each part of an adapter does to each metric: paired differences to the whole adapter and to the baseline.

The p-values of all parts, of all changed prompts and of both comparisons form one family of Benjamini and Hochberg's for the
primary metrics, and one for the other metrics: parts are many, and are looked at after the fact. Values, intervals and raw
p-values are those of `core.compare`, example by example; nothing is estimated anew here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.ablation_spec import AblationPart, AblationSpec, Trial
from core.compare import compare
from core.derived import StatisticsReader
from core.errors import InputError
from core.families import judged
from core.records import BASELINE
from core.results import Comparison, Difference, MetricRow, RobustnessRow, Value
from core.stats.multiple import benjamini_hochberg
from core.store import Run

Table = dict[str, Difference]
_TO_WHOLE, _TO_BASELINE, _PROMPT = "whole", "baseline", "prompt"


@dataclass(frozen=True)
class PromptEffect:
    """What a changed prompt does to one metric, paired with the prompt as it is."""

    trial: Trial
    values: dict[str, Value]
    """With the changed prompt, for the whole adapter and the baseline."""
    differences: Table
    """For each of them its value with the changed prompt minus that with the prompt as it is."""


@dataclass(frozen=True)
class MetricEffects:
    """One metric of one task, for every part of the adapter."""

    row: MetricRow
    """The metric with its values of every variant and the differences to the baseline."""
    to_whole: Table
    """For every variant but the whole adapter: its value minus the whole adapter's."""
    prompts: tuple[PromptEffect, ...] = ()

    @property
    def key(self) -> str:
        """`MetricRow.key`."""
        return self.row.key

    @property
    def to_baseline(self) -> Table:
        """For every variant but the baseline: its value minus the baseline's."""
        return self.row.differences


@dataclass(frozen=True)
class Experiment:
    """An ablation's results, metric by metric."""

    run_id: str
    ablation: AblationSpec
    metrics: tuple[MetricEffects, ...]
    """The primary ones first, else in the run's order."""
    level: float
    seed: int
    resamples: int
    family_size: int
    """How many p-values of primary metrics were corrected together."""

    @property
    def whole(self) -> str:
        """The variant that is the whole adapter."""
        return self.ablation.adapter

    def metric(self, key: str) -> MetricEffects:
        """Return the metric with this `MetricRow.key`; KeyError if there is none."""
        for one in self.metrics:
            if one.key == key:
                return one
        raise KeyError(key)

    def trials(self, part: AblationPart) -> tuple[Trial, ...]:
        """Return the trials of one part, in the order that they were planned."""
        return tuple(trial for trial in self.ablation.trials if trial.part == part)


def experiment_results(run: Run, *, reader: StatisticsReader | None = None) -> Experiment:
    """Return what the parts of an adapter do to every metric of an ablation's run.

    Args:
        run: Finished or not; what has no evidence yet is missing, with the reason.
        reader: of this run, where one is at hand.

    Raises:
        InputError: the run is no ablation.
    """
    ablation = run.spec.ablation
    if ablation is None:
        raise InputError(
            f"run {run.id}: it takes no adapter apart. Start one that does with: lorascope ablate --adapter NAME"
        )
    reader = StatisticsReader(run) if reader is None else reader
    to_whole, to_baseline = (compare(run, name, reader=reader) for name in (ablation.adapter, BASELINE))
    found = _paired(ablation, to_whole, to_baseline)
    bands = {one.key: run.spec.tasks[one.row.task].bands.get(one.row.metric) for one in found}
    families = [[one for one in found if one.row.primary is primary] for primary in (True, False)]
    metrics = [
        _judged(one, bands[one.key], run.spec.level)
        for family in families
        for one in _adjusted(family, ablation.adapter)
    ]
    size = sum(test.p is not None for one in families[0] for test in _tests(one, ablation.adapter).values())
    return Experiment(
        run.id, ablation, tuple(metrics), run.spec.level, run.spec.settings.seed, to_whole.resamples, size
    )


def _paired(ablation: AblationSpec, to_whole: Comparison, to_baseline: Comparison) -> list[MetricEffects]:
    """Return each metric with both comparisons and the changed prompts; of single languages and labels the primary ones."""
    base_rows = {row.key: row for row in to_baseline.rows}
    changed = {(row.task, row.metric, row.part, row.perturbation): row for row in to_baseline.robustness}
    found = []
    for row in to_whole.rows:
        if row.is_detail and not row.primary:
            continue
        prompts = [
            _prompt_effect(trial, ablation.adapter, one)
            for trial in ablation.trials
            if trial.prompt and (one := changed.get((row.task, row.metric, row.part, trial.prompt)))
        ]
        found.append(MetricEffects(base_rows[row.key], row.differences, tuple(prompts)))
    return found


def _prompt_effect(trial: Trial, whole: str, row: RobustnessRow) -> PromptEffect:
    names = (whole, BASELINE)
    return PromptEffect(
        trial,
        {name: row.perturbed[name] for name in names},
        {name: _from_drop(row.drops[name], row.higher_is_better) for name in names},
    )


def _from_drop(drop: Difference, higher_is_better: bool) -> Difference:
    """Return a drop, which is above zero where it is worse, as changed minus as it is."""
    if drop.difference is None or not higher_is_better:
        return drop
    low, high = drop.low, drop.high
    return replace(
        drop, difference=-drop.difference + 0.0, low=None if high is None else -high + 0.0,
        high=None if low is None else -low + 0.0,
    )  # fmt: skip


def _tests(one: MetricEffects, whole: str) -> dict[tuple[str, str, str], Difference]:
    """Return every test of a metric once; the whole against the baseline stands in both tables, with its sign turned."""
    own = {(_TO_WHOLE, name, ""): found for name, found in one.to_whole.items() if name != BASELINE}
    base = {(_TO_BASELINE, name, ""): found for name, found in one.to_baseline.items()}
    asked = {
        (_PROMPT, name, effect.trial.variant + (effect.trial.prompt or "")): found
        for effect in one.prompts
        for name, found in effect.differences.items()
    }
    return own | base | asked


def _adjusted(family: Sequence[MetricEffects], whole: str) -> list[MetricEffects]:
    """Fill in ``p_adjusted`` of every difference of some metrics, all in one family."""
    tests = [_tests(one, whole) for one in family]
    raw = [test.p for several in tests for test in several.values()]
    corrected = iter(
        benjamini_hochberg(np.array([math.nan if p is None else p for p in raw], dtype=np.float64)).tolist()
    )
    return [
        _filled(one, {key: next(corrected) for key in several}, whole)
        for one, several in zip(family, tests, strict=True)
    ]


def _filled(one: MetricEffects, adjusted: dict[tuple[str, str, str], float], whole: str) -> MetricEffects:
    def told(found: Difference, *key: str) -> Difference:
        p = adjusted[key[0], key[1], key[2]]
        # What the run's own family says of it does not hold here.
        verdict = found.verdict if found.difference is None else "unclear"
        return replace(found, p_adjusted=None if math.isnan(p) else p, verdict=verdict, detectable=None)

    base = {name: told(found, _TO_BASELINE, name, "") for name, found in one.to_baseline.items()}
    own = {
        name: told(found, *((_TO_BASELINE, whole, "") if name == BASELINE else (_TO_WHOLE, name, "")))
        for name, found in one.to_whole.items()
    }
    prompts = [
        replace(effect, differences={
            name: told(found, _PROMPT, name, effect.trial.variant + (effect.trial.prompt or ""))
            for name, found in effect.differences.items()
        })
        for effect in one.prompts
    ]  # fmt: skip
    return MetricEffects(replace(one.row, differences=base), own, tuple(prompts))


def _judged(one: MetricEffects, band: float | None, level: float) -> MetricEffects:
    """Return a metric with the verdicts that its adjusted p-values give."""

    def verdicts(table: Table) -> Table:
        return judged(replace(one.row, differences=table), band, level).differences

    prompts = [replace(effect, differences=verdicts(effect.differences)) for effect in one.prompts]
    return MetricEffects(
        replace(one.row, differences=verdicts(one.to_baseline)), verdicts(one.to_whole), tuple(prompts)
    )
