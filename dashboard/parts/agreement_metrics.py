"""Agreement's section on metrics: which automatic metric orders answers as the raters do, and what a model judge is worth."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from core.charts.rater_agreement import metrics_chart
from core.charts.rating_tables import judges_table, metrics_table
from core.notation import counted
from core.ratings import missing_runs
from core.ratings.analysis.results import JudgeResult, MetricAgreement
from core.wording.raters import metrics_sentence
from core.wording.ratings import number_texts, share_texts
from dashboard import state, study_cache
from dashboard.parts import frame
from dashboard.parts.agreement_scene import AgreementScene, against, cell, foot, lead, name_cell, table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import linked_html

_METRICS = (
    ("", ""), ("Ordered alike", "Share of the pairs that raters and metric both decide on which they agree; 50 % is chance."),
    ("Kendall's tau", "Tau-b over all rated pairs, ties counted: −1 to 1."), ("Tied", "Pairs that raters decide and the metric does not."),
    ("Missing", "Pairs for which the metric has no value."),
)  # fmt: skip
_JUDGES = (
    ("", ""), ("Pair", ""), ("People", "Share won of items that people judged; ties and both bad count as half."),
    ("Judge alone", "Its own share: no interval, since its bias is not in one."),
    ("Corrected", "From both, by prediction-powered inference (Angelopoulos and others, 2023)."),
    ("Agrees", "Share of items that both decide on which they agree."), ("Items", "Labelled by people, then by the judge alone."),
)  # fmt: skip


def draw_metrics(scene: AgreementScene) -> None:
    """Draw the section."""
    analysis = study_cache.analysis(scene.study, scene.runs)
    found, gone = analysis.metrics, missing_runs(scene.study, [run.id for run in scene.runs])
    known = [row for row in found.rows if row.accuracy.value is not None]
    if not known:
        frame.face("No metric to compare with people", " ".join(filter(None, (_sentence(found.reason), *gone))))
    else:
        lead(metrics_sentence(known))
        chart(
            metrics_chart(known, analysis.level, mode=state.mode()), "metrics", scene.stem, lambda: metrics_table(found.rows),
            alt="How often each metric orders two answers as the raters do, with intervals",
        )  # fmt: skip
        _metrics(scene, found.rows)
        foot(_sentence(found.reason), *gone, "A metric orders two answers by its value of each; where it has them tied the "
             "pair is in no share of what is ordered alike.")  # fmt: skip
    _judges(replace(scene, analysis=analysis))


def _metrics(scene: AgreementScene, rows: tuple[MetricAgreement, ...]) -> None:
    several = len({row.run for row in rows}) > 1, len({row.criterion for row in rows}) > 1
    body = []
    for row in rows:
        more = " ".join(filter(None, (row.criterion if several[1] else "", row.run if several[0] else "")))
        body.append(
            f"<th>{escape(row.task)}: {escape(row.title)} <small>{escape(more)}</small></th>{cell(share_texts(row.accuracy), row.accuracy)}"
            f"{cell(number_texts(row.tau), row.tau)}<td>{row.n_tied:,}</td><td>{row.n_missing:,}</td>"
        )
    with st.container(key="chart-metrics-list"):
        frame.heading("Metric by metric")
        export_menu("metrics-list", f"{scene.stem}-metrics", lambda: metrics_table(rows))
        linked_html(table(_METRICS, body), "metrics-table")


def _judges(scene: AgreementScene) -> None:
    judges = scene.analysis.judges
    if not judges:
        return
    with st.container(key="chart-judges"):
        frame.heading("Model judges, corrected by people")
        export_menu("judges", f"{scene.stem}-judges", lambda: judges_table(scene.analysis))
        linked_html(table(_JUDGES, [_judge_row(scene, one) for one in judges]), "judges-table")
    foot("The corrected rate is as free of bias as people's own; its interval is narrower where the judge is of use.")


def _judge_row(scene: AgreementScene, one: JudgeResult) -> str:
    pair = against(one.variant, one.against, scene.colours)
    items = f"{counted(one.n_labelled, 'item')} <small>+ {one.n_judged_alone:,}</small>"
    return (
        f'{name_cell(one.judge)}<td class="text">{pair}</td>{cell(share_texts(one.human), one.human)}'
        f"{cell(share_texts(one.judge_alone), one.judge_alone)}{cell(share_texts(one.corrected), one.corrected)}"
        f"{cell(share_texts(one.accuracy), one.accuracy)}<td>{items}</td>"
    )


def _sentence(reason: str | None) -> str:
    """Return a reason as a sentence of its own."""
    text = (reason or "").strip()
    return "" if not text else text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
