"""What pages keep of human rating between reruns: the store that is open, and analyses keyed by how many actions there are.

Like `dashboard.cache`: values are shared by all sessions and must not be changed by whoever gets them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

import streamlit as st

from core.ratings import RatingStore, Study, StudySummary, list_studies, open_study, store_url
from core.ratings.analysis import StudyAnalysis, analyse
from core.ratings.analysis import human_preference as preference_of_run
from core.ratings.analysis.evidence import evidence_path
from core.ratings.analysis.results import HumanPreference, PairResult
from core.ratings.review import Reason, ReviewedItem, reasons, reviewed_item, study_state
from core.store import Run
from core.workspace import Workspace
from dashboard import cache

_ENTRIES = 32


def rating_store(workspace: Workspace) -> RatingStore | None:
    """Return the workspace's store of ratings; None where nobody has made a study. Looking makes no database.

    Raises:
        InputError, RunError: the database cannot be read, or is of a newer version.
    """
    store = _store(store_url(workspace.folder))
    return store.prepare() if store.exists else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _store(url: str) -> RatingStore:
    return RatingStore(url)


def studies(store: RatingStore) -> list[StudySummary]:
    """Return the studies of a store as they are now, newest first."""
    return list_studies(store)


def opened(store: RatingStore, study_id: str) -> Study:
    """Open a study as its owner."""
    return open_study(store, study_id)


def analysis(study: Study, runs: Sequence[Run] | None = None) -> StudyAnalysis:
    """Return what a study's ratings say.

    Args:
        study: opened by its owner.
        runs: those it was made from, for the part on metrics, which takes longest; None leaves that part out.
    """
    folders = None if runs is None else tuple((str(run.folder), cache.evidence_state(run)) for run in runs)
    return _analysis(_key(study), folders, study)


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Analysing the ratings")
def _analysis(
    key: tuple[Hashable, ...], folders: tuple[tuple[str, tuple[int, int]], ...] | None, _study: Study
) -> StudyAnalysis:
    return analyse(_study, runs=None if folders is None else [Run(Path(folder)) for folder, _ in folders])


def skipped_and_flagged(study: Study) -> tuple[Reason, ...]:
    """Return why items of a study were skipped and flagged."""
    return _reasons(_key(study), study)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _reasons(key: tuple[Hashable, ...], _study: Study) -> tuple[Reason, ...]:
    return reasons(_study)


def item_texts(study: Study, item_id: str) -> ReviewedItem:
    """Return the texts of an item of a study."""
    return reviewed_item(study, item_id)


def _key(study: Study) -> tuple[Hashable, ...]:
    return (study.store.where, study.id, *study_state(study))


def evidence(study: Study, criterion: str, pair: PairResult) -> tuple[float, ...]:
    """Return the e-value of a pair after each decisive verdict."""
    return _evidence(_key(study), criterion, pair.variant, pair.against, study)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _evidence(
    key: tuple[Hashable, ...], criterion: str, variant: str, against: str, _study: Study
) -> tuple[float, ...]:
    return evidence_path(_study, criterion, variant, against)


def human_preference(workspace: Workspace, run: Run) -> tuple[HumanPreference, ...]:
    """Return what people said of a run's variants in every study of it; nothing where there is no study."""
    store = rating_store(workspace)
    if store is None:
        return ()
    mine = [open_study(store, one.id) for one in list_studies(store) if run.id in one.runs and one.n_answers]
    return _human_preference(str(run.folder), tuple(_key(study) for study in mine), store) if mine else ()


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _human_preference(
    folder: str, state: tuple[tuple[Hashable, ...], ...], _store: RatingStore
) -> tuple[HumanPreference, ...]:
    return preference_of_run(Run(Path(folder)), _store)
