"""Agreement's section on preference: verdicts, win rates, the evidence, and, with three and more variants, strengths."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.charts.evidence_path import evidence_path
from core.charts.preference import decisive_chart, grade_bars, strengths_chart, verdict_bars, wins_of_all
from core.charts.rating_tables import matrix_table, pairs_table, strengths_table
from core.charts.theme import PALETTES
from core.notation import counted
from core.ratings.analysis.results import PairResult, PreferenceAnalysis, Strengths
from core.wording.ratings import OPEN, e_text, number_texts, ranks_text, share_texts, sign_texts, stopping
from dashboard import state, study_cache
from dashboard.parts import frame
from dashboard.parts.agreement_scene import PAIR, AgreementScene, against, cell, foot, swatch, table
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import linked_html
from dashboard.parts.navigation import page_link

_PAIR_TITLES = (
    ("", ""), ("Won", "Items on which the first variant has the majority of its raters."), ("Lost", ""), ("Tie", ""), ("Both bad", ""),
    ("Decisive win rate", "Won among won and lost."),
    ("At equal length", "The decisive win rate that would be seen between answers of equal length (Dubois and others, 2024)."),
    ("Sign test", "Mid-p of won and lost being equally likely; adjusted by Holm over pairs and criteria."),
    ("e\u2011value", "Evidence that holds whenever one looks."), ("Enough", "The e-value from which one may stop."),
)  # fmt: skip


def draw_preference(scene: AgreementScene) -> None:
    """Draw the section."""
    found = {one.criterion: one for one in scene.analysis.preferences}
    one = found[scene.criterion(list(found))]
    if not any(pair.win.n for pair in one.pairs):
        frame.face("No verdict to show yet", "As soon as an item was rated, who won it is shown here.")
        page_link("rate", "Rate")
        return
    mode = state.mode()
    chart(
        verdict_bars(scene.analysis, one, scene.colours, mode), "verdicts", scene.stem, lambda: pairs_table(scene.analysis),
        alt="Verdicts of each pair: won, tie, both bad, lost",
    )  # fmt: skip
    if one.strengths is not None:
        _strengths(scene, one, one.strengths)
    _stopping(scene, one)
    _pairs(scene, one)
    chart(
        decisive_chart(scene.analysis, one, scene.colours, mode), "win-rates", scene.stem, lambda: pairs_table(scene.analysis),
        alt="Decisive win rates with intervals, as they are and at equal length",
    )  # fmt: skip
    if scene.analysis.graded and any(pair.grades for pair in one.pairs):
        chart(
            grade_bars(one, mode), "grades", scene.stem, lambda: pairs_table(scene.analysis), alt="Grades of each pair"
        )


def _stopping(scene: AgreementScene, one: PreferenceAnalysis) -> None:
    """Draw the evidence of a pair as it grew, and whether one may stop."""
    pairs = {f"{pair.variant} against {pair.against}": pair for pair in one.pairs}
    name = scene.choices.one(PAIR, list(pairs)) or next(iter(pairs))
    if len(pairs) > 1:
        left, _ = st.columns([3, 2])
        left.selectbox("Pair", list(pairs), **scene.choices.widget(PAIR, name))
    pair = pairs[name]
    told = f"{stopping(pair)}{f' {OPEN}' if not scene.analysis.closed else ''}"
    path = study_cache.evidence(scene.study, one.criterion, pair)
    if not path:
        foot(told)
        return
    ahead = pair.variant if pair.wins > pair.losses else pair.against
    colour = scene.colours[ahead] if pair.wins != pair.losses else PALETTES[state.mode()].muted
    subtitle = f"{name}; in the order of the verdicts; above the dashed line the preference is told apart"
    chart(
        evidence_path(path, pair.threshold, "How the evidence grew", subtitle, colour, state.mode()), "evidence", scene.stem,
        lambda: pairs_table(scene.analysis), alt="The e-value after each decisive verdict, and the line from which one may stop",
    )  # fmt: skip
    foot(told)


def _pairs(scene: AgreementScene, one: PreferenceAnalysis) -> None:
    plain = scene.analysis.mode == "pair" and not scene.analysis.graded  # elsewhere nobody could say "both bad"
    titles = [title for title in _PAIR_TITLES if plain or title[0] != "Both bad"]
    rows = [_pair_row(scene, pair, plain) for pair in one.pairs]
    with st.container(key="chart-pairs"):
        frame.heading("Pair by pair")
        export_menu("pairs", f"{scene.stem}-pairs", lambda: pairs_table(scene.analysis))
        linked_html(table(titles, rows, dense=True), "pairs-table")
    split = sum(pair.n_split for pair in one.pairs)
    foot(f"On {counted(split, 'item')} the raters were not of one mind." if split else "")


def _pair_row(scene: AgreementScene, pair: PairResult, plain: bool) -> str:
    name = against(pair.variant, pair.against, scene.colours)
    counts = "".join(
        f'<td title="{escape(" ".join(share_texts(share)), quote=True)}">{count:,}</td>'
        for count, share in (
            (pair.wins, pair.win), (pair.losses, pair.loss), (pair.ties, pair.tie), *([(pair.both_bad, pair.bad)] if plain else []),
        )
    )  # fmt: skip
    enough = f"{pair.threshold:g}" + (" ✓" if pair.may_stop else "")
    p, adjusted = sign_texts(pair)
    return (
        f"<th>{name}</th>{counts}{cell(share_texts(pair.decisive), pair.decisive, stacked=True)}"
        f"{cell(share_texts(pair.length_controlled), pair.length_controlled, stacked=True)}"
        f"<td>{escape(p)}<br><small>{escape(adjusted)}</small></td><td>{escape(e_text(pair.e_value))}</td><td>{enough}</td>"
    )


def _strengths(scene: AgreementScene, one: PreferenceAnalysis, found: Strengths) -> None:
    """Draw who wins against whom, and the strengths that explain it."""
    left, right = st.columns(2, gap="medium")
    with left:
        chart(
            wins_of_all(scene.analysis, one, state.mode()), "wins", scene.stem, lambda: matrix_table(scene.analysis),
            alt="Decisive win rate of each variant against each other",
        )  # fmt: skip
    with right:
        if found.reason is None:
            chart(
                strengths_chart(scene.analysis, one, scene.colours, state.mode()), "strengths", scene.stem,
                lambda: strengths_table(scene.analysis), alt="Strengths with intervals",
            )  # fmt: skip
        else:
            frame.face("No strengths", f"{found.reason[:1].upper()}{found.reason[1:]}.")
    if found.reason is not None:
        return
    titles = (("", ""), ("Rank", ""), ("It may be", "For all variants together, at the level of the intervals."),
              ("Strength", "Natural log of the worth; all sum to 0."),
              ("Elo scale", "The same numbers, 1500 being the middle."))  # fmt: skip
    rows = [
        f"<th>{swatch(row.variant, scene.colours)}</th><td>{row.rank}</td>"
        f"<td>{ranks_text(row) or '–'}</td>"
        f"{cell(number_texts(row.strength, signed=True), row.strength)}{cell(number_texts(row.elo, 0), row.elo)}"
        for row in found.variants
    ]
    with st.container(key="chart-ranks"):
        frame.heading("Ranks")
        export_menu("ranks", f"{scene.stem}-ranks", lambda: strengths_table(scene.analysis))
        linked_html(table(titles, rows), "ranks-table")
    without = {row.strength.reason for row in found.variants if row.strength.low is None and row.strength.reason}
    foot(*found.notes, *(f"{reason[:1].upper()}{reason[1:]}." for reason in sorted(without)))
