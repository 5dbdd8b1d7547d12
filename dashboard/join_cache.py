"""What joining runs needs between reruns: which runs agree with one, and several runs as one, keyed by the state of their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.errors import InputError
from core.joined.agreement import candidate
from core.joined.build import join_runs
from core.joined.results import Candidate, Joined, joined_facts
from core.store import Run
from dashboard import cache

_ENTRIES = 64
_RUNS_LOOKED_AT = 200
"""Of a workspace, newest first: each is two small files to read."""


def candidates(runs: Sequence[Run], first: Run) -> tuple[Candidate, ...]:
    """Return for each other run of a workspace whether it can be joined with ``first``, in the order of ``runs``."""
    state = cache.evidence_state(first)
    others = [run for run in runs if run.id != first.id][:_RUNS_LOOKED_AT]
    return tuple(
        _candidate(str(first.folder), state, str(other.folder), cache.evidence_state(other)) for other in others
    )


def candidate_of(first: Run, other: Run) -> Candidate:
    """Return whether another run can be joined with ``first``, as far as specs and environments tell."""
    return _candidate(str(first.folder), cache.evidence_state(first), str(other.folder), cache.evidence_state(other))


def joined_run(first: Run, others: Sequence[Run]) -> Run:
    """Return several runs as one.

    Raises:
        InputError: one cannot be joined, with the reason.
    """
    folders = tuple(str(run.folder) for run in (first, *others))
    return Run(Path(_joined(folders, tuple(cache.evidence_state(run) for run in (first, *others)))))


def facts(run: Run) -> Joined | None:
    """Return what a run is joined of; None for an ordinary one."""
    return _facts(str(run.folder), cache.evidence_state(run))


@st.cache_resource(max_entries=4 * _RUNS_LOOKED_AT, show_spinner=False)
def _candidate(first: str, first_state: tuple[int, int], other: str, other_state: tuple[int, int]) -> Candidate:
    run = Run(Path(other))
    try:
        return candidate(Run(Path(first)), run)
    except InputError as error:
        return Candidate(run.id, (), (), str(error))


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Joining the runs")
def _joined(folders: tuple[str, ...], states: tuple[tuple[int, int], ...]) -> str:
    first, *others = (Run(Path(folder)) for folder in folders)
    return str(join_runs(first, others).folder)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _facts(folder: str, state: tuple[int, int]) -> Joined | None:
    return joined_facts(Run(Path(folder)))
