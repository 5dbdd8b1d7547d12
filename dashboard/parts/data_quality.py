"""Quality: rows that are worth a look, by what is odd about them. Warnings, never faults; personal data and secrets are masked."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from core.data.browse import range_text
from core.data.profile.quality import FINDINGS, Quality, QualityFinding
from core.notation import counted
from dashboard.parts import data_results
from dashboard.parts.data_scene import Scene, show_rows
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import csv_button

_EXAMPLES = 5


def draw(scene: Scene) -> None:
    """Draw the segment."""
    found = data_results.quality(scene)
    if found is None:
        return
    with st.container(key="chart-quality"):
        st.html(f'<p data-name="quality">{html.escape(_sentence(found))}</p>')
        if found.findings:
            with st.container(key="menu-quality"), st.popover("Export", type="tertiary", width="content"):
                csv_button("CSV of the findings", "quality", f"{scene.stem}-quality", lambda: _table(found))
    columns = st.columns(2, gap="medium")
    for number, finding in enumerate(found.findings):
        with columns[number % 2], st.container(key=f"data-quality-{finding.code}"):
            _finding(scene, finding)
    missing = [code for code in FINDINGS if code not in {finding.code for finding in found.findings}]
    if missing:
        st.html(f'<p class="ls-foot">Looked for and not found: {html.escape(", ".join(missing))}.</p>')


def _sentence(found: Quality) -> str:
    if not found.findings:
        return f"Nothing odd in {counted(found.rows, 'row')}."
    return f"{counted(len(found.findings), 'thing')} worth a look in {counted(found.rows, 'row')}; none is a fault of format."


def _finding(scene: Scene, finding: QualityFinding) -> None:
    head, button = st.columns([4, 1.7], vertical_alignment="center")
    rows = f"{counted(finding.rows, 'row')}, {100 * finding.share:.1f} %"
    head.html(
        f'<div class="ls-group"><b>{finding.code}</b><span class="ls-count">{rows}</span>'
        f'<span class="ls-foot">{html.escape(finding.message)}</span></div>'
    )
    some = f"first {len(finding.lines):,}" if finding.rows > len(finding.lines) else "rows"
    button.button(
        f"Show {some}", key=f"data-odd-{finding.code}", on_click=show_rows, args=(scene.choices,), width="stretch",
        kwargs={"lines": range_text(finding.lines)},
    )  # fmt: skip
    spots = finding.examples[:_EXAMPLES]
    exact_table(
        (Column("Line", "4.6rem", "number"), Column("Whose words", "6.6rem"), Column("What", "auto")),
        [(f"{spot.line:,}", spot.role, spot.excerpt or "(empty)") for spot in spots], f"data-odd-table-{finding.code}",
        name=finding.code, ids=[str(spot.line) for spot in spots],
        on_pick=lambda line: show_rows(scene.choices, lines=range_text(finding.lines), line=int(line)),
    )  # fmt: skip


def _table(found: Quality) -> pd.DataFrame:
    return pd.DataFrame([
        {"code": finding.code, "line": spot.line, "role": spot.role, "excerpt": spot.excerpt, "rows": finding.rows,
         "message": finding.message}
        for finding in found.findings for spot in finding.examples
    ])  # fmt: skip
