"""Run: what to evaluate, how long it may take, and how every run is getting on."""

from __future__ import annotations

import html

import streamlit as st

from core.errors import InputError, RunError
from core.jobs import launch
from core.jobs.status import RunStatus, read_status
from core.prepare import Choice, estimate_seconds, prepare_run
from core.records import BASELINE
from core.store import Run
from core.workspace import FILE_NAME, Workspace
from dashboard import cache, state
from dashboard.parts import frame
from dashboard.parts.new_workspace import new_workspace
from dashboard.parts.progress import PROGRESS_CSS, findings_list, rough_duration, run_card

_POLL_SECONDS = 2.0
_RUNS_A_PAGE = 12
_FAILED = "run-start-failed"


def show() -> None:
    """Draw the page."""
    st.html(f"<style>{PROGRESS_CSS}</style>")
    folder = state.workspace_folder()
    try:
        workspace = state.workspace()
    except InputError as error:
        if folder.is_file() or (folder / FILE_NAME).exists() or (folder.exists() and not folder.is_dir()):
            frame.face("This workspace cannot be opened", str(error))
        else:
            new_workspace(folder)
        return
    found = _statuses(workspace)
    st.html(f'<div class="ls-lead">{html.escape(_sentence(found))}</div>')
    left, right = st.columns([2, 3], gap="large")
    active = _active(found)
    with left:
        _what_to_run(workspace, bool(active))
    with right:
        st.html('<div class="ls-label">Runs, newest first</div>')
        # Polled only while something runs: an open page costs nothing otherwise.
        st.fragment(_runs, run_every=_POLL_SECONDS if active else None)(active)


def _statuses(workspace: Workspace) -> list[tuple[Run, RunStatus]]:
    return [(run, read_status(run)) for run in workspace.runs()]


def _active(found: list[tuple[Run, RunStatus]]) -> frozenset[str]:
    """Return which runs a worker is at."""
    return frozenset(run.id for run, status in found if status.active)


def _sentence(found: list[tuple[Run, RunStatus]]) -> str:
    active = [run.id for run, status in found if status.active]
    if active:
        return f"{active[0]} is running. It goes on when this tab is closed."
    if not found:
        return "No run yet. Choose what to evaluate; the base alone is always part of it."
    finished = sum(status.state == "finished" for _, status in found)
    stopped = len(found) - finished
    rest = f"; {stopped} stopped before the end and can be resumed" if stopped else ""
    return f"{finished} finished run{'' if finished == 1 else 's'}{rest}. Nothing is running."


def _what_to_run(workspace: Workspace, is_active: bool) -> None:
    if workspace.only_run is not None:
        frame.face(
            "A single run",
            "This folder is a run that was copied here. It can be looked at; new runs need its workspace.",
        )
        return
    spec = workspace.spec
    with st.container(border=True, key="what-to-run"):
        st.html('<div class="ls-label">What to run</div>')
        models = [name for name in spec.models.variants if name != BASELINE]
        adapters = st.multiselect(
            "Beside the baseline", models, default=models, key="run-adapters", placeholder="the baseline alone",
            format_func=lambda name: f"{name} (served)" if name in spec.models.served else name,
        )  # fmt: skip
        tasks = st.multiselect(
            "Tasks", list(spec.tasks), default=list(spec.tasks), key="run-tasks", placeholder="choose a task"
        )
        limit = st.number_input(
            "Examples of each dataset", min_value=1, value=None, step=10, key="run-limit", placeholder="all"
        )
        is_probing = st.checkbox(
            "Measure speed and memory too", value=spec.settings.probe, key="run-probe",
            help="Each variant alone, warmed up, five times in interleaved order; those that a server answers for are left out.",
        )  # fmt: skip
        choice = Choice(tuple(adapters), tuple(tasks), None if limit is None else int(limit), {"probe": is_probing})
        findings = [(name, found) for name, found in cache.adapter_findings(workspace) if name in adapters]
        st.html(
            f'<p class="ls-foot">{html.escape(_estimate(workspace, choice) if tasks else "Choose at least one task.")}</p>'
        )
        if st.button("Start the run", type="primary", width="stretch", disabled=is_active or not tasks):
            _start(workspace, choice)
        # Places that are always there: what is no longer true is taken away by this drawing, not by the end of a later one.
        busy, refused = st.empty(), st.empty()
        if is_active:
            busy.html(
                '<p class="ls-foot">One run at a time from here: the machine is busy with the one on the right.</p>'
            )
        if failed := st.session_state.pop(_FAILED, None):
            refused.html(f'<p class="ls-note-failed" role="alert">{html.escape(failed)}</p>')
    heading = st.empty()
    if findings:
        heading.html('<div class="ls-label">The adapters, judged by their files</div>')
        findings_list(findings)
    else:
        st.empty()


def _estimate(workspace: Workspace, choice: Choice) -> str:
    try:
        seconds = estimate_seconds(workspace, choice)
    except (InputError, OSError):
        seconds = None
    if seconds is None:
        return "How long it takes is not known: no finished run here to go by, or all of it came from the cache."
    return f"About {rough_duration(seconds)}, going by the newest finished run; what is in the cache is not computed again."


def _start(workspace: Workspace, choice: Choice) -> None:
    """Make the run's folder and start its worker; whatever stands in the way is said under the button."""
    try:
        with st.spinner("Checking models and data"):
            if any(status.active for _, status in _statuses(workspace)):
                raise InputError("Another run was started meanwhile. Wait for it, or cancel it.")
            launch.start(prepare_run(workspace, choice))
    except (InputError, RunError, OSError) as error:
        st.session_state[_FAILED] = str(error)
    st.rerun()


def _runs(were_active: frozenset[str]) -> None:
    """Draw the runs, or the face that says why they cannot be."""
    frame.draw_or_face(lambda: _list_of_runs(were_active))


def _list_of_runs(were_active: frozenset[str]) -> None:
    """Draw the runs; when one of them starts or ends, the whole page is drawn again, and without any the polling ends."""
    workspace = state.workspace()
    found = _statuses(workspace)
    if _active(found) != were_active:
        st.rerun()
    if not found:
        frame.face("No run yet", "Runs appear here with their progress, and stay when the tab is closed.")
    else:
        st.empty()
    pages = max(1, -(-len(found) // _RUNS_A_PAGE))
    number = 1
    if pages > 1:
        number = st.pagination(pages, key="run-page")
    else:
        st.empty()
    for run, status in found[(number - 1) * _RUNS_A_PAGE : number * _RUNS_A_PAGE]:
        run_card(run, status, run.spec.reference)
    for broken in workspace.broken_runs():
        frame.face(f"{broken.folder.name} cannot be read", broken.reason)
