"""How a run is getting on: its progress while it works, what it found before it began, and what to do if it stopped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import streamlit as st

from core.adapters import Finding
from core.errors import InputError, RunError
from core.jobs import launch
from core.jobs.status import RunStatus, State
from core.notation import duration_text
from core.store import Run
from dashboard import state
from dashboard.parts.navigation import go

STATE_NAMES: dict[State, str] = {
    "queued": "Starting", "loading": "Loading", "preflight": "Pre-flight", "running": "Running", "probing": "Measuring speed",
    "finished": "Finished", "failed": "Failed", "cancelled": "Cancelled", "interrupted": "Interrupted",
}  # fmt: skip
_TONES: dict[State, str] = {"finished": "done", "failed": "bad", "interrupted": "bad", "cancelled": "idle"}
LEVEL_MARKS = {"error": "✗", "warning": "!", "ok": "✓"}


def run_card(run: Run, status: RunStatus, is_reference_of: str) -> None:
    """Draw one run: what it is, how it is getting on, and the one thing to do next.

    Args:
        run: the run.
        status: of this moment.
        is_reference_of: the variant that the run's others are compared with.
    """
    with st.container(border=True, key=f"run-{run.id}"):
        title, action = st.columns([5, 1.4], vertical_alignment="center")
        title.html(_title(run, status, is_reference_of))
        with action:
            _action(run, status)
        with st.container(key=f"run-body-{run.id}"):
            _body(run, status)


def _body(run: Run, status: RunStatus) -> None:
    """Draw what a run's state calls for, each part in a place of its own.

    A part that is not called for leaves an empty element in its place: a redrawing that another one overtakes would
    otherwise leave the part of the state before standing there.
    """
    if status.active:
        st.progress(min(status.done / status.total, 1.0) if status.total else 0.0)
    else:
        st.empty()
    is_stopped = not status.active and status.state != "finished"
    words = _working(status) if status.active else _stopped(run, status) if is_stopped else ""
    if words := words + _warnings(status.warnings):
        st.html(words)
    else:
        st.empty()
    if status.state in ("failed", "interrupted") and (tail := launch.log_tail(run)):
        with st.expander("Last lines of the log"):
            st.code(tail, language=None)
    else:
        st.empty()
    if findings := preflight_findings(run):
        bad = sum(finding.level != "ok" for _, several in findings for finding in several)
        label = f"Pre-flight of {len(findings)} adapter{'' if len(findings) == 1 else 's'}: " + (
            f"{bad} remark{'' if bad == 1 else 's'}" if bad else "all fit the base"
        )
        with st.expander(label, expanded=any(f.level == "error" for _, several in findings for f in several)):
            findings_list(findings)
    else:
        st.empty()


def preflight_findings(run: Run) -> list[tuple[str, list[Finding]]]:
    """Return what the run's own pre-flight found, adapter by adapter; nothing while it has not come to it."""
    try:
        content = run.read_json("preflight") or {}
    except InputError as error:
        return [("preflight.json", [Finding("warning", "unreadable", str(error))])]
    return [
        (name, [Finding(one["level"], one.get("code", ""), one["sentence"]) for one in found.get("findings", [])])
        for name, found in content.get("variants", {}).items()
    ]


def findings_list(findings: Iterable[tuple[str, Sequence[Finding]]]) -> None:
    """Draw findings by adapter; of those that found nothing amiss one line is enough."""
    lines = []
    for name, found in findings:
        amiss = [finding for finding in found if finding.level != "ok"]
        shown = amiss or [Finding("ok", "fits", "fits the base")]
        for finding in shown:
            lines.append(
                f'<div class="ls-finding {finding.level}"><i>{LEVEL_MARKS[finding.level]}</i><b>{html.escape(name)}</b>'
                f"<span>{html.escape(finding.sentence)}</span></div>"
            )
    st.html(f'<div class="ls-findings">{"".join(lines)}</div>')


def progress_text(status: RunStatus) -> str:
    """Return done, rate and time left as one line; what is not known is said to be unknown."""
    parts = []
    if status.total:
        parts.append(f"{status.done:,} of {status.total:,} answers")
    if status.reused:
        parts.append(f"{status.reused:,} of them found in the cache")
    if status.state == "running":
        parts.append(f"{status.tokens_per_second:,.3g} tokens/s" if status.tokens_per_second else "rate not known yet")
        left = status.seconds_left
        parts.append("time left not known yet" if left is None else f"about {duration_text(max(left, 1.0))} left")
    return " · ".join(parts)


def rough_duration(seconds: float) -> str:
    """Return a guessed time: to ten seconds above a minute, and at least one second."""
    return duration_text(round(seconds, -1) if seconds > 60 else max(seconds, 1.0))


