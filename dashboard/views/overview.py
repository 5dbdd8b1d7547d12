"""Overview: did fine-tuning help, on what, how sure is it, and at what cost?"""

from __future__ import annotations

from dataclasses import replace
from html import escape

import pandas as pd
import streamlit as st

from core.charts.cost import quality_against_cost
from core.charts.matrix import verdict_matrix as matrix_figure
from core.charts.tables import verdict_table
from core.charts.theme import variant_colours
from core.notation import metric_heading, metric_name, percent
from core.results import Comparison
from core.store import Run
from core.wording.verdicts import CardOrder, card_order, counted_rows, in_order, order_sentence
from dashboard import cache, state
from dashboard.parts import frame, metric_tables, overview_data
from dashboard.parts.export_menu import chart, export_menu
from dashboard.parts.first_look import metrics_ready
from dashboard.parts.footnote import footnote
from dashboard.parts.linked_html import linked_html
from dashboard.parts.navigation import go
from dashboard.parts.overview_lines import lines_html, overview_lines
from dashboard.parts.url_choices import UrlChoices
from dashboard.parts.verdict_card import card_html

MORE, SORT = "more", "sort"
_SORTS: dict[CardOrder, str] = {
    "balance": "Best balance first", "better": "Most better first", "worse": "Fewest worse first", "time": "Fastest first",
    "size": "Smallest first", "workspace": "As in the workspace",
}  # fmt: skip
_COST_HEIGHT = 400


def show() -> None:
    """Draw the page."""
    chosen = frame.selection_or_face()
    if chosen is None or chosen.run is None or not metrics_ready(chosen.run, chosen.reference):
        return
    comparison = cache.comparison(chosen.run, chosen.reference, chosen.slice)
    if not frame.has_values(comparison):
        frame.nothing_so_far(chosen.run, chosen.slice)
        return
    if chosen.run.spec.models.imported:
        # Answers that came from elsewhere have no cost that could be set against their quality.
        _cards(chosen, chosen.run, comparison)
    else:
        left, right = st.columns([11, 9], gap="medium")
        with left:
            _cards(chosen, chosen.run, comparison)
        with right:
            _cost(chosen.run, comparison, chosen.slice)
    _matrix(chosen, chosen.run, comparison)
    _lines(chosen, chosen.run, comparison)
    footnote(chosen.run, comparison, chosen.slice)
    _without_metrics(chosen.run)


def _cards(chosen: state.Selection, run: Run, comparison: Comparison) -> None:
    colours, choices = variant_colours(comparison.variants, state.mode()), UrlChoices("overview", (MORE, SORT))
    order = card_order(choices.one(SORT))
    content = "".join(
        card_html(card, comparison.reference, colours[card.variant], chosen.link(variant=card.variant))
        for card in in_order(overview_data.cards(run, comparison), order)
    )
    against = f"Only {comparison.reference} was run; there is nothing to compare it with."
    if clicked := linked_html(content or f"<p>{escape(against)}</p>", "cards"):
        go(*clicked)
    if len(comparison.variants) > 2:
        told, changed = st.columns([3, 2], vertical_alignment="center")
        told.html(f'<p class="ls-foot">{escape(order_sentence(order))}</p>')
        changed.selectbox(
            "Sort by", list(_SORTS), format_func=_SORTS.__getitem__,
            label_visibility="collapsed", **choices.widget(SORT, order),
        )  # fmt: skip


def _cost(run: Run, comparison: Comparison, part: str | None) -> None:
    rows = {metric_name(row): row for row in counted_rows(comparison) or comparison.rows}
    left, right = st.columns(2)
    quality = left.selectbox("Quality", list(rows), key="quality", bind="query-params")
    costs, missing = overview_data.known_costs(run, comparison)
    cost = right.selectbox(
        "Cost", costs, key="cost", bind="query-params", disabled=not costs, placeholder="none is known"
    )
    row = rows[quality or next(iter(rows))]
    if missing:
        st.html(f'<p class="ls-foot">{escape(" ".join(missing))}</p>')
    if not costs:
        return
    points = overview_data.cost_points(run, comparison, row, cost or costs[0])
    if not points:
        st.html(f'<p class="ls-foot">No variant has a value of {escape(metric_name(row))}.</p>')
        return
    points, sure = overview_data.with_certainty(run, points, row, cost or costs[0], part)
    figure = quality_against_cost(
        points, comparison.variants, f"{row.task}: {metric_heading(row)}", cost or costs[0],
        f"{percent(comparison.level)} intervals, n = {max(value.n for value in row.values.values())}",
        row.higher_is_better, state.mode(), _COST_HEIGHT,
    )  # fmt: skip
    chart(
        figure, "quality-against-cost", run.id, lambda: pd.DataFrame(points), alt="Quality against cost of each variant"
    )
    if sure is not None:
        times = ", times over the probe's repeats" if overview_data.is_time(cost or costs[0]) else ""
        told = f"Front: nothing else is at least as good and as cheap. %: in how many of {sure.resamples:,} resamples"
        told += f" of {sure.n:,} examples{times} the variant is on it."
        st.html(f'<p class="ls-foot">{escape(told)}</p>')


def _matrix(chosen: state.Selection, run: Run, comparison: Comparison) -> None:
    mode, choices = state.mode(), UrlChoices("overview", (MORE, SORT))
    if len(comparison.variants) < 2:
        return
    with st.container(key="chart-matrix"):
        st.markdown("#### Metric by metric")
        more = metric_tables.n_more(comparison)
        if more:
            st.toggle(f"{more} more metric{'' if more == 1 else 's'} that are not primary", **choices.switch(MORE))
        is_all = bool(more) and choices.flag(MORE)
        shown = replace(comparison, rows=metric_tables.matrix_rows(comparison, is_all))
        export_menu("matrix", f"{run.id}-matrix", lambda: verdict_table(comparison), lambda: matrix_figure(shown, mode))
        content = metric_tables.verdict_matrix(
            comparison, mode, lambda row, variant: chosen.link(metric=row.key, variant=variant), is_all
        )
        if clicked := linked_html(content, "matrix"):
            go(*clicked)
    st.html('<p class="ls-foot">▲ better, ▼ worse, ≈ the same within the band declared beforehand, ? cannot be told at this n, '
            "– no verdict. A mark leads to its numbers.</p>")  # fmt: skip


def _lines(chosen: state.Selection, run: Run, comparison: Comparison) -> None:
    lines = overview_lines(chosen, run, comparison)
    if lines and (clicked := linked_html(lines_html(lines, chosen), "lines")):
        go(*clicked)


def _without_metrics(run: Run) -> None:
    names = [name for name, task in run.spec.clean_tasks.items() if not task.metrics]
    if names:
        st.html(f'<p class="ls-foot">Evidence without a metric chosen: {escape(", ".join(names))}.</p>')
