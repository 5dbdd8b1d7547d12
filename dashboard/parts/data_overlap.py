"""Duplicates and leakage: rows that repeat each other, inputs with conflicting answers, and what stands in another file."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.data.browse import range_text
from core.data.profile.duplicates import Conflict, DuplicateGroup, Duplicates
from core.notation import counted
from dashboard.parts import data_results
from dashboard.parts.data_leakage import draw_leakage
from dashboard.parts.data_scene import Scene, show_rows
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.example_list import pager
from dashboard.parts.export_menu import csv_button

GROUPS_A_PAGE = 10
_KINDS = {"exact": "letter for letter", "normalised": "but for case and white space", "near": "nearly"}
_MEMBERS = 4


def draw(scene: Scene) -> None:
    """Draw the segment."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Within this file")
        found = data_results.duplicates(scene)
        if found is not None:
            _repeats(scene, found)
            _conflicts(scene, found)
    with right:
        st.markdown("#### Leakage of the evaluation into the training")
        draw_leakage(scene)


def _repeats(scene: Scene, found: Duplicates) -> None:
    with st.container(key="chart-duplicates"):
        st.html(f'<p data-name="duplicates">{html.escape(_sentence(found))}</p>')
        if not found.groups:
            return
        with st.container(key="menu-duplicates"), st.popover("Export", type="tertiary", width="content"):
            csv_button(
                "CSV of the groups", "duplicates", f"{scene.stem}-duplicates", lambda: _groups_table(found.groups)
            )
        number = pager(
            -(-len(found.groups) // GROUPS_A_PAGE),
            1,
            scene.choices.changed("groups", scene.scan.sha256),
            "data-groups-page",
        )
        start = (number - 1) * GROUPS_A_PAGE
        for place, group in enumerate(found.groups[start : start + GROUPS_A_PAGE], start=start):
            words = f"{group.count:,} rows say the same {_KINDS[group.kind]}"
            if group.similarity is not None:
                words += f" (similarity {group.similarity:.2f} and more)"
            _group(scene, f"group-{place}", words, group.count, group.lines)
        if found.n_groups > len(found.groups):
            st.html(f'<p class="ls-foot">The largest {len(found.groups):,} of {found.n_groups:,} groups.</p>')


def _sentence(found: Duplicates) -> str:
    if not found.near_rows:
        return f"No row of {found.rows:,} repeats another one, not even nearly."
    return (
        f"{found.near_rows:,} of {counted(found.rows, 'row')} could go, since an earlier row says the same: "
        f"{found.exact_rows:,} letter for letter, {found.normalised_rows - found.exact_rows:,} but for case and white space, "
        f"{found.near_rows - found.normalised_rows:,} nearly (similarity of word triples {found.threshold:g} and more)."
    )


def _conflicts(scene: Scene, found: Duplicates) -> None:
    st.html('<div class="ls-label">The same input, different answers</div>')
    if not found.conflicts:
        st.html('<p class="ls-foot">No input stands there twice with different answers.</p>')
        return
    with st.container(key="chart-conflicts"):
        with st.container(key="menu-conflicts"), st.popover("Export", type="tertiary", width="content"):
            csv_button(
                "CSV of the conflicts",
                "conflicts",
                f"{scene.stem}-conflicts",
                lambda: _conflicts_table(found.conflicts),
            )
        st.html(f'<p class="ls-foot">{found.conflicting_rows:,} rows share {counted(found.n_conflicts, "input")}.</p>')
        for place, conflict in enumerate(found.conflicts[:GROUPS_A_PAGE]):
            words = f"{conflict.count:,} rows with one input and {conflict.answers:,} different answers"
            _group(scene, f"conflict-{place}", words, conflict.count, conflict.lines)
        if found.n_conflicts > GROUPS_A_PAGE:
            st.html(
                f'<p class="ls-foot">The largest {GROUPS_A_PAGE} of {found.n_conflicts:,}; the export has more.</p>'
            )


def _group(scene: Scene, key: str, words: str, count: int, lines: Sequence[int]) -> None:
    """Draw a group that opens; what is in it is read when it is open."""
    box = st.expander(words, key=f"data-{key}", on_change="rerun")
    if not box.open:
        return
    table = data_results.table(scene)
    if table is None:
        return
    with box:
        places = [place for line in lines[:_MEMBERS] if (place := table.position(line)) is not None]
        rows = table.page(places)
        exact_table(
            (Column("Line", "4.6rem", "number"), Column("Asked", "auto"), Column("Answer", "36%")),
            [(f"{row.line:,}", row.question, row.answer or "") for row in rows], f"data-{key}-table", name=key,
            ids=[str(row.line) for row in rows], on_pick=lambda line: show_rows(scene.choices, lines=range_text(lines), line=int(line)),
        )  # fmt: skip
        some = f"the first {len(lines):,} of {count:,}" if count > len(lines) else f"all {count:,}"
        st.button(
            f"Show its rows ({some})", key=f"data-{key}-rows", type="tertiary", on_click=show_rows, args=(scene.choices,),
            kwargs={"lines": range_text(lines)},
        )  # fmt: skip


def _groups_table(groups: Sequence[DuplicateGroup]) -> pd.DataFrame:
    return pd.DataFrame([vars(group) | {"lines": range_text(group.lines)} for group in groups])


def _conflicts_table(conflicts: Sequence[Conflict]) -> pd.DataFrame:
    return pd.DataFrame([vars(one) | {"lines": range_text(one.lines)} for one in conflicts])
