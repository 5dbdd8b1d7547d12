"""Which of two labels is positive, and which one an answer decides for: the predicted label, or a threshold on its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.metrics.metric import Observations, positive_label
from core.metrics.rows import as_label
from core.metrics.scores import LabelTable, label_scores

USED_FOR_THRESHOLD = "used to choose the threshold"


@dataclass(frozen=True)
class TwoLabels:
    """The labels of a binary task, the positive one known."""

    positive: str
    negative: str | None
    """None where a script gave one label alone and declared it positive."""


@dataclass(frozen=True)
class BinaryTable:
    """The score of the positive label, and where the reference is positive; both (n,), zero where missing."""

    scores: np.ndarray
    positive: np.ndarray
    reasons: Sequence[str | None]
    label: str
    """The positive label; empty where it is not known."""


def two_labels(observations: Observations, what: str, instead: str = "") -> TwoLabels | str:
    """Return the two labels of a task, or why a binary metric has no value there.

    The labels are the task's own; where a script declares none those of the references, and of the answers too where
    the references have fewer than two.

    Args:
        observations: Of one task and variant.
        what: The metric in words, as the sentence's subject: ``binary F1``.
        instead: The metrics to use where there are more than two labels: ``f1_macro``.
    """
    labels = list(observations.labels) or _seen(observations.references)
    if not observations.labels and len(labels) < 2:
        labels = sorted({*labels, *_seen(observations.predictions)})
    positive = observations.parameters.positive
    if not observations.labels and len(labels) < 2 and positive is not None and positive not in labels:
        labels.append(positive)
    if positive is not None and labels == [positive]:
        return TwoLabels(positive, None)
    if len(labels) != 2:
        count = "there is 1" if len(labels) == 1 else f"there are {len(labels)}"
        return f"{what} needs two labels; {count}" + (f": use {instead}" if instead and len(labels) > 2 else "")
    known = positive_label(labels, observations.parameters)
    if known is None:
        return f"which of {labels[0]} and {labels[1]} is positive is not declared: set `positive`"
    if known not in labels:
        return f"the declared positive label {known!r} is not among the labels {labels[0]} and {labels[1]}"
    return TwoLabels(known, labels[1 - labels.index(known)])


def decided(observations: Observations) -> tuple[Observations, str]:
    """Return observations whose predictions are the labels decided for, and what a signature says of the decision.

    Without a declared ``threshold_split`` they are the predicted labels, and the signature says nothing. With one, the
    answer is positive where its score reaches the threshold that `chosen_threshold` finds on the split's examples, and
    those examples have no prediction any more: `USED_FOR_THRESHOLD`.
    """
    split = observations.parameters.threshold_split
    if split is None:
        return observations, ""
    rule = f"|decision:positive from the threshold of the greatest Youden's J on {split}, ties to the lower"
    n = len(observations.example_ids)
    labels = two_labels(observations, "a decision threshold")
    if isinstance(labels, str):
        return replace(observations, predictions=[None] * n, reasons=[labels] * n, unreadable=()), rule
    table = binary_scores(observations, labels)
    inside = _in_split(observations, split)
    threshold = _threshold(table, inside, split)
    if isinstance(threshold, str):
        return replace(observations, predictions=[None] * n, reasons=[threshold] * n, unreadable=()), rule
    reasons = [
        USED_FOR_THRESHOLD if used else reason for used, reason in zip(inside.tolist(), table.reasons, strict=True)
    ]
    answers = np.where(table.scores >= threshold, labels.positive, labels.negative or "").tolist()
    predictions = [answer if reason is None else None for answer, reason in zip(answers, reasons, strict=True)]
    return replace(observations, predictions=predictions, reasons=reasons, unreadable=()), rule


def chosen_threshold(observations: Observations) -> float | None:
    """Return the threshold on the positive label's score that the task's split chooses, or None where there is none.

    It is the observed score with the greatest Youden's J (sensitivity + specificity - 1; Youden, 1950), the lowest of
    several; an answer is positive from the threshold on.
    """
    split = observations.parameters.threshold_split
    labels = two_labels(observations, "a decision threshold")
    if split is None or isinstance(labels, str):
        return None
    threshold = _threshold(binary_scores(observations, labels), _in_split(observations, split), split)
    return None if isinstance(threshold, str) else threshold


def binary_scores(observations: Observations, labels: TwoLabels) -> BinaryTable:
    """Return the scores of the positive label; see `core.metrics.scores.label_scores` for what is missing."""
    return positive_column(label_scores(observations), labels.positive)


def positive_column(table: LabelTable, positive: str) -> BinaryTable:
    """Return the scores of one label as those of the positive one; all are missing where it has none."""
    n = len(table.reasons)
    if positive not in table.labels:
        reasons: list[str | None] = [reason or f"there are no scores of {positive!r}" for reason in table.reasons]
        return BinaryTable(np.zeros(n), np.zeros(n), reasons, positive)
    column = table.labels.index(positive)
    is_positive = (table.reference == column).astype(np.float64)
    return BinaryTable(table.scores[:, column].copy(), is_positive, table.reasons, positive)


def _threshold(table: BinaryTable, inside: np.ndarray, split: str) -> float | str:
    """Return the threshold, or why none can be chosen."""
    if not inside.any():
        return f"no example has the tag {split}: no threshold can be chosen"
    usable = inside & np.array([reason is None for reason in table.reasons], dtype=bool)
    if not usable.any():
        reason = next(reason for reason, used in zip(table.reasons, inside.tolist(), strict=True) if used)
        return f"no example of {split} has a usable score ({reason}): no threshold can be chosen"
    scores, positive = table.scores[usable], table.positive[usable]
    if positive.all() or not positive.any():
        return f"the examples of {split} hold one class alone: no threshold can be chosen"
    candidates, codes = np.unique(scores, return_inverse=True)
    at_positive = np.bincount(codes, weights=positive, minlength=len(candidates))
    at_negative = np.bincount(codes, weights=1 - positive, minlength=len(candidates))
    n_positive, n_negative = int(at_positive.sum()), int(at_negative.sum())
    sensitive = np.cumsum(at_positive[::-1])[::-1]
    false_alarms = np.cumsum(at_negative[::-1])[::-1]
    # J times both class sizes is a whole number, so that ties are exact.
    youden = sensitive * n_negative - false_alarms * n_positive
    return float(candidates[int(np.argmax(youden))])


def _in_split(observations: Observations, split: str) -> np.ndarray:
    if not len(observations.tags):
        return np.zeros(len(observations.example_ids), dtype=bool)
    return np.array([split in tags for tags in observations.tags], dtype=bool)


def _seen(values: Sequence[Any]) -> list[str]:
    labels = (as_label(value) for value in values)
    return sorted({label for label in labels if label is not None})
