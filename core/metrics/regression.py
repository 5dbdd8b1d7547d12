"""Metrics of numbers against numbers: squared and absolute error, R2, Pearson's correlation, tolerances, and what was no number.

An answer that is no number cannot be differenced: it is missing for the others, with its reason, and counted by
``unparsable``.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any

import numpy as np

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.number_pairs import number_pairs
from core.metrics.rows import RatioMetric, as_number, assemble, finite_rows, parse_number, unreadable_mask

UNDEFINED = "no example has a number and a reference"
ONE_NUMBER = "the references or the predictions are all the same, up to rounding"
_ROUNDING = 1e-11
"""Of the sum of squares: a variance below it is what rounding leaves of none."""
_TOLERANCE_NAME = re.compile(r"within_(0|[1-9]\d{0,8}|(?:0|[1-9]\d{0,8})\.\d{0,8}[1-9])")


class RegressionMetric(Metric):
    """A metric whose statistics follow from a finite prediction and a finite reference."""

    family = "regression"
    kinds = frozenset({"regression"})
    higher_is_better = False
    unit = "number"
    bounds = (0.0, None)
    undefined = UNDEFINED
    k: int = 2
    details: str = ""

    @abstractmethod
    def rows(self, predictions: np.ndarray, references: np.ndarray, centre: float) -> np.ndarray:
        """Return the statistics (n present, k) of numbers (n present,) each; ``centre`` is the same for every variant."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return the statistics of each example, (n, k); what is no finite number is missing."""
        predictions, references, reasons = number_pairs(observations)
        present = np.array([reason is None for reason in reasons], dtype=bool)
        known = references[np.isfinite(references)]
        # The lower median is one of the references: what is all the same then has differences of exactly zero.
        centre = float(np.partition(known, (len(known) - 1) // 2)[(len(known) - 1) // 2]) if len(known) else 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            rows = self.rows(predictions[present], references[present], centre)
        rows, reasons = finite_rows(rows, reasons, "the numbers are too large for their squares")
        return assemble(rows, reasons, f"{self.name}{self.details}|unparsable:missing", self.k)


class MeanSquaredError(RegressionMetric, RatioMetric):
    """The mean of the squared errors, in the square of the references' unit; ``sklearn.metrics.mean_squared_error``.

    Statistics: (squared error, 1).
    """

    name, label = "mse", "MSE"
    test = "mean"

    def rows(self, predictions: np.ndarray, references: np.ndarray, centre: float) -> np.ndarray:
        """Return (squared error, 1), (n, 2)."""
        return _with_ones((predictions - references) ** 2)


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared error, in the references' unit; ``sklearn.metrics.root_mean_squared_error``.

    Statistics: (squared error, 1).
    """

    name, label = "rmse", "RMSE"
    test = "corpus"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the root of the mean of sums (..., 2), (...); NaN without examples."""
        return np.sqrt(super().value(sums))


class MeanAbsoluteError(RegressionMetric, RatioMetric):
    """The mean of the absolute errors, in the references' unit; equal to ``sklearn.metrics.mean_absolute_error``.

    Statistics: (absolute error, 1).
    """

    name, label = "mae", "MAE"
    test = "mean"

    def rows(self, predictions: np.ndarray, references: np.ndarray, centre: float) -> np.ndarray:
        """Return (absolute error, 1), (n, 2)."""
        return _with_ones(np.abs(predictions - references))


class R2(RegressionMetric):
    """The coefficient of determination, 1 minus the squared errors over the references' squared deviations from their mean.

    Equal to ``sklearn.metrics.r2_score``; where the references are all the same there is no value (sklearn gives 0 or 1).
    Statistics: (1, y, y squared, squared error), y centred.
    """

    name, label = "r2", "R²"
    higher_is_better = True
    bounds = (None, 1.0)
    undefined = "the references are all the same, or there are fewer than two"
    k = 4

    def rows(self, predictions: np.ndarray, references: np.ndarray, centre: float) -> np.ndarray:
        """Return (1, y, y squared, squared error), (n, 4)."""
        y = references - centre
        return np.stack([np.ones_like(y), y, y**2, (predictions - references) ** 2], axis=1)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return R2 of sums (..., 4), (...); NaN where the references do not vary."""
        sums = np.asarray(sums, dtype=np.float64)
        with np.errstate(all="ignore"):
            return 1 - sums[..., 3] / _deviations(sums[..., 0], sums[..., 1], sums[..., 2])


class Pearson(RegressionMetric):
    """Pearson's correlation of predictions and references; equal to ``scipy.stats.pearsonr``.

    Both are centred by one constant, the references' median: sums of squares of large numbers would cancel. Predictions
    whose distance from it is 300,000 times their own spread have no value. Statistics: (1, y, p, y squared, p squared,
    y p), centred.
    """

    name, label = "pearson", "Pearson's r"
    higher_is_better = True
    bounds = (-1.0, 1.0)
    undefined = ONE_NUMBER
    k = 6

    def rows(self, predictions: np.ndarray, references: np.ndarray, centre: float) -> np.ndarray:
        """Return (1, y, p, y squared, p squared, y p), (n, 6)."""
        y, p = references - centre, predictions - centre
        return np.stack([np.ones_like(y), y, p, y**2, p**2, y * p], axis=1)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the correlation of sums (..., 6), (...); NaN where one of the two does not vary."""
        n, y, p, yy, pp, yp = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
        with np.errstate(all="ignore"):
            spread = np.sqrt(_deviations(n, y, yy)) * np.sqrt(_deviations(n, p, pp))
            return np.clip((yp - y * p / n) / spread, -1.0, 1.0)


class WithinTolerance(RegressionMetric, RatioMetric):
    """The share of predictions at most a tolerance away from their reference (both ends included).

    Any tolerance can be asked for by name: ``within_0.5``. Statistics: (within, 1).
    """

    higher_is_better = True
    unit = "share"
    test = "rate"
    bounds = (0.0, 1.0)

    def __init__(self, tolerance: str = "1") -> None:
        """Take the tolerance as its name says it, in the references' unit."""
        self.name, self.label = f"within_{tolerance}", f"Within ±{tolerance}"
        self.tolerance = float(tolerance)

    @classmethod
    def parse(cls, name: str) -> Metric | None:
        """Return the metric that ``within_T`` means; T is written without needless zeros."""
        found = _TOLERANCE_NAME.fullmatch(name)
        return None if found is None else cls(found[1])

    def rows(self, predictions: np.ndarray, references: np.ndarray, centre: float) -> np.ndarray:
        """Return (within, 1), (n, 2)."""
        # 1.1 is within 0.1 of 1.0, though their difference as binary numbers is a little more.
        slack = 4 * np.finfo(np.float64).eps * np.maximum(np.abs(predictions), np.abs(references))
        return _with_ones(np.abs(predictions - references) <= self.tolerance + slack)


class Unparsable(RatioMetric):
    """The share of answers that are no number.

    What was never answered (a failed generation) and NaN or infinity, which files hold where nothing is, are missing.
    Statistics: (no number, 1).
    """

    name, label = "unparsable", "Unparsable answers"
    family = "regression"
    kinds = frozenset({"regression"})
    higher_is_better = False
    test = "rate"
    undefined = "no example has an answer"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (no number, 1) for each example, (n, 2)."""
        entries = zip(
            observations.predictions, observations.reasons, unreadable_mask(observations).tolist(), strict=True
        )
        found = [_unparsable(*entry) for entry in entries]
        rows = [(float(no_number), 1.0) for no_number, reason in found if reason is None]
        return assemble(rows, [reason for _, reason in found], "unparsable|NaN and infinity:missing", 2)


def _unparsable(prediction: Any, reason: str | None, unreadable: bool) -> tuple[bool, str | None]:
    """Return whether an answer is no number, and why that cannot be said."""
    if prediction is None:
        return unreadable, None if unreadable else reason or "there is no prediction"
    if parse_number(prediction) is None:
        return True, None
    return False, as_number(prediction, "prediction")[1]


def _with_ones(column: np.ndarray) -> np.ndarray:
    return np.stack([column.astype(np.float64), np.ones(len(column))], axis=1)


def _deviations(n: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the sum of squared deviations from the mean, NaN where nothing varies."""
    deviations = squares - total**2 / n
    return np.where(deviations > _ROUNDING * squares, deviations, np.nan)
