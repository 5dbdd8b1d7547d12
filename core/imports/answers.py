"""What a row of predictions says for each kind of task: the answer, the right answer, and scores.

A value of the wrong type is a mistake of the file and refused. What is merely bad in one example (nothing there, NaN, a
label outside the set) costs this example alone: the answer is None with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import InputError
from core.imports.cells import (
    as_text,
    is_empty,
    numbers_of,
    read_label,
    read_list,
    read_map,
    read_number,
    read_text,
    shown,
    storable,
    to_number,
)
from core.imports.sources import SourceRow
from core.records import Kind, Likelihood

_SCORES = '{"billing": 0.7, "other": 0.3}'
_TAGS = '["urgent", "complaint"]'
_DOCUMENTS = '{"doc1": 2, "doc2": 0}'
_BOXES = '[{"box": [10, 20, 50, 80], "label": "cat", "score": 0.9}]'
_NO_PREDICTION = "there is no prediction"


@dataclass(frozen=True)
class Read:
    """One row, read."""

    value: Any = None
    """The prediction as `core.metrics.metric.Observations` says; for ranking the map of document to score."""
    reason: str | None = None
    """Why there is none."""
    unreadable: bool = False
    """The answer is there, but it is no number (regression)."""
    reference: Any = None
    """The right answer; for ranking the map of document to relevance. None: there is none that can be used."""
    bad_reference: str | None = None
    """Why there is none that can be used."""
    scores: dict[str, float] | None = None
    """Label to probability, as the row has them, NaN included; None where it has none."""
    likelihood: Likelihood | None = None


def needed_fields(kind: Kind) -> tuple[str, ...]:
    """Return the fields without which a file of this kind cannot be read (the id is another matter)."""
    return {"likelihood": ("nll_sum",), "ranking": ("scores", "reference")}.get(kind, ("prediction", "reference"))


ANSWER_FIELDS = frozenset({"variant", "sample", "prediction", "scores", "nll_sum", "n_tokens", "n_bytes"})
"""Fields that are of a system's answer and not of the example."""
OWN_FIELDS = ANSWER_FIELDS | {"id", "group", "language", "reference", "prompt"}
"""Fields that have a meaning of their own, and so are no tags."""


def read_row(row: SourceRow, kind: Kind) -> Read:
    """Return what a row says.

    Raises:
        InputError: a field has the wrong type; the message names file, line, field and the form that is expected.
    """
    return _READERS[kind](row)


def _labels(row: SourceRow) -> Read:
    value, reason = read_label(row.where, "prediction", row.fields.get("prediction"), of_csv=row.as_text)
    reference, bad = read_label(row.where, "reference", row.fields.get("reference"), of_csv=row.as_text)
    return Read(value, reason, reference=reference, bad_reference=_unless_empty(row, bad), scores=_scores(row))


def _unless_empty(row: SourceRow, bad: str | None) -> str | None:
    """Return what is wrong with a reference that is there; that there is none is said by the metrics."""
    return None if is_empty(row.fields.get("reference")) else bad


def _scores(row: SourceRow) -> dict[str, float] | None:
    found = read_map(row.where, "scores", row.fields.get("scores"), _SCORES)
    return None if found is None else numbers_of(row.where, "scores", found)


def _number(row: SourceRow) -> Read:
    reference, bad = _number_reference(row)
    answer = row.fields.get("prediction")
    if is_empty(answer):
        return Read(reason=_NO_PREDICTION, reference=reference, bad_reference=bad)
    if isinstance(answer, dict | list):
        raise InputError(f"{row.where}: 'prediction' is {shown(answer)}, expected a number.")
    number = to_number(answer)
    if number is None:
        reason = f"the answer {shown(answer)} is not a number"
        return Read(None, reason, unreadable=True, reference=reference, bad_reference=bad)
    reason = None if math.isfinite(number) else f"the prediction is {number}"
    return Read(None if reason else number, reason, reference=reference, bad_reference=bad)


def _position(row: SourceRow) -> Read:
    value, reason = read_number(row.where, "prediction", row.fields.get("prediction"))
    reference, bad = _number_reference(row)
    return Read(value, reason, reference=reference, bad_reference=bad)


def _number_reference(row: SourceRow) -> tuple[float | str | None, str | None]:
    reference, bad = read_number(row.where, "reference", row.fields.get("reference"))
    bad = _unless_empty(row, bad)
    number = to_number(row.fields.get("reference"))
    return (reference if number is None else storable(number)), bad


def _text(row: SourceRow) -> Read:
    value = read_text(row.where, "prediction", row.fields.get("prediction"))
    reason = None if value is not None else _NO_PREDICTION
    likelihood = _observed_likelihood(row)[0] if "nll_sum" in row.fields else None
    return Read(value, reason, reference=_reference_texts(row), likelihood=likelihood)


