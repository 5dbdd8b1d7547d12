"""What the author of a report wants in it: sections, title, remarks, examples."""

from __future__ import annotations

import streamlit as st

from core.report.document import SECTIONS, Wishes
from core.results import Comparison
from dashboard.parts.url_choices import UrlChoices

WITHOUT, EXAMPLES_OF = "without", "examples"
_BEST = "the best of them"


def choose_wishes(comparison: Comparison) -> Wishes:
    """Draw the choices and return what they say; which sections, and whose examples, is in the URL."""
    choices = UrlChoices("report", (WITHOUT, EXAMPLES_OF))
    title = st.text_input(
        "Title", key="report-title", max_chars=200, placeholder="what was compared", persist_state="session"
    )
    author = st.text_input("Author", key="report-author", max_chars=200, persist_state="session")
    remarks = st.text_area(
        "Remarks", key="report-remarks", height=110, max_chars=20_000, persist_state="session",
        placeholder="Your own words, under the title. Shown as plain text; an empty line begins a paragraph.",
    )  # fmt: skip
    left_out = (choices.one(WITHOUT) or "").split(",")
    kept = [name for name in SECTIONS if name not in left_out]
    with st.container(key="report-sections"):
        st.html('<p class="ls-foot">Sections; one that the run has nothing to say in is left out.</p>')
        for name, heading in SECTIONS.items():
            key = f"report-section-{name}"
            if st.session_state.get(key) != (name in kept):
                st.session_state[key] = name in kept
            st.checkbox(heading, key=key, on_change=_switched, args=(choices,))
    others = [name for name in comparison.variants if name != comparison.reference]
    variant = choices.one(EXAMPLES_OF, others)
    if {"examples", "pictures"} & set(kept) and len(others) > 1:
        st.selectbox(
            "Examples and pictures of",
            [None, *others],
            format_func=lambda name: name or _BEST,
            **choices.widget(EXAMPLES_OF, variant),
        )
    return Wishes(title or "", author or "", remarks or "", tuple(kept), variant)


def _switched(choices: UrlChoices) -> None:
    left_out = [name for name in SECTIONS if not st.session_state[f"report-section-{name}"]]
    choices.put(WITHOUT, ",".join(left_out) or None)
