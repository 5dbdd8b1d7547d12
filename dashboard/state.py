"""What is being looked at: the workspace, the run, its reference and its slice. The only place that names session keys.

The choices that deserve a link are bound to the URL by their widgets (same key, same query parameter); a view reads them
here and never from the session itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from core.charts.theme import Mode
from core.errors import InputError
from core.store import Run
from core.workspace import Workspace, load_workspace
from dashboard import join_cache

WORKSPACE_VARIABLE = "LORASCOPE_WORKSPACE"
RUN, REFERENCE, SLICE, JOIN = "run", "reference", "slice", "join"
DROPPED, DROPS, DROP = "data-dropped", "data-drops", "data-last-drop"
TASK, METRIC, VARIANT, EXAMPLE, OUTCOME, TAGS = "task", "metric", "variant", "example", "outcome", "tags"
PICK = "pick"
"""What was picked in a picture, a rule of `core.diagnostics.picks`."""
ALL_EXAMPLES = "all examples"
BOUND = frozenset({RUN, REFERENCE, SLICE})
"""Query parameters that belong to a widget on every page: they stay when the page changes, and only the widget sets them."""


@dataclass(frozen=True)
class Selection:
    """What the pickers at the top of every page say."""

    workspace: Workspace
    run: Run | None
    """None while the workspace has no run."""
    reference: str
    slice: str | None
    """Any name of `core.slices`; None is all examples."""
    joined: tuple[str, ...] = ()
    """The runs that are joined with the chosen one; ``run`` is then all of them as one."""
    first: Run | None = None
    """The chosen run itself; flags are kept in its folder."""

    @property
    def alone(self) -> Selection:
        """The same without joined runs, for what is of one run."""
        return self if self.first is None else replace(self, run=self.first)

    def link(self, **more: str | None) -> dict[str, str]:
        """Return the query parameters of a link to another page that keeps what is being looked at."""
        kept = {
            RUN: run.id if (run := self.first or self.run) else None,
            JOIN: ",".join(self.joined) or None,
            REFERENCE: self.reference if self.run and self.reference != self.run.spec.reference else None,
            SLICE: self.slice,
        }
        return {key: value for key, value in (kept | more).items() if value}


@dataclass(frozen=True)
class Shown:
    """The chosen run, joined with those that the URL names as far as they can be."""

    run: Run
    joined: tuple[str, ...]
    refusals: tuple[str, ...]
    """Sentences on why some are not joined."""


@dataclass(frozen=True)
class Drop:
    """What was dropped last, until it was shown."""

    choices: Mapping[str, str | None]
    """What it puts into the URL."""
    note: str
    """What is to be said about it, if anything."""


def workspace_folder() -> Path:
    """Return the folder that the dashboard was started for, whether or not there is a workspace in it."""
    return Path(os.environ.get(WORKSPACE_VARIABLE, ".")).expanduser()


def workspace() -> Workspace:
    """Return the workspace that the dashboard was started in.

    Raises:
        InputError: there is none, or its file has mistakes.
    """
    return load_workspace(workspace_folder())


def selection() -> Selection:
    """Return what is being looked at, with defaults for what was not chosen: the newest run, its own reference, no slice.

    Raises:
        InputError: there is no workspace, or the chosen run cannot be read.
    """
    place = workspace()
    runs = {run.id: run for run in place.runs()}
    chosen = asked(RUN)
    if chosen is not None and chosen not in runs:
        named = place.run(chosen)
        _ = named.spec  # a broken run is answered with its reason and not shown as if there were none
        runs[chosen] = named
    run = runs[chosen] if chosen is not None else next(iter(runs.values()), None)
    if run is None:
        return Selection(place, None, "", None)
    shown = with_joined(place, run)
    reference = asked(REFERENCE)
    if reference not in shown.run.spec.models.variants:
        reference = shown.run.spec.reference
    part = asked(SLICE)
    part = None if part in (None, ALL_EXAMPLES) else part
    return Selection(place, shown.run, reference, part, shown.joined, run)


def joined_ids() -> tuple[str, ...]:
    """Return the names of the runs that the URL asks to be joined with the chosen one."""
    return tuple(dict.fromkeys(name for name in st.query_params.get(JOIN, "").split(",") if name))


def with_joined(place: Workspace, run: Run) -> Shown:
    """Return the run that pages show: ``run``, or it and others as one."""
    others, refusals = [], []
    for name in joined_ids():
        try:
            other = place.run(name)
        except InputError as error:
            refusals.append(str(error))
            continue
        if other.id in (run.id, *(one.id for one in others)):
            continue  # it was chosen as the first run since, or is named twice
        found = join_cache.candidate_of(run, other)
        if found.reason is None:
            others.append(other)
        else:
            refusals.append(f"{other.id} cannot be joined with {run.id}: {found.reason}.")
    try:
        shown = join_cache.joined_run(run, others) if others else run
    except InputError as error:
        return Shown(run, (), (*refusals, str(error)))
    return Shown(shown, tuple(other.id for other in others), tuple(refusals))


def choose_run(name: str) -> None:
    """Make a run the one that is looked at, with its own reference and all of its examples.

    To be called as a widget's callback: what the pickers say can be set only before they are drawn.
    """
    st.session_state[RUN] = name
    for key in (REFERENCE, SLICE):
        st.session_state.pop(key, None)


def choose_reference(name: str) -> None:
    """Make a variant the one that others are compared with. To be called as a widget's callback, as `choose_run`."""
    st.session_state[REFERENCE] = name


def choose_slice(name: str | None) -> None:
    """Make a slice the one that is looked at; None leaves it as it is. To be called as a widget's callback, as `choose_run`."""
    if name is not None and name != asked(SLICE):
        st.session_state[SLICE] = name


def asked(key: str) -> str | None:
    """Return a choice that lives in the URL: what its widget says or, before the widget was drawn, the URL itself."""
    if (value := st.session_state.get(key)) is not None:
        return str(value)
    return st.query_params.get(key)


def dropped() -> tuple[str, ...]:
    """Return the ids of the data files that were dropped in this session, in that order."""
    return tuple(st.session_state.get(DROPPED, ()))


def remember_dropped(ids: Sequence[str], drop: Drop) -> None:
    """Add data files to those that were dropped in this session, and keep what the drop asks for until it was shown."""
    st.session_state[DROPPED] = list(dict.fromkeys([*dropped(), *ids]))
    st.session_state[DROPS] = drops() + 1
    st.session_state[DROP] = drop


def drops() -> int:
    """Return how often something was dropped in this session."""
    return int(st.session_state.get(DROPS, 0))


def last_drop() -> Drop | None:
    """Return the last drop until it was shown: a page that another click interrupts would forget it otherwise."""
    return st.session_state.get(DROP)


def forget_drop() -> None:
    """Take the last drop for shown."""
    st.session_state.pop(DROP, None)


def mode() -> Mode:
    """Return whether the page is shown light or dark."""
    return "dark" if st.context.theme.type == "dark" else "light"
