"""How satisfied users are: the share of thumbs up, for each variant, and its paired difference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.contrasts import measure
from core.derived import example_index
from core.errors import InputError, nearest
from core.families import adjusted, judged
from core.feedback.log import Output, read_feedback
from core.lines import Filter, IdFilter
from core.measuring import MIN_TRIALS, RESAMPLES
from core.metrics.metric import Metric, Observations, Statistics
from core.panels import Panel
from core.predict import task_examples
from core.resampler import Resampler
from core.results import MetricRow
from core.store import Run

FAMILY = "user feedback"
UNRATED = "nobody gave a thumb"


class Satisfaction(Metric):
    """The share of thumbs up among thumbs; several on one output are averaged first, so that each example weighs the same.

    Statistics: (share of thumbs up, 1).
    """

    name, label, family = "satisfaction", "Satisfaction", FAMILY
    kinds = frozenset()
    test = "rate"
    undefined = UNRATED
    caution = "Thumbs come from who cared to give one: no random sample of answers, and whoever gave them may have known the variant."

    def statistics(self, observations: Observations) -> Statistics:
        """Refuse: thumbs are no predictions, see `satisfaction_statistics`.

        Raises:
            TypeError: always.
        """
        raise TypeError("satisfaction is read from the run's feedback; use satisfaction_statistics")

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean share of sums (..., 2), (...); NaN without examples."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[..., 0] / sums[..., 1]


def satisfaction_statistics(thumbs: list[list[bool]]) -> Statistics:
    """Return statistics of one variant: (n, 2), an example without thumbs missing.

    Args:
        thumbs: for each example whether each thumb on it is up.
    """
    missing = np.array([not given for given in thumbs], dtype=bool)
    shares = np.array([sum(given) / len(given) if given else 0.0 for given in thumbs])
    reasons = tuple(None if given else UNRATED for given in thumbs)
    array = np.column_stack([shares, (~missing).astype(np.float64)])
    return Statistics(array, missing, reasons, "satisfaction|thumbs up of thumbs|mean within an example")


def feedback_rows(run: Run, reference: str | None = None, *, where: Filter | None = None) -> tuple[MetricRow, ...]:
    """Return the satisfaction with each variant, a row for each task that has thumbs; empty where there are none.

    Several thumbs on one output are averaged within the example first. Wilson's interval and mid-p where each example has
    one; differences are paired over the examples that have thumbs for both variants. Their p-values are a family of their
    own (Benjamini and Hochberg). ``n_missing`` counts examples that have thumbs for other variants alone.

    Args:
        run: finished or not.
        reference: the variant to compare with; by default the run's own.
        where: keeps the examples for which it is true.

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
    thumbs: dict[Output, list[bool]] = {}
    for entry in read_feedback(run).latest.values():
        if entry.thumb is not None:
            thumbs.setdefault(entry.output, []).append(entry.thumb == "up")
    rows, errors = [], []
    for task in spec.clean_tasks:
        found = _of_task(
            run, task, reference, {key[1:]: given for key, given in thumbs.items() if key[0] == task}, where
        )
        if found is not None:
            rows.append(found[0])
            errors.append(found[1])
    return tuple(judged(row, None, spec.level) for row in adjusted(rows, errors, 0, spec.level))


def _of_task(
    run: Run, task: str, reference: str, thumbs: Mapping[tuple[str, str], list[bool]], where: Filter | None
) -> tuple[MetricRow, Mapping[str, float]] | None:
    """Return a task's row before p-values are adjusted, and the standard errors of its differences; None without thumbs.

    Args:
        run: whose variants they are.
        task: which one.
        reference: the variant to compare with.
        thumbs: by (example id, variant).
        where: keeps examples.
    """
    if not thumbs:
        return None
    rated = {example_id for example_id, _ in thumbs}
    if where is None or isinstance(where, IdFilter):
        kept = rated if where is None else rated & where.of(task)
    else:
        kept = {one.id for one in task_examples(run, task) if one.id in rated and where(one)}
    index = example_index(run, task)
    listed = [(name, group) for name, group in zip(index.ids, index.groups, strict=True) if name in kept]
    if not listed:
        return None
    ids, groups = zip(*listed, strict=True)
    spec, metric = run.spec, Satisfaction()
    statistics = {
        variant: satisfaction_statistics([thumbs.get((name, variant), []) for name in ids])
        for variant in spec.models.variants
    }
    panel = Panel(metric, statistics, np.ones(len(ids), dtype=bool))
    clusters = list(groups) if any(group is not None for group in groups) else None
    resampler = Resampler(len(ids), clusters, seed=spec.settings.seed, resamples=RESAMPLES, trials=MIN_TRIALS)
    measured = measure([panel], reference, resampler, spec.level)[0]
    row = MetricRow(
        task=task, metric=metric.name, label=metric.label, family=metric.family, unit=metric.unit, higher_is_better=True,
        primary=False, language=None, values=measured.values, differences=measured.differences, caution=metric.caution,
    )  # fmt: skip
    return row, measured.errors
