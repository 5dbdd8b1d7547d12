"""The page while somebody rates: the form, or what is to be said when there is nothing to rate."""

from __future__ import annotations

import html

import streamlit as st

from core.errors import RunError
from core.ratings import Done, consistency, guidelines
from dashboard import rating_session as session
from dashboard.parts import frame
from dashboard.parts.rate_desk import Desk, Screen
from dashboard.parts.rate_form import rating_form, standing
from dashboard.parts.rate_markdown import markdown_html

ALONE_CSS = """
[data-testid=stSidebar], [data-testid=stExpandSidebarButton], [data-testid=stSidebarCollapsedControl] { display: none; }
.stMainBlockContainer { padding-top: .6rem; max-width: 1400px; }
.st-key-rate-head { border-bottom: 1px solid var(--ls-grid); padding: 0 2.4rem .35rem 0; position: relative; z-index: 999991; }
.st-key-rate-head .ls-study { font-weight: 600; overflow-wrap: anywhere; }
.ls-guide { max-width: 38rem; max-height: 65vh; overflow: auto; font-size: .92rem; }
.ls-guide p, .ls-guide ul, .ls-guide ol { margin: .4rem 0; }
.ls-guide h1, .ls-guide h2, .ls-guide h3 { font-size: 1.05rem; padding: .5rem 0 .1rem; }
"""
"""Nothing but the task: the list of pages is not shown, and Streamlit's own bar lies under ours, which could not be clicked else."""
_VIEWS = {"text": "As it is", "markdown": "As Markdown"}


def work(desk: Desk, *, may_leave: bool) -> None:
    """Draw the page of a rater; each answer draws only this part again.

    Args:
        desk: the rater's.
        may_leave: whether there is a list of studies to go back to.
    """
    st.fragment(_work_or_face)(desk, may_leave)


def _work_or_face(desk: Desk, may_leave: bool) -> None:
    frame.draw_or_face(lambda: _work(desk, may_leave))


def _work(desk: Desk, may_leave: bool) -> None:
    screen = desk.screen()
    head = st.container()
    if screen.item is not None:
        rating_form(
            screen, desk.rater, rendered=st.session_state.get(session.VIEW) == "markdown",
            marked=bool(st.session_state.get(session.MARK)), key=session.form_key(), on_message=desk.take,
        )  # fmt: skip
    elif screen.done is not None:
        _done(desk, screen, screen.done)
    else:
        frame.face("The next item cannot be shown", screen.trouble)
        st.button("Try again", shortcut="Enter", type="primary", key="rate-again")
    with head:  # last, so that the next item is on its way first
        _head(desk, screen, may_leave)


def _head(desk: Desk, screen: Screen, may_leave: bool) -> None:
    with st.container(key="rate-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<div class="ls-study">{html.escape(desk.study.plan.title)}</div>', width="stretch")
        if screen.item is not None:
            _guidelines(desk)
            _view(is_pair=len(screen.item.outputs) == 2)
        if may_leave and st.button("All studies", type="tertiary", key="rate-leave"):
            session.leave_rating()
            st.rerun(scope="app")


def _guidelines(desk: Desk) -> None:
    try:
        text = guidelines(desk.study)[0]
    except RunError:
        return  # said beside the item
    if text:
        with st.popover("Guidelines", type="tertiary"):
            st.html(f'<div class="ls-guide">{markdown_html(text)}</div>', width=560)


def _view(is_pair: bool) -> None:
    with st.popover("View", type="tertiary"):
        st.segmented_control(
            "Texts", list(_VIEWS), format_func=_VIEWS.__getitem__, default="text", required=True, key=session.VIEW,
            persist_state="session",
        )  # fmt: skip
        if is_pair:
            st.toggle(
                "Mark the words that differ", key=session.MARK, persist_state="session",
                disabled=st.session_state.get(session.VIEW) == "markdown", help="Only of texts as they are.",
            )  # fmt: skip


def _done(desk: Desk, screen: Screen, done: Done) -> None:
    titles = {"finished": "Thank you", "waiting": "Nothing for you at this moment", "closed": "This study is closed"}
    said = [screen.trouble, done.message, standing(screen.progress), _with_oneself(desk)]
    frame.face(titles[done.state], "\n".join(line for line in said if line))
    with st.container(horizontal=True):
        if done.state == "waiting":
            st.button("Look again", shortcut="Enter", key="rate-again")
        if done.state != "closed" and screen.progress is not None and screen.progress.rater_done:
            st.button("Back to my last answer", shortcut="u", on_click=desk.step_back, key="rate-back")


def _with_oneself(desk: Desk) -> str:
    """Return how the rater agreed with themselves, in a sentence; nothing without an item that came back."""
    try:
        found = consistency(desk.study, desk.rater)
    except RunError:
        return ""  # what is wrong with the store is said beside it
    if not found.n_repeated:
        return ""
    times = f"{found.n_same:,} of {found.n_repeated:,}"
    if desk.study.plan.mode == "score":
        return f"Consistency: some items came to you twice; {times} scores were the same, {found.n_near:,} within one step."
    return f"Consistency: some items came to you twice, sides swapped; {times} times your verdict was the same."
