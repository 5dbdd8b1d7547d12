"""Agreement: who is preferred by people, how sure that is, whether they agree, and which metric agrees with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import InputError
from core.ratings import RatingStore, StudySummary
from core.wording.ratings import counts_line
from core.workspace import Workspace
from dashboard import state, study_cache
from dashboard.parts import frame
from dashboard.parts.agreement_disagreements import draw_disagreements
from dashboard.parts.agreement_export import draw_export
from dashboard.parts.agreement_metrics import draw_metrics
from dashboard.parts.agreement_preference import draw_preference
from dashboard.parts.agreement_raters import draw_agreement, draw_raters
from dashboard.parts.agreement_scene import (
    AGREEMENT_CSS,
    CHOICES,
    SECTION,
    STUDY,
    AgreementScene,
    foot,
    lead,
    study_colours,
)
from dashboard.parts.agreement_scores import draw_scores
from dashboard.parts.navigation import page_link
from dashboard.parts.url_choices import UrlChoices

_SECTIONS: dict[str, tuple[str, Callable[[AgreementScene], None]]] = {
    "preference": ("Preference", draw_preference),
    "scores": ("Scores", draw_scores),
    "agreement": ("Agreement", draw_agreement),
    "raters": ("Raters", draw_raters),
    "disagreements": ("To discuss", draw_disagreements),
    "metrics": ("Metrics against people", draw_metrics),
    "export": ("Export and close", draw_export),
}
"""Name in the URL, name on the page, and what draws it; a section costs nothing until it is opened."""


def show() -> None:
    """Draw the page."""
    try:
        place = state.workspace()
    except InputError as error:
        frame.face("This cannot be opened", str(error))
        return
    store = study_cache.rating_store(place)
    found = study_cache.studies(store) if store is not None else []
    if store is None or not found:
        frame.face(
            "Nobody was asked yet",
            "Make a study of a run: people then rate its outputs blind, side by side, and this page says whom they prefer, how sure "
            "that is, and whether they agree.",
        )
        page_link("rate", "Make a study")
        return
    st.html(f"<style>{AGREEMENT_CSS}</style>")
    choices = UrlChoices("agreement", CHOICES)
    scene = _scene(place, store, _picked(found, choices), choices)
    lead(scene.analysis.headline)
    hidden = "preference" if scene.analysis.mode == "score" else "scores"
    names = [name for name in _SECTIONS if name != hidden]
    name = choices.one(SECTION, names) or names[0]
    st.segmented_control(
        "Section", names, format_func=lambda name: _SECTIONS[name][0], label_visibility="collapsed", **choices.widget(SECTION, name)
    )  # fmt: skip
    _SECTIONS[name][1](scene)
    foot(counts_line(scene.analysis))
    foot(*scene.analysis.notes)


def _picked(found: Sequence[StudySummary], choices: UrlChoices) -> str:
    """Draw the picker of the study and return its id: the one in the URL, or else the newest that was rated."""
    of_id = {one.id: one for one in found}
    rated = next((one.id for one in found if one.n_answers), found[0].id)
    chosen = choices.one(STUDY, list(of_id)) or rated
    left, _ = st.columns([3, 2])
    left.selectbox(
        "Study", list(of_id), format_func=lambda name: _name(of_id[name]), **choices.widget(STUDY, chosen),
    )  # fmt: skip
    return chosen


def _name(one: StudySummary) -> str:
    return f"{one.title} · {one.n_answers:,} answers · {'closed' if one.closed else 'open'} · {one.id[:6]}"


def _scene(place: Workspace, store: RatingStore, study_id: str, choices: UrlChoices) -> AgreementScene:
    study = study_cache.opened(store, study_id)
    runs = tuple(run for run in place.runs() if run.id in study.runs)
    return AgreementScene(study, study_cache.analysis(study), runs, study_colours(study.variants, runs), choices)
