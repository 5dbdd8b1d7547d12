"""What Compare's table has columns and rows for: variants and metrics, chosen freely; the corrections stay those of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from dashboard.parts.compare_scene import LABELS, LANGUAGES, CompareScene
from dashboard.parts.metric_cell import ONE_LINE_UP_TO
from dashboard.parts.metric_rows import metric_key


def table_choices(scene: CompareScene) -> None:
    """Draw the switches and choices above the table, each only where there is something to choose."""
    rows, choices = scene.comparison.rows, scene.choices
    switches = [(LANGUAGES, "Languages apart", any(row.language is not None for row in rows)),
                (LABELS, "Labels apart", any(row.part is not None for row in rows))]  # fmt: skip
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        for name, label, there in switches:
            if there:
                st.toggle(label, **choices.switch(name))
        _metrics(scene)
        if 1 < len(scene.others) <= ONE_LINE_UP_TO:
            _columns(scene)
    if len(scene.others) > ONE_LINE_UP_TO:
        _columns(scene)


def _columns(scene: CompareScene) -> None:
    st.pills(
        "Variants in the table", scene.others, selection_mode="multi", wrap=True, label_visibility="collapsed",
        **_kept("compare-columns-chosen", scene.columns, scene.choose_columns),
    )  # fmt: skip


def _metrics(scene: CompareScene) -> None:
    names = {metric_key(row): f"{row.task}: {row.label}" for row in scene.comparison.rows}
    known = list(names)
    if len(known) < 2:
        return
    chosen = scene.metrics
    label = "Choose metrics" if not chosen else f"{len(chosen)} of {len(known)} metrics"
    with st.popover(label, type="tertiary"):
        st.multiselect(
            "Metrics in the table", known, format_func=names.__getitem__, placeholder="the primary ones",
            help="Only these have a row. p-values stay corrected for all that were declared.",
            **_kept("compare-rows-chosen", chosen, scene.choose_metrics),
        )  # fmt: skip


def _kept(key: str, chosen: Sequence[str], choose: Callable[[Sequence[str]], None]) -> dict[str, Any]:
    """Return the ``key`` and ``on_change`` of a widget of several choices, after setting it to what the URL says."""
    if st.session_state.get(key) != list(chosen):
        st.session_state[key] = list(chosen)
    return {"key": key, "on_change": lambda: choose(st.session_state[key])}
