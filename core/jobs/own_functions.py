"""A user's own metric of two functions as a `Metric`, for a worker: whatever the functions return is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from core.jobs.own_code import Fault, faults_of
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import assemble
from core.own.files import Declaration, OwnFile

NO_PREDICTION = "there is no prediction"
NOT_FINITE = "its statistics are not finite numbers"


class OwnMetric(Metric):
    """What is common to own metrics: they are described by their file, and named so."""

    family = "own"
    bounds = (None, None)

    def __init__(self, own: OwnFile, declared: Declaration) -> None:
        """Take what the file says of itself."""
        self.own = own
        self.name, self.label, self.unit = own.name, declared.label, declared.unit
        self.higher_is_better = declared.higher_is_better
        self.kinds = frozenset(declared.kinds)  # type: ignore[arg-type]
        self.undefined = f"{own.shown} gives no finite number"

    @property
    def signature(self) -> str:
        """Which code made the number."""
        return f"own:{self.name}|sha256:{self.own.fingerprint[:12]}"


class FunctionMetric(OwnMetric):
    """The functions ``statistics(predictions, references)`` and ``value(sums)`` of a user's file."""

    def __init__(self, own: OwnFile, declared: Declaration, module: ModuleType) -> None:
        """Take the module that was loaded.

        Raises:
            Fault: it does not define the two functions.
        """
        super().__init__(own, declared)
        for name in ("statistics", "value"):
            if not callable(getattr(module, name, None)):
                raise Fault(f"{own.shown}: `{name}` is not a function any more once the file was executed")
        self._statistics, self._value = module.statistics, module.value
        self._takes_many: bool | None = None

    def statistics(self, observations: Observations) -> Statistics:
        """Return what the user's function returns for the examples with a prediction; the others are missing.

        Raises:
            Fault: it raises, or returns something else than a row of numbers for each prediction.
        """
        predictions, references, reasons = handed_over(observations)
        if not predictions:
            return assemble((), reasons, self.signature, 1)
        with faults_of(self.own):
            returned = self._statistics(predictions, references)
        array = self._checked(returned, len(predictions))
        broken = ~np.isfinite(array).all(axis=1)
        present = [index for index, reason in enumerate(reasons) if reason is None]
        for row in np.flatnonzero(broken).tolist():
            reasons[present[row]] = NOT_FINITE
        return assemble(array[~broken], reasons, self.signature, array.shape[1])

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the user's value of sums (..., k), (...); NaN where it divides by zero.

        A function that takes many rows of sums at once is given them so, if it gives the same numbers as row by row.
        """
        sums = np.asarray(sums, dtype=np.float64)
        rows = sums.reshape(-1, sums.shape[-1])
        few = sums.shape[-1] + 3  # more rows than columns, so that mixing them up shows in the result's shape
        if self._takes_many is None and len(rows) > few:
            one_by_one = np.array([self._one(row) for row in rows[:few]])
            self._takes_many = np.array_equal(self._many(rows[:few]), one_by_one, equal_nan=True)
        values = self._many(rows) if self._takes_many and len(rows) > few else np.empty(0)
        if len(values) != len(rows):
            values = np.array([self._one(row) for row in rows])
        return values.reshape(sums.shape[:-1])

    def whole(self, statistics: Statistics) -> None:
        """Compute the value of all examples as the user's function does, so that its own faults show.

        Raises:
            Fault: it raises, or returns no number.
        """
        if not statistics.missing.all():
            self._one(statistics.array.sum(axis=0), strict=True)

    def settle(self, statistics: Mapping[str, Statistics]) -> dict[str, Statistics]:
        """Return the variants' statistics with as many columns each, and see whether the value is a mean or a rate.

        Raises:
            Fault: they have different numbers of columns.
        """
        widths = {name: some.array.shape[1] for name, some in statistics.items() if not some.missing.all()}
        if len(set(widths.values())) > 1:
            told = ", ".join(f"{width} for {name}" for name, width in widths.items())
            raise Fault(
                f"{self.own.shown}: `statistics` returned different numbers of columns: {told}; expected the same"
            )
        width = next(iter(widths.values()), 1)
        out = {
            name: some if name in widths else replace(some, array=np.zeros((len(some.array), width)))
            for name, some in statistics.items()
        }
        arrays = [some.array[~some.missing] for some in out.values()]
        if width == 2 and all((array[:, 1] == 1).all() for array in arrays) and self._divides():
            self.test = "rate" if all(np.isin(array[:, 0], (0, 1)).all() for array in arrays) else "mean"
        return out

    def _divides(self) -> bool:
        """Whether the value is the first sum over the second."""
        sums = np.array([[3.0, 7.0], [-2.0, 5.0], [0.5, 11.0]])
        try:
            found = np.array([self._one(row) for row in sums])
        except Fault:
            return False
        return bool(np.allclose(found, sums[:, 0] / sums[:, 1], rtol=1e-12, atol=0, equal_nan=True))

    def _checked(self, returned: Any, n: int) -> np.ndarray:
        expected = f"expected ({n}, k), a row of numbers for each of the {n} predictions"
        try:
            array = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError):
            raise Fault(
                f"{self.own.shown}: `statistics` returned {_type(returned)} that holds no numbers; {expected}"
            ) from None
        if array.ndim != 2 or len(array) != n or array.shape[1] < 1:
            raise Fault(f"{self.own.shown}: `statistics` returned an array of shape {array.shape}; {expected}")
        return array

    def _one(self, sums: np.ndarray, strict: bool = False) -> float:
        """Return the value of one row of sums; NaN where it divides by zero, unless ``strict``."""
        with faults_of(self.own), np.errstate(all="ignore"):
            try:
                returned = self._value(sums.copy())
            except ArithmeticError:
                if strict:
                    raise
                return float("nan")
        if returned is None:
            return float("nan")
        try:
            if np.ndim(returned) == 0:
                return float(returned)
            what = f"an array of shape {np.shape(returned)}"
        except (TypeError, ValueError, OverflowError):
            what = _type(returned)
        raise Fault(f"{self.own.shown}: `value` returned {what}; expected one number for sums of {len(sums)} columns")

    def _many(self, rows: np.ndarray) -> np.ndarray:
        """Return the values of many rows at once; of another length where the function does not take them so."""
        try:
            with np.errstate(all="ignore"):
                values = np.asarray(self._value(rows.copy()), dtype=np.float64)
        except Exception:  # it was written for one row of sums, which is all that is asked of it
            return np.empty(0)
        return values if values.shape == (len(rows),) else np.empty(0)


def handed_over(observations: Observations) -> tuple[list[Any], list[Any], list[str | None]]:
    """Return the predictions that are there, their references, and for every example why it has none."""
    reasons = [
        None if prediction is not None else reason or NO_PREDICTION
        for prediction, reason in zip(observations.predictions, observations.reasons, strict=True)
    ]
    pairs = [
        (_plain(prediction), _plain(reference))
        for prediction, reference in zip(observations.predictions, observations.references, strict=True)
        if prediction is not None
    ]
    return [prediction for prediction, _ in pairs], [reference for _, reference in pairs], reasons


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _type(value: Any) -> str:
    return f"a value of type {type(value).__name__}"