def _reference_texts(row: SourceRow) -> Any:
    value = row.fields.get("reference")
    if row.as_text and isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = read_list(row.where, "reference", value, '["a text", "another"]')
        except InputError:
            return value  # a text that begins with a bracket
    if isinstance(value, list):
        texts = [read_text(row.where, "reference", text) for text in value]
        return [text for text in texts if text is not None] or None
    return read_text(row.where, "reference", value)


def _tags(row: SourceRow) -> Read:
    value = _label_list(row, "prediction")
    reference = _label_list(row, "reference")
    reason = _NO_PREDICTION if value is None else None
    return Read(value, reason, reference=reference, scores=_scores(row))


def _label_list(row: SourceRow, name: str) -> tuple[str, ...] | None:
    listed = read_list(row.where, name, row.fields.get(name), _TAGS)
    if listed is None:
        return None
    labels = [read_label(row.where, name, label) for label in listed]
    return tuple(dict.fromkeys(label for label, _ in labels if label is not None))


def _ranking(row: SourceRow) -> Read:
    found = read_map(row.where, "scores", row.fields.get("scores"), '{"doc1": 3.2, "doc2": 1.5}')
    graded = read_map(row.where, "reference", row.fields.get("reference"), _DOCUMENTS)
    scores = numbers_of(row.where, "scores", found or {})
    relevance = numbers_of(row.where, "reference", graded or {})
    reason = "there are no scores" if found is None else _not_finite(scores, "score")
    reference = {document: storable(grade) for document, grade in relevance.items()}
    return Read(None if reason else scores, reason, reference=reference or None)


def _not_finite(numbers: dict[str, float], what: str) -> str | None:
    """Return the sentence about the first number that is NaN or infinite."""
    return next((f"the {what} of {key!r} is {one}" for key, one in numbers.items() if not math.isfinite(one)), None)


def _likelihood(row: SourceRow) -> Read:
    reference = read_text(row.where, "reference", row.fields.get("reference"))
    likelihood, reason = _observed_likelihood(row)
    return Read(reason=reason, reference=reference, likelihood=likelihood)


def _observed_likelihood(row: SourceRow) -> tuple[Likelihood | None, str | None]:
    nll_sum, reason = read_number(row.where, "nll_sum", row.fields.get("nll_sum"))
    n_tokens, n_bytes = _count(row, "n_tokens"), _count(row, "n_bytes")
    if nll_sum is None:
        return None, reason
    if nll_sum < 0:
        return None, f"the nll_sum of {nll_sum:g} is below zero: write it as negative log-likelihood, in nats"
    if not n_tokens and not n_bytes:
        return None, "neither n_tokens nor n_bytes is there"
    return Likelihood((), (), (), (), n_bytes or 0, nll_sum, n_tokens), None


def _count(row: SourceRow, name: str) -> int | None:
    value = row.fields.get(name)
    if is_empty(value):
        return None
    number = to_number(value)
    if number is None or not math.isfinite(number) or number < 0 or number != int(number):
        raise InputError(f"{row.where}: {name!r} is {shown(value)}, expected a whole number of at least 0.")
    return int(number)


def _boxes(row: SourceRow) -> Read:
    value = _box_list(row, "prediction", needs_score=True)
    reason = _NO_PREDICTION if value is None else None
    return Read(value, reason, reference=_box_list(row, "reference", needs_score=False))


def _box_list(row: SourceRow, name: str, needs_score: bool) -> list[dict[str, Any]] | None:
    listed = read_list(row.where, name, row.fields.get(name), _BOXES)
    boxes = []
    for entry in listed or ():
        box = entry.get("box") if isinstance(entry, dict) else None
        numbers = [to_number(one) for one in box] if isinstance(box, list) else []
        score = to_number(entry.get("score")) if isinstance(entry, dict) else None
        label = entry.get("label") if isinstance(entry, dict) else None
        whole = [one for one in numbers if one is not None]
        if len(whole) != 4 or len(numbers) != 4 or (needs_score and score is None) or isinstance(label, dict | list):
            raise InputError(f"{row.where}: {name!r} has {shown(entry)}; write boxes as JSON: {_BOXES}.")
        made = {"box": [storable(one) for one in whole], "label": None if is_empty(label) else as_text(label)}
        boxes.append(made | ({"score": storable(score)} if needs_score and score is not None else {}))
    return None if listed is None else boxes


_READERS: dict[Kind, Callable[[SourceRow], Read]] = {
    "classification": _labels,
    "medical": _labels,
    "regression": _number,
    "finance": _position,
    "generation": _text,
    "multilabel": _tags,
    "ranking": _ranking,
    "likelihood": _likelihood,
    "vision": _boxes,
}
