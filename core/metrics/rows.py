"""What the metrics of several families share: which examples have a value, and a value that is a ratio of two sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics

NO_REFERENCE = "the example has no reference"


class RatioMetric(Metric):
    """A metric whose statistics are (numerator, denominator) and whose value is their ratio."""

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return numerator over denominator, (...); NaN where the denominator is 0."""
        sums = np.asarray(sums, dtype=np.float64)
        with np.errstate(all="ignore"):
            return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)


def across(array: np.ndarray) -> np.ndarray:
    """Return the sum over the last axis as float64; for a few columns many times faster than ``sum(axis=-1)``."""
    return array.astype(np.float64, copy=False) @ np.ones(array.shape[-1])


def as_label(value: Any) -> str | None:
    """Return a label as text, so that the 3 of a dataset equals the "3" of an option; None stays None."""
    return None if value is None else value if isinstance(value, str) else str(value)


def parse_number(value: Any) -> float | None:
    """Return a value as a number, NaN and infinity included, or None where it is none. Scripts and files give texts."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def as_number(value: Any, what: str) -> tuple[float, str | None]:
    """Return a finite number and None, or NaN and why the value is none.

    Args:
        value: Anything (see `parse_number`).
        what: What it is, for the sentence: ``prediction``.
    """
    number = parse_number(value)
    if number is None:
        found = repr(value)
        return math.nan, f"the {what} {found if len(found) <= 40 else found[:39] + '…'} is not a number"
    if math.isfinite(number):
        return number, None
    return math.nan, f"the {what} is NaN" if math.isnan(number) else f"the {what} is infinite"


def unreadable_mask(observations: Observations) -> np.ndarray:
    """Return where an answer was generated but nothing could be read out of it, bool (n,)."""
    n = len(observations.example_ids)
    return np.asarray(observations.unreadable, dtype=bool) if len(observations.unreadable) else np.zeros(n, dtype=bool)


def missing_reasons(observations: Observations, has_reference: Sequence[bool]) -> list[str | None]:
    """Return for each example why it has no value, None where it has one. Unreadable answers are not missing."""
    entries = zip(
        observations.predictions,
        observations.reasons,
        unreadable_mask(observations).tolist(),
        has_reference,
        strict=True,
    )
    return [
        NO_REFERENCE
        if not referenced
        else (reason or "there is no prediction")
        if prediction is None and not unreadable
        else None
        for prediction, reason, unreadable, referenced in entries
    ]


def texts_and_references(observations: Observations) -> tuple[list[str], list[list[str]], list[str | None]]:
    """Return what text metrics compare: the texts, the references of each, and why an example is missing.

    An unreadable answer counts as the empty text. Empty references are no references. Texts of missing examples are empty.
    """
    references = [_reference_texts(reference) for reference in observations.references]
    reasons = missing_reasons(observations, [bool(texts) for texts in references])
    texts = ["" if prediction is None else str(prediction) for prediction in observations.predictions]
    return texts, references, reasons


def _reference_texts(reference: Any) -> list[str]:
    candidates = reference if isinstance(reference, list | tuple) else [reference]
    return [str(text) for text in candidates if text is not None and str(text).strip()]


def finite_rows(
    present_rows: np.ndarray, reasons: Sequence[str | None], why: str
) -> tuple[np.ndarray, list[str | None]]:
    """Return rows without those that hold NaN or infinity, whose examples are then missing for the reason ``why``.

    Args:
        present_rows: (n present, k).
        reasons: Why an example is missing, length n; None where it is present.
        why: The reason, as a sentence.
    """
    usable = np.isfinite(present_rows).all(axis=1)
    present = [index for index, reason in enumerate(reasons) if reason is None]
    out = list(reasons)
    for row in np.flatnonzero(~usable).tolist():
        out[present[row]] = why
    return present_rows[usable], out


def assemble(
    present_rows: Sequence[Sequence[float]] | np.ndarray,
    reasons: Sequence[str | None],
    signature: str,
    k: int,
    labels: tuple[str, ...] = (),
) -> Statistics:
    """Return statistics from the rows of the examples that are not missing, in order.

    Args:
        present_rows: (n present, k).
        reasons: Why an example is missing, length n; None where it is present.
        signature: See `Statistics.signature`.
        k: The number of columns.
        labels: See `Statistics.labels`.
    """
    missing = np.array([reason is not None for reason in reasons], dtype=bool)
    array = np.zeros((len(reasons), k), dtype=np.float64)
    if not missing.all():
        array[~missing] = np.asarray(present_rows, dtype=np.float64)
    return Statistics(array, missing, tuple(reasons), signature, labels)
