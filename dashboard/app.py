"""The dashboard's entry: its style, its navigation, the bar at the top, and the page that was asked for."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.errors import InputError
from dashboard import state
from dashboard.parts.frame import draw_or_face
from dashboard.parts.navigation import pages
from dashboard.parts.run_picker import top_bar
from dashboard.parts.style import apply_style

WITHOUT_BAR = frozenset({"rate", "data"})  # rating is blind, and data files belong to no run


def main() -> None:
    """Draw the whole page once."""
    st.set_page_config(page_title="lorascope", layout="wide", initial_sidebar_state="expanded")
    apply_style(state.mode())
    page = st.navigation(list(pages().values()))
    with st.sidebar:
        _brand()
    has_bar = page.url_path in WITHOUT_BAR or draw_or_face(top_bar)
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
