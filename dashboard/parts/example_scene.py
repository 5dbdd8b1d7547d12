"""What one drawing of the Examples page is about: the task, what its examples are judged by, the variant and the order."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import cast

import streamlit as st

from core.charts.theme import variant_colours
from core.examples import ExampleTable, Sort
from core.judging import metrics_of
from core.metrics.metric import Metric
from core.metrics.registry import all_metrics
from core.store import Run
from dashboard import cache, state
from dashboard.parts.example_data import Scored, scored_by
from dashboard.parts.original_input import perturbation_label
from dashboard.parts.url_choices import UrlChoices

SORT = "sort"
_SORTS = {
    "change": "Biggest change first",
    "gain": "Biggest gain first",
    "loss": "Biggest loss first",
    "dataset": "As in the dataset",
}


@dataclass(frozen=True)
class ExampleScene:
    """What this drawing of the page is about."""

    run: Run
    home: Run
    """Where flags are kept: ``run``, or the first of those that it is joined of."""
    reference: str
    part: str | None
    choices: UrlChoices
    task: str
    metrics: dict[str, Metric]
    scored: Scored | None
    variant: str
    order: Sort
    table: ExampleTable
    colours: dict[str, str]


def example_pickers(run: Run, home: Run, reference: str, part: str | None, choices: UrlChoices) -> ExampleScene:
    """Draw task, metric, variant and order, and return what follows from them.

    Args:
        run: the run.
        home: the run that flags are kept with.
        reference: what variants are compared with.
        part: the slice that is looked at; None is all examples.
        choices: of the page.
    """
    columns = st.columns([2.8, 2.2, 1.9, 2])
    tasks = list(run.spec.tasks)
    task = choices.one(state.TASK, tasks) or tasks[0]
    columns[0].selectbox(
        "Task", tasks, format_func=lambda name: _task_label(run, name),
        **choices.widget(state.TASK, task, lambda: choices.put(state.METRIC, None)),
    )  # fmt: skip
    metrics = metrics_of(run, task)
    # A link from a comparison names the row: task/metric[language].
    asked = (choices.one(state.METRIC) or "").rpartition("/")[2].partition("[")[0]
    metric = asked if asked in metrics else next(iter(metrics), None)
    columns[1].selectbox(
        "Judged by", list(metrics), disabled=not metrics, placeholder="no metric yet",
        format_func=lambda name: f"{metrics[name].label} {_arrow(metrics[name])}".rstrip(),
        **choices.widget(state.METRIC, metric, lambda: choices.put(state.OUTCOME, None)),
    )  # fmt: skip
    variants = run.spec.models.variants
    others = [name for name in variants if name != reference] or list(variants)
    variant = choices.one(state.VARIANT, others) or others[0]
    columns[2].selectbox("Variant", others, **choices.widget(state.VARIANT, variant))
    order = choices.one(SORT, list(_SORTS)) or "change"
    columns[3].selectbox(
        "Order", list(_SORTS), format_func=_SORTS.__getitem__, disabled=not metrics, **choices.widget(SORT, order)
    )  # fmt: skip
    if asked and asked != metric and asked in all_metrics():
        label = f"{all_metrics()[asked].label} is a number of all examples together"
        by = f"; single examples are judged by {metrics[metric].label}" if metric else ""
        st.html(f'<p class="ls-foot">{html.escape(label + by)}.</p>')
    scored = scored_by(run, task, metrics[metric]) if metric else None
    return ExampleScene(
        run, home, reference, part, choices, task, metrics, scored, variant, cast(Sort, order),
        cache.example_table(run, task), variant_colours(variants, state.mode()),
    )  # fmt: skip


def _arrow(metric: Metric) -> str:
    return "" if metric.direction_free else "↑" if metric.higher_is_better else "↓"


def _task_label(run: Run, name: str) -> str:
    ref = run.spec.tasks[name].perturbation
    return name if ref is None else f"{ref.of} + {perturbation_label(ref)}"
