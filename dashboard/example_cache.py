"""What the Examples page keeps between reruns, beside `dashboard.cache`: text features, which examples are alike, and flags.

Keyed, as there, by the state of the files that are read; values are shared by all sessions and must not be changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core import text_features
from core.example_likeness import LikenessIndex, likeness_index, read_asked
from core.flags import FILE_NAME, Flags, read_flags
from core.results import MetricRow
from core.store import Run
from core.text_features import TextFeature
from dashboard import cache

_ENTRIES = 32


def feature_hits(run: Run, task: str, feature: TextFeature) -> pd.DataFrame:
    """Return which answers have a text feature, rows in the order of `dashboard.cache.example_table`.

    Raises:
        InputError: a pattern takes too long.
    """
    return _feature_hits(str(run.folder), cache.evidence_state(run), task, feature)


def feature_row(
    run: Run, task: str, feature: TextFeature, reference: str, positions: np.ndarray, tested: bool
) -> MetricRow:
    """Return how often a text feature occurs among the examples at ``positions``, see `core.text_features.feature_row`."""
    key = hashlib.blake2b(np.sort(positions).tobytes(), digest_size=16).hexdigest()
    return _feature_row(str(run.folder), cache.evidence_state(run), task, feature, reference, tested, key, positions)


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


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _flags(folder: str, written: tuple[int, int]) -> Flags:
    return read_flags(Run(Path(folder)))


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Looking at the answers")
def _feature_hits(folder: str, state: tuple[int, int], task: str, feature: TextFeature) -> pd.DataFrame:
    run = Run(Path(folder))
    ids = cache.example_table(run, task).ids
    if feature.kind == "language":
        return text_features.language_hits(_languages(folder, state, task), feature, ids, run.spec.models.variants)
    return text_features.feature_hits(run, task, feature, ids)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _feature_row(
    folder: str,
    state: tuple[int, int],
    task: str,
    feature: TextFeature,
    reference: str,
    tested: bool,
    key: str,
    _positions: np.ndarray,
) -> MetricRow:
    hits = _feature_hits(folder, state, task, feature)
    return text_features.feature_row(Run(Path(folder)), task, feature, hits, reference, _positions, tested=tested)


@st.cache_resource(max_entries=4, show_spinner="Detecting languages")
def _languages(folder: str, state: tuple[int, int], task: str) -> pd.DataFrame:
    return text_features.answer_languages(Run(Path(folder)), task)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _answer_languages(folder: str, state: tuple[int, int], task: str) -> dict[str, int]:
    counts = _languages(folder, state, task)["language"].value_counts()
    return {str(name): int(count) for name, count in counts.items()}


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _median_length(folder: str, state: tuple[int, int], task: str) -> int:
    return text_features.median_length(Run(Path(folder)), task)


@st.cache_resource(max_entries=2, show_spinner="Reading what the examples ask")
def _likeness(folder: str, state: tuple[int, int], task: str, fields: tuple[str, ...]) -> LikenessIndex:
    return likeness_index(read_asked(Run(Path(folder)), task, fields))