def _title(run: Run, status: RunStatus, reference: str) -> str:
    spec = run.spec
    others = [name for name in spec.models.variants if name != reference]
    limit = f", first {spec.limit:,} of each dataset" if spec.limit else ""
    twins = len(spec.tasks) - len(spec.clean_tasks)
    perturbed = f" and {twins} with perturbed inputs" if twins else ""
    what = f"{', '.join(others) or 'no adapter'} against {reference} on {', '.join(spec.clean_tasks)}{perturbed}{limit}"
    if spec.ablation is not None:
        parts = ", ".join(spec.ablation.parts)
        drawn = f", {spec.drawn:,} examples of each dataset" if spec.drawn else ""
        what = f"{spec.ablation.adapter} taken apart: {parts}; {len(others)} variants on {', '.join(spec.clean_tasks)}{drawn}"
    name, tone = STATE_NAMES[status.state], _TONES.get(status.state, "busy")
    return (
        f'<div class="ls-run"><b>{html.escape(run.id)}</b><span class="ls-chip {tone}">{name}</span>'
        f'<span class="ls-muted">{html.escape(_when(spec.created))}</span></div>'
        f'<div class="ls-run-what" title="{html.escape(what)}">{html.escape(what)}</div>'
    )


def _when(created: str) -> str:
    try:
        moment = datetime.fromisoformat(created.replace("Z", "+00:00"))
    except ValueError:
        return created
    return f"{moment.astimezone(UTC):%d %b %Y, %H:%M} UTC"


def _action(run: Run, status: RunStatus) -> None:
    if status.state == "finished":
        # A link would open whichever run the bar at the top holds: its query parameters are the bar's own.
        if st.button("Results", key=f"results-{run.id}", width="stretch", on_click=state.choose_run, args=(run.id,)):
            go(*(("overview", {}) if run.spec.ablation is None else ("ablations", {"section": "experiment"})))
    elif status.active:
        # Before the worker has said who it is there is nothing that could be stopped.
        is_nameless = status.state == "queued" and status.pid is None
        if st.button("Cancel", key=f"cancel-{run.id}", width="stretch", disabled=is_nameless):
            launch.cancel(run)
            st.rerun()
    elif st.button("Resume", key=f"resume-{run.id}", width="stretch"):
        try:
            launch.start(run)
        except (InputError, RunError, OSError) as error:
            st.session_state[f"resume-failed-{run.id}"] = str(error)
        else:
            st.session_state.pop(f"resume-failed-{run.id}", None)
        st.rerun()


def _working(status: RunStatus) -> str:
    message = html.escape(status.message or STATE_NAMES[status.state])
    return f'<div class="ls-run-now">{message}</div><div class="ls-foot">{html.escape(progress_text(status))}</div>'


def _stopped(run: Run, status: RunStatus) -> str:
    cause = status.error or status.message or "It stopped without saying why."
    kept = (
        f"{status.done:,} of {status.total:,} answers are done and kept. Resume goes on from there."
        if status.total
        else "Nothing was computed yet. Resume starts it again."
    )
    failed = st.session_state.get(f"resume-failed-{run.id}")
    refused = f'<p class="ls-note-failed" role="alert">{html.escape(failed)}</p>' if failed else ""
    return f'<div class="ls-run-now">{html.escape(cause)}</div><div class="ls-foot">{html.escape(kept)}</div>{refused}'


def _warnings(warnings: Sequence[str]) -> str:
    lines = "".join(
        f'<div class="ls-finding warning"><i>!</i><span>{html.escape(line)}</span></div>' for line in warnings
    )
    return f'<div class="ls-findings">{lines}</div>' if lines else ""


PROGRESS_CSS = """
.ls-run { display: flex; flex-wrap: wrap; gap: .1rem .6rem; align-items: baseline; } .ls-run .ls-muted { font-size: .8rem; }
.ls-run b { overflow-wrap: anywhere; }
.ls-muted { color: var(--ls-muted); }
.ls-run-what { font-size: .84rem; color: var(--ls-muted); overflow-wrap: anywhere; display: -webkit-box; overflow: hidden;
  -webkit-line-clamp: 2; -webkit-box-orient: vertical; }
.ls-run-now { font-size: .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.ls-chip { font-size: .75rem; font-weight: 600; padding: .05rem .5rem; border-radius: 1rem; background: var(--ls-neutral-fill); }
.ls-chip.busy { background: var(--ls-better-fill); color: var(--ls-better); }
.ls-chip.bad { background: var(--ls-worse-fill); color: var(--ls-worse); }
.ls-findings { font-size: .84rem; line-height: 1.45; }
.ls-finding { display: flex; gap: .45rem; align-items: baseline; } .ls-finding b { font-weight: 600; white-space: nowrap; }
.ls-finding i { font-style: normal; font-weight: 700; width: 1em; flex: none; text-align: center; color: var(--ls-muted); }
.ls-finding.error i, .ls-finding.warning i, .ls-finding.error span { color: var(--ls-worse); }
.ls-finding span { overflow-wrap: anywhere; min-width: 0; }
.ls-note-failed { color: var(--ls-worse); font-size: .88rem; white-space: pre-wrap; overflow-wrap: anywhere; }
"""
