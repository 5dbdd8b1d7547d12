"""The form that takes an adapter apart: what to try, on how many examples, how long it may take; and how it is getting on."""

from __future__ import annotations

import html

import streamlit as st

from core.ablation_spec import ABLATION_PARTS, AblationPart
from core.errors import InputError, RunError
from core.experiment import AblationChoice, ablations_of, estimate_ablation, left_out, parts_off, prepare_ablation
from core.jobs import launch
from core.jobs.status import read_status
from core.notation import counted
from core.store import Run
from core.wording.experiment import PART_TITLES
from core.workspace import Workspace
from dashboard import state
from dashboard.parts import frame
from dashboard.parts.navigation import go
from dashboard.parts.progress import rough_duration, run_card

_POLL_SECONDS = 2.0
_USUAL: tuple[AblationPart, ...] = ("modules", "depth", "strength", "rank")
_USUAL_EXAMPLES, _USUAL_MINUTES = 40, 15
_LISTED = 5
_FAILED = "ablation-start-failed"


def draw_form(workspace: Workspace) -> None:
    """Draw the form with its estimate of time; or why nothing can be started here."""
    if workspace.only_run is not None or workspace.spec.models.imported:
        frame.face(
            "Nothing to take apart here",
            "Taking an adapter apart asks the model again. This folder holds results alone; it needs the workspace with its models.",
        )
        return
    adapters = [name for name, ref in workspace.spec.models.adapters.items() if ref.is_whole]
    if not adapters:
        frame.face(
            "No adapter in this workspace",
            "Name one in workspace.yaml under models.adapters; its parts can then be switched off one by one, without training.",
        )
        return
    with st.container(border=True, key="ablation-form"):
        st.html('<div class="ls-label">Take an adapter apart</div>')
        choice = _asked(workspace, adapters)
        told, startable = _estimate(workspace, choice)
        st.html(f'<p class="ls-foot">{html.escape(told)}</p>')
        is_active = any(read_status(run).active for run in workspace.runs())
        if st.button("Start", type="primary", key="ablation-start", disabled=is_active or not startable):
            _start(workspace, choice)
        # Places that are always there, so that what is no longer true is taken away at once.
        busy, refused = st.empty(), st.empty()
        if is_active:
            busy.html('<p class="ls-foot">One run at a time from here: the machine is busy with another.</p>')
        if failed := st.session_state.pop(_FAILED, None):
            refused.html(f'<p class="ls-note-failed" role="alert">{html.escape(failed)}</p>')


def draw_ablations(workspace: Workspace, shown: Run | None) -> None:
    """Draw the ablations of a workspace that are going on, that stopped, or that are not the one on the page."""
    were_active = _active(workspace)
    # Polled only while something runs.
    st.fragment(_ablations, run_every=_POLL_SECONDS if were_active else None)(shown.id if shown else None, were_active)


def is_any_active(workspace: Workspace) -> bool:
    """Tell whether an ablation is going on."""
    return bool(_active(workspace))


def _asked(workspace: Workspace, adapters: list[str]) -> AblationChoice:
    left, right = st.columns(2)
    adapter = left.selectbox("Adapter", adapters, key="ablation-adapter")
    names = list(workspace.spec.tasks)
    chosen = right.multiselect("Tasks", names, default=names[:1], key="ablation-tasks", placeholder="all tasks")
    off = _off(workspace, adapter)
    parts = st.multiselect(
        "Parts to try", list(ABLATION_PARTS), default=[part for part in _USUAL if part not in off],
        format_func=PART_TITLES.__getitem__, key=f"ablation-parts-{adapter}", placeholder="choose a part",
        help="What makes no sense for this adapter is left out, and said.",
    )  # fmt: skip
    partners: list[str] = []
    if "mixing" in parts:
        partners = st.multiselect(
            "Mixed with", [name for name in adapters if name != adapter], key=f"ablation-partners-{adapter}",
            placeholder="choose one or more other adapters",
        )  # fmt: skip
    examples, minutes = st.columns(2)
    count = examples.number_input(
        "Examples", min_value=1, value=_USUAL_EXAMPLES, step=10, key="ablation-examples", placeholder="all",
        help="Of each dataset, drawn with the workspace's seed; the same for every part.",
    )  # fmt: skip
    limit = minutes.number_input(
        "Minutes", min_value=0.5, value=float(_USUAL_MINUTES), step=5.0, key="ablation-minutes", placeholder="no limit",
        help="No part is begun that would end later than this. The most telling parts come first; the others can be resumed.",
    )  # fmt: skip
    return AblationChoice(
        adapter, tuple(parts), tuple(partners), tuple(chosen) or None, None if count is None else int(count), limit
    )


def _off(workspace: Workspace, adapter: str) -> dict[AblationPart, str]:
    try:
        return parts_off(workspace, adapter)
    except (InputError, OSError):  # said where the estimate stands
        return {}


def _estimate(workspace: Workspace, choice: AblationChoice) -> tuple[str, bool]:
    """Return what would be measured and how long it may take, and whether it can be started."""
    if not choice.parts:
        return "Choose at least one part.", False
    try:
        found = estimate_ablation(workspace, choice)
    except (InputError, OSError) as error:
        return str(error), False
    told = [f"{counted(found.n_variants, 'variant')}, the baseline and the whole adapter included."]
    if found.seconds is None:
        told.append("How long it takes is not known: no finished run of these tasks here to go by.")
    else:
        told.append(
            f"About {rough_duration(found.seconds)}, going by the newest finished run; what is in the cache is not computed again."
        )
        if choice.minutes is not None and found.seconds > 60 * choice.minutes:
            told.append(
                "That is more than the minutes allow: the most telling parts come first, the others are left out and can be resumed."
            )
    return " ".join([*told, *found.off.values()]), True


def _start(workspace: Workspace, choice: AblationChoice) -> None:
    try:
        with st.spinner("Checking models and data"):
            if any(read_status(run).active for run in workspace.runs()):
                raise InputError("Another run was started meanwhile. Wait for it, or cancel it.")
            launch.start(prepare_ablation(workspace, choice))
    except (InputError, RunError, OSError) as error:
        st.session_state[_FAILED] = str(error)
    st.rerun()


def _active(workspace: Workspace) -> frozenset[str]:
    return frozenset(run.id for run in ablations_of(workspace) if read_status(run).active)


def _ablations(shown: str | None, were_active: frozenset[str]) -> None:
    frame.draw_or_face(lambda: _cards(shown, were_active))


def _cards(shown: str | None, were_active: frozenset[str]) -> None:
    workspace = state.workspace()
    if _active(workspace) != were_active:
        st.rerun()
    for run in ablations_of(workspace)[:_LISTED]:
        status = read_status(run)
        if run.id == shown and status.state == "finished":
            continue
        run_card(run, status, run.spec.reference)
        if missing := left_out(run):
            st.html(f'<p class="ls-foot">{html.escape(_left_out(missing))}</p>')
        is_partial = status.done and run.id != shown and status.state != "finished"
        if is_partial and st.button(
            "Look at what there is", key=f"look-{run.id}", on_click=state.choose_run, args=(run.id,)
        ):
            go("ablations", {"section": "experiment"})


def _left_out(missing: tuple[str, ...]) -> str:
    return f"Not measured for lack of minutes: {', '.join(missing)}. Resume goes on with them."
