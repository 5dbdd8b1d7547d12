"""Compare's section on human preference: what people said of the run's variants, with the way to the study itself."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.charts.human_preference import human_preference_chart, human_preference_table
from core.charts.theme import variant_colours
from core.ratings.analysis.results import HumanPreference
from core.wording.human_preference import alpha_text, preference_mark, study_lines
from core.wording.ratings import e_text, share_texts
from dashboard import state, study_cache
from dashboard.parts import frame
from dashboard.parts.agreement_scene import STUDY, against, cell, foot, lead, name_cell, table
from dashboard.parts.compare_scene import CompareScene
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import link, linked_html
from dashboard.parts.navigation import go, page_link

_TITLES = (
    ("Study", ""), ("Variant", ""), ("Criterion", ""), ("", "Whether one half lies outside the interval."),
    ("Decisive win rate", "Won among won and lost, one verdict an item."), ("e\u2011value", "Evidence that holds whenever one looks."),
    ("Alpha", "Krippendorff's: how far the study's raters agree."), ("Raters", ""), ("", ""),
)  # fmt: skip


def draw_people(scene: CompareScene) -> None:
    """Draw the section, or what to do to have one."""
    found = study_cache.human_preference(scene.chosen.workspace, scene.run)
    if not found:
        frame.face(
            "Nobody was asked about this run's outputs yet",
            "Make a study of it on the Rate page: people then choose blind between the outputs, side by side.",
        )
        page_link("rate", "Make a study")
        return
    lead(" ".join(line for _, line in study_lines(found)))
    if any(one.win_rate.value is not None for one in found):
        chart(
            human_preference_chart(found, scene.comparison.variants, state.mode()), "people", scene.run.id,
            lambda: human_preference_table(found), alt="Decisive win rate of each variant in each study, with intervals",
        )  # fmt: skip
    with st.container(key="chart-people-table"):
        frame.heading("Study by study")
        export_menu("people-table", f"{scene.run.id}-people", lambda: human_preference_table(found))
        if clicked := linked_html(table(_TITLES, [_row(scene, one) for one in found]), "people-rows"):
            go(*clicked)
    foot(
        "▲ preferred, ▼ the other one is, ? cannot be told. The interval is that of one look: while a study is open a mark needs an "
        "e-value that suffices as well. Of scores: the share of examples with the higher score, equal ones left out. The slice above does "
        "not apply."
    )


def _row(scene: CompareScene, one: HumanPreference) -> str:
    colours = variant_colours(scene.comparison.variants, state.mode())
    mark = preference_mark(one)
    tone = {"▲": "better", "▼": "worse"}.get(mark, "unclear")
    address = link("agreement", {STUDY: one.study_id})
    pair = against(one.variant, one.against, colours)
    return (
        f'{name_cell(one.title)}<td class="text">{pair}</td><td class="text">{escape(one.criterion)}</td>'
        f'<td class="{tone}">{mark}</td>{cell(share_texts(one.win_rate), one.win_rate)}<td>{escape(e_text(one.e_value))}</td>'
        f'<td><small class="why">{escape(alpha_text(one))}</small></td><td>{one.n_raters:,}</td>'
        f'<td><a class="better" href="{address}">Open ›</a></td>'
    )
