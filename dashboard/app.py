"""The dashboard's entry: its style, its navigation, the bar at the top, and the page that was asked for."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.errors import InputError
from dashboard import rating_session, state
from dashboard.parts.frame import draw_or_face
from dashboard.parts.navigation import pages
from dashboard.parts.run_picker import top_bar
from dashboard.parts.style import apply_style

WITHOUT_BAR = frozenset({"rate", "data", "agreement"})  # rating is blind; data files and studies belong to no one run


def main() -> None:
    """Draw the whole page once."""
    st.set_page_config(page_title="lorascope", layout="wide", initial_sidebar_state="expanded")
    apply_style(state.mode())
    only_study = rating_session.only_study() is not None
    page = st.navigation(list(pages().values()), position="hidden" if only_study else "sidebar")
    is_rating = only_study or (page.url_path == "rate" and rating_session.is_rating())
    if not is_rating:  # the workspace's folder may be named after a model
        with st.sidebar:
            _brand()
    has_bar = is_rating or page.url_path in WITHOUT_BAR or draw_or_face(top_bar)
    # Without the bar a page may still have something to show: a new run can be started beside a damaged one.
    draw_or_face(page.run, said=not has_bar)


def _brand() -> None:
    try:
        place = state.workspace().folder
        folder, name = str(place), place.name
    except InputError:
        folder = name = ""
    st.html(f'<div class="ls-brand">lorascope<small title="{escape(folder, quote=True)}">{escape(name)}</small></div>')


main()
