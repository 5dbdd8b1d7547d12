"""Faults: every breach of the format by its code, with line, what was found, what was expected, and a repair."""

from __future__ import annotations

import html
from dataclasses import asdict

import pandas as pd
import streamlit as st

from core.data.browse import fault_page, faults_of
from core.data.inspect.records import Fault
from core.errors import InputError
from core.notation import counted
from dashboard.parts.data_copies import draw_copies
from dashboard.parts.data_headline import is_evaluation_alone
from dashboard.parts.data_scene import CODE, RULES, Scene, show_rows
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.example_list import pager
from dashboard.parts.export_menu import csv_button

FAULTS_A_PAGE = 50
_EXPORTED = 100_000
_COLUMNS = (
    Column("Line", "4.4rem", "number"), Column("Code", "10rem"), Column("Found", "auto"), Column("Expected", "auto"),
    Column("A repair would", "19%"),
)  # fmt: skip


def draw(scene: Scene) -> None:
    """Draw the segment."""
    if not scene.scan.fault_total:
        rules = "hold to the contract to the letter" if scene.scan.strict else "hold to what TRL takes"
        if is_evaluation_alone(scene):
            rules = "can be read; their fields are their own, as those of an evaluation file may be"
        st.html(
            f'<div class="ls-note"><b>No faults</b><span>All of {counted(scene.scan.rows, "row")} {rules}. What else is worth a '
            "look stands under the other headings.</span></div>"
        )
        draw_copies(scene)
        return
    left, right = st.columns([7, 3.4], gap="medium")
    with left:
        try:
            _faults(scene)
        except OSError:
            raise InputError(
                f"{scene.scan.faults_file}: the list of all faults is no longer in the cache. Change {scene.file.name} or "
                "restart the dashboard, and it is made again."
            ) from None
    with right:
        draw_copies(scene)


def _faults(scene: Scene) -> None:
    counts = {group.code: group.count for group in scene.scan.fault_groups}
    code = scene.choices.one(CODE, list(counts))
    with st.container(key="chart-faults"):
        st.html('<div class="ls-label">By code; choose one to see it alone</div>')
        with st.container(key="menu-faults"), st.popover("Export", type="tertiary", width="content"):
            csv_button("CSV of the faults", "faults", f"{scene.stem}-faults", lambda: _exported(scene, code))
        st.pills(
            "Code", list(counts), format_func=lambda name: f"{name} {counts[name]:,}", label_visibility="collapsed",
            wrap=True, **scene.choices.widget(CODE, code),
        )  # fmt: skip
    total = scene.scan.fault_total if code is None else counts[code]
    if code is not None:
        st.button(
            f"Show the rows with {code}", key="data-fault-rows", on_click=show_rows, args=(scene.choices,), kwargs={"code": code},
        )  # fmt: skip
    place = st.container()
    is_new = scene.choices.changed("faults", (scene.scan.sha256, scene.scan.strict, code))
    number = pager(-(-total // FAULTS_A_PAGE), 1, is_new, "data-fault-page")
    shown = fault_page(scene.scan, code, number, FAULTS_A_PAGE)
    n_columns = len(_COLUMNS) if any(fault.repair for fault in shown) else len(_COLUMNS) - 1
    with place:
        exact_table(
            _COLUMNS[:n_columns], [_cells(fault)[:n_columns] for fault in shown], "data-fault-table", name="faults", tall=True,
            ids=[f"{number}:{fault.line}" for number, fault in enumerate(shown)],
            on_pick=lambda found: show_rows(scene.choices, code=code, line=int(found.partition(":")[2])),
        )  # fmt: skip
        st.html(f'<p class="ls-foot">{html.escape(_footnote(scene, total))}</p>')


def _cells(fault: Fault) -> tuple[str, ...]:
    where = fault.message.partition(": found ")[0] if ": found " in fault.message else ""
    found = f"{where}: {fault.found}" if where and fault.column is None else fault.found
    place = f"{fault.line:,}" if fault.column is None else f"{fault.line:,}:{fault.column:,}"
    return place, fault.code, found, fault.expected, fault.repair or ""


def _footnote(scene: Scene, total: int) -> str:
    by = "the contract to the letter" if scene.scan.strict else "what TRL takes"
    place = {"json": "item", "parquet": "row", "arrow": "row"}.get(scene.scan.kind, "line")
    return (
        f"{counted(total, 'fault')}, judged by {by}. The number is the {place}, with the character after "
        "the colon where JSON is broken. A click opens the row."
    )


def _exported(scene: Scene, code: str | None) -> pd.DataFrame:
    """Return the faults as a table; of more than 100,000 the first, which a spreadsheet still opens."""
    rows = [asdict(fault) for fault, _ in zip(faults_of(scene.scan, code), range(_EXPORTED), strict=False)]
    return pd.DataFrame(rows).assign(rules=scene.choices.one(RULES) or "trl")
