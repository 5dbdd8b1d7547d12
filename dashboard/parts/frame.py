"""The faces of a page that has nothing, or not everything, to show: empty, working, failed."""

from __future__ import annotations

import html
from collections.abc import Callable

import duckdb
import pyarrow as pa
import streamlit as st

from core.errors import InputError, RunError
from core.jobs.launch import log_tail
from core.jobs.status import RunStatus, read_status
from core.notation import duration_text
from core.results import Comparison
from core.store import Run
from dashboard import state
from dashboard.parts.navigation import page_link

_POLL_SECONDS = 2.0


def selection_or_face() -> state.Selection | None:
    """Return what is being looked at; or draw the face that says why there is nothing, and return None.

    A run that is going on, or that failed, is announced above what it has so far.
    """
    try:
        chosen = state.selection()
    except InputError as error:
        face("This cannot be opened", str(error))
        return None
    broken = chosen.workspace.broken_runs()
    if chosen.run is None:
        face(
            "No run yet",
            "A run evaluates the base model and its adapters on your tasks; this page then shows what changed.",
        )
        page_link("run", "Start a run")
        _broken_runs([run.reason for run in broken])
        return None
    _announce(chosen.run)
    _broken_runs([run.reason for run in broken])
    return chosen


def face(title: str, text: str) -> None:
    """Draw a box with a heading and a text; both are shown as they are."""
    st.html(f'<div class="ls-face"><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p></div>')


def heading(text: str) -> None:
    """Draw a section's heading; names in it are shown as they are."""
    st.html(f"<h4>{html.escape(text)}</h4>")


def draw_or_face(draw: Callable[[], None], said: bool = False) -> bool:
    """Draw; or, where something cannot be read, draw the face that says what and what to do.

    Args:
        draw: a page or a part of one.
        said: whether such a face is on the page already; one is enough.

    Returns:
        Whether all could be drawn.
    """
    try:
        draw()
    except (InputError, RunError) as error:
        text = str(error)
    except (pa.ArrowException, duckdb.Error, OSError) as error:
        text = f"A file cannot be read: {error}\nRestore it from a copy of the run, or choose another run."
    else:
        return True
    if not said:
        face("This cannot be shown", text)
    return False


def has_values(comparison: Comparison) -> bool:
    """Tell whether any metric of any variant has an example to be computed from."""
    return any(value.n for row in comparison.rows for value in row.values.values())


def nothing_so_far(run: Run, part: str | None = None) -> None:
    """Draw the face of a run that has no result yet, or none in the slice that is looked at."""
    if part is not None:
        face("No result", f"No example of the slice {part} has a value. Choose another slice above, or all examples.")
        return
    if read_status(run).active:
        face(
            "No result yet",
            "The first results appear here as soon as the baseline and one variant have answered the same examples.",
        )
    else:
        face("No result", "This run holds no evidence that a metric could be computed from.")
    page_link("run", "Look at the run")


def _announce(run: Run) -> None:
    status = read_status(run)
    if status.active:
        _working(run)
    elif status.state != "finished":
        _stopped(run, status)


@st.fragment(run_every=_POLL_SECONDS)
def _working(run: Run) -> None:
    status = read_status(run)
    if not status.active:
        st.rerun()
    parts = [status.message or status.state, f"{status.done:,} of {status.total:,} done" if status.total else ""]
    if status.tokens_per_second:
        parts.append(f"{status.tokens_per_second:,.3g} tokens/s")
    if status.seconds_left is not None:
        parts.append(f"{duration_text(status.seconds_left)} left")
    st.progress(min(status.done / status.total, 1.0) if status.total else 0.0)
    text = "; ".join(part for part in parts if part)
    st.html(f'<p class="ls-foot">{html.escape(text)}. What is shown below covers what was done when it was drawn.</p>')
    if st.button("Show what is new", key="show-new"):
        st.rerun()


def _stopped(run: Run, status: RunStatus) -> None:
    titles = {
        "failed": "The run failed",
        "cancelled": "The run was cancelled",
        "interrupted": "The run was interrupted",
    }
    kept = (
        f"{status.done:,} of {status.total:,} are done and kept; what is shown below covers them."
        if status.total
        else "Nothing was computed yet."
    )
    face(titles.get(status.state, "The run is not finished"), f"{status.error or status.message}\n{kept}")
    page_link("run", "Resume it on the Run page")
    if tail := log_tail(run):
        with st.expander("Last lines of the log"):
            st.code(tail, language=None)


def _broken_runs(reasons: list[str]) -> None:
    if reasons:
        with st.expander(f"{len(reasons)} folder{'s' if len(reasons) > 1 else ''} under runs/ cannot be read"):
            for reason in reasons:
                st.text(reason)
