"""What `lorascope score` was asked for, checked against what the kind of task knows and the file holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InputError, nearest
from core.imports.sources import Source
from core.metrics.registry import find_metric, get_metric, metrics_for
from core.records import Kind
from core.spec import TaskSpec

_BINARY: tuple[Kind, ...] = ("classification", "medical")


@dataclass(frozen=True)
class ScoreRequest:
    """Files, a kind, and what the kind needs to be told."""

    kind: Kind
    sources: tuple[Source, ...]
    positive: str | None = None
    threshold_split: str | None = None
    """``field=value``; see `core.spec.TaskSpec.threshold_split`."""
    periods_per_year: float | None = None
    metrics: tuple[str, ...] | None = None
    """None is every metric of the kind."""
    primary: tuple[str, ...] | None = None
    """The metrics whose p-values are corrected together; None is all that the file has the fields for."""
    reference: str | None = None
    """The variant that the others are compared with; None is the first that is named."""

    def ordered(self, variants: Sequence[str]) -> tuple[str, ...]:
        """Return the variants with the reference first.

        Raises:
            InputError: there is no variant of this name.
        """
        if self.reference is None:
            return tuple(variants)
        if self.reference not in variants:
            raise InputError(
                f"--reference: there is no variant {self.reference!r}{nearest(self.reference, variants)}; the predictions have "
                f"{', '.join(variants)}."
            )
        return (self.reference, *(variant for variant in variants if variant != self.reference))


def task_spec(
    request: ScoreRequest, dataset: str, labels: tuple[str, ...], tags: Sequence[str], *, has_likelihoods: bool
) -> TaskSpec:
    """Return the task that the predictions are of.

    Args:
        request: what was asked.
        dataset: the dataset's name in the run.
        labels: the label set (see `core.imports.options.label_set`).
        tags: every tag that some example has.
        has_likelihoods: whether some row has a log-likelihood.

    Raises:
        InputError: an option does not belong to this kind, or names what does not occur.
    """
    _check_positive(request, labels)
    _check_split(request, tags)
    if request.periods_per_year is not None and request.kind != "finance":
        raise InputError(f"--periods-per-year belongs to finance tasks, not to {request.kind}; leave it out.")
    metrics = _metrics(request)
    primary = _primary(request, metrics, has_likelihoods)
    options = labels or ("{options}" if request.kind == "ranking" else None)
    task = TaskSpec(
        dataset=dataset, kind=request.kind, options=options, reference="reference", metrics=metrics, primary=primary,
        positive=request.positive, threshold_split=request.threshold_split, imported=True,
    )  # fmt: skip
    if request.periods_per_year is None:
        return task
    return task.model_copy(update={"periods_per_year": request.periods_per_year})


def _check_positive(request: ScoreRequest, labels: Sequence[str]) -> None:
    if request.positive is None:
        return
    if request.kind not in _BINARY:
        raise InputError(
            f"--positive belongs to classification and medical tasks, not to {request.kind}; leave it out."
        )
    if request.positive not in labels:
        raise InputError(
            f"--positive: the label {request.positive!r}{nearest(request.positive, labels)} does not occur; the labels are "
            f"{', '.join(labels) or 'none'}."
        )


def _check_split(request: ScoreRequest, tags: Sequence[str]) -> None:
    if request.threshold_split is None:
        return
    if request.kind != "medical":
        raise InputError(f"--threshold-split belongs to medical tasks, not to {request.kind}; leave it out.")
    if request.threshold_split not in tags:
        known = sorted(set(tags))
        raise InputError(
            f"--threshold-split: no example has {request.threshold_split!r}{nearest(request.threshold_split, known)}, expected field=value "
            f"of a field of the file; there are {', '.join(known[:10]) or 'no such fields'}."
        )


def _metrics(request: ScoreRequest) -> tuple[str, ...]:
    # Those that single examples have a value of come first: pages open with the first one.
    listed = sorted(metrics_for(request.kind), key=lambda metric: metric.ordered or metric.by_label)
    fitting = tuple(metric.name for metric in listed)
    if request.metrics is None:
        return fitting
    for name in request.metrics:
        metric = find_metric(name)
        if metric is None:
            raise InputError(
                f"--metrics: found {name!r}{nearest(name, fitting)}, expected some of {', '.join(fitting)}."
            )
        if request.kind not in metric.kinds:
            kinds = ", ".join(sorted(metric.kinds))
            raise InputError(
                f"--metrics: {name!r} is for {kinds} and not for {request.kind}; expected some of {', '.join(fitting)}."
            )
    return request.metrics


def _primary(request: ScoreRequest, metrics: tuple[str, ...], has_likelihoods: bool) -> tuple[str, ...]:
    """Return the family: what was declared, or all metrics that the file has the fields for, whatever their values."""
    if request.primary is None:
        return tuple(name for name in metrics if has_likelihoods or get_metric(name).needs != "likelihood")
    for name in request.primary:
        if name not in metrics:
            raise InputError(
                f"--primary: {name!r}{nearest(name, metrics)} is not computed; the metrics are {', '.join(metrics)}."
            )
    return request.primary
