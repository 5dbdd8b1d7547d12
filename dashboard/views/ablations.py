"""Ablations: which of the choices behind the adapters made the difference, as observed in a run and by experiment."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.ablation.records import Analysis, Outcome
from core.charts.factor_words import outcome_heading
from core.errors import InputError
from core.notation import percent
from core.store import Run
from dashboard import ablation_cache, state
from dashboard.parts import frame
from dashboard.parts.ablation_cost import draw_cost
from dashboard.parts.ablation_experiment import CHOICES as EXPERIMENT_CHOICES
from dashboard.parts.ablation_experiment import experiment
from dashboard.parts.ablation_factors import ABLATION_CSS, draw_factors
from dashboard.parts.ablation_levels import draw_levels
from dashboard.parts.ablation_scene import AGAINST, CHOICES, PART, SECTION, AblationScene, grey
from dashboard.parts.ablation_together import draw_together
from dashboard.parts.ablation_training import draw_training
from dashboard.parts.navigation import page_link
from dashboard.parts.url_choices import UrlChoices

Places = tuple[DeltaGenerator, DeltaGenerator]
"""Where the pickers of the first half stand, beside the choice between the halves."""
_PARTS: dict[str, tuple[str, Callable[[AblationScene], None]]] = {
    "factors": ("One choice at a time", draw_factors),
    "levels": ("Levels and doses", draw_levels),
    "cost": ("Quality against cost", draw_cost),
    "training": ("Learning curves", draw_training),
    "together": ("All choices at once", draw_together),
}
"""Name in the URL, name on the page, and what draws it; a part costs nothing until it is opened."""


_SECTIONS = {"observed": "Observed", "experiment": "By experiment"}


def show() -> None:
    """Draw the page."""
    st.html(f"<style>{ABLATION_CSS}</style>")
    try:
        chosen = state.selection()
    except InputError as error:
        frame.face("This cannot be opened", str(error))
        return
    choices = UrlChoices("ablations", (*CHOICES, *EXPERIMENT_CHOICES))
    is_experiment = chosen.run is not None and chosen.run.spec.ablation is not None
    section = choices.one(SECTION, list(_SECTIONS)) or ("experiment" if is_experiment else "observed")
    left, middle, right = st.columns([3, 4, 4], vertical_alignment="bottom")
    left.segmented_control("Section", list(_SECTIONS), format_func=_SECTIONS.__getitem__, label_visibility="collapsed",
                           **choices.widget(SECTION, section))  # fmt: skip
    if section == "experiment":
        experiment(chosen, chosen.run, choices)
    elif frame.selection_or_face() is not None and chosen.run is not None:
        _observed(chosen, chosen.run, choices, (middle, right))


def _observed(chosen: state.Selection, run: Run, choices: UrlChoices, places: Places) -> None:
    known = {one.key: one for one in ablation_cache.outcomes_of(run)} if run.spec.models.adapters else {}
    if not known:
        _nothing(run)
        return
    metric = choices.one(state.METRIC, list(known)) or next(iter(known))
    analysis = ablation_cache.analysis(chosen.workspace, run, metric, choices.one(AGAINST))
    _pickers(choices, known, analysis, places)
    scenes = [AblationScene(chosen, run, analysis, table, choices) for table in analysis.tables]
    if not scenes:
        reasons = [f"{left.variant}: {left.reason}" for left in analysis.left_out]
        told = "\n".join([*analysis.notes, *reasons])
        frame.face("Nothing to compare", told or "No adapter of this run can be compared.")
        return
    if not any(row.value.n for scene in scenes for row in scene.table.rows):
        frame.nothing_so_far(run)
        return
    for scene in scenes:
        _lead(scene)
    part = choices.one(PART, list(_PARTS)) or "factors"
    st.segmented_control("Part", list(_PARTS), format_func=lambda name: _PARTS[name][0], label_visibility="collapsed",
                         **choices.widget(PART, part))  # fmt: skip
    for scene in scenes:
        if len(scenes) > 1:
            frame.heading(f"Adapters of {scene.table.base}")
        _PARTS[part][1](scene)
    _foot(chosen, analysis)


def _nothing(run: Run) -> None:
    """Say why no choice can be looked at."""
    if run.spec.models.adapters:
        frame.nothing_so_far(run)
        return
    frame.face(
        "No adapters in this run",
        "Ablations compare adapters of one base that were trained with different choices. Name them in workspace.yaml under "
        "models.adapters, and run them together.",
    )
    page_link("run", "Start a run")


def _pickers(choices: UrlChoices, known: dict[str, Outcome], analysis: Analysis, places: Places) -> None:
    """Draw the pickers of the metric and of the reference configuration."""
    left, right = places
    left.selectbox(
        "Metric", list(known), format_func=lambda key: outcome_heading(known[key]),
        **choices.widget(state.METRIC, analysis.outcome.key),
    )  # fmt: skip
    names = [name for table in analysis.tables for name in table.references]
    if names:
        reference = choices.one(AGAINST, names) or analysis.tables[0].reference
        right.selectbox("Compared with the configuration", names, **choices.widget(AGAINST, reference))


def _lead(scene: AblationScene) -> None:
    """Say in a sentence which choice made the difference, or why that cannot be said."""
    told = [one.text for one in scene.table.statements[:1]]
    told += [scene.table.reason] if scene.table.reason else []
    before = f"{scene.table.base}: " if scene.suffix else ""
    st.html(f'<div class="ls-lead">{escape(before + " ".join(told))}</div>')


def _foot(chosen: state.Selection, analysis: Analysis) -> None:
    facts = [
        f"n = {analysis.n:,}", f"{percent(analysis.level)} intervals", f"{analysis.resamples:,} resamples", f"seed {analysis.seed}",
        "all examples: a slice is not looked at here" if chosen.slice else "", f"run {', '.join(analysis.run_ids)}",
    ]  # fmt: skip
    grey(" · ".join(fact for fact in facts if fact), *analysis.notes)
