"""Agreement's sections on the raters: how far they agree, and whether something is off with one of them."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from core.charts.rater_agreement import alpha_chart, sides_chart
from core.charts.rating_tables import agreement_table, raters_table, reasons_table
from core.notation import duration_text
from core.ratings.analysis.estimate import Estimate
from core.ratings.analysis.results import AgreementRow, Quality, RaterQuality
from core.wording.raters import agreement_sentence, rater_concerns, raters_sentence, side_sentence
from core.wording.ratings import number_texts, points_texts, share_texts
from dashboard import state, study_cache
from dashboard.parts import frame
from dashboard.parts.agreement_scene import AgreementScene, cell, foot, lead, name_cell, table
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import linked_html

_AGREEMENT = (
    ("", ""), ("Equal answers", "Share of pairs of answers to one item that are equal."),
    ("Krippendorff's alpha", "At the level that fits the answers first: nominal for choices, ordinal for scales."),
    ("Other levels", "The same with other distances between answers."),
    ("Fleiss' kappa", "Only where every item has the same number of raters."), ("Items", "That were rated at all."),
)  # fmt: skip
_OFF, _LEFT, _FLIPPED, _CHANGED, _FAST, _GOLD, _DRIFT = (
    ("What is off", ""), ("Left", "Share of left among decisive answers; 50 % is no lean."),
    ("Flipped", "Share of repeats with swapped sides, decided both times, that went to the other variant."),
    ("Changed", "Share of repeats that got any other answer than the first time."), ("Too fast", ""),
    ("Gold", "Share of items with a known answer that were answered right."),
    ("Drift", "Win rate (of scores: mean) of the second half of the rater's list less that of the first."),
)  # fmt: skip
_ANSWERS, _TIME = (
    ("Answers", "To the study's own items; below, how many were skipped."),
    ("Time", "Median, for an answer."),
)
_WIN_RATE = ("Win rate", "Decisive win rate of the other variants against the reference, by this rater alone.")
_MEAN = ("Mean", "Over all answers of this rater: who is strict.")


def draw_agreement(scene: AgreementScene) -> None:
    """Draw how far the raters agree."""
    rows = scene.analysis.agreement
    lead(agreement_sentence(rows))
    if any(row.alpha.alpha.value is not None or row.pairs for row in rows):
        chart(
            alpha_chart(rows, scene.analysis.level, state.mode()), "alpha", scene.stem, lambda: agreement_table(scene.analysis),
            alt="Krippendorff's alpha and Cohen's kappa with intervals",
        )  # fmt: skip
    with st.container(key="chart-agreement"):
        frame.heading("Criterion by criterion")
        export_menu("agreement", f"{scene.stem}-agreement", lambda: agreement_table(scene.analysis))
        linked_html(table(_AGREEMENT, [_agreement_row(row) for row in rows]), "agreement-table")
    foot(
        "Krippendorff (2013): 0 is chance, 1 is always the same; from 0.8 on answers are reliable, from 0.667 on fit for tentative "
        "conclusions. Taste differs: low agreement on preference need not be a mistake of anybody."
    )


def _agreement_row(row: AgreementRow) -> str:
    alpha, others = row.alpha.alpha, row.alphas[1:]
    told = "; ".join(f"{one.level} {number_texts(one.alpha)[0]}" for one in others) or "–"
    return (
        f"<th>{escape(row.label)}</th>{cell(share_texts(row.raw), row.raw)}{cell(number_texts(alpha), alpha, row.alpha.level)}"
        f"<td>{escape(told)}</td>{cell(number_texts(row.fleiss), row.fleiss)}<td>{row.n_units:,}</td>"
    )


def draw_raters(scene: AgreementScene) -> None:
    """Draw the checks of each rater, and why items were skipped and flagged."""
    quality, scores = scene.analysis.quality, scene.analysis.mode == "score"
    lead(" ".join(filter(None, (raters_sentence(quality), "" if scores else side_sentence(quality)))))
    if quality.raters:
        columns = _columns(scene)
        rows = ["".join([name_cell(rater.rater), *(make(rater) for _, make in columns)]) for rater in quality.raters]
        with st.container(key="chart-raters"):
            frame.heading("Rater by rater")
            export_menu("raters", f"{scene.stem}-raters", lambda: raters_table(scene.analysis))
            linked_html(table([("", ""), *(title for title, _ in columns)], rows, dense=True), "raters-table")
        foot(f"Too fast: {quality.too_fast_rule}.", "A lean to one side is said from p = 0.05 on, divided by the number of raters.",
             "Raters are told nothing of these checks.")  # fmt: skip
        if not scores and quality.left.n:
            chart(
                sides_chart(quality, scene.analysis.level, state.mode()), "sides", scene.stem,
                lambda: raters_table(scene.analysis), alt="Share of left of each rater, with intervals",
            )  # fmt: skip
    _reasons(scene)


def _columns(scene: AgreementScene) -> list[tuple[tuple[str, str], Callable[[RaterQuality], str]]]:
    """Return title and cell of each column that has something to show: without repeats or gold items there is none of them."""
    quality, scores = scene.analysis.quality, scene.analysis.mode == "score"

    def shares(pick: Callable[[RaterQuality], Estimate]) -> Callable[[RaterQuality], str]:
        return lambda rater: cell(share_texts(pick(rater)), pick(rater), stacked=True)

    def numbers(pick: Callable[[RaterQuality], Estimate]) -> Callable[[RaterQuality], str]:
        return lambda rater: cell(number_texts(pick(rater)), pick(rater), stacked=True)

    def drifted(rater: RaterQuality) -> str:
        moved = rater.drift.difference
        return cell(number_texts(moved, signed=True) if scores else points_texts(moved), moved, stacked=True)

    raters = quality.raters
    listed: list[tuple[tuple[str, str], Callable[[RaterQuality], str], bool]] = [
        (_OFF, lambda rater: _off(rater, quality), True), (_ANSWERS, _answers, True),
        (_MEAN, numbers(lambda rater: rater.mean), scores), (_WIN_RATE, shares(lambda rater: rater.win_rate), not scores),
        (_LEFT, shares(lambda rater: rater.left), not scores),
        (_FLIPPED, shares(lambda rater: rater.flipped), any(rater.flipped.n for rater in raters)),
        (_CHANGED, shares(lambda rater: rater.changed), scores and any(rater.changed.n for rater in raters)),
        (_GOLD, shares(lambda rater: rater.gold), any(rater.gold.n for rater in raters)),
        (_FAST, shares(lambda rater: rater.too_fast), True), (_TIME, _time, True), (_DRIFT, drifted, True),
    ]  # fmt: skip
    return [(title, make) for title, make, shown in listed if shown]


def _off(rater: RaterQuality, quality: Quality) -> str:
    concerns = rater_concerns(rater, quality)
    if not concerns:
        return '<td class="text muted">nothing</td>'
    return f'<td class="text worse" style="min-width: 10rem">{"<br>".join(escape(one) for one in concerns)}</td>'


def _answers(rater: RaterQuality) -> str:
    return f"<td>{rater.n_answers:,}{f'<br><small>{rater.n_skipped:,} skipped</small>' if rater.n_skipped else ''}</td>"


def _time(rater: RaterQuality) -> str:
    return f"<td>{escape('–' if rater.seconds_median is None else duration_text(rater.seconds_median))}</td>"


def _reasons(scene: AgreementScene) -> None:
    found = study_cache.skipped_and_flagged(scene.study)
    if not found:
        return
    rows = [(one.kind, one.reason, f"{one.count:,}", f"{one.n_items:,}", ", ".join(one.example_ids)) for one in found]
    columns = (Column("", "5rem"), Column("Reason", "auto"), Column("Times", "5rem", "number"), Column("Items", "5rem", "number"),
               Column("Examples", "auto"))  # fmt: skip
    with st.container(key="chart-reasons"):
        frame.heading("Skipped and flagged")
        export_menu("reasons", f"{scene.stem}-reasons", lambda: reasons_table(found))
        exact_table(columns, rows, "reasons-table", name="Why items were skipped and flagged")
