"""Lets a rater in: by name on one's own machine, by a study's link from elsewhere, by a login where one is configured."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from core.errors import InputError
from core.ratings import Study, join, open_by_link, open_study
from dashboard import rating_session as session
from dashboard.parts import frame
from dashboard.parts.rate_desk import Desk
from dashboard.parts.rate_login import logged_in_name, login_is_configured

_WITHOUT_LINK = (
    "This address is only for those who were given a study's link. Open the whole link; its end may have been cut."
)


def enter(folder: Path, asked: session.Asked) -> Desk | None:
    """Return the desk of the rater; or draw what has to be done first, and return None.

    Args:
        folder: the workspace's.
        asked: what the URL says; it names a study.

    Raises:
        InputError, RunError: the study or the store cannot be opened.
    """
    login = login_is_configured() and asked.by_link
    name = logged_in_name() if login else asked.rater
    if (known := session.desk((asked, name))) is not None and name:
        return known
    if asked.by_link and asked.key is None:
        _without_link(name if login else None)
        return None
    study = _opened(folder, asked)
    if login:
        return _by_login(study, asked, name)
    return _by_name(study, asked)


def _opened(folder: Path, asked: session.Asked) -> Study:
    store, name = session.store(folder), asked.study or ""
    if not asked.by_link:
        return open_study(store, name)
    only = session.only_study()
    if only is not None and name != only:
        raise InputError("This server is for another study. Ask for its link again.")
    return open_by_link(store, name, asked.key or "")


def _without_link(name: str | None) -> None:
    if name is None:
        frame.face("A link is needed", _WITHOUT_LINK)
    else:
        frame.face("One more step", f"You are logged in as {name}. Open the study's link once more to rate.")


def _by_login(study: Study, asked: session.Asked, name: str | None) -> Desk | None:
    if name is None:
        frame.face(study.plan.title, "Log in to rate. Afterwards, open the study's link once more.")
        st.button("Log in", type="primary", on_click=st.login)
        return None
    return session.keep_desk((asked, name), Desk(study, join(study, name, verified=True)))


def _by_name(study: Study, asked: session.Asked) -> Desk | None:
    name = asked.rater if asked.rater is not None else session.said_name()
    if name is None:
        _ask_name(study, "")
        return None
    try:
        rater = join(study, name, asked.own)
    except InputError as error:
        _ask_name(study, str(error))
        return None
    session.remember_rater(rater.name, rater.key)
    now = session.asked()
    return session.keep_desk((now, now.rater), Desk(study, rater))


def _ask_name(study: Study, refused: str) -> None:
    """Draw the form that asks for a name; it is judged when the page is drawn again."""
    st.html(f'<div class="ls-lead"><b>{html.escape(study.plan.title)}</b></div>')
    with st.form("rate-name-form", width=460):
        st.text_input("Your name or initials", key=session.NAME, placeholder="as your ratings are to be known")
        st.form_submit_button("Begin", type="primary", on_click=session.say_name)
    if refused:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(refused)}</p>')
    st.html(
        '<p class="ls-foot">You judge texts without knowing who wrote them. No other rater sees your answers before the study is '
        "closed, and you can stop at any time: what you answered is kept.</p>"
    )
