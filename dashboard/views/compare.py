"""Compare: every metric of every variant, the differences with their uncertainty, and what stands behind them, section by section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from dashboard import cache, result_cache
from dashboard.parts import frame
from dashboard.parts.compare_composites import COMPOSITE, draw_composites
from dashboard.parts.compare_feedback import draw_feedback
from dashboard.parts.compare_forgetting import draw_forgetting
from dashboard.parts.compare_metrics import draw_metrics
from dashboard.parts.compare_people import draw_people
from dashboard.parts.compare_robustness import draw_robustness
from dashboard.parts.compare_scene import CHOICES, SECTION, CompareScene
from dashboard.parts.compare_slices import draw_slices
from dashboard.parts.first_look import metrics_ready
from dashboard.parts.join_picker import joined_note
from dashboard.parts.url_choices import UrlChoices

_SECTIONS: dict[str, tuple[str, Callable[[CompareScene], None]]] = {
    "metrics": ("Metrics", draw_metrics),
    "slices": ("Where they differ most", draw_slices),
    "robustness": ("Robustness", draw_robustness),
    "forgetting": ("Forgetting", draw_forgetting),
    "composite": ("Composite", draw_composites),
    "feedback": ("User feedback", draw_feedback),
    "people": ("Human preference", draw_people),
}
"""Name in the URL, name on the page, and what draws it; a section costs nothing until it is opened."""
_MODELS_ONLY = ("robustness", "forgetting", "composite")
"""Sections that imported predictions, which nothing was declared for, cannot have."""
_ONE_RUN_ONLY = ("feedback", "people")
"""Sections on what was said of the outputs of one run, and is kept with it."""


def show() -> None:
    """Draw the page."""
    chosen = frame.selection_or_face()
    if chosen is None or chosen.run is None or not metrics_ready(chosen.run, chosen.reference):
        return
    comparison = cache.comparison(chosen.run, chosen.reference, chosen.slice)
    if not frame.has_values(comparison):
        frame.nothing_so_far(chosen.run, chosen.slice)
        return
    said = result_cache.satisfaction(chosen.run, chosen.reference, chosen.slice)
    choices = UrlChoices("compare", (*CHOICES, COMPOSITE))
    imported = bool(chosen.run.spec.models.imported)
    left_out = (*(_MODELS_ONLY if imported else ()), *(_ONE_RUN_ONLY if chosen.joined else ()))
    names = [name for name in _SECTIONS if name not in left_out]
    joined_note(chosen)
    name = choices.one(SECTION, names) or names[0]
    st.segmented_control(
        "Section", names, format_func=lambda name: _SECTIONS[name][0], label_visibility="collapsed",
        **choices.widget(SECTION, name),
    )  # fmt: skip
    scene = CompareScene(chosen, chosen.run, replace(comparison, rows=(*comparison.rows, *said)), choices)
    _SECTIONS[name][1](scene)
