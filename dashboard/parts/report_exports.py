"""The buttons that give a report away, each in its format; a file is made when its button is pressed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core.charts.export import browser_found
from core.report.document import Report, Wishes
from core.report.formats import FORMATS, Format, fitting
from core.report.gather import dressed


def draw_exports(report: Report, wishes: Wishes) -> None:
    """Draw a button for each format; those that a browser draws are off where there is none, and say what to install."""
    drawable = browser_found()
    with st.container(key="report-exports", horizontal=True, gap="small"):
        for number, one in enumerate(FORMATS.values()):
            st.download_button(
                one.label, data=partial(_made, report, wishes, one), file_name=f"{report.run_id}-report.{one.ending}",
                mime=one.mime, on_click="ignore", key=f"report-{one.ending}", width="content",
                type="secondary" if number else "primary", disabled=one.needs_browser and not drawable,
            )  # fmt: skip
    told = "The page needs no network and no other file; print it from the browser for a PDF. "
    told += "The archive has each chart as SVG, PDF and PNG, which takes about a second for each."
    if not drawable:
        told = "The charts need Chrome or Chromium on this machine (Debian: apt install chromium). Everything else works without."
    st.html(f'<p class="ls-foot">{told}</p>')


def _made(report: Report, wishes: Wishes, one: Format) -> bytes:
    return one.make(dressed(report, fitting(wishes, one), datetime.now(UTC)))
