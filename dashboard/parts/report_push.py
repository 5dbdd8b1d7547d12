"""The command that hands a run on to an experiment tracker: shown to be copied, for a page sends nothing anywhere."""

from __future__ import annotations

import shlex

import streamlit as st

from core.push.targets import TARGETS
from core.store import Run
from core.workspace import Workspace


def draw_push(workspace: Workspace, run: Run, reference: str) -> None:
    """Draw the choice of a target and its command."""
    with st.expander("Push to an experiment tracker"):
        target = st.segmented_control(
            "Target", list(TARGETS), default=next(iter(TARGETS)), format_func=lambda name: TARGETS[name].label, required=True,
            key="report-push", label_visibility="collapsed",
        )  # fmt: skip
        st.code(push_command(workspace, run, reference, target), language="bash", wrap_lines=True)
        st.html(
            '<p class="ls-foot">Each variant becomes a run there, with its parameters, its metrics and their intervals, its cost, and '
            "this report with its tables. Pushed again it takes the place of what was there. Weights &amp; Biases is written offline.</p>"
        )


def push_command(workspace: Workspace, run: Run, reference: str, target: str) -> str:
    """Return the command, safe to paste into a shell."""
    against = [] if reference == run.spec.reference else ["--reference", reference]
    return shlex.join(["lorascope", "push", run.id, "--workspace", str(workspace.folder), "--to", target, *against])
