"""Report: what will be handed on, as it will look, and in which format."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.report.gather import dressed
from dashboard import cache, result_cache, state, study_cache
from dashboard.parts import frame
from dashboard.parts.first_look import metrics_ready
from dashboard.parts.report_exports import draw_exports
from dashboard.parts.report_preview import draw_preview
from dashboard.parts.report_push import draw_push
from dashboard.parts.report_wishes import choose_wishes


def show() -> None:
    """Draw the page."""
    chosen = frame.selection_or_face()
    if chosen is None or chosen.run is None or not metrics_ready(chosen.run, chosen.reference):
        return
    comparison = cache.comparison(chosen.run, chosen.reference, None)
    if not frame.has_values(comparison):
        frame.nothing_so_far(chosen.run)
        return
    lead = f"Everything that {chosen.run.id} found against {chosen.reference}, as one page or as tables, charts and a spreadsheet."
    st.html(f'<div class="ls-lead">{escape(lead)}</div>')
    if chosen.slice is not None:
        st.html('<p class="ls-foot">Of all examples: the slice above does not apply here.</p>')
    left, right = st.columns([3, 7], gap="medium")
    people = study_cache.human_preference(chosen.workspace, chosen.run)
    with left:
        exports = st.container()
        wishes = choose_wishes(comparison)
        report = result_cache.report(chosen.run, chosen.reference, wishes.variant, people)
        with exports:
            draw_exports(report, wishes)
            draw_push(chosen.workspace, chosen.run, chosen.reference)
    with right:
        draw_preview(dressed(report, wishes), state.mode())
