"""What the Examples page keeps between reruns, beside `dashboard.cache`: text features, which examples are alike,
flags, and readings of answers by other variants.

Keyed, as there, by the state of the files that are read; values are shared by all sessions and must not be changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st

from core import example_texts, text_features
from core.cross.kept import Reading, cross_folder, example_readings, readings_state
from core.cross.summary import CrossRow, cross_rows
from core.derived import StatisticsReader
from core.example_likeness import LikenessIndex, likeness_index, read_asked
from core.flags import FILE_NAME, Flags, read_flags
from core.records import Evidence, Example
from core.results import MetricRow
from core.store import Run
from core.text_features import AnswerLanguages, AnswerRows, TextFeature
from dashboard import cache

_ENTRIES = 32
_OPENED = 128
"""Examples that can be opened again without a look at the files; filters and pages leave the open one as it is."""


def feature_hits(run: Run, task: str, feature: TextFeature) -> pd.DataFrame:
    """Return which answers have a text feature, rows in the order of `dashboard.cache.example_table`.

    Raises:
        InputError: a pattern takes too long.
    """
    return _feature_hits(str(run.folder), cache.evidence_state(run), task, feature)


def feature_rows(
    run: Run, task: str, features: tuple[TextFeature, ...], reference: str, positions: np.ndarray, tested: bool
) -> tuple[MetricRow, ...]:
    """Return how often text features occur among the examples at ``positions``, see `core.text_features.feature_rows`."""
    key = hashlib.blake2b(np.sort(positions).tobytes(), digest_size=16).hexdigest()
    return _feature_rows(str(run.folder), cache.evidence_state(run), task, features, reference, tested, key, positions)


def answer_languages(run: Run, task: str) -> dict[str, int]:
    """Return how many answers of a task each language has, most first."""
    return _answer_languages(str(run.folder), cache.evidence_state(run), task)


def median_length(run: Run, task: str) -> int:
    """Return the median length of a task's answers, characters."""
    return _median_length(str(run.folder), cache.evidence_state(run), task)


def nearest(run: Run, task: str, fields: Sequence[str], position: int) -> tuple[int, ...]:
    """Return the position of an example and those of the examples that are most like it, nearest first.

    Args:
        run: which run.
        task: of the run.
        fields: of the dataset that its prompt holds.
        position: in the order of `dashboard.cache.example_table`.
    """
    index = _likeness(str(run.folder), cache.evidence_state(run), task, tuple(fields))
    return (position, *index.nearest(position).tolist())


def flags(run: Run) -> Flags:
    """Return which examples are flagged, as it is on disk now."""
    try:
        found = (run.folder / FILE_NAME).stat()
    except FileNotFoundError:
        return Flags(frozenset())
    return _flags(str(run.folder), (found.st_size, found.st_mtime_ns))


def snippets(run: Run, task: str, field: str | None, positions: Sequence[int]) -> list[str]:
    """Return the beginning of some examples on one line each, see `core.example_texts.read_snippets`.

    Args:
        run: which run.
        task: of the run.
        field: of the dataset that tells its examples apart.
        positions: in the order of `dashboard.cache.example_table`.
    """
    beginnings = _beginnings(str(run.folder), cache.evidence_state(run), task, field)
    return [example_texts.one_line(beginnings[place].as_py() or "") for place in positions]


def example(run: Run, task: str, example_id: str) -> Example | None:
    """Return one example; None if the task has no such example."""
    return _example(str(run.folder), cache.evidence_state(run), task, example_id)


