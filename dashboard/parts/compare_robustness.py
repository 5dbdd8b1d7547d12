"""Compare's section on robustness: what each variant loses when its inputs are perturbed."""

from __future__ import annotations

import html

import streamlit as st

from core.charts.robustness import drops_forest
from core.charts.tables import robustness_table
from core.notation import metric_name
from core.wording.robustness import metric_keys, rows_of, sentence
from dashboard import cache, state
from dashboard.parts import frame
from dashboard.parts.compare_scene import CompareScene
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.linked_html import linked_html
from dashboard.parts.navigation import page_link
from dashboard.parts.robustness_words import drop_table

_ALL_UP_TO = 4
"""Variants up to which the picture holds all of them; with more it holds the chosen one beside the reference."""


def draw_robustness(scene: CompareScene) -> None:
    """Draw the section, or what to do to have one."""
    of_all = scene.chosen.slice is None
    comparison = scene.comparison if of_all else cache.comparison(scene.run, scene.comparison.reference, None)
    keys = metric_keys(comparison)
    if not keys:
        frame.face(
            "No perturbed inputs in this run",
            "Name perturbations in workspace.yaml under a task, robustness: [typos, instruction_injection], and evaluate: "
            "every variant then answers the same inputs again, perturbed with a seed.",
        )
        return
    if not of_all:
        st.html('<p class="ls-foot">Of all examples: the slice above does not apply here.</p>')
    if told := sentence(comparison):
        st.html(f'<div class="ls-lead">{html.escape(told)}</div>')
    rows = {row.key: row for row in comparison.rows}
    key = scene.key(keys)
    left, right = st.columns([3, 2])
    left.selectbox(
        "Metric", keys, format_func=lambda key: metric_name(rows[key]) if key in rows else key,
        **scene.choices.widget(state.METRIC, key),
    )  # fmt: skip
    variant = scene.variant
    if variant is not None and len(comparison.variants) > _ALL_UP_TO:
        right.selectbox("Variant in the picture", scene.others, **scene.choices.widget(state.VARIANT, variant))
    found = rows_of(comparison, key)
    with st.container(key="chart-robustness"):
        frame.heading("Lost under each perturbation")
        export_menu("robustness", f"{scene.run.id}-robustness", lambda: robustness_table(comparison, found))
        linked_html(drop_table(comparison, found, state.mode()), "robustness-table")
    tests = sum(len(row.drops) + len(row.differences) for row in comparison.robustness)
    st.html(
        '<p class="ls-foot">Drop: clean minus perturbed, turned so that above zero is worse; paired by example. ▼ the drop is more than '
        f"noise; the second mark: more or less than {html.escape(comparison.reference)} loses. Benjamini and Hochberg's correction "
        f"over {tests:,} tests of drops, a family of their own.</p>"
    )
    if any(drop.difference is not None for row in found for drop in row.drops.values()):
        shown = comparison.variants if len(comparison.variants) <= _ALL_UP_TO else (comparison.reference, variant or "")
        ordered = [comparison.reference, *(name for name in shown if name != comparison.reference)]
        chart(
            drops_forest(found, comparison.variants, ordered, comparison.level, state.mode()), "drops", scene.run.id,
            lambda: robustness_table(comparison, found), alt="Drop under each perturbation, with intervals",
        )  # fmt: skip
    _twins(scene, found[0].task)


def _twins(scene: CompareScene, task: str) -> None:
    """Draw links to the perturbed examples, original and perturbed input beside each other."""
    spec = scene.run.spec.tasks
    twins = [name for name, one in spec.items() if one.perturbation is not None and one.perturbation.of == task]
    with st.container(horizontal=True, gap="small"):
        for name in twins:
            page_link(
                "examples",
                f"Examples of {name}".replace("_", "\\_"),
                scene.chosen.link(task=name, variant=scene.variant),
            )
