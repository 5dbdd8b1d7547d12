"""Ablations' first part: one choice changed at a time, what can be said of it, the runs with their settings, and what to run next."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.charts.ablation_tables import one_factor_table, run_table
from core.charts.one_factor import one_factor_forest
from core.notation import counted
from core.wording.human_preference import study_lines
from dashboard import state, study_cache
from dashboard.parts.ablation_runs import run_rows_html
from dashboard.parts.ablation_scene import AblationScene, grey
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.frame import heading
from dashboard.parts.linked_html import linked_html
from dashboard.parts.navigation import go

_OF_PAIRS = ("adapters", "unclear")
ABLATION_CSS = """
[data-testid=stHtml] ul.ls-said { margin: 0; padding: 0; list-style: none; font-size: .95rem; line-height: 1.45; max-width: 64rem; }
[data-testid=stHtml] .ls-said li { margin: 0; padding: .22rem 0 .22rem 1.1rem; position: relative; overflow-wrap: anywhere; }
.ls-said li::before { content: "–"; position: absolute; left: 0; color: var(--ls-muted); }
.ls-said small { color: var(--ls-muted); font-size: .82rem; display: block; }
"""


def draw_factors(scene: AblationScene) -> None:
    """Draw the part."""
    _forest(scene)
    _said(scene)
    _runs(scene)
    _next_runs(scene)


def _forest(scene: AblationScene) -> None:
    table = scene.table
    if not table.one_factor:
        grey(
            table.reason
            or f"No configuration differs from {table.reference} in one choice alone: effects of several choices cannot be told apart."
        )
        return
    figure = one_factor_forest(table.one_factor, scene.outcome, scene.analysis.level, scene.colours, state.mode())
    chart(
        figure, f"one-factor{scene.suffix}", scene.run.id, lambda: one_factor_table(table.one_factor),
        alt=f"{scene.outcome.label}: differences between configurations that differ in one choice",
    )  # fmt: skip
    grey(
        f"p adjusted over {table.family_size} (Benjamini-Hochberg, a family of its own) · hold the pointer over a point for its sentence "
        "and method"
    )


def _said(scene: AblationScene) -> None:
    """List every sentence but the first, which stands on top, and what people prefer; those on pairs, which the forest shows, folded."""
    first, *rest = scene.table.statements or (None,)
    more = [one for one in rest if first is not None and one.text != first.text]
    general = [one.text for one in more if one.kind not in _OF_PAIRS]
    general += [told for _, told in study_lines(study_cache.human_preference(scene.chosen.workspace, scene.run))]
    pairs = [one.text for one in more if one.kind in _OF_PAIRS]
    if general:
        heading("What can be said")
        st.html(_list(general))
    if pairs:
        with st.expander(f"{counted(len(pairs), 'sentence')} on single pairs"):
            st.html(_list(pairs))


def _list(texts: Sequence[str]) -> str:
    return f'<ul class="ls-said">{"".join(f"<li>{escape(text)}</li>" for text in texts)}</ul>'


def _runs(scene: AblationScene) -> None:
    table = scene.table
    with st.container(key=f"chart-ablation-runs{scene.suffix}"):
        heading("Runs and their settings")
        export_menu(f"ablation-runs{scene.suffix}", f"{scene.run.id}-runs", lambda: run_table(table))
        if clicked := linked_html(run_rows_html(scene), f"ablation-runs{scene.suffix}"):
            go(*clicked)
    grey(
        "Seeds of one configuration stand together, the reference first. Hold the pointer over a value for the file that says so; "
        "! files disagree; follows: comes from other columns."
    )
    _constants(scene)
    for row in table.rows:
        grey(*(f"{row.variant}: {warning}" for warning in row.warnings))
    grey(*(f"{left.variant} is left out: {left.reason}" for left in scene.analysis.left_out))


def _constants(scene: AblationScene) -> None:
    constants = [column for column in scene.table.constants if column.constant is not None]
    if not constants:
        return
    with st.expander(f"{counted(len(constants), 'setting')} that all runs share"):
        lines = [
            f'<li title="{escape(column.constant.source, quote=True)}">{escape(column.label)}: {escape(column.constant.text)}'
            f'<small>{escape(column.constant.conflict or column.constant.source)}</small></li>'
            for column in constants if column.constant is not None
        ]  # fmt: skip
        st.html(f'<ul class="ls-said" style="columns: 3 16rem">{"".join(lines)}</ul>')


def _next_runs(scene: AblationScene) -> None:
    if not scene.table.next_runs:
        return
    heading("What to run next")
    lines = []
    for one in scene.table.next_runs:
        needed = ""
        if one.n_examples is not None:
            needed = f" The difference as now estimated takes {one.n_examples:,} examples to be seen; there are {one.n_now:,}."
        lines.append(f"<li>{escape(one.what)}<small>{escape(one.why + needed)}</small></li>")
    st.html(f'<ul class="ls-said">{"".join(lines)}</ul>')
