"""Predictions and references that are numbers: read once in one wording, for regression and for positions against returns."""

from __future__ import annotations

import numpy as np

from core.metrics.metric import Observations
from core.metrics.rows import NO_REFERENCE, as_number


def number_pairs(
    observations: Observations, prediction_name: str = "prediction", reference_name: str = "reference"
) -> tuple[np.ndarray, np.ndarray, list[str | None]]:
    """Return predictions and references as numbers, and why an example is missing.

    Args:
        observations: Numbers, or texts that are numbers.
        prediction_name: What a prediction is called in a reason.
        reference_name: What a reference is called in a reason.

    Returns:
        float64 (n,), NaN where there is no finite number; the same; n reasons, None where both are there.
    """
    n = len(observations.example_ids)
    predictions, references = np.full(n, np.nan), np.full(n, np.nan)
    reasons: list[str | None] = []
    entries = zip(observations.predictions, observations.references, observations.reasons, strict=True)
    for index, (prediction, reference, reason) in enumerate(entries):
        why: str | None = None
        if prediction is None:
            why = reason or f"there is no {prediction_name}"
        else:
            predictions[index], why = as_number(prediction, prediction_name)
        if reference is None:
            why = NO_REFERENCE
        else:
            references[index], unusable = as_number(reference, reference_name)
            why = unusable or why
        reasons.append(why)
    return predictions, references, reasons
