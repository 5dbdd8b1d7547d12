"""What rating keeps for a browser tab, and the store that all tabs share. The only place that names its session keys.

Who rates what is in the URL, so that a reload or a restarted server goes on where it was; the answers are on disk.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.ratings import RatingStore, StudyDraft, store_url
from dashboard import state
from dashboard.parts.rate_desk import Desk

ONLY_STUDY_VARIABLE = "LORASCOPE_STUDY"
"""The environment variable that names the one study which a server lets others rate; it then shows nothing else."""
STUDY, KEY, RATER, OWN = "study", "key", "rater", "own"
LOCK_SECONDS = 5.0
"""How long a page waits for others who write: a rater before a page that does nothing would press again."""
_DESK, _DRAFT, _TOLD, _FORM = "rate-desk", "rate-draft", "rate-told", "rate-form"
VIEW, MARK, NAME = "rate-view", "rate-mark", "rate-name"
_SAID_NAME, _FAILED = "rate-said-name", "rate-failed"
_NAMES_MODELS = (
    state.RUN, state.REFERENCE, state.SLICE, state.TASK, state.METRIC, state.VARIANT, state.EXAMPLE, state.OUTCOME, state.TAGS,
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What the URL says of who rates what."""

    study: str | None
    key: str | None
    """The secret of the link, for those who came by one."""
    rater: str | None
    own: str | None
    """The rater's own key, given when they joined by the link."""

    @property
    def by_link(self) -> bool:
        """Whether the page is opened with a link's rights alone."""
        return self.key is not None or only_study() is not None


def only_study() -> str | None:
    """Return the study that this server is for; None where it is a dashboard."""
    return os.environ.get(ONLY_STUDY_VARIABLE) or None


def asked() -> Asked:
    """Return what the URL says, and take out of it what would name a run or a variant."""
    for name in _NAMES_MODELS:
        if name in st.query_params:
            del st.query_params[name]
    found = [st.query_params.get(name) or None for name in (STUDY, KEY, RATER, OWN)]
    return Asked(found[0] or only_study(), *found[1:])


def is_rating() -> bool:
    """Tell whether somebody rates, or is about to, on the page Rate: then nothing else is to be seen."""
    return only_study() is not None or STUDY in st.query_params


def say_name() -> None:
    """Take the name that was written for the rater's; to be called as a widget's callback."""
    st.session_state[_SAID_NAME] = str(st.session_state.get(NAME) or "")


def said_name() -> str | None:
    """Return the name that was written and not judged yet; it goes into the URL only once the study has taken it."""
    return st.session_state.get(_SAID_NAME)


def remember_rater(name: str, own: str | None) -> None:
    """Put into the URL who rates, so that a reload finds them again."""
    st.query_params[RATER] = name
    if own:
        st.query_params[OWN] = own
    st.session_state.pop(_SAID_NAME, None)


def open_rating(study: str) -> None:
    """Go to the form of a study; to be called as a widget's callback."""
    st.query_params.clear()
    st.query_params[STUDY] = study
    for key in (_TOLD, _DRAFT, _SAID_NAME):
        st.session_state.pop(key, None)


def leave_rating() -> None:
    """Go back to the list of studies when the page is drawn again."""
    st.query_params.clear()
    st.session_state.pop(_DESK, None)


def desk(who: Hashable) -> Desk | None:
    """Return this tab's desk, if it is of this study and rater."""
    kept: tuple[Hashable, Desk] | None = st.session_state.get(_DESK)
    return kept[1] if kept is not None and kept[0] == who else None


def keep_desk(who: Hashable, made: Desk) -> Desk:
    """Keep a desk for this tab and return it."""
    st.session_state[_DESK] = (who, made)
    return made


def form_key() -> str:
    """Return the key of the form's element."""
    return _FORM


def draft() -> StudyDraft | None:
    """Return the study that was looked at and not stored yet."""
    return st.session_state.get(_DRAFT)


def keep_draft(made: StudyDraft | None) -> None:
    """Keep a study that is looked at; None forgets it."""
    st.session_state[_DRAFT] = made


def told() -> Any:
    """Return what was said of a study and is said once: a link with its secret."""
    return st.session_state.get(_TOLD)


def keep_told(what: Any) -> None:
    """Keep what is to be said once until something else is done; None forgets it."""
    st.session_state[_TOLD] = what


def keep_failure(sentence: str) -> None:
    """Keep why a study could not be stored until the page is drawn."""
    st.session_state[_FAILED] = sentence


def failure() -> str | None:
    """Return why a study could not be stored, once."""
    return st.session_state.pop(_FAILED, None)


def workspace_folder() -> Path:
    """Return where the workspace is, for commands that people copy."""
    return state.workspace_folder().resolve()


def store(folder: Path) -> RatingStore:
    """Return the store of ratings of a workspace, made where there is none.

    Raises:
        InputError, RunError: as `core.ratings.open_store` does.
    """
    return _store(store_url(folder)).prepare()


def places(folder: Path) -> tuple[str, str]:
    """Return how sentences name the store of a workspace, and the workspace's folder."""
    return _store(store_url(folder)).where, str(folder)


def store_if_any(folder: Path) -> RatingStore | None:
    """Return the store of ratings of a workspace; None where there is none yet. Raises as `store` does."""
    found = _store(store_url(folder))
    return found.prepare() if found.exists else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _store(url: str) -> RatingStore:
    return RatingStore(url, lock_seconds=LOCK_SECONDS)
