"""The choices of one page, kept in its URL by their plain names, so that a link or a reload shows the same thing.

The URL is the truth: widgets are set from it before they are drawn and write to it when they change. Widgets that bind
themselves to the URL write their labels into it (``ROUGE-L ↑``); links carry names (``rouge_l``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


class UrlChoices:
    """The choices of a page. When the page is opened again without any in its URL, the last ones are taken up."""

    def __init__(self, page: str, names: Sequence[str]) -> None:
        """Name the page and the query parameters that are its own."""
        self.page = page
        self.names = tuple(names)
        memory: dict[str, list[str]] = st.session_state.setdefault(f"{page}-choices", {})
        if not any(name in st.query_params for name in self.names):
            for name, values in memory.items():
                st.query_params[name] = values
        self.remember()

    def remember(self) -> None:
        """Keep what the URL says for the next time the page is opened in this session."""
        found = {name: st.query_params.get_all(name) for name in self.names}
        st.session_state[f"{self.page}-choices"] = {name: values for name, values in found.items() if values}

    def one(self, name: str, known: Sequence[str] | None = None) -> str | None:
        """Return a choice; None if there is none, or none of those that are known."""
        value = st.query_params.get(name)
        return value if value and (known is None or value in known) else None

    def several(self, name: str, known: Sequence[str]) -> list[str]:
        """Return the values of a choice that are known."""
        return [value for value in st.query_params.get_all(name) if value in known]

    def put(self, name: str, value: str | Sequence[str] | None) -> None:
        """Write a choice into the URL; None and nothing take it out."""
        if value:
            if st.query_params.get_all(name) != ([value] if isinstance(value, str) else list(value)):
                st.query_params[name] = value
        elif name in st.query_params:
            del st.query_params[name]
        self.remember()

    def flag(self, name: str) -> bool:
        """Tell whether a switch is on."""
        return self.one(name) == "true"

    def switch(self, name: str) -> dict[str, Any]:
        """Return the ``key`` and ``on_change`` of the toggle for a switch, after setting it."""
        key = f"{self.page}-{name}"
        if st.session_state.get(key) != self.flag(name):
            st.session_state[key] = self.flag(name)
        return {"key": key, "on_change": lambda: self.put(name, "true" if st.session_state[key] else None)}

    def parameters(self, **changes: str | None) -> dict[str, str | None]:
        """Return the query parameters of a link to this page that keeps all choices but those changed."""
        return {name: self.one(name) for name in self.names} | changes

    def changed(self, what: str, value: Any) -> bool:
        """Tell whether ``value`` is another than when this was asked last; False when it is asked for the first time."""
        key = f"{self.page}-{what}-seen"
        before = st.session_state.get(key, value)
        st.session_state[key] = value
        return before != value

    def widget(self, name: str, value: Any, on_change: Callable[[], None] | None = None) -> dict[str, Any]:
        """Return the ``key`` and ``on_change`` of the widget for a choice, after setting it to ``value``.

        ``on_change`` is called after the URL is written.
        """
        key = f"{self.page}-{name}"
        if st.session_state.get(key) != value:
            st.session_state[key] = value

        def changed() -> None:
            self.put(name, st.session_state[key])
            if on_change is not None:
                on_change()

        return {"key": key, "on_change": changed}
