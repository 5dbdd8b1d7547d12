"""Compare's first section: every metric of every variant, and one metric with its evidence, example by example."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.charts.forest import forest_of_metric
from core.charts.scatter import example_scatter, is_right_or_wrong, outcome_counts
from core.charts.tables import comparison_table as comparison_data
from core.diagnostics.picks import Pick
from core.notation import in_shown_unit, metric_name
from core.results import MetricRow
from dashboard import cache, result_cache, state
from dashboard.parts.compare_choices import table_choices
from dashboard.parts.compare_pictures import draw_pictures
from dashboard.parts.compare_scene import BOX, PICK, CompareScene
from dashboard.parts.evidence_table import evidence_table, reading
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.footnote import footnote
from dashboard.parts.frame import heading
from dashboard.parts.linked_html import linked_html
from dashboard.parts.metric_rows import metric_key, shown_rows
from dashboard.parts.metric_tables import comparison_table
from dashboard.parts.navigation import go, page_link
from dashboard.parts.own_panel import own_panel


def draw_metrics(scene: CompareScene) -> None:
    """Draw the section."""
    comparison = scene.comparison
    primary = [row.key for row in comparison.rows if row.primary]
    rows = {row.key: row for row in comparison.rows}
    picked = [row.key for row in comparison.rows if metric_key(row) in scene.metrics]
    key = scene.key(list(dict.fromkeys([*picked, *primary, *rows])))
    _table(scene, key)
    footnote(scene.run, comparison, scene.chosen.slice, "hold the pointer over a number for its signature and method")
    if not scene.chosen.joined:
        own_panel(scene.run, scene.chosen.reference)
    if scene.variant is not None:
        _one_metric(scene, rows, key, scene.variant)
        _all_differences(scene)
    _efficiency(scene)


def _all_differences(scene: CompareScene) -> None:
    comparison = scene.comparison
    shown = tuple(row for row in shown_rows(comparison, scene.unfolded(None)) if row.differences)
    if shown:
        drawn = replace(comparison, rows=shown)
        chart(
            result_cache.differences_figure(scene.run, scene.chosen.slice, drawn, state.mode()), "differences", scene.run.id,
            lambda: comparison_data(comparison), alt="Differences of the metrics in the table to the reference, with intervals",
        )  # fmt: skip


def _table(scene: CompareScene, key: str) -> None:
    comparison, choices = scene.comparison, scene.choices
    with st.container(key="chart-comparison"):
        st.markdown("#### Every metric, every variant")
        export_menu("comparison", f"{scene.run.id}-comparison", lambda: comparison_data(comparison))
        table_choices(scene)
        content = comparison_table(
            comparison, state.mode(), scene.row_link, scene.unfolded(key), scene.fold_link, scene.columns
        )
        linked_html(content, "comparison-table", choices)


def _efficiency(scene: CompareScene) -> None:
    """Draw what the probe measured: each variant alone, warmed up, repeats interleaved."""
    if not scene.comparison.efficiency:
        return
    measured = replace(scene.comparison, rows=tuple(_without_verdict(row) for row in scene.comparison.efficiency))
    known = tuple(row for row in measured.rows if any(value.value is not None for value in row.values.values()))
    unknown: dict[str, list[str]] = {}
    for row in measured.rows:
        if row not in known:
            unknown.setdefault(next(iter(row.values.values())).reason or "not known why", []).append(row.label)
    with st.container(key="chart-efficiency"):
        st.markdown("#### Speed and cost, each variant alone")
        export_menu("efficiency", f"{scene.run.id}-efficiency", lambda: comparison_data(measured))
        if known:
            linked_html(comparison_table(replace(measured, rows=known), state.mode(), None), "efficiency-table")
        repeats = max(value.n for row in measured.rows for value in row.values.values())
        times = f"{repeats} repeats on one machine: shown" if repeats > 1 else "Shown"
        missing = "".join(f" No value of {', '.join(labels)}: {reason}." for reason, labels in unknown.items())
        st.html(
            f'<p class="ls-foot">{html.escape(f"{times} without a verdict, and in no count of metrics.{missing}")}</p>'
        )


def _without_verdict(row: MetricRow) -> MetricRow:
    told = "shown without a verdict"
    return replace(
        row, differences={name: replace(one, verdict="none", reason=one.reason or told) for name, one in row.differences.items()}
    )  # fmt: skip


def _one_metric(scene: CompareScene, rows: dict[str, MetricRow], key: str, variant: str) -> None:
    """Draw the chosen metric: its differences, its numbers, and the examples of one variant against the reference."""
    comparison, choices = scene.comparison, scene.choices
    left, right = st.columns([3, 2])
    left.selectbox(
        "Metric", list(rows), format_func=lambda key: metric_name(rows[key]), **choices.widget(state.METRIC, key)
    )
    right.selectbox("Variant", scene.others, **choices.widget(state.VARIANT, variant))
    row, one = rows[key], replace(comparison, rows=(rows[key],))
    left, right = st.columns([3, 2])
    with left:
        chart(
            forest_of_metric(comparison, key, state.mode()), "metric", scene.run.id, lambda: comparison_data(one),
            alt=f"{metric_name(row)}: difference of each variant to the reference",
        )  # fmt: skip
        if len(scene.run.spec.models.adapters) > 1 and not row.is_detail:
            page_link("ablations", "Which choice made the difference", scene.chosen.link(metric=row.key))
    with right:
        _examples(scene, row, variant)
    draw_pictures(scene, row, variant)
    with st.container(key="chart-evidence"):
        heading(f"{metric_name(row)}: the numbers side by side")
        export_menu("evidence", f"{scene.run.id}-evidence", lambda: comparison_data(one))
        linked_html(evidence_table(comparison, row, state.mode(), variant), "evidence-table")
        st.html(f'<p class="ls-foot">{html.escape(" ".join(reading(comparison, row)))}</p>')


def _examples(scene: CompareScene, row: MetricRow, variant: str) -> None:
    metric, comparison = scene.metric(row), scene.comparison
    if metric is None or row.part is not None:
        reason = "Its value of each single example is not stored." if metric is None else (
            "One label has no value of a single example: accuracy and the confusion of labels do."
        )  # fmt: skip
        st.html(f'<p class="ls-foot">{reason}</p>')
        return
    scores = cache.scores(scene.run, row.task, row.metric, scene.chosen.slice, row.language)
    scores = scores[[comparison.reference, variant]]
    if not scores.notna().to_numpy().any():
        st.html(f'<p class="ls-foot">{html.escape(row.label)} is a number of all examples together.</p>')
        return
    title = f"{metric_name(row)}, example by example"
    are_counted = is_right_or_wrong(metric)
    if are_counted:
        figure = outcome_counts(scores, comparison.reference, variant, title, state.mode())
    else:
        figure = example_scatter(
            scores, comparison.reference, variant, title, row.unit, row.higher_is_better, state.mode()
        )

    def boxed(x: Sequence[float], y: Sequence[float]) -> None:
        scale = in_shown_unit(1.0, row.unit)
        bounds = tuple(float(bound) / scale for bound in (*x, *y))
        scene.choices.put(PICK, Pick("region", row.metric, variant, comparison.reference, bounds).text())

    by_box = not are_counted and scene.choices.flag(BOX)
    points = chart(
        figure, "examples", scene.run.id, lambda: scores.rename_axis("example_id").reset_index(), select=True,
        alt=f"{title}: {comparison.reference} against {variant}", on_box=boxed if by_box else None,
    )  # fmt: skip
    told = "Draw a box around examples: they are listed below." if by_box else "A click opens the examples behind it."
    st.html(f'<p class="ls-foot">{told}</p>')
    if not are_counted:
        st.toggle("Choose several by a box", **scene.choices.switch(BOX))
    if points and (found := points[0].get("customdata")) is not None:
        value = found[0] if isinstance(found, list) else found
        go(
            "examples",
            scene.examples_link(row, variant) | {state.OUTCOME if are_counted else state.EXAMPLE: str(value)},
        )
