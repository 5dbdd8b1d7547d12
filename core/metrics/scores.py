"""Reads the scores that were given to options: what metrics of probabilities and of rankings by score share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from core.metrics.metric import Observations
from core.metrics.rows import as_label, missing_reasons

NO_SCORES = "there are no probabilities: the answers were generated, or came without scores"
OTHER_OPTIONS = "its options are not the labels of the task, so there is no score for each label"
SUM_TOLERANCE = 1e-6
"""How far from 1 probabilities may sum; softmax in float64 is within 1e-15, rounded ones from elsewhere are not."""


@dataclass(frozen=True)
class OptionTable:
    """The scores of each example's own options, (n, w) with zeros after the last option and in rows without scores."""

    scores: np.ndarray
    reference: np.ndarray
    """int64 (n,): the position of the reference among the example's options; -1 where there is none."""
    reasons: Sequence[str | None]
    """Why an example has no usable scores; None where it has."""
    most_options: int
    """Of any example, whether it has scores or not: the same for every variant."""


@dataclass(frozen=True)
class LabelTable:
    """The score of each label for each example; the labels are the same for all."""

    labels: tuple[str, ...]
    scores: np.ndarray
    """(n, labels), zero in rows without scores."""
    reference: np.ndarray
    """int64 (n,): the position of the reference among ``labels``; -1 where there is none."""
    reasons: Sequence[str | None]


def read_scores(observations: Observations, *, probabilities: bool) -> OptionTable:
    """Return the scores of each example's options.

    An example is missing, with its reason, without a reference or a prediction, without scores, where their number is not
    that of its options, where one is NaN or infinite, and where the reference is none of its options.

    Args:
        observations: Of one task and variant.
        probabilities: Whether scores outside 0 to 1, or that do not sum to 1 within `SUM_TOLERANCE`, are missing too.
    """
    options = _options(observations)
    references = [as_label(reference) for reference in observations.references]
    reasons = missing_reasons(observations, [reference is not None for reference in references])
    n = len(references)
    rows = observations.scores if len(observations.scores) else [()] * n
    scored = any(len(row) for row in rows)
    position = np.full(n, -1, dtype=np.int64)
    places: dict[tuple[str, ...], dict[str, int]] = {}
    for index, (row, some, reference) in enumerate(zip(rows, options, references, strict=True)):
        if reasons[index] is not None or reference is None:
            continue
        if not len(row):
            reasons[index] = "the example has no probabilities" if scored else NO_SCORES
        elif len(row) != len(some):
            reasons[index] = f"{len(row)} scores for {len(some)} options"
        else:
            if some not in places:
                places[some] = {label: place for place, label in enumerate(some)}
            position[index] = places[some].get(reference, -1)
            if position[index] < 0:
                reasons[index] = f"the reference {reference!r} is not among the options"
    padded = _padded([row if reason is None else () for row, reason in zip(rows, reasons, strict=True)])
    _refuse(padded, options, reasons, probabilities)
    left_out = np.array([reason is not None for reason in reasons], dtype=bool)
    padded[left_out], position[left_out] = 0.0, -1
    return OptionTable(padded, position, reasons, max((len(some) for some in options), default=0))


def label_scores(observations: Observations) -> LabelTable:
    """Return the score of each label; an example whose options are not exactly the labels is missing, with its reason.

    The labels are the task's own, or else the options of the first example that has some. They are empty where no example
    has them all as options, as in questions with answers of their own.
    """
    options = _options(observations)
    labels = observations.labels or next((some for some in options if some), ())
    order = {some: _columns(some, labels) for some in dict.fromkeys(options)}
    n = len(options)
    table = read_scores(observations, probabilities=False)
    if not any(columns is not None for columns in order.values()):
        none = [reason or OTHER_OPTIONS for reason in table.reasons]
        return LabelTable((), np.zeros((n, 0)), np.full(n, -1, dtype=np.int64), none)
    scores, reference, reasons = np.zeros((n, len(labels))), np.full(n, -1, dtype=np.int64), list(table.reasons)
    kinds = np.array([list(order).index(some) for some in options]) if len(order) > 1 else np.zeros(n, dtype=np.int64)
    present = np.array([reason is None for reason in reasons], dtype=bool)
    for kind, columns in enumerate(order.values()):
        rows = np.flatnonzero(present & (kinds == kind))
        if columns is None:
            for row in rows.tolist():
                reasons[row] = OTHER_OPTIONS
        elif len(rows):
            scores[rows[:, None], columns] = table.scores[rows, : len(columns)]
            reference[rows] = columns[table.reference[rows]]
    return LabelTable(labels, scores, reference, reasons)


def _options(observations: Observations) -> Sequence[tuple[str, ...]]:
    if not len(observations.options):
        return [observations.labels] * len(observations.example_ids)
    return [tuple(some) or observations.labels for some in observations.options]


def _columns(options: tuple[str, ...], labels: tuple[str, ...]) -> np.ndarray | None:
    """Return the position of each option among the labels, or None where they are not the same."""
    if not options or len(options) != len(labels) or set(options) != set(labels):
        return None
    place = {label: index for index, label in enumerate(labels)}
    return np.array([place[option] for option in options], dtype=np.int64)


def _padded(rows: Sequence[Sequence[float]]) -> np.ndarray:
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    padded = np.zeros((len(rows), int(lengths.max(initial=0))))
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.fromiter(chain.from_iterable(rows), dtype=np.float64)
    return padded


def _refuse(
    scores: np.ndarray, options: Sequence[tuple[str, ...]], reasons: list[str | None], probabilities: bool
) -> None:
    """Write into ``reasons`` what is wrong with the numbers of a row."""
    finite = np.isfinite(scores)
    for row in np.flatnonzero(~finite.all(axis=1)).tolist():
        reasons[row] = f"the score of {options[row][int(np.argmin(finite[row]))]!r} is not a finite number"
    if not probabilities:
        return
    with np.errstate(invalid="ignore"):
        outside = (scores < 0) | (scores > 1 + SUM_TOLERANCE)
        total = scores.sum(axis=1)
        wrong = outside.any(axis=1) | (np.abs(total - 1) > SUM_TOLERANCE)
    for row in np.flatnonzero(wrong).tolist():
        if reasons[row] is None and outside[row].any():
            reasons[row] = f"a probability of {scores[row, int(np.argmax(outside[row]))]:.6g} is not between 0 and 1"
        elif reasons[row] is None:
            reasons[row] = f"the probabilities sum to {total[row]:.8g}, not to 1"
