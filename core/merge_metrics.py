"""What merging an adapter moves in a run's metrics: every model of a merge check as a variant, with the machinery of every run.

The answers lie beside the check as a small run of their own (`core.jobs.merge_answers`); values, paired differences, intervals and
the examples that flip are those that Compare and Examples would show of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.adapters.merge import MergeCheck, variant_name
from core.compare import compare
from core.derived import example_scores
from core.examples import Outcome, measure_of, outcomes
from core.judging import metrics_of
from core.metrics.metric import Unit
from core.results import Comparison, Difference, MetricRow, Value
from core.store import Run

ANSWERS = "answers"
"""The small run's folder within that of the check."""
_FLIPPED: frozenset[Outcome] = frozenset({"fixed", "broken", "gained", "lost"})


@dataclass(frozen=True)
class MergeMetric:
    """One metric of one task, of one model held against another."""

    task: str
    metric: str
    label: str
    unit: Unit
    higher_is_better: bool
    part: str | None
    model: str
    """As in `core.adapters.merge.MergeRow`."""
    against: str
    value: Value
    other: Value
    """Of ``against``."""
    difference: Difference
    """Model minus ``against``, paired by example."""
    flips: int | None
    """Examples whose own score changed: right to wrong or back, or by more than what Examples counts as gained or lost. None for a
    metric that single examples are not judged by."""
    flips_of: int
    level: float

    @property
    def moved(self) -> bool:
        """Whether the metric's value is another one."""
        return bool(self.difference.difference)


def merge_metrics(folder: Path, check: MergeCheck) -> tuple[MergeMetric, ...]:
    """Return every primary metric for every pair of models of a check; nothing where no examples were answered.

    Args:
        folder: of the check.
        check: its result.

    Raises:
        InputError: the small run's files are damaged.
    """
    if not check.answered or not (folder / ANSWERS / "spec.json").is_file():
        return ()
    run = Run(folder / ANSWERS)
    known = run.spec.models.variants
    pairs = [(row.model, row.against) for row in check.rows if not row.reason and variant_name(row.model) in known]
    found: dict[str, Comparison] = {}
    made = []
    for model, against in pairs:
        reference = variant_name(against)
        if reference not in found:
            found[reference] = compare(run, reference)
        for row in found[reference].rows:
            if row.language is None and row.differences.get(variant_name(model)) is not None:
                made.append(_metric(run, row, model, against, found[reference].level))
    return tuple(made)


def _metric(run: Run, row: MetricRow, model: str, against: str, level: float) -> MergeMetric:
    ours, theirs = variant_name(model), variant_name(against)
    flips, of = _flips(run, row, ours, theirs)
    return MergeMetric(
        row.task, row.metric, row.label, row.unit, row.higher_is_better, row.part, model, against, row.values[ours],
        row.values[theirs], row.differences[ours], flips, of, level,
    )  # fmt: skip


def _flips(run: Run, row: MetricRow, model: str, against: str) -> tuple[int | None, int]:
    metric = metrics_of(run, row.task).get(row.metric)
    n = row.differences[model].n
    if metric is None or row.is_detail:
        return None, n
    scores = example_scores(run, row.task, row.metric)[[model, against]]
    measure = measure_of(metric, scores, run.spec.tasks[row.task].bands.get(row.metric))
    classes = outcomes(scores, model, against, measure)[1]
    counted = [one for one in classes if one != "no value"]
    return sum(one in _FLIPPED for one in counted), len(counted)
