"""Our metrics as `evaluate.Metric`, for scripts that use that library. Nothing imports it until a function is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.metrics.metric import Metric, Observations
from core.metrics.registry import all_metrics, get_metric

if TYPE_CHECKING:
    import evaluate


def as_evaluate(name: str) -> evaluate.Metric:
    """Return a metric as an ``evaluate.Metric``: ``compute(predictions=..., references=...)`` gives ``{name: value}``.

    It can be passed to ``evaluate.combine``. Predictions and references are texts (labels too); the value is None where
    it is undefined. `evaluate` pulls in torch: call this in scripts, not where results are viewed.

    Raises:
        InputError: there is no such metric, or it is read out of log-likelihoods, which `evaluate` does not pass.
        ImportError: the `evaluate` package is not installed.
    """
    metric = get_metric(name)
    if metric.needs != "prediction":
        usable = ", ".join(other.name for other in all_metrics().values() if other.needs == "prediction")
        raise InputError(
            f"metric {name!r} needs log-likelihoods; evaluate passes predictions and references only. "
            f"Expected one of {usable}."
        )
    import datasets
    import evaluate

    class LorascopeMetric(evaluate.Metric):
        """One of lorascope's metrics."""

        def _info(self) -> evaluate.MetricInfo:
            text = datasets.Value("string")
            one = datasets.Features({"predictions": text, "references": text})
            several = datasets.Features({"predictions": text, "references": datasets.Sequence(text)})
            return evaluate.MetricInfo(
                description=(type(metric).__doc__ or metric.label).strip(),
                citation="",
                inputs_description="predictions: texts or labels; references: the same, or a list of texts for each.",
                features=[one, several] if "generation" in metric.kinds else one,
            )

        def _compute(
            self, *, predictions: Any = None, references: Any = None, **unused: Any
        ) -> dict[str, float | None]:
            return {metric.name: compute(metric, predictions, references)}

    LorascopeMetric.__name__ = metric.name  # evaluate takes the module's name from its class
    return LorascopeMetric()


def compute(metric: Metric, predictions: Sequence[Any], references: Sequence[Any]) -> float | None:
    """Return a metric's value over predictions and references, or None where it is undefined."""
    n = len(predictions)
    observed = Observations([str(index) for index in range(n)], predictions, references, [None] * n)
    value = float(metric.value(metric.statistics(observed).array.sum(axis=0)))
    return value if np.isfinite(value) else None
