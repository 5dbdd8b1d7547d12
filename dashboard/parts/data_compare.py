"""Compare: two files side by side, with a test and its effect size for each thing that may have shifted."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.charts.two_files import length_curves, share_pairs
from core.data.profile.compare_files import FileComparison, LengthShift, TableShift
from core.data.profile.vocabulary import VocabularyShift, WordShift
from core.errors import InputError
from core.notation import counted, p_text
from dashboard.parts import data_results
from dashboard.parts.data_files import DataFile
from dashboard.parts.data_leakage import choose_partner
from dashboard.parts.data_scene import Scene
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import chart, csv_button

_WORDS = 12
_LEVEL = 0.05
_COLUMNS = (
    Column("What", "25%"), Column("This file", "13%", "number"), Column("The other", "13%", "number"), Column("Effect", "auto"),
    Column("p, adjusted", "11%", "number"),
)  # fmt: skip


def draw(scene: Scene) -> None:
    """Draw the segment."""
    place, _ = st.columns([1, 1])
    with place:
        other = choose_partner(scene, "Compare with")
    if other is None:
        return
    try:
        scan = data_results.scanned(other, strict=scene.scan.strict, evaluation=other.use == "eval")
        found = data_results.compared(scene, other, scan.rows) if scan is not None else None
    except InputError as error:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(other.plain(error))}</p>')
        return
    if found is not None and scan is not None:
        _side_by_side(scene, other, found)


def _side_by_side(scene: Scene, other: DataFile, both: data_results.SideBySide) -> None:
    found = both.found
    names = (
        (scene.file.name, other.name)
        if scene.file.name != other.name
        else (f"{scene.file.name} (this)", f"{other.name} (other)")
    )
    st.html(f'<p data-name="compared">{html.escape(_sentence(found, other.name))}</p>')
    with st.container(key="chart-compared"):
        with st.container(key="menu-compared"), st.popover("Export", type="tertiary", width="content"):
            csv_button("CSV of the tests", "compared", f"{scene.stem}-compared", lambda: _tests(found))
        st.html('<div class="ls-label">What differs</div>')
        exact_table(_COLUMNS, _rows(found), "data-compared-table", name="what differs")
        st.html(
            f'<p class="ls-foot">{html.escape(names[0])} against {html.escape(names[1])}. Length: Mann-Whitney U. Shares: Pearson\'s '
            "chi-squared. Words: permutations of rows. P-values adjusted over all tests here (Holm); rows are taken as independent.</p>"
        )
    left, right = st.columns(2, gap="medium")
    with left:
        first, second = both.lengths
        if len(first) and len(second):
            chart(length_curves(first, second, names, found.length.unit, scene.mode), "length-curves", scene.stem,
                  lambda: pd.DataFrame({names[0]: pd.Series(first), names[1]: pd.Series(second)}), alt="Lengths of both files")  # fmt: skip
        _words(scene, found.vocabulary, names)
    with right:
        for number, table in enumerate(found.tables):
            if len(table.values) > 1:
                figure = share_pairs(table.values, names, _title(table), _effect(table), scene.mode)
                chart(
                    figure, f"pairs-{number}", scene.stem,
                    lambda table=table: pd.DataFrame(table.values, columns=["value", *names]), alt=_title(table),
                )  # fmt: skip


def _sentence(found: FileComparison, other: str) -> str:
    shifted = [name for name, p in _adjusted(found) if p is not None and p < _LEVEL]
    tested = sum(p is not None for _, p in _adjusted(found))
    if not tested:
        return "There is nothing that could be tested: one of the files has no rows that can be read."
    if not shifted:
        return f"No difference to {other} can be told by {tested} tests; that does not say that there is none."
    return f"Differs from {other} in {len(shifted)} of {tested} things tested: {', '.join(shifted)}. How much is in the column Effect."


def _adjusted(found: FileComparison) -> list[tuple[str, float | None]]:
    return [("length", found.length.p_adjusted), *((_title(table).lower(), table.p_adjusted) for table in found.tables),
            ("vocabulary", found.vocabulary.p_adjusted)]  # fmt: skip


def _title(table: TableShift) -> str:
    named = {"language": "Language", "script": "Script", "(answer)": "Answers that are labels"}
    return named.get(table.field, f"Values of {table.field}")


def _rows(found: FileComparison) -> list[tuple[str, ...]]:
    length, words = found.length, found.vocabulary
    rows = [(
        f"Length in {length.unit}, middle row", f"{length.medians[0]:,.0f}", f"{length.medians[1]:,.0f}", _length_effect(length),
        _p(length.p_adjusted),
    )]  # fmt: skip
    for table in found.tables:
        totals = (sum(one[1] for one in table.values), sum(one[2] for one in table.values))
        rows.append(
            (_title(table), counted(totals[0], "row"), counted(totals[1], "row"), _effect(table), _p(table.p_adjusted))
        )
    effect = (
        "not tested" if words.divergence_bits is None
        else f"{words.divergence_bits:.3f} bits apart; chance alone makes {words.expected_bits or 0:.3f}"
    )  # fmt: skip
    rows.append(
        ("Vocabulary", counted(words.rows[0], "row"), counted(words.rows[1], "row"), effect, _p(words.p_adjusted))
    )
    return rows


def _length_effect(length: LengthShift) -> str:
    if length.cliffs_delta is None:
        return "not tested"
    side = (
        "the other is longer"
        if length.cliffs_delta > 0
        else "the other is shorter"
        if length.cliffs_delta < 0
        else "neither"
    )
    return f"Cliff's delta {length.cliffs_delta:+.2f} ({side})".replace(
        "-", "\u2212", 1 if length.cliffs_delta < 0 else 0
    )


def _effect(table: TableShift) -> str:
    if table.cramers_v is None:
        return table.note or "not tested"
    note = f"; {table.note}" if table.note else ""
    return f"Cram\u00e9r's V {table.cramers_v:.2f}{note}"


def _p(p: float | None) -> str:
    return "\u2013" if p is None else p_text(p)


def _words(scene: Scene, words: VocabularyShift, names: tuple[str, str]) -> None:
    for number, (name, found, more) in enumerate(
        ((names[0], words.more_in_first, 0), (names[1], words.more_in_second, 1))
    ):
        if not found:
            continue
        with st.container(key=f"chart-words-{number}"):
            st.html(f'<div class="ls-label">Words that {html.escape(name)} uses more</div>')
            with st.container(key=f"menu-words-{number}"), st.popover("Export", type="tertiary", width="content"):
                csv_button(
                    "CSV of the words",
                    f"words-{number}",
                    f"{scene.stem}-words-{number}",
                    lambda found=found: _word_table(found),
                )
            exact_table(
                (Column("Word", "auto"), Column("In it", "22%", "number"), Column("In the other", "22%", "number")),
                [(one.word, f"{100 * one.shares[more]:.2f} %", f"{100 * one.shares[1 - more]:.2f} %") for one in found[:_WORDS]],
                f"data-words-{number}", name=f"words of {name}",
            )  # fmt: skip


def _word_table(found: Sequence[WordShift]) -> pd.DataFrame:
    return pd.DataFrame([
        {"word": one.word, "share_in_this_file": one.shares[0], "share_in_the_other": one.shares[1], "bits": one.contribution_bits}
        for one in found
    ])  # fmt: skip


def _tests(found: FileComparison) -> pd.DataFrame:
    length, words = found.length, found.vocabulary
    rows = [{"what": "length", "unit": length.unit, "effect": "cliffs_delta", "value": length.cliffs_delta, "p": length.p,
             "p_adjusted": length.p_adjusted, "n_first": length.rows[0], "n_second": length.rows[1]}]  # fmt: skip
    for table in found.tables:
        rows.append({"what": table.field, "unit": "", "effect": "cramers_v", "value": table.cramers_v, "p": table.p,
                     "p_adjusted": table.p_adjusted, "n_first": sum(one[1] for one in table.values),
                     "n_second": sum(one[2] for one in table.values)})  # fmt: skip
    rows.append({"what": "vocabulary", "unit": "bits", "effect": "jensen_shannon", "value": words.divergence_bits, "p": words.p,
                 "p_adjusted": words.p_adjusted, "n_first": words.rows[0], "n_second": words.rows[1]})  # fmt: skip
    return pd.DataFrame(rows)
