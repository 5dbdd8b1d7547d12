"""A module of the `evaluate` library as a `Metric`, for a worker: it has no statistics, so that its interval takes longer to make.

Where the value of all examples is the mean of the values of single ones, those are the statistics. Otherwise it is computed
anew for each of `DRAWS` resamples, and as many exchanges.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np

from core.jobs.own_code import Fault, faults_of
from core.jobs.own_functions import OwnMetric, handed_over
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import assemble
from core.own.files import Declaration, OwnFile

DRAWS = 200
"""Resamples and exchanges of a metric that is computed anew for each."""
_TRIED = 20
"""Examples by which it is first seen whether a value is a mean."""
_CLOSE = 1e-9


class EvaluateModule:
    """An `evaluate` module of the user's, called for one number."""

    def __init__(self, own: OwnFile, module: ModuleType, folder: str) -> None:
        """Make an instance of the class that the file defines.

        Args:
            own: the file.
            module: it, executed.
            folder: where the library may keep what it compares.

        Raises:
            Fault: there is no class of `evaluate` in it, or it cannot be made.
        """
        import evaluate

        self.own = own
        classes = [
            member for member in vars(module).values()
            if inspect.isclass(member) and issubclass(member, evaluate.EvaluationModule) and member.__module__ == module.__name__
        ]  # fmt: skip
        if not classes:
            raise Fault(
                f"{own.shown}: found no function `statistics` and no class of evaluate.Metric; expected one of them"
            )
        with faults_of(own):
            self._module = classes[0](cache_dir=folder)
            self._module.download_and_prepare()

    def score(self, predictions: Sequence[Any], references: Sequence[Any]) -> float:
        """Return the module's number.

        Raises:
            Fault: it returns none, or several of which none has the file's name.
        """
        returned = self._module.compute(predictions=list(predictions), references=list(references))
        numbers = {name: one for name, one in (returned or {}).items() if isinstance(one, int | float | np.number)}
        if len(numbers) > 1 and self.own.name in numbers:
            numbers = {self.own.name: numbers[self.own.name]}
        if len(numbers) != 1:
            what = f"several numbers ({', '.join(map(str, numbers))})" if numbers else "no number"
            raise Fault(f"{self.own.shown}: it returned {what}; expected one, or one that is named {self.own.name!r}")
        return float(next(iter(numbers.values())))


def evaluate_metric(
    own: OwnFile, declared: Declaration, module: EvaluateModule, observed: Mapping[str, Observations]
) -> Metric:
    """Return the module as a metric of these variants: a mean of single values where it is one, else resampled.

    Raises:
        Fault: the module raises on all examples of a variant.
    """
    handed = {variant: handed_over(one)[:2] for variant, one in observed.items()}
    with faults_of(own):
        whole = {variant: module.score(*pair) for variant, pair in handed.items() if pair[0]}
    singles = _singles(module, handed, whole)
    if singles is not None:
        # Observations hold lists and have no hash; `observed` keeps each alive, so that its identity is its own.
        return _MeanOfSingles(own, declared, {id(observed[variant]): some for variant, some in singles.items()})
    return _Resampled(own, declared, module)


def _singles(
    module: EvaluateModule, handed: Mapping[str, tuple[list[Any], list[Any]]], whole: Mapping[str, float]
) -> dict[str, list[float]] | None:
    """Return the value of every single example, or None where their mean is not the value of all."""
    found: dict[str, list[float]] = {}
    try:
        for variant, (predictions, references) in handed.items():
            pairs = list(zip(predictions, references, strict=True))
            if not found and len(pairs) > _TRIED:
                some = [module.score([prediction], [reference]) for prediction, reference in pairs[:_TRIED]]
                if not _is_mean(some, module.score(predictions[:_TRIED], references[:_TRIED])):
                    return None
            found[variant] = [module.score([prediction], [reference]) for prediction, reference in pairs]
            if pairs and not _is_mean(found[variant], whole[variant]):
                return None
    except Exception:  # a correlation, say, has no value for a single example
        return None
    return found


def _is_mean(singles: Sequence[float], value: float) -> bool:
    mean = math.fsum(singles) / len(singles) if all(map(math.isfinite, singles)) else math.nan
    return math.isclose(mean, value, rel_tol=_CLOSE, abs_tol=_CLOSE)


class _EvaluateMetric(OwnMetric):
    """An own metric of the `evaluate` library."""

    @property
    def signature(self) -> str:
        """Which code made the number."""
        return f"{super().signature}|evaluate:{version('evaluate')}"


class _MeanOfSingles(_EvaluateMetric):
    """The mean of the values of single examples. Statistics: (value, 1)."""

    def __init__(self, own: OwnFile, declared: Declaration, singles: Mapping[int, Sequence[float]]) -> None:
        super().__init__(own, declared)
        self._singles = singles
        known = [value for some in singles.values() for value in some]
        self.test = "rate" if all(value in (0, 1) for value in known) else "mean"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (value, 1) for each example, (n, 2)."""
        _, _, reasons = handed_over(observations)
        rows = [(value, 1.0) for value in self._singles[id(observations)]]
        return assemble(rows, reasons, self.signature, 2)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Return the mean of sums (..., 2), (...)."""
        with np.errstate(all="ignore"):
            return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)


class _Resampled(_EvaluateMetric):
    """Computed anew under every row of weights. Statistics: the example's place among all that were handed over."""

    ordered = True

    def __init__(self, own: OwnFile, declared: Declaration, module: EvaluateModule) -> None:
        super().__init__(own, declared)
        self._module = module
        self._pairs: list[tuple[Any, Any]] = []

    def statistics(self, observations: Observations) -> Statistics:
        """Return the place of each example, (n, 1)."""
        predictions, references, reasons = handed_over(observations)
        start = len(self._pairs)
        self._pairs += zip(predictions, references, strict=True)
        places = np.arange(start, len(self._pairs), dtype=np.float64)[:, None]
        return assemble(places, reasons, self.signature, 1)

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the value of the examples, each repeated as often as its weight says, (draws,).

        A resample that the module refuses (one class alone, say) is undefined.

        Raises:
            Fault: the module refuses the examples as they are.
        """
        places = array[:, 0].astype(np.int64)
        return np.array(
            [self._score(np.repeat(places, row.astype(np.int64)), bool((row == 1).all())) for row in weights]
        )

    def _score(self, places: np.ndarray, whole: bool) -> float:
        if not len(places):
            return float("nan")
        pairs = [self._pairs[place] for place in places.tolist()]
        predictions, references = [prediction for prediction, _ in pairs], [reference for _, reference in pairs]
        if whole:
            with faults_of(self.own):
                return self._module.score(predictions, references)
        try:
            return self._module.score(predictions, references)
        except Exception:
            return float("nan")
