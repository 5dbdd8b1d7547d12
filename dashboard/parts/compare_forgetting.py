"""Compare's section on forgetting: general text beside the domain."""

from __future__ import annotations

import html

import streamlit as st

from core.charts.forgetting import forgetting_chart
from core.charts.tables import comparison_table as comparison_data
from core.forgetting import forgetting
from core.notation import metric_heading, percent
from core.wording.forgetting import sentence
from dashboard import state
from dashboard.parts import frame
from dashboard.parts.compare_scene import CompareScene
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.forgetting_words import forgetting_rows, forgetting_table
from dashboard.parts.linked_html import linked_html


def draw_forgetting(scene: CompareScene) -> None:
    """Draw the section, or what to do to have one."""
    comparison = scene.comparison
    report = forgetting(scene.run, comparison)
    if report is None:
        frame.face(
            "This run does not say which of its tasks is general text",
            "Name two tasks in workspace.yaml, forgetting: {general: general, domain: reply}, and evaluate. The general one is a "
            "likelihood task with template: none, of text that fine-tuning was not about.",
        )
        return
    if report.reason is not None:
        frame.face("Nothing to show", report.reason)
        return
    st.html(f'<div class="ls-lead">{html.escape(sentence(report))}</div>')
    shown = forgetting_rows(comparison, report)
    with st.container(key="chart-forgetting-table"):
        frame.heading(f"General text and domain, differences to {comparison.reference}")
        export_menu("forgetting-table", f"{scene.run.id}-forgetting", lambda: comparison_data(shown))
        linked_html(forgetting_table(comparison, report, state.mode()), "forgetting-rows")
    st.html(
        f'<p class="ls-foot">{percent(report.level)} intervals; rows of the comparison, nothing is counted twice. Perplexity ratio: '
        f"perplexity on {html.escape(report.general)} divided by that of {html.escape(report.reference)}; above 1 general text "
        "is less likely than before. ▼ forgot more than noise would show; a variant's mark is by the first general metric.</p>"
    )
    if not report.domain_rows or not report.general_rows:
        return
    domain = {row.key: row for row in report.domain_rows}
    key = scene.choices.one(state.METRIC, list(domain)) or next(iter(domain))
    if len(domain) > 1:
        left, _ = st.columns([3, 2])
        left.selectbox(
            "Metric of the domain", list(domain), format_func=lambda key: metric_heading(domain[key]),
            **scene.choices.widget(state.METRIC, key),
        )  # fmt: skip
    chart(
        forgetting_chart(report, key, comparison.variants, mode=state.mode()), "forgetting", scene.run.id,
        lambda: comparison_data(shown), alt="Gain in the domain against the change on general text, with intervals",
    )  # fmt: skip
