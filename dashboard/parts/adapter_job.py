"""A measurement of an adapter on its page: the button that starts it, how it is getting on, and why it stopped."""

from __future__ import annotations

import html

import streamlit as st

from core.adapters.kept import AdapterJob
from core.errors import InputError
from core.jobs.adapter_launch import job_log_tail, job_status, start_job, stop_job
from core.jobs.status import RunStatus

_POLL_SECONDS = 2.0


def job_panel(job: AdapterJob, label: str, note: str, again: bool = False) -> None:
    """Draw what a measurement's state calls for.

    Args:
        job: the measurement.
        label: of the button that starts it.
        note: what it does and how long that takes, as plain text.
        again: whether its result is there already, so that only a small button is needed.
    """
    status = job_status(job)
    if status is not None and status.active:
        _working(job)
        return
    if again:
        return
    if status is not None and status.state in ("failed", "interrupted"):
        _stopped(job, status)
    key = job.folder.name
    if st.button(label, key=f"start-{key}", type="primary"):
        try:
            start_job(job)
        except InputError as error:
            st.session_state[f"refused-{key}"] = str(error)
        st.rerun()
    st.html(f'<p class="ls-foot">{html.escape(note)}</p>')
    if refused := st.session_state.pop(f"refused-{key}", None):
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(refused)}</p>')


@st.fragment(run_every=_POLL_SECONDS)
def _working(job: AdapterJob) -> None:
    """Draw the progress; the whole page is drawn again when it ends."""
    status = job_status(job)
    if status is None or not status.active:
        st.rerun()
    st.progress(min(status.done / status.total, 1.0) if status.total else 0.0)
    of = f"; {status.done:,} of {status.total:,}" if status.total else ""
    st.html(
        f'<p class="ls-foot">{html.escape((status.message or "Starting") + of)}. It goes on if this page is closed.</p>'
    )
    if st.button("Stop", key=f"stop-{job.folder.name}"):
        stop_job(job)
        st.rerun()


def _stopped(job: AdapterJob, status: RunStatus) -> None:
    cause = status.error or "Its worker stopped without a word."
    st.html(f'<p class="ls-note-failed" role="alert">{html.escape(cause)}</p>')
    if tail := job_log_tail(job):
        with st.expander("Last lines of the log"):
            st.code(tail, language=None)
