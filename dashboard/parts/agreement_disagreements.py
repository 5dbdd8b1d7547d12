"""Agreement's section on disagreements: items to discuss, each opened in place with its texts and what everybody said."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.charts.rating_tables import disagreements_table
from core.notation import counted
from core.ratings.analysis.results import Disagreement
from dashboard import study_cache
from dashboard.parts import frame
from dashboard.parts.agreement_scene import ITEM, AgreementScene, foot, lead, swatch
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import export_menu
from dashboard.parts.word_diff import exact_text

LISTED = 100
_COLUMNS = (
    Column("Example", "8.5rem"),
    Column("Task", "7rem"),
    Column("Criterion", "8rem"),
    Column("What the raters said", "auto"),
)
_PANES_A_ROW = 3


def draw_disagreements(scene: AgreementScene) -> None:
    """Draw the section."""
    found = scene.analysis.disagreements
    if not found:
        why = "No item has answers of two raters that differ."
        if not any(row.alpha.alpha.n for row in scene.analysis.agreement):
            why = "No item was rated by two people. Ask for an overlap of two and more when a study is made."
        frame.face("Nothing to discuss", why)
        return
    opposed = sum(item.opposed for item in found)
    lead(f"Raters differ on {counted(len(found), 'item')}; on {opposed:,} of them they are opposed. Those come first.")
    shown = {f"{item.item_id}/{item.criterion}": item for item in found[:LISTED]}
    chosen = scene.choices.one(ITEM, list(shown)) or next(iter(shown))
    labels = {one.name: one.label for one in scene.study.plan.asked_criteria}
    rows = [
        (item.example_id, item.task, labels.get(item.criterion, item.criterion),
         "; ".join(f"{one.rater}: {one.verdict}" for one in item.verdicts))
        for item in shown.values()
    ]  # fmt: skip
    with st.container(key="chart-disagreements"):
        frame.heading("To discuss")
        export_menu("disagreements", f"{scene.stem}-disagreements", lambda: disagreements_table(scene.analysis))
        exact_table(
            _COLUMNS, rows, "disagreements-table", name="Items on which raters differ", ids=list(shown), selected=chosen,
            on_pick=lambda key: scene.choices.put(ITEM, key),
        )  # fmt: skip
    if len(found) > LISTED:
        foot(f"The first {LISTED} are listed; the CSV has all {len(found):,}.")
    _open(scene, shown[chosen])


def _open(scene: AgreementScene, item: Disagreement) -> None:
    """Draw an item's texts and verdicts, all as text."""
    texts = study_cache.item_texts(scene.study, item.item_id)
    with st.container(border=True, key="disagreement-open"):
        st.html(f"<h4>{escape(texts.task)}, {escape(texts.example_id)}</h4>")
        rows = [(one.rater, one.verdict, one.comment) for one in item.verdicts]
        columns = (Column("Rater", "12rem"), Column("Said", "14rem"), Column("Comment", "auto"))
        exact_table(columns, rows, "disagreement-verdicts", name="What each rater said of this item")
        st.html('<div class="ls-label">Prompt</div>')
        exact_text(texts.prompt, "disagreement-prompt", name="prompt")
        if texts.reference is not None:
            st.html('<div class="ls-label">Reference</div>')
            exact_text(texts.reference, "disagreement-reference", name="reference")
        for start in range(0, len(texts.outputs), _PANES_A_ROW):
            some = texts.outputs[start : start + _PANES_A_ROW]
            for column, (variant, text) in zip(st.columns(len(some)), some, strict=True):
                with column:
                    st.html(f'<div class="ls-label">{swatch(variant, scene.colours)}</div>')
                    exact_text(text, f"disagreement-output-{variant}", name=f"output of {variant}")
