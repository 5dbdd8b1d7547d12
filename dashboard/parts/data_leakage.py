"""Which rows of an evaluation file stand in a training file: each with the passage that both share, and the ids to leave out."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.charts.theme import PALETTES
from core.data.profile.leakage import Leakage, LeakedRow
from core.errors import InputError
from core.notation import counted
from dashboard.parts.data_files import AGAINST, DataFile
from dashboard.parts.data_headline import as_pair, leakage_of
from dashboard.parts.data_scene import Scene, show_rows
from dashboard.parts.data_texts import compared_texts
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.example_list import pager
from dashboard.parts.export_menu import csv_button
from dashboard.parts.word_diff import Piece, exact_text

ROWS_A_PAGE = 20
_KINDS = {
    "exact": "the question word for word",
    "normalised": "but for case and white space",
    "overlap": "long runs of words",
}
_COLUMNS = (
    Column("Evaluation", "5.6rem", "number"), Column("Training", "5rem", "number"), Column("How", "24%"),
    Column("Longest shared passage", "auto"),
)  # fmt: skip


def draw_leakage(scene: Scene) -> None:
    """Draw which other file, what was found, and the pair that is open."""
    if (other := choose_partner(scene, "Beside which file")) is None:
        return
    evaluation, train = as_pair(scene, other)
    if {scene.file.use, other.use} != {"train", "eval"} or scene.choices.one("as") is not None:
        role = "eval" if evaluation is scene.file else "train"
        st.segmented_control(
            "This file is", ["train", "eval"], required=True,
            format_func={"train": "the training file", "eval": "the evaluation file"}.__getitem__, **scene.choices.widget("as", role),
        )  # fmt: skip
    try:
        found = leakage_of(scene)
    except InputError as error:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(other.plain(error))}</p>')
        return
    if found is None:
        return
    with st.container(key="chart-leakage"):
        st.html(f'<p data-name="leakage">{html.escape(_sentence(found, evaluation.name, train.name))}</p>')
        if found.rows:
            _leaked(scene, found)


def choose_partner(scene: Scene, label: str) -> DataFile | None:
    """Draw the choice of the other file; return it, None and what to do where there is none."""
    others = [file for file in scene.files if file.key != scene.file.key]
    if not others:
        st.html('<p class="ls-foot">There is no other file yet: drop it above, or name it in workspace.yaml.</p>')
        return None
    labels = {file.key: file.label for file in others}
    st.selectbox(
        label, list(labels), index=None, placeholder="choose a file", format_func=labels.__getitem__,
        **scene.choices.widget(AGAINST, scene.partner.key if scene.partner else None),
    )  # fmt: skip
    return scene.partner


def _sentence(found: Leakage, evaluation: str, train: str) -> str:
    total = sum(found.counts.values())
    rows = f"{counted(found.evaluation_rows, 'row')} of {evaluation}"
    near = ""
    if found.touched:
        near = f" {found.touched:,} more share a run of {found.words_a_run} words, but less than half of their own."
    if not total:
        return f"None of {rows} stands in {counted(found.train_rows, 'row')} of {train}.{near}"
    kinds = ", ".join(f"{count:,} {_KINDS[kind]}" for kind, count in found.counts.items() if count)
    share = f" ({100 * found.share:.1f} %)" if found.share is not None else ""
    return f"{total:,} of {rows}{share} stand{'s' if total == 1 else ''} in {train}: {kinds}.{near}"


def _leaked(scene: Scene, found: Leakage) -> None:
    with st.container(key="menu-leakage"), st.popover("Export", type="tertiary", width="content"):
        csv_button("CSV of the leaked rows", "leakage", f"{scene.stem}-leakage", lambda: _table(found.rows))
    st.download_button(
        f"Ids to leave out ({len(found.leave_out):,})", data=lambda: "\n".join([*found.leave_out, ""]).encode("utf-8", "replace"),
        file_name=f"{scene.stem}-leave-out.txt", mime="text/plain", on_click="ignore", key="data-leave-out",
        help="One a line, in the evaluation file's order; the line's number for a row without an id.",
    )  # fmt: skip
    is_new = scene.choices.changed("leaked", (scene.scan.sha256, scene.partner and scene.partner.key))
    number = pager(-(-len(found.rows) // ROWS_A_PAGE), 1, is_new, "data-leaked-page")
    shown = found.rows[(number - 1) * ROWS_A_PAGE : number * ROWS_A_PAGE]
    by_id = {str(row.line): row for row in found.rows}
    asked = st.session_state.get("data-leaked-open")
    opened = by_id.get(asked or "") or shown[0]
    exact_table(
        _COLUMNS, [_cells(row) for row in shown], "data-leaked-table", name="leaked rows", ids=[str(row.line) for row in shown],
        selected=str(opened.line), on_pick=lambda line: st.session_state.update({"data-leaked-open": line}),
    )  # fmt: skip
    if len(found.rows) < len(found.leave_out):
        st.html(f'<p class="ls-foot">The worst {len(found.rows):,} of {len(found.leave_out):,}.</p>')
    _pair(scene, opened)


def _cells(row: LeakedRow) -> tuple[str, ...]:
    how = _KINDS[row.kind] if row.kind != "overlap" else f"{100 * row.share:.0f} % of its runs of words"
    return f"{row.line:,}", f"{row.train_line:,}", how, row.passage.text if row.passage else ""


def _pair(scene: Scene, row: LeakedRow) -> None:
    """Draw both rows with the passage that they share marked."""
    if scene.partner is None:
        return
    evaluation, train = as_pair(scene, scene.partner)
    ours, theirs = compared_texts(scene, evaluation, row.line, train, row.train_line)
    accent = PALETTES[scene.mode].worse
    passage = row.passage
    for name, line, file, text, span in (
        ("evaluation", row.line, evaluation, ours, (passage.start, passage.end) if passage else None),
        ("training", row.train_line, train, theirs, (passage.train_start, passage.train_end) if passage else None),
    ):
        st.html(f'<div class="ls-label">{html.escape(f"{file.name}, line {line:,}")}</div>')
        exact_text(_marked(text, span), f"data-leaked-{name}", name=f"{name} row", accent=accent)
    line = row.line if evaluation is scene.file else row.train_line
    st.button(
        f"Show line {line:,} of this file", key="data-leaked-rows", type="tertiary", on_click=show_rows,
        args=(scene.choices,), kwargs={"line": line},
    )  # fmt: skip


def _marked(text: str, span: tuple[int, int] | None) -> list[Piece]:
    if span is None:
        return [Piece("same", text)]
    start, end = span
    pieces = (Piece("same", text[:start]), Piece("ins", text[start:end]), Piece("same", text[end:]))
    return [piece for piece in pieces if piece.text]


def _table(rows: Sequence[LeakedRow]) -> pd.DataFrame:
    return pd.DataFrame([
        {"line": row.line, "id": row.id, "kind": row.kind, "share": row.share, "train_line": row.train_line,
         "passage": row.passage.text if row.passage else None} for row in rows
    ])  # fmt: skip
