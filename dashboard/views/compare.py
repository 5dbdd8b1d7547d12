"""Compare: every metric of every variant, the differences with their uncertainty, and one metric example by example."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.charts.forest import forest_of_all, forest_of_metric
from core.charts.scatter import example_scatter, is_right_or_wrong, outcome_counts
from core.charts.tables import comparison_table as comparison_data
from core.metrics.registry import get_metric
from core.notation import metric_name
from core.results import Comparison, MetricRow
from core.store import Run
from dashboard import cache, state
from dashboard.parts import frame, metric_cell
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.footnote import footnote
from dashboard.parts.linked_html import linked_html
from dashboard.parts.navigation import go
from dashboard.parts.url_choices import UrlChoices


def show() -> None:
    """Draw the page."""
    chosen = frame.selection_or_face()
    if chosen is None or chosen.run is None:
        return
    comparison = cache.comparison(chosen.run, chosen.reference, chosen.slice)
    if not frame.has_values(comparison):
        frame.nothing_so_far(chosen.run, chosen.slice)
        return
    choices = UrlChoices("compare", (state.METRIC, state.VARIANT))
    keys = [row.key for row in comparison.rows]
    key = choices.one(state.METRIC, keys) or keys[0]
    _table(chosen, chosen.run, comparison, key)
    _efficiency(chosen.run, comparison)
    footnote(chosen.run, comparison, chosen.slice, "hold the pointer over a number for its signature and method")
    _one_metric(chosen, comparison, choices, key)
    chart(
        forest_of_all(comparison, state.mode()), "differences", chosen.run.id, lambda: comparison_data(comparison),
        alt="Differences of every metric to the reference, with intervals",
    )  # fmt: skip


def _table(chosen: state.Selection, run: Run, comparison: Comparison, key: str) -> None:
    with st.container(key="chart-comparison"):
        st.markdown("#### Every metric, every variant")
        export_menu("comparison", f"{run.id}-comparison", lambda: comparison_data(comparison))
        languages = any(row.language is not None for row in comparison.rows)
        apart = st.toggle("Languages apart", key="languages", bind="query-params") if languages else False
        content = metric_cell.comparison_table(
            comparison, state.mode(), lambda row, variant: _parameters(chosen, row, variant), key, apart
        )
        if clicked := linked_html(content, "comparison-table"):
            go(*clicked)


def _efficiency(run: Run, comparison: Comparison) -> None:
    """Draw what the probe measured: each variant alone, warmed up, repeats interleaved."""
    if not comparison.efficiency:
        return
    measured = replace(comparison, rows=comparison.efficiency)
    with st.container(key="chart-efficiency"):
        st.markdown("#### Speed, each variant alone")
        export_menu("efficiency", f"{run.id}-efficiency", lambda: comparison_data(measured))
        linked_html(metric_cell.comparison_table(measured, state.mode(), None), "efficiency-table")
        repeats = next(iter(comparison.efficiency[0].values.values())).n
        st.html(
            f'<p class="ls-foot">{repeats} repeats on one machine: shown without a verdict, and in no count of metrics.</p>'
        )


def _one_metric(chosen: state.Selection, comparison: Comparison, choices: UrlChoices, key: str) -> None:
    """Draw the chosen metric: its differences, and the examples of one variant against the reference."""
    rows = {row.key: row for row in comparison.rows}
    others = [name for name in comparison.variants if name != comparison.reference]
    if not others or chosen.run is None:
        return
    variant = choices.one(state.VARIANT, others) or others[0]
    left, right = st.columns([3, 2])
    left.selectbox(
        "Metric", list(rows), format_func=lambda key: metric_name(rows[key]), **choices.widget(state.METRIC, key)
    )
    right.selectbox("Variant", others, **choices.widget(state.VARIANT, variant))
    row = rows[key]
    left, right = st.columns([3, 2])
    with left:
        chart(
            forest_of_metric(comparison, key, state.mode()), "metric", chosen.run.id,
            lambda: comparison_data(replace(comparison, rows=(row,))),
            alt=f"{metric_name(row)}: difference of each variant to the reference",
        )  # fmt: skip
    with right:
        _examples(chosen, chosen.run, comparison, row, variant)


def _examples(chosen: state.Selection, run: Run, comparison: Comparison, row: MetricRow, variant: str) -> None:
    scores = cache.scores(run, row.task, row.metric, chosen.slice, row.language)[[comparison.reference, variant]]
    title = f"{metric_name(row)}, example by example"
    are_counted = is_right_or_wrong(get_metric(row.metric))
    if are_counted:
        figure = outcome_counts(scores, comparison.reference, variant, title, state.mode())
    else:
        figure = example_scatter(
            scores, comparison.reference, variant, title, row.unit, row.higher_is_better, state.mode()
        )
    points = chart(
        figure, "examples", run.id, lambda: scores.rename_axis("example_id").reset_index(), select=True,
        alt=f"{title}: {comparison.reference} against {variant}",
    )  # fmt: skip
    st.html('<p class="ls-foot">A click opens the examples behind it.</p>')
    if points and (found := points[0].get("customdata")) is not None:
        value = found[0] if isinstance(found, list) else found
        go(
            "examples",
            examples_link(chosen, row, variant) | {state.OUTCOME if are_counted else state.EXAMPLE: str(value)},
        )


def examples_link(chosen: state.Selection, row: MetricRow, variant: str) -> dict[str, str]:
    """Return the query parameters that open Examples on what a row was computed from: of one language, that language."""
    tags = None if row.language is None else f"language={row.language}"
    return chosen.link(**{state.TASK: row.task, state.METRIC: row.metric, state.VARIANT: variant, state.TAGS: tags})


def _parameters(chosen: state.Selection, row: MetricRow, variant: str | None) -> dict[str, str]:
    return chosen.link(metric=row.key, variant=variant)
