"""Rows: all rows of a file, or those that a finding is about, page by page; a click opens one."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import streamlit as st

from core.data.browse import RowTable, faults_at, faulty_lines, parse_ranges
from core.errors import InputError
from core.notation import counted
from dashboard.parts import data_results
from dashboard.parts.data_scene import CODE, FIND, LINE, LINES, OVER, SHOW, Scene
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.example_list import pager
from dashboard.parts.export_menu import csv_button
from dashboard.parts.row_card import row_card

ROWS_A_PAGE = 50
_EXPORTED = 10_000
_COLUMNS = (
    Column("Line", "4.2rem", "number"), Column("Turns", "3.4rem", "number"), Column("Chars", "4.2rem", "number"),
    Column("Asked", "auto"), Column("Answer", "36%"),
)  # fmt: skip


def draw(scene: Scene) -> None:
    """Draw the segment."""
    table = data_results.table(scene)
    if table is None:
        return
    left, right = st.columns([6, 4], gap="medium")
    with left:
        try:
            positions = _filtered(scene, table)
        except InputError as error:
            st.html(f'<p class="ls-note-failed" role="alert">{html.escape(str(error))}</p>')
            return
        opened = _list(scene, table, positions)
    with right:
        if opened is not None:
            _opened(scene, table, opened)


def _filtered(scene: Scene, table: RowTable) -> np.ndarray:
    """Draw the filters and return the positions that they leave."""
    choices, scan = scene.choices, scene.scan
    text, lines = choices.one(FIND) or "", choices.one(LINES) or ""
    counts = {group.code: group.count for group in scan.fault_groups}
    code = choices.one(CODE, list(counts))
    columns = st.columns([3, 2.4, 2.4] if counts else [3, 2.4])
    columns[0].text_input(
        "Search", placeholder="Search all text", icon=":material/search:", **choices.widget(FIND, text)
    )
    columns[1].text_input("Lines", placeholder="3, 17, 20-25", **choices.widget(LINES, lines))
    if counts:
        columns[2].selectbox(
            "With the fault", list(counts), index=None, placeholder="any or none", **choices.widget(CODE, code)
        )  # fmt: skip
    only = [parse_ranges(lines)] if lines.strip() else []
    if code is not None:
        only.append(faulty_lines(scan, code))
    over = choices.one(OVER)
    if over is not None and over.isdecimal() and len(over) < 12:
        only += _longer(scene, int(over))
    kept = [one for one in only if one is not None]
    wanted = None
    for one in kept:
        wanted = one if wanted is None else np.intersect1d(wanted, one)
    return table.find(text, wanted)


def _longer(scene: Scene, over: int) -> list[np.ndarray]:
    """Draw the filter by tokens, with the button that takes it away; return the lines that it leaves."""
    known = data_results.lengths(scene)
    if known is None:
        return []
    st.button(
        f"Only rows of more than {over:,} tokens; show the others too", key="data-not-over", on_click=scene.choices.put,
        args=(OVER, None),
    )  # fmt: skip
    return [known.lines[known.totals > over].astype(np.int64)]


def _list(scene: Scene, table: RowTable, positions: np.ndarray) -> int | None:
    """Draw one page of rows; return the position of the open one, by default the first that is listed."""
    choices = scene.choices
    asked = choices.one(LINE) or ""
    line = int(asked) if asked.isdecimal() and len(asked) < 12 else None
    opened = table.position(line) if line is not None else None
    if not len(positions):
        st.html('<p class="ls-foot">No row is left by these filters. Take one of them away.</p>')
        return opened
    if opened is None:
        opened = int(positions[0])
    rank = int(np.searchsorted(positions, opened))
    is_listed = rank < len(positions) and positions[rank] == opened
    n_pages = -(-len(positions) // ROWS_A_PAGE)
    filters = tuple(choices.one(name) for name in (FIND, LINES, CODE, OVER))
    is_new = choices.changed("rows", (scene.scan.sha256, filters))
    jump = is_new or choices.changed("rows-line", (scene.scan.sha256, asked))
    place = st.container(key="chart-rows")
    number = pager(n_pages, rank // ROWS_A_PAGE + 1 if is_listed else 1, jump, "data-rows-page")
    shown = table.page(positions[(number - 1) * ROWS_A_PAGE : number * ROWS_A_PAGE])
    with place:
        with st.container(key="menu-rows"), st.popover("Export", type="tertiary", width="content"):
            csv_button("CSV of these rows", "rows", f"{scene.stem}-rows", lambda: _exported(table, positions))
        st.html(f'<p class="ls-foot" data-name="row-count">{len(positions):,} of {counted(table.n, "row")}</p>')
        cells = [
            (
                f"{row.line:,}",
                f"{row.turns:,}" if row.readable else "\u2013",
                f"{row.characters:,}",
                row.question,
                _answer(row.answer),
            )
            for row in shown
        ]
        exact_table(
            _COLUMNS, cells, "data-row-table", name="rows", tall=True, ids=[str(row.line) for row in shown],
            selected=str(table.lines[opened]), on_pick=lambda found: choices.put(LINE, found),
        )  # fmt: skip
    return opened


def _answer(answer: str | None) -> str:
    return "" if answer is None else answer or "(empty)"


def _opened(scene: Scene, table: RowTable, position: int) -> None:
    row = table.open(position)
    head, button = st.columns([3, 2.4], vertical_alignment="center")
    head.html(f'<div class="ls-opened"><b>Line {row.line:,}</b></div>')
    if row.fields is not None:
        button.button(
            "As the model sees it", key="data-to-look", on_click=_look, args=(scene, row.line), width="stretch"
        )
    with st.container(border=True, key="data-open-row"):
        row_card(row, faults_at(scene.scan, row.line), "data-row")


def _look(scene: Scene, line: int) -> None:
    scene.choices.put(SHOW, "look")
    scene.choices.put(LINE, str(line))


def _exported(table: RowTable, positions: np.ndarray) -> pd.DataFrame:
    """Return the rows as a table, the first 10,000 of many; texts are cut as in the list."""
    return pd.DataFrame([vars(row) for row in table.page(positions[:_EXPORTED])])
