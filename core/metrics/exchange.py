"""Our metrics as `evaluate.Metric`, for scripts that use that library. Nothing imports it until a function is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.metrics.metric import Metric, Observations, Parameters
from core.metrics.registry import all_metrics, get_metric
from core.metrics.rows import as_label
from core.records import Kind

if TYPE_CHECKING:
    import datasets
    import evaluate

Computed = float | dict[str, float | None] | None
"""A value, None where it is undefined; of a metric with a row for each label one for each."""

_INPUTS: dict[str, str] = {
    "generation": "predictions: texts; references: texts, or a list of texts for each.",
    "classification": "predictions, references: labels, texts or whole numbers.",
    "scores": "prediction_scores: a probability for each label, in the order of the labels (by default those of the references, "
    "sorted), or of two labels that of the second; references: labels.",
    "multilabel": "predictions, references: lists of labels.",
    "regression": "predictions, references: numbers, or texts of which some may be none.",
    "ranking": "predictions: a score for each document; references: the relevance of each, in the same order.",
    "finance": "predictions: positions; references: the returns of their periods, in time order.",
    "vision": 'predictions: lists of {"box": [x1, y1, x2, y2], "label", "score"}; references: lists of {"box", "label"}.',
}
"""What a metric is given, by kind of task."""


def as_evaluate(
    name: str, *, labels: Sequence[str] | None = None, positive: str | None = None, periods_per_year: float = 252.0
) -> evaluate.Metric:
    """Return a metric as an ``evaluate.Metric``: ``compute(predictions=..., references=...)`` gives ``{name: value}``.

    It can be passed to ``evaluate.combine``. Metrics of probabilities take ``prediction_scores=`` as evaluate's own ROC-AUC does. The
    value is None where it is undefined; a metric with a row for each label gives a value for each. `evaluate` pulls in
    torch: call this in scripts, not where results are viewed.

    Args:
        name: of a metric, one with a parameter (``ndcg_at_7``) included.
        labels: the label set, in the order of ``prediction_scores``; by default what occurs.
        positive: of two labels the positive one; with one score an example by default the second label.
        periods_per_year: how many returns a year has.

    Raises:
        InputError: there is no such metric, or it is read out of log-likelihoods, which `evaluate` does not pass.
        ImportError: the `evaluate` package is not installed.
    """
    metric = get_metric(name)
    if metric.needs == "likelihood":
        usable = ", ".join(other.name for other in all_metrics().values() if other.needs != "likelihood")
        raise InputError(
            f"metric {name!r} needs log-likelihoods; evaluate passes predictions and references only. "
            f"Expected one of {usable}."
        )
    import evaluate

    inputs = Inputs(metric, tuple(labels or ()), Parameters(positive=positive, periods_per_year=periods_per_year))

    class LorascopeMetric(evaluate.Metric):
        """One of lorascope's metrics."""

        def _info(self) -> evaluate.MetricInfo:
            return evaluate.MetricInfo(
                description=(type(metric).__doc__ or metric.label).strip(),
                citation="",
                inputs_description=" Or ".join(_INPUTS[form] for form in inputs.forms),
                features=[features for form in inputs.forms for features in _features(form)],
            )

        def _compute(
            self, *, predictions: Any = None, references: Any = None, prediction_scores: Any = None, **unused: Any
        ) -> dict[str, Computed]:
            # What is unused was meant for another metric that this one is combined with.
            given = predictions if metric.needs == "prediction" else prediction_scores
            return {metric.name: computed(metric, inputs.observations(given, references))}

    LorascopeMetric.__name__ = metric.name  # evaluate takes the module's name from its class
    return LorascopeMetric()


def computed(metric: Metric, observations: Observations) -> Computed:
    """Return a metric's value of observations: None where it is undefined, a value for each label where there are rows by label."""
    statistics = metric.statistics(observations)
    present = (~statistics.missing)[None].astype(np.float64)
    with np.errstate(all="ignore"):
        if not metric.by_label:
            return _finite(float(metric.weighted_values(statistics.array, present)[0]))
        sums = (present @ statistics.array)[0].reshape(len(statistics.labels), -1)
        values = np.asarray(metric.value(sums), dtype=np.float64).tolist()
    return {label: _finite(value) for label, value in zip(statistics.labels, values, strict=True)}