def example_evidence(run: Run, task: str, example_id: str) -> dict[str, tuple[Evidence, ...]]:
    """Return what was observed of one example, by variant."""
    return _example_evidence(str(run.folder), cache.evidence_state(run), task, example_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def _beginnings(folder: str, state: tuple[int, int], task: str, field: str | None) -> pa.StringArray:
    return example_texts.read_beginnings(Run(Path(folder)), task, field)


@st.cache_resource(max_entries=_OPENED, show_spinner=False)
def _example(folder: str, state: tuple[int, int], task: str, example_id: str) -> Example | None:
    return example_texts.read_example(Run(Path(folder)), task, example_id)


@st.cache_resource(max_entries=_OPENED, show_spinner=False)
def _example_evidence(
    folder: str, state: tuple[int, int], task: str, example_id: str
) -> dict[str, tuple[Evidence, ...]]:
    return example_texts.read_example_evidence(Run(Path(folder)), task, example_id)


def cross_folder_of(run: Run, task: str) -> tuple[Path, str] | None:
    """Return where the readings of a task's answers lie, and the hash of the run's evidence; None while it is not finished."""
    evidence_hash = _evidence_hash(str(run.folder), cache.evidence_state(run))
    return None if evidence_hash is None else (cross_folder(run, task, evidence_hash), evidence_hash)


def cross_readings(folder: Path, example_id: str, readers: Sequence[str]) -> dict[tuple[str, str], Reading]:
    """Return the readings of one example's answers, by (writer, reader)."""
    return _cross_readings(str(folder), readings_state(folder), example_id, tuple(readers))


def cross_summary(run: Run, task: str, folder: Path, variants: Sequence[str], reference: str) -> tuple[CrossRow, ...]:
    """Return `core.cross.summary.cross_rows` of what was read so far."""
    state = readings_state(folder)
    return _cross_summary(str(run.folder), task, str(folder), state, tuple(variants), reference) if state else ()


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _evidence_hash(folder: str, state: tuple[int, int]) -> str | None:
    return StatisticsReader(Run(Path(folder))).evidence_hash


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _cross_readings(
    folder: str, state: tuple[tuple[str, int], ...], example_id: str, readers: tuple[str, ...]
) -> dict[tuple[str, str], Reading]:
    return example_readings(Path(folder), example_id, readers)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _cross_summary(
    run: str, task: str, folder: str, state: tuple[tuple[str, int], ...], variants: tuple[str, ...], reference: str
) -> tuple[CrossRow, ...]:
    return cross_rows(Run(Path(run)), task, Path(folder), variants, reference)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _flags(folder: str, written: tuple[int, int]) -> Flags:
    return read_flags(Run(Path(folder)))


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Looking at the answers")
def _feature_hits(folder: str, state: tuple[int, int], task: str, feature: TextFeature) -> pd.DataFrame:
    languages = _languages(folder, state, task) if feature.kind == "language" else None
    return text_features.feature_hits(Run(Path(folder)), task, feature, _answer_rows(folder, state, task), languages)


@st.cache_resource(max_entries=4, show_spinner=False)
def _answer_rows(folder: str, state: tuple[int, int], task: str) -> AnswerRows:
    run = Run(Path(folder))
    return text_features.answer_rows(run, task, cache.example_table(run, task).ids)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _feature_rows(
    folder: str,
    state: tuple[int, int],
    task: str,
    features: tuple[TextFeature, ...],
    reference: str,
    tested: bool,
    key: str,
    _positions: np.ndarray,
) -> tuple[MetricRow, ...]:
    hits = {feature: _feature_hits(folder, state, task, feature) for feature in features}
    return text_features.feature_rows(Run(Path(folder)), task, hits, reference, _positions, tested=tested)


@st.cache_resource(max_entries=4, show_spinner="Detecting languages")
def _languages(folder: str, state: tuple[int, int], task: str) -> AnswerLanguages:
    return text_features.answer_languages(Run(Path(folder)), task, _evidence_hash(folder, state))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _answer_languages(folder: str, state: tuple[int, int], task: str) -> dict[str, int]:
    return _languages(folder, state, task).counts()


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _median_length(folder: str, state: tuple[int, int], task: str) -> int:
    return text_features.median_length(Run(Path(folder)), task)


@st.cache_resource(max_entries=2, show_spinner="Reading what the examples ask")
def _likeness(folder: str, state: tuple[int, int], task: str, fields: tuple[str, ...]) -> LikenessIndex:
    return likeness_index(read_asked(Run(Path(folder)), task, fields))
