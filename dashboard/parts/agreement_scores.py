"""Agreement's section on scores: levels that were given, means, and paired differences to the reference, by criterion."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.charts.rating_scores import level_bars, score_differences
from core.charts.rating_tables import scores_table
from core.notation import p_text
from core.ratings.analysis.results import ScoreAnalysis, ScoreRow
from core.wording.ratings import OPEN, number_texts
from dashboard import state
from dashboard.parts import frame
from dashboard.parts.agreement_scene import AgreementScene, cell, foot, swatch, table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import linked_html

_TITLES = (
    ("", ""), ("Mean", "Several raters are averaged within an item first."), ("Difference", "To the reference, paired by example."),
    ("p", "Sign flips, two-sided."), ("Adjusted p", "Holm's correction over criteria and variants."),
)  # fmt: skip


def draw_scores(scene: AgreementScene) -> None:
    """Draw the section."""
    scores = scene.analysis.scores
    rows = scores.rows if scores is not None else ()
    if scores is None or not any(row.mean.n for row in rows):
        frame.face("No score to show yet", "As soon as an item was rated, the levels that were given are shown here.")
        return
    compared = [row for row in rows if row.difference is not None and row.difference.value is not None]
    if compared:
        chart(
            score_differences(scene.analysis, compared, scene.colours, state.mode()), "score-differences", scene.stem,
            lambda: scores_table(scene.analysis), alt="Mean score differences to the reference with intervals",
        )  # fmt: skip
    criteria = list(dict.fromkeys(row.criterion for row in rows))
    chosen = scene.criterion(criteria)
    asked = next(one for one in scene.study.plan.asked_criteria if one.name == chosen)
    chart(
        level_bars([row for row in rows if row.criterion == chosen], asked.low, asked.high, state.mode()), "levels", scene.stem,
        lambda: scores_table(scene.analysis), alt="How often each level was given to each variant",
    )  # fmt: skip
    _means(scene, scores)
    if not scene.analysis.closed:
        foot(OPEN)


def _means(scene: AgreementScene, scores: ScoreAnalysis) -> None:
    body = []
    before = None
    for row in (*scores.rows, *scores.weighted):
        if row.criterion != before:
            body.append(f'<th class="left" colspan="{len(_TITLES)}"><b>{escape(row.label)}</b></th>')
        before = row.criterion
        body.append(_row(scene, row))
    with st.container(key="chart-scores"):
        frame.heading("Criterion by criterion")
        export_menu("scores", f"{scene.stem}-scores", lambda: scores_table(scene.analysis))
        linked_html(table(_TITLES, body), "scores-table")
    foot("Different criteria are not averaged: what one is worth in another is for you to say.")


def _row(scene: AgreementScene, row: ScoreRow) -> str:
    name = f'<th style="padding-left: 1.2rem">{swatch(row.variant, scene.colours)}</th>'
    mean = cell(number_texts(row.mean), row.mean)
    if row.difference is None:
        return f'{name}{mean}<td class="text muted" colspan="3">the reference</td>'
    p, adjusted = (p_text(one).removeprefix("p ").removeprefix("= ") or "–" for one in (row.p, row.p_adjusted))
    difference = cell(number_texts(row.difference, signed=True), row.difference)
    return f"{name}{mean}{difference}<td>{escape(p)}</td><td>{escape(adjusted)}</td>"
