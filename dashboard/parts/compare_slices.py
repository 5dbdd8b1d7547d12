"""Compare's section on slices: where the variants differ most, ranked and corrected for how many were tried."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.charts.slices import slices_forest
from core.charts.tables import slices_table
from core.notation import MARKS, difference_texts, metric_name, p_text, percent, value_texts
from core.results import Difference
from core.slices import SliceRow, SliceTable
from core.wording.slices import sentence
from dashboard import result_cache, state
from dashboard.parts import frame
from dashboard.parts.compare_scene import SECTION, CompareScene
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import link, linked_html

_LISTED = 25
"""Slices in the table; the CSV has all of them."""


def draw_slices(scene: CompareScene) -> None:
    """Draw the section, or why there is nothing to draw."""
    comparison, variant = scene.comparison, scene.variant
    if variant is None:
        frame.face("Nothing to compare", f"Only {comparison.reference} was run.")
        return
    by_label = {row.key for row in comparison.rows if row.part is not None}
    rows = {row.key: row for row in comparison.rows if row.language is None and row.key not in by_label}
    primary = [key for key, row in rows.items() if row.primary]
    keys = [*primary, *(key for key in rows if key not in primary)]
    key = scene.key(keys)
    left, right = st.columns([3, 2])
    left.selectbox(
        "Metric", keys, format_func=lambda key: metric_name(rows[key]), **scene.choices.widget(state.METRIC, key)
    )
    right.selectbox("Variant", scene.others, **scene.choices.widget(state.VARIANT, variant))
    more = () if rows[key].primary or rows[key].family in ("own", "user feedback") else (key,)
    table = result_cache.slices_of(scene.run, scene.chosen.reference, scene.chosen.slice, more)
    found = table.of(key, variant)
    if not found:
        frame.face(
            "No slice to compare on",
            f"No tag, label, language, field or length parts the examples of {rows[key].task} into slices of 15 and more, or the "
            "metric has no value by slice.",
        )
        return
    st.html(f'<div class="ls-lead">{escape(sentence(table, found, variant))}</div>')
    with st.container(key="chart-slices-table"):
        frame.heading("Where they differ most")
        export_menu("slices-table", f"{scene.run.id}-slices", lambda: slices_table(table))
        linked_html(_table(scene, table, found), "slices-rows", scene.choices)
    st.html(f'<p class="ls-foot">{escape(_reading(table, len(found)))}</p>')

    def picked(named: list[str] | str) -> None:
        state.choose_slice(named[0] if isinstance(named, list) else named)
        scene.choices.put(SECTION, None)

    chart(
        slices_forest(table, key, variant, mode=state.mode()), "slices", scene.run.id, lambda: slices_table(table),
        alt="Difference on each slice, with intervals", on_pick=picked,
    )  # fmt: skip


def _table(scene: CompareScene, table: SliceTable, found: tuple[SliceRow, ...]) -> str:
    titles = ("Slice", "n", scene.comparison.reference, found[0].variant, "Difference inside", "On the rest", "Inside minus rest",
              "Adjusted p", "")  # fmt: skip
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join(_line(scene, row) for row in found[:_LISTED])
    return f'<table class="wide dense slices"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _line(scene: CompareScene, row: SliceRow) -> str:
    address = link("compare", {**scene.link(**{SECTION: None}), state.SLICE: row.slice.name})
    values = "".join(
        f"<td>{escape(value_texts(value, row.unit)[0])}</td>" for value in (row.reference_value, row.value)
    )
    inside, contrast = row.difference, row.contrast
    mark = f'<span class="{contrast.verdict}">{MARKS[contrast.verdict] if contrast.verdict != "none" else ""}</span>'
    return (
        f'<tr><th><a href="{address}">{escape(row.slice.name)}</a></th><td title="{row.slice.n:,} of {row.slice.of:,} examples">'
        f"{inside.n:,}</td>{values}{_gap(inside, row)}{_gap(row.rest, row)}{_gap(contrast, row)}"
        f'<td title="{escape(_p_tip(row), quote=True)}">{escape(p_text(contrast.p_adjusted))}</td><td>{mark}</td></tr>'
    )


def _gap(found: Difference, row: SliceRow) -> str:
    if found.difference is None:
        return f'<td><small class="why">{escape(found.reason or "nothing to compare")}</small></td>'
    number, interval = difference_texts(found, row.unit)
    tip = escape(f"{p_text(found.p)}\nn = {found.n:,}\n{found.method}".strip(), quote=True)
    tone = found.verdict if found.verdict in ("better", "worse") else ""
    return f'<td title="{tip}"><span class="{tone}">{escape(number)}</span><br><small>{escape(interval)}</small></td>'


def _p_tip(row: SliceRow) -> str:
    found = row.contrast
    return found.reason or f"{p_text(found.p)} unadjusted, {p_text(found.p_adjusted)} adjusted; {found.method}"


def _reading(table: SliceTable, n: int) -> str:
    listed = f"The first {_LISTED} of {n} slices; the export has all. " if n > _LISTED else ""
    return (
        f"{listed}Ranked {table.rule}. {len(table.slices)} slices x primary metrics x variants were tried: Benjamini and Hochberg's "
        f"correction over {table.n_tests:,} tests, a family of their own. {percent(table.level)} intervals. A click on a slice opens it."
    )
