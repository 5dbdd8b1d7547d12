"""The pages that exist, in the order of a person's questions, and how one leads to another."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

import streamlit as st

from dashboard import rating_session, state

_PAGES = (
    ("overview", "Overview"), ("data", "Data"), ("run", "Run"), ("compare", "Compare"), ("examples", "Examples"),
    ("adapters", "Adapters"), ("ablations", "Ablations"), ("rate", "Rate"), ("agreement", "Agreement"), ("report", "Report"),
)  # fmt: skip
"""Module under dashboard.views (and address), title. A page without a module is not shown."""

Page = st.Page


def pages() -> dict[str, Page]:
    """Return the pages by their name; the first opens by default. A server that lets others rate has Rate and no other."""
    only_rate = rating_session.only_study() is not None
    found: dict[str, Page] = {}
    for name, title in _PAGES:
        if find_spec(f"dashboard.views.{name}") is None or (only_rate and name != "rate"):
            continue
        show = import_module(f"dashboard.views.{name}").show
        found[name] = st.Page(show, title=title, url_path=name, default=not found)
    return found


def go(name: str, parameters: Mapping[str, str]) -> None:
    """Leave for another page with these query parameters; a page that does not exist leaves everything as it is."""
    if (page := pages().get(name or "overview")) is not None:
        st.switch_page(page, query_params=_own(parameters))


def page_link(name: str, label: str, parameters: Mapping[str, str] | None = None) -> None:
    """Draw a link to another page, if there is such a page."""
    if (page := pages().get(name)) is not None:
        st.page_link(page, label=label, query_params=_own(parameters or {}))


def _own(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters without those that the bar at the top keeps by itself."""
    return {key: value for key, value in parameters.items() if key not in state.BOUND}
