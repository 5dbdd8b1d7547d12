"""What came of taking an adapter apart: one sentence and one picture for each part, and the way to its examples."""

from __future__ import annotations

import html
from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from core.ablation_spec import AblationPart
from core.charts.part_curves import layers_figure, rank_figure, strength_figure
from core.charts.part_figures import depth_figure, mixing_figure, modules_figure, prompt_figure
from core.charts.part_tables import experiment_table
from core.charts.theme import Mode
from core.experiment.results import Experiment
from core.notation import metric_name, percent
from core.records import BASELINE
from core.store import Run
from core.wording.experiment import PART_TITLES, headline, part_sentence
from core.wording.footnote import hashed_datasets
from dashboard import experiment_cache, state
from dashboard.parts import frame
from dashboard.parts.export_menu import chart
from dashboard.parts.navigation import go as open_page
from dashboard.parts.url_choices import UrlChoices

Figure = Callable[[Experiment, str, Mode], go.Figure | None]
_FIGURES: dict[AblationPart, tuple[tuple[str, Figure], ...]] = {
    "modules": (("modules", modules_figure),), "depth": (("windows", depth_figure), ("layers", layers_figure)),
    "strength": (("strength", strength_figure),), "rank": (("rank", rank_figure),), "mixing": (("mixing", mixing_figure),),
    "prompt": (("prompt", prompt_figure),),
}  # fmt: skip
"""The name of each element and what draws it."""
_LINES: tuple[tuple[AblationPart, ...], ...] = (
    ("modules",),
    ("depth",),
    ("strength", "rank"),
    ("mixing",),
    ("prompt",),
)
"""From above to below: what stands beside each other."""


def draw_parts(run: Run, choices: UrlChoices, inside: str | None = None) -> None:
    """Draw the results of an ablation's run.

    Args:
        run: which run.
        choices: of the page.
        inside: the slice that is looked at on other pages; the results are of all examples, and then say so.

    Raises:
        InputError: the run cannot be read.
    """
    found = experiment_cache.experiment(run)
    keys = [one.key for one in found.metrics]
    if not any(value.n for one in found.metrics for value in one.row.values.values()):
        frame.face(
            "No result yet", "The first results appear here as soon as the whole adapter and one part have answered."
        )
        return
    key = choices.one(state.METRIC, keys) or keys[0]
    st.html(f'<div class="ls-lead">{html.escape(headline(found, key))}</div>')
    rows = {one.key: one.row for one in found.metrics}
    st.selectbox("Metric", keys, format_func=lambda key: metric_name(rows[key]), **choices.widget(state.METRIC, key))
    for line in _LINES:
        parts: list[AblationPart] = [part for part in line if found.trials(part)]
        columns = st.columns(len(parts)) if parts else []
        for part, column in zip(parts, columns, strict=True):
            with column:
                _part(run, found, key, part)
    for reason in found.ablation.off.values():
        st.html(f'<p class="ls-foot">{html.escape(reason)}</p>')
    _examples(run, found, key, choices)
    _footnote(run, found, key, inside)


def _part(run: Run, found: Experiment, key: str, part: AblationPart) -> None:
    told = part_sentence(found, key, part)
    frame.heading(PART_TITLES[part])
    st.html(f'<div class="ls-lead">{html.escape(told)}</div>')
    drawn = {name: figure for name, draw in _FIGURES[part] if (figure := draw(found, key, state.mode())) is not None}
    for (name, figure), column in zip(drawn.items(), st.columns(len(drawn)) if drawn else (), strict=True):
        with column:
            chart(figure, f"part-{name}", run.id, lambda: experiment_table(found, key, (part,)), alt=told)


def _examples(run: Run, found: Experiment, key: str, choices: UrlChoices) -> None:
    """Draw the way from a part to the examples that made its number."""
    labels = {
        trial.variant: trial.label
        for trial in found.ablation.trials
        if trial.variant not in (found.whole, BASELINE) and found.metric(key).row.values[trial.variant].n
    }
    if not labels:
        return
    names = list(labels)
    variant = choices.one(state.VARIANT, names) or names[0]
    frame.heading(f"The examples behind it, against {found.whole}")
    left, compare, examples = st.columns([3, 1.2, 1.2], vertical_alignment="bottom")
    left.selectbox(
        "Part", names, format_func=lambda name: f"{labels[name]} ({name})", **choices.widget(state.VARIANT, variant)
    )
    for column, page, label in ((compare, "compare", "Open in Compare"), (examples, "examples", "Open in Examples")):
        with column:
            if st.button(
                label,
                key=f"ablations-open-{page}",
                width="stretch",
                on_click=state.choose_reference,
                args=(found.whole,),
            ):
                task = key.partition("/")[0]
                open_page(page, {state.TASK: task, state.METRIC: key, state.VARIANT: variant})


def _footnote(run: Run, found: Experiment, key: str, inside: str | None) -> None:
    counts = sorted({value.n for value in found.metric(key).row.values.values() if value.n})
    n = f"n = {counts[0]:,}" if len(counts) == 1 else f"n = {counts[0]:,} to {counts[-1]:,}"
    facts = [
        n, f"{percent(found.level)} intervals", f"{found.resamples:,} resamples", f"seed {found.seed}",
        f"p adjusted over {found.family_size:,} tests (Benjamini and Hochberg), a family of the parts alone",
        f"data: {hashed_datasets(run, [run.spec.tasks[key.partition('/')[0]].dataset])}", f"run {run.id}",
        "all examples: a slice is not looked at here" if inside else "",
    ]  # fmt: skip
    st.html(f'<p class="ls-foot">{html.escape(" · ".join(fact for fact in facts if fact))}</p>')
