"""Reads predictions that came from elsewhere out of a run's predictions.parquet: what `core.predict` does for evidence."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from core.metrics.metric import Observations, Parameters
from core.records import Example, Likelihood
from core.spec import TaskSpec

NO_ROW = "this variant has no prediction for it"
NO_LIKELIHOOD = "the imported predictions have no log-likelihood of the reference (nll_sum)"


def imported_observations(
    table: pa.Table, spec: TaskSpec, examples: Sequence[Example], labels: tuple[str, ...], parameters: Parameters
) -> Observations:
    """Return all that metrics may look at; an example with several samples stands there several times, one after another.

    Args:
        table: the predictions of one task and variant (`core.store.PREDICTION_SCHEMA`).
        spec: the task.
        examples: all of the task, in order; one that the table has no row for is missing.
        labels: the task's label set.
        parameters: what the task says to its metrics.
    """
    of_example: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        of_example.setdefault(row["example_id"], []).append(row)
    absent: list[dict[str, Any]] = [dict.fromkeys(table.column_names) | {"reason": NO_ROW}]
    pairs = [(example, row) for example in examples for row in of_example.get(example.id, absent)]
    likelihoods = [_likelihood(row) for _, row in pairs]
    return Observations(
        example_ids=[example.id for example, _ in pairs],
        predictions=[_value(row["value"], spec) for _, row in pairs],
        references=[example.reference for example, _ in pairs],
        reasons=[row["reason"] for _, row in pairs],
        likelihoods=likelihoods,
        scores=[tuple(math.nan if one is None else one for one in row["scores"] or ()) for _, row in pairs],
        labels=labels,
        languages=[example.language for example, _ in pairs],
        unreadable=[bool(row["unreadable"]) for _, row in pairs],
        likelihood_reasons=[
            None if likelihood is not None else row["reason"] or NO_LIKELIHOOD
            for likelihood, (_, row) in zip(likelihoods, pairs, strict=True)
        ],
        kind=spec.kind,
        options=[example.options for example, _ in pairs],
        tags=[example.tags for example, _ in pairs],
        parameters=parameters,
    )


def _value(stored: str | None, spec: TaskSpec) -> Any:
    value = None if stored is None else json.loads(stored)
    if spec.kind == "ranking" and value is not None:
        return tuple(-math.inf if score is None else score for score in value)
    return tuple(value) if spec.kind == "multilabel" and value is not None else value


def _likelihood(row: dict[str, Any]) -> Likelihood | None:
    if row["nll_sum"] is None:
        return None
    return Likelihood((), (), (), (), row["n_bytes"] or 0, row["nll_sum"], row["n_tokens"])
