"""What the pictures beside a metric keep between reruns, and the examples that were picked in them, beside `dashboard.cache`.

Keyed, as there, by the state of the evidence; values are shared by all sessions and must not be changed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.diagnostics.answers import Answers, chosen_observations, confidences
from core.diagnostics.picks import Pick, picked_answers, picked_by_number, picked_by_score
from core.diagnostics.score_curves import LabelCurves
from core.diagnostics.task_curves import task_curves
from core.errors import InputError
from core.example_texts import read_prompt_lengths
from core.judging import metric_of
from core.metrics.curves import CalibrationCurve, calibration_curve
from core.metrics.metric import Observations
from core.predict import observations
from core.store import Run
from dashboard import cache

_ENTRIES = 24
LENGTH_NAMES = {True: "tokens", False: "characters"}
"""What lengths count: tokens of outputs or, where nothing was generated, characters of prompts."""


def answers(run: Run, task: str, variant: str) -> Answers:
    """Return what a variant answered, example by example of a classification task."""
    return cache.task_answers(run, task, variant).answers


def chosen_answers(run: Run, task: str, variant: str, part: str | None) -> Answers:
    """Return `answers` within a slice."""
    found = answers(run, task, variant)
    if part is None:
        return found
    inside = cache.slice_ids(run, task, part)
    rows = [row for row in zip(found.ids, found.references, found.answers, strict=True) if row[0] in inside]
    ids, references, given = zip(*rows, strict=True) if rows else ((), (), ())
    return Answers(ids, references, given)


def task_labels(run: Run, task: str, variant: str) -> tuple[str, ...]:
    """Return the labels that a task declares; empty where it declares none."""
    return cache.task_answers(run, task, variant).labels


def scored_labels(run: Run, task: str, variant: str) -> tuple[str, ...]:
    """Return the labels that have ROC curves, the positive one first where there are two; empty without scores."""
    return cache.task_answers(run, task, variant).scored


def calibration(run: Run, task: str, variant: str, part: str | None) -> CalibrationCurve:
    """Return a variant's calibration curve over a slice."""
    return _calibration(str(run.folder), cache.evidence_state(run), task, variant, part)


def curves(run: Run, task: str, variants: tuple[str, ...], label: str, part: str | None) -> dict[str, LabelCurves]:
    """Return ROC and precision-recall curves of some variants for one label, over a slice, with shared resamples.

    Raises:
        InputError: a variant has no scores for the label, or its examples are all positive or all negative.
    """
    return _curves(str(run.folder), cache.evidence_state(run), task, variants, label, part)


def lengths(run: Run, task: str, variant: str) -> tuple[np.ndarray, str]:
    """Return each example's length in the order of `cache.example_table`, NaN where not known, and what it counts."""
    tokens = cache.output_lengths(run, task)
    if tokens is not None and variant in tokens:
        return tokens[variant].to_numpy(dtype=np.float64), LENGTH_NAMES[True]
    found = _prompt_lengths(str(run.folder), cache.evidence_state(run), task)
    return found.to_numpy(dtype=np.float64), LENGTH_NAMES[False]


def picked(run: Run, task: str, pick: Pick) -> frozenset[str]:
    """Return the ids of the examples of a task that a pick names.

    Raises:
        InputError: the run has no such metric or variant, or the task no such answers.
    """
    variants, metric = run.spec.models.variants, metric_of(run, task, pick.metric)
    for name in (pick.variant, pick.reference):
        if name not in variants:
            raise InputError(f"run {run.id}: no variant {name!r} to pick examples by; it has {', '.join(variants)}")
    if pick.kind == "cell" or pick.kind == "confidence":
        if run.spec.tasks[task].kind not in ("classification", "medical"):
            raise InputError(f"{task} has no single labels as answers: nothing can be picked by them")
        return _picked_by_answer(run, task, pick)
    table = cache.example_table(run, task)
    if pick.kind == "length":
        kept = picked_by_number(pick, lengths(run, task, pick.variant)[0])
    elif metric is None:
        raise InputError(f"run {run.id}: no metric {pick.metric!r} to pick examples by")
    else:
        scores = cache.example_scores_of(run, task, metric.name)
        kept = picked_by_score(pick, scores, metric.higher_is_better)
    return frozenset(str(name) for name in table.ids[kept])


def _picked_by_answer(run: Run, task: str, pick: Pick) -> frozenset[str]:
    mine, other = answers(run, task, pick.variant), answers(run, task, pick.reference)
    if pick.kind == "cell":
        kept = picked_answers(pick, mine, other)
    else:
        kept = picked_by_number(pick, _confidences(str(run.folder), cache.evidence_state(run), task, pick.variant))
    return frozenset(name for name, there in zip(mine.ids, kept.tolist(), strict=True) if there)


def _observed(folder: str, task: str, variant: str, part: str | None) -> Observations:
    run = Run(Path(folder))
    found = observations(run, task, variant)
    if part is None:
        return found
    inside = cache.slice_ids(run, task, part)
    return chosen_observations(found, np.array([name in inside for name in found.example_ids], dtype=bool))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _confidences(folder: str, state: tuple[int, int], task: str, variant: str) -> np.ndarray:
    return confidences(observations(Run(Path(folder)), task, variant))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _calibration(folder: str, state: tuple[int, int], task: str, variant: str, part: str | None) -> CalibrationCurve:
    return calibration_curve(_observed(folder, task, variant, part))


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Resampling")
def _curves(
    folder: str, state: tuple[int, int], task: str, variants: tuple[str, ...], label: str, part: str | None
) -> dict[str, LabelCurves]:
    observed = {variant: _observed(folder, task, variant, part) for variant in variants}
    return task_curves(Run(Path(folder)), task, observed, label)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _prompt_lengths(folder: str, state: tuple[int, int], task: str) -> pd.Series:
    return read_prompt_lengths(Run(Path(folder)), task, cache.example_table(Run(Path(folder)), task).ids)