@dataclass(frozen=True)
class Inputs:
    """How what `evaluate` passes becomes observations of one metric."""

    metric: Metric
    labels: tuple[str, ...]
    parameters: Parameters

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms that inputs may have, the keys of `_INPUTS`; medicine's metrics are those of classification."""
        if self.metric.needs == "scores":
            return ("scores",)
        kinds = {"classification" if kind == "medical" else kind for kind in self.metric.kinds}
        return tuple(form for form in _INPUTS if form in kinds)

    def observations(self, predictions: Sequence[Any], references: Sequence[Any]) -> Observations:
        """Return the observations that the metric takes.

        Raises:
            InputError: scores are not one for each label.
        """
        n = len(references)
        ids, reasons = [str(index) for index in range(n)], [None] * n
        if self.metric.needs == "scores":
            return self._scored(ids, predictions, references)
        kind = self._kind(references)
        options = (
            [tuple(str(place) for place in range(len(one or ()))) for one in references] if kind == "ranking" else ()
        )
        given = [tuple(one) if kind in ("ranking", "multilabel") and one is not None else one for one in predictions]
        return Observations(
            ids,
            given,
            list(references),
            reasons,
            labels=self.labels,
            kind=kind,
            options=options,
            parameters=self.parameters,
        )

    def _kind(self, references: Sequence[Any]) -> Kind:
        several = any(isinstance(reference, list | tuple | np.ndarray) for reference in references)
        lists = {"multilabel", "ranking", "vision"}
        fitting = [form for form in self.forms if len(self.forms) == 1 or (form in lists) is several]
        return fitting[0]  # type: ignore[return-value]

    def _scored(self, ids: list[str], scores: Sequence[Any], references: Sequence[Any]) -> Observations:
        labels = self.labels or _sorted_labels(references)
        rows = [self._row(one, labels) for one in scores]
        parameters = self.parameters
        if parameters.positive is None and len(labels) == 2 and not any(isinstance(one, list) for one in scores):
            parameters = Parameters(positive=labels[1], periods_per_year=parameters.periods_per_year)
        likeliest = [labels[int(np.argmax(row))] if row else None for row in rows]
        return Observations(
            ids, likeliest, list(references), [None] * len(ids), scores=rows, labels=labels, kind="classification",
            parameters=parameters,
        )  # fmt: skip

    def _row(self, given: Any, labels: tuple[str, ...]) -> tuple[float, ...]:
        if given is None:
            return ()
        several = isinstance(given, list | tuple | np.ndarray)
        row = tuple(float(score) for score in given) if several else (1.0 - float(given), float(given))
        if len(row) != len(labels):
            shown = ", ".join(labels)
            what = f"{len(row)} scores" if several else "one score, which is for two labels,"
            raise InputError(
                f"metric {self.metric.name!r}: found {what} for {len(labels)} labels ({shown}); expected one for each label. "
                f"Name the labels: as_evaluate({self.metric.name!r}, labels=[...])."
            )
        return row


def _features(form: str) -> list[datasets.Features]:
    """Return the columns that `evaluate` takes for one form of inputs."""
    from datasets import Features, Sequence, Value

    text, number, whole = Value("string"), Value("float64"), Value("int64")
    box = {"box": Sequence(number), "label": text}
    pairs: dict[str, list[tuple[Any, Any]]] = {
        "generation": [(text, text), (text, Sequence(text))],
        "classification": [(text, text), (whole, whole)],
        "scores": [(score, label) for score in (number, Sequence(number)) for label in (text, whole)],
        "multilabel": [(Sequence(text), Sequence(text))],
        "regression": [(text, text), (number, number), (number, text), (text, number)],
        "ranking": [(Sequence(number), Sequence(number))],
        "finance": [(number, number)],
        "vision": [([{**box, "score": number}], [box])],
    }
    first = "prediction_scores" if form == "scores" else "predictions"
    return [Features({first: given, "references": wanted}) for given, wanted in pairs[form]]


def _sorted_labels(references: Sequence[Any]) -> tuple[str, ...]:
    """Return the labels that occur, numbers in their own order, as scikit-learn sorts them."""
    found = {label for label in map(as_label, references) if label is not None}
    numbers = all(label.lstrip("-").isdecimal() for label in found)
    return tuple(sorted(found, key=int) if numbers else sorted(found))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
