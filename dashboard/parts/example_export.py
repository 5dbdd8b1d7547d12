"""What the Examples page gives away: the list as it is filtered, its averages, and the open example's gain strip."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.charts.gain import gain_heatmap
from core.charts.tables import aggregates_table, examples_table, gains_table
from core.charts.theme import Mode
from core.example_aggregates import Aggregate
from core.examples import ExampleTable, Selection
from core.gains import GainStrip
from dashboard.parts.export_menu import csv_button, figure_buttons


def example_menu(
    file_stem: str, table: ExampleTable, selection: Selection, scores: pd.DataFrame | None, found: Sequence[Aggregate],
    strip: GainStrip | None, example_id: str | None, variant: str, reference: str, mode: Mode,
) -> None:  # fmt: skip
    """Draw the menu; every file is made when it is asked for.

    Args:
        file_stem: begins the files' names.
        table: the task's examples.
        selection: which of them are listed, and what became of each.
        scores: rows as the table, columns variants; None for a task without metric.
        found: the averages over what is listed.
        strip: of the open example; None where it has none.
        example_id: the open example.
        variant: which is compared.
        reference: with which.
        mode: light or dark.
    """
    with st.container(key="menu-examples"), st.popover("Export", type="tertiary", width="content"):
        csv_button(
            "CSV of the list", "examples", f"{file_stem}-examples", lambda: examples_table(table, selection, scores)
        )
        csv_button("CSV of the averages", "averages", f"{file_stem}-averages", lambda: aggregates_table(found))
        if strip is None or example_id is None:
            return
        st.caption(f"Gain of {variant} on {example_id}".replace("$", "\\$"))
        stem = f"{file_stem}-gain-{_name(example_id)}"
        figure_buttons("gain", stem, lambda: gain_heatmap(strip, example_id, variant, reference, mode))
        csv_button("CSV of the gain", "gain", stem, lambda: gains_table(strip))


def _name(example_id: str) -> str:
    """Return an example's id as a part of a file's name: it may hold line breaks, quotes and slashes."""
    return re.sub(r"[^\w.-]+", "-", example_id)[:80]
