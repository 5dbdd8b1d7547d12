"""Rate: people judge outputs blind. Who owns the workspace makes studies here; who rates sees nothing but the task."""

from __future__ import annotations

import streamlit as st

from core.errors import InputError, RunError
from dashboard import rating_session as session
from dashboard import state
from dashboard.parts import frame
from dashboard.parts.rate_desk import without_place
from dashboard.parts.rate_door import enter
from dashboard.parts.rate_work import ALONE_CSS, work


def show() -> None:
    """Draw the page."""
    frame.draw_or_face(_rate if session.is_rating() else _studies)


def _rate() -> None:
    st.html(f"<style>{ALONE_CSS}</style>")
    folder, asked = state.workspace().folder, session.asked()
    try:
        desk = enter(folder, asked)
    except (InputError, RunError) as error:
        if not asked.by_link:
            raise
        raise InputError(without_place(str(error), *session.places(folder))) from error
    if desk is not None:
        work(desk, may_leave=not asked.by_link)


def _studies() -> None:
    from dashboard.parts.rate_new import new_study  # a rater's page does without
    from dashboard.parts.rate_studies import studies

    session.asked()
    try:
        place = state.workspace()
    except InputError as error:
        frame.face("This cannot be opened", str(error))
        return
    studies(place)
    new_study(place)
