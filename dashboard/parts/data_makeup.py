"""What the rows of a data file are made of: languages and scripts, turns, labels, system prompts; each leads to its rows."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.charts.shares import Share, percent_text, share_bars
from core.data.browse import range_text
from core.data.profile.labels import LabelBalance, LabelShare
from core.data.profile.languages import Languages, Part
from core.data.profile.turns import Turns
from core.notation import counted
from dashboard.parts import data_results
from dashboard.parts.data_scene import Scene, show_rows
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import chart, csv_button

_MOST_LABELS = 6


def draw_makeup(scene: Scene) -> None:
    """Draw all of it."""
    found = data_results.shape(scene)
    if found is None:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _languages(scene, found.languages)
    with right:
        if found.turns.conversations:
            _turns(scene, found.turns)
        _labels(scene, found.labels)
    if found.turns.conversations:
        _system_prompts(scene, found.turns)


def _languages(scene: Scene, found: Languages) -> None:
    if not found.rows:
        return
    n = f"n = {'the first ' if found.sampled else ''}{counted(found.rows, 'row')} with text"
    for name, parts, title in (("languages", found.languages, "Languages"), ("scripts", found.scripts, "Scripts")):
        shares = [Share(part.name, part.rows, part.share) for part in parts]
        _chart(scene, name, shares, title, n, "rows")
        _rows_of(scene, name, parts)
    st.html(f'<p class="ls-foot">{found.distinct_words:,} different words among {found.words:,}.</p>')


def _rows_of(scene: Scene, name: str, parts: Sequence[Part] | Sequence[LabelShare]) -> None:
    """Draw the way from a value to its rows."""
    if len(parts) < 2:
        return
    named = {(part.name if isinstance(part, Part) else part.value): part for part in parts}
    key = f"data-rows-of-{name}"

    def chosen() -> None:
        part = named.get(st.session_state[key] or "")
        st.session_state[key] = None
        if part is not None:
            show_rows(scene.choices, lines=range_text(part.lines))

    def shown(value: str) -> str:
        part = named[value]
        some = f"first {len(part.lines):,} of {part.rows:,}" if part.rows > len(part.lines) else f"{part.rows:,}"
        return f"{value} ({some})"

    st.selectbox(
        f"Rows of one of the {name}", list(named), index=None, key=key, on_change=chosen, format_func=shown,
        placeholder="Show the rows of ...", label_visibility="collapsed",
    )  # fmt: skip


def _turns(scene: Scene, turns: Turns) -> None:
    n = turns.conversations
    parts = [
        Share(f"{count}{'+' if count == 50 else ''} turn{'' if count == 1 else 's'}", rows, rows / n)
        for count, rows in turns.histogram
    ]
    subtitle = f"n = {counted(n, 'conversation')}; user and assistant count, system does not"
    _chart(scene, "turns", parts, "Turns of a conversation", subtitle, "conversations")


def _chart(scene: Scene, name: str, parts: Sequence[Share], title: str, subtitle: str, unit: str) -> None:
    """Draw shares as bars; of one value that all rows have a line is enough."""
    if len(parts) == 1:
        fact = f"{parts[0].name} in all of them"
        st.html(
            f'<div class="ls-label">{title}</div><p class="ls-foot">{html.escape(fact)}; {html.escape(subtitle)}</p>'
        )
        return
    chart(
        share_bars(parts, title, subtitle, unit, scene.mode), name, scene.stem, lambda: _table(parts), alt=title
    )  # fmt: skip


def _labels(scene: Scene, labels: Sequence[LabelBalance]) -> None:
    if not labels:
        none = "No field has few values that come again and again."
        st.html(f'<div class="ls-label">Labels</div><p class="ls-foot">{none}</p>')
    for place, balance in enumerate(labels[:_MOST_LABELS]):
        parts = [Share(value.value, value.rows, value.share) for value in balance.values]
        name = "Answers that are labels" if balance.field == "(answer)" else f"Values of {balance.field}"
        subtitle = f"n = {balance.rows:,}; evenness {balance.evenness:.2f} (1 is perfect balance)"
        chart(
            share_bars(parts, name, subtitle, "rows", scene.mode), f"labels-{place}", scene.stem,
            lambda parts=parts: _table(parts), alt=f"Balance of a label, number {place + 1}",
        )  # fmt: skip
        _rows_of(scene, f"labels-{place}", balance.values)
    if len(labels) > _MOST_LABELS:
        more = ", ".join(balance.field for balance in labels[_MOST_LABELS:])
        st.html(f'<p class="ls-foot">Other fields with few values: {html.escape(more)}.</p>')


def _table(parts: Sequence[Share]) -> pd.DataFrame:
    return pd.DataFrame([vars(part) for part in parts], columns=["name", "count", "share"])


def _system_prompts(scene: Scene, turns: Turns) -> None:
    with st.container(key="chart-system-prompts"):
        st.html(
            f'<div class="ls-label">System prompts: {turns.distinct_system_prompts:,} different, {turns.without_system_prompt:,} '
            f"of {turns.conversations:,} conversations without one</div>"
        )
        if not turns.system_prompts:
            return
        with st.container(key="menu-system-prompts"), st.popover("Export", type="tertiary", width="content"):
            csv_button("CSV of the system prompts", "system-prompts", f"{scene.stem}-system-prompts",
                       lambda: pd.DataFrame([vars(one) for one in turns.system_prompts]))  # fmt: skip
        exact_table(
            (Column("Rows", "5rem", "number"), Column("Share", "5rem", "number"), Column("System prompt", "auto")),
            [(f"{one.rows:,}", percent_text(one.share), one.text) for one in turns.system_prompts], "data-system-prompts",
            name="system prompts", ids=[str(one.first_line) for one in turns.system_prompts],
            on_pick=lambda line: show_rows(scene.choices, line=int(line)),
        )  # fmt: skip
