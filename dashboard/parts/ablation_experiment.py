"""The Ablations page's second half: an adapter taken apart by experiment, what came of it, and how to start another."""

from __future__ import annotations

import html

import streamlit as st

from core.store import Run
from dashboard import state
from dashboard.parts.ablation_form import draw_ablations, draw_form, is_any_active
from dashboard.parts.ablation_parts import draw_parts
from dashboard.parts.frame import draw_or_face, heading
from dashboard.parts.progress import PROGRESS_CSS
from dashboard.parts.url_choices import UrlChoices

CHOICES = (state.VARIANT,)
"""Query parameters that are this half's own; the metric is shared with the other half."""


def experiment(chosen: state.Selection, run: Run | None, choices: UrlChoices) -> None:
    """Draw the half.

    Args:
        chosen: what is being looked at.
        run: of the bar at the top; None while the workspace has none.
        choices: of the page.
    """
    st.html(f"<style>{PROGRESS_CSS}</style>")
    is_active = is_any_active(chosen.workspace)
    if is_active:
        draw_ablations(chosen.workspace, run)
    if run is not None and run.spec.ablation is not None:
        draw_or_face(lambda: draw_parts(run, choices, chosen.slice))
        heading("Another experiment")
    elif not is_active:
        st.html(f'<div class="ls-lead">{html.escape(_nothing_yet(run))}</div>')
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw_form(chosen.workspace)
    if not is_active:
        with right:
            draw_ablations(chosen.workspace, run)


def _nothing_yet(run: Run | None) -> str:
    told = "No part of an adapter was switched off in this run. " if run is not None else ""
    return f"{told}Which parts of an adapter do the work? Switch them off one by one, without training again, and see what is lost."
