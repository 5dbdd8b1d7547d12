"""The report as it will look: the very page that is exported, in a frame that can reach nothing."""

from __future__ import annotations

import streamlit as st

from core.charts.theme import Mode
from core.report.document import Report
from core.report.html import to_html
from dashboard.parts.sandboxed_page import sandboxed_page

HEIGHT = 1100
"""Pixels."""


def draw_preview(report: Report, mode: Mode) -> None:
    """Draw the page."""
    with st.container(border=True, key="report-preview"):
        sandboxed_page(to_html(report, mode), "report-page", name="Preview of the report", height=HEIGHT)
