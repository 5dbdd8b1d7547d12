"""What a classifier answered, kept in ``derived/``: reading it out of the evidence of 100,000 examples takes seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.derived import task_identity
from core.diagnostics.answers import Answers, read_answers
from core.diagnostics.task_curves import scored_labels
from core.kept_arrays import KeptArrays, load_arrays, save_arrays
from core.metrics.metric import Observations
from core.predict import observations
from core.store import Run

_FORMAT = 1
"""Raised whenever the same evidence comes to be read in another way."""


@dataclass(frozen=True)
class TaskAnswers:
    """What one variant answered on one classification task."""

    answers: Answers
    predictions: tuple[Any, ...]
    """What was predicted, before any threshold; None where there is nothing. In the order of ``answers.ids``."""
    labels: tuple[str, ...]
    """Those that the task declares; empty where it declares none."""
    scored: tuple[str, ...]
    """The labels that have ROC curves, the positive one first where there are two; empty without scores."""


def kept_answers(
    run: Run, task: str, variant: str, evidence_hash: str | None, observed: Callable[[], Observations] | None = None
) -> TaskAnswers:
    """Return what a variant answered, from ``derived/`` if it is there, else read from the evidence and kept.

    Args:
        run: finished or not; of one that goes on nothing is kept.
        task: of classification.
        variant: of the run.
        evidence_hash: see `core.derived.StatisticsReader`; None while the run is not finished.
        observed: gives the variant's observations, where somebody holds them.
    """
    path = None if evidence_hash is None else _path(run, task, variant, evidence_hash)
    kept = None if path is None or (found := load_arrays(path)) is None else _answers(found)
    if kept is not None:
        return kept
    made = _read(observations(run, task, variant) if observed is None else observed())
    if path is not None:
        _save(path, made)
    return made


def _read(found: Observations) -> TaskAnswers:
    return TaskAnswers(read_answers(found), tuple(found.predictions), tuple(found.labels), scored_labels(found))


def _path(run: Run, task: str, variant: str, evidence_hash: str) -> Path:
    identity = [_FORMAT, evidence_hash, task, variant, task_identity(run, task)]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return run.folder / "derived" / "answers" / f"{task}-{variant}-{key[:24]}.npz"


def _save(path: Path, made: TaskAnswers) -> None:
    columns = {
        "references": made.answers.references, "answers": made.answers.answers, "predictions": made.predictions,
    }  # fmt: skip
    values = {name: list(dict.fromkeys(column)) for name, column in columns.items()}
    words = {"ids": made.answers.ids, "labels": made.labels, "scored": made.scored, "values": values}
    save_arrays(path, words, {name: _codes(column, values[name]) for name, column in columns.items()})


def _codes(column: Iterable[Hashable], values: Sequence[Hashable]) -> np.ndarray:
    place = {value: number for number, value in enumerate(values)}
    return np.array([place[value] for value in column], dtype=np.uint32)


def _answers(found: KeptArrays) -> TaskAnswers | None:
    """Return what a file holds; None where it is of another shape."""
    try:
        words, columns = found.words, {}
        for name, values in words["values"].items():
            columns[name] = tuple([values[code] for code in found.arrays[name].tolist()])
        answers = Answers(tuple(words["ids"]), columns["references"], columns["answers"])
        if not len(answers.ids) == len(answers.references) == len(answers.answers) == len(columns["predictions"]):
            return None
        return TaskAnswers(answers, columns["predictions"], tuple(words["labels"]), tuple(words["scored"]))
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
