"""ROC and precision-recall curves of a run's task: which labels have them, and the resamples that its examples call for."""

from __future__ import annotations

from collections.abc import Mapping

from core.derived import example_index
from core.diagnostics.score_curves import RESAMPLES, LabelCurves, curve_labels, label_curves
from core.draws import Draws
from core.metrics.metric import Observations, positive_label
from core.store import Run


def scored_labels(observed: Observations) -> tuple[str, ...]:
    """Return the labels that have curves, the positive one first; empty without scores."""
    labels, positive = curve_labels(observed), observed.parameters.positive
    if len(labels) == 2:
        positive = positive_label(labels, observed.parameters)
    return tuple(sorted(labels, key=lambda label: label != positive))


def task_curves(run: Run, task: str, observed: Mapping[str, Observations], label: str) -> dict[str, LabelCurves]:
    """Return the curves of some variants for one label against the rest, with shared resamples, by cluster where there are groups.

    Args:
        run: which run.
        task: of it.
        observed: by variant, all of the same examples of the task.
        label: the positive one.

    Raises:
        InputError: a variant has no scores for the label, or its examples are all positive or all negative.
    """
    index = example_index(run, task)
    group_of = dict(zip(index.ids, index.groups, strict=True))
    ids = next(iter(observed.values())).example_ids
    groups = [group_of.get(name) for name in ids] if any(index.groups) else None
    draws = Draws(len(ids), groups, seed=run.spec.settings.seed, resamples=RESAMPLES, trials=1)
    return label_curves(observed, label, draws, run.spec.level)
