"""Counts hits, false alarms and misses, by class or pooled, for tasks with one right label and for those with sets of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.metrics.decision import decided
from core.metrics.metric import Observations
from core.metrics.rows import as_label, missing_reasons, unreadable_mask
from core.records import Kind

ONE_LABEL: frozenset[Kind] = frozenset({"classification", "medical"})
"""The kinds of task with one right label."""

MAX_CLASSES = 1_000
"""With more labels than that the answers are free ones, and counts by class would fill the memory."""


@dataclass(frozen=True)
class CodedLabels:
    """References and answers as positions in the labels: those of the task, then what else occurs, sorted."""

    labels: tuple[str, ...]
    reference: np.ndarray
    """int64 (n,); -1 in an example without reference."""
    answer: np.ndarray
    """int64 (n,); -1 in an example without a readable answer."""
    reasons: Sequence[str | None]
    """Why an example is missing; an unreadable answer is wrong, not missing."""
    rule: str
    """What the signature says of the decision, see `core.metrics.decision.decided`."""


@dataclass(frozen=True)
class LabelSets:
    """References and answers as sets of labels; an unreadable answer is the empty set, and marked."""

    references: list[frozenset[str]]
    answers: list[frozenset[str]]
    unreadable: np.ndarray
    """bool (n,)."""
    reasons: Sequence[str | None]


@dataclass(frozen=True)
class ClassCounts:
    """Hits, false alarms and misses of the examples that are not missing."""

    labels: tuple[str, ...]
    array: np.ndarray
    """float64 (n present, labels, 3)."""
    reasons: Sequence[str | None]
    rule: str


def coded_labels(observations: Observations) -> CodedLabels:
    """Return references and answers of a task with one right label as positions in its labels."""
    settled, rule = decided(observations)
    references = [as_label(reference) for reference in settled.references]
    answers = [as_label(prediction) for prediction in settled.predictions]
    reasons = missing_reasons(settled, [reference is not None for reference in references])
    seen = sorted({label for label in (*references, *answers) if label is not None})
    labels = tuple(dict.fromkeys((*settled.labels, *seen)))
    code = {label: index for index, label in enumerate(labels)} | {None: -1}
    return CodedLabels(
        labels,
        np.array([code[reference] for reference in references], dtype=np.int64),
        np.array([code[answer] for answer in answers], dtype=np.int64),
        reasons,
        rule,
    )


def label_sets(observations: Observations) -> LabelSets:
    """Return references and answers of a multi-label task as sets; a single label is a set of one."""
    reasons = missing_reasons(observations, [reference is not None for reference in observations.references])
    return LabelSets(
        [_as_set(reference) for reference in observations.references],
        [_as_set(prediction) for prediction in observations.predictions],
        unreadable_mask(observations),
        reasons,
    )


def has_label_sets(observations: Observations) -> bool:
    """Return whether a task has sets of labels: by its kind, or, in a script that names none, by its references."""
    if observations.kind is not None:
        return observations.kind == "multilabel"
    return any(isinstance(reference, list | tuple | set | frozenset) for reference in observations.references)


def class_counts(observations: Observations) -> ClassCounts:
    """Return (tp, fp, fn) of each class; an unreadable answer is a miss of its reference and a false alarm of none.

    With more than `MAX_CLASSES` labels every example is missing, with the reason.
    """
    if has_label_sets(observations):
        return _counts_of_sets(observations)
    coded = coded_labels(observations)
    present = _present(coded.reasons)
    right, answer = coded.reference[present], coded.answer[present]
    if len(coded.labels) > MAX_CLASSES:
        return _too_many(coded.labels, coded.reasons, coded.rule)
    counts = np.zeros((len(right), len(coded.labels), 3))
    rows, hit, readable = np.arange(len(right)), right == answer, answer >= 0
    counts[rows[hit], right[hit], 0] = 1
    counts[rows[~hit & readable], answer[~hit & readable], 1] = 1
    counts[rows[~hit], right[~hit], 2] = 1
    return ClassCounts(coded.labels, counts, coded.reasons, coded.rule)


def pooled_counts(observations: Observations) -> tuple[np.ndarray, Sequence[str | None], str]:
    """Return (tp, fp, fn) over all classes, (n present, 3), why examples are missing, and the decision's rule."""
    if has_label_sets(observations):
        sets = label_sets(observations)
        rows = [
            (len(wanted & given), len(given - wanted), len(wanted - given))
            for wanted, given, reason in zip(sets.references, sets.answers, sets.reasons, strict=True)
            if reason is None
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, 3), sets.reasons, ""
    coded = coded_labels(observations)
    present = _present(coded.reasons)
    right, answer = coded.reference[present], coded.answer[present]
    hit = right == answer
    return np.stack([hit, ~hit & (answer >= 0), ~hit], axis=1).astype(np.float64), coded.reasons, coded.rule


def occurring_labels(observations: Observations, sets: LabelSets, *, answers: bool = True) -> tuple[str, ...]:
    """Return the task's labels, then those that else occur in references (and in answers, unless told not), sorted."""
    seen = sorted(frozenset[str]().union(*sets.references, *(sets.answers if answers else ())))
    return tuple(dict.fromkeys((*observations.labels, *seen)))


def _counts_of_sets(observations: Observations) -> ClassCounts:
    sets = label_sets(observations)
    labels = occurring_labels(observations, sets)
    if len(labels) > MAX_CLASSES:
        return _too_many(labels, sets.reasons, "")
    place = {label: index for index, label in enumerate(labels)}
    chosen = [index for index, reason in enumerate(sets.reasons) if reason is None]
    counts = np.zeros((len(chosen), len(labels), 3))
    for row, index in enumerate(chosen):
        wanted, given = sets.references[index], sets.answers[index]
        for column, some in enumerate((wanted & given, given - wanted, wanted - given)):
            counts[row, [place[label] for label in some], column] = 1
    return ClassCounts(labels, counts, sets.reasons, "")


def _too_many(labels: tuple[str, ...], reasons: Sequence[str | None], rule: str) -> ClassCounts:
    reason = f"there are {len(labels):,} labels; metrics by class take at most {MAX_CLASSES:,}"
    return ClassCounts((), np.zeros((0, 0, 3)), [known or reason for known in reasons], rule)


def _present(reasons: Sequence[str | None]) -> np.ndarray:
    return np.array([reason is None for reason in reasons], dtype=bool)


def _as_set(value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return frozenset(label for label in map(as_label, values) if label is not None)
