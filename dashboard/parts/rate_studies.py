"""The owner's list of studies: how far each is, the way to rate in it, its link, its guidelines, its end."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.errors import InputError, RunError
from core.notation import counted
from core.ratings import (
    Study,
    StudySummary,
    close_study,
    guidelines,
    list_raters,
    list_studies,
    missing_runs,
    open_study,
    progress,
    renew_key,
    renew_link,
    set_guidelines,
)
from core.workspace import Workspace
from dashboard import rating_session as session
from dashboard.parts.navigation import page_link

_MODES = {"pair": "pairs", "score": "scores", "rank": "rankings"}
_PAGE = 5


@dataclass(frozen=True)
class Told:
    """What is said once, and of which study."""

    study: str
    text: str
    commands: tuple[tuple[str, str], ...] = ()
    """What each is for, and what to copy."""


def studies(place: Workspace) -> None:
    """Draw the list; where there is none, a sentence that says what a study is.

    Raises:
        InputError, RunError: the store cannot be read.
    """
    store = session.store_if_any(place.folder)
    found = list_studies(store) if store is not None else []
    if store is None or not found:
        st.html(
            '<div class="ls-lead">Nobody was asked yet. Make a study of a run: people then judge its outputs blind, with the '
            "keyboard, and Agreement says whom they prefer and how sure that is.</div>"
        )
        return
    n_open = sum(one.closed is None for one in found)
    n_answers = sum(one.n_answers for one in found)
    what = "1 study" if len(found) == 1 else f"{len(found):,} studies"
    st.html(f'<div class="ls-lead">{what}, {n_open:,} open, {counted(n_answers, "answer")} so far.</div>')
    known = [run.id for run in place.runs()]
    number = st.pagination(-(-len(found) // _PAGE), key="rate-studies-page") if len(found) > _PAGE else 1
    for one in found[(number - 1) * _PAGE : number * _PAGE]:
        with st.container(border=True, key=f"rate-study-{one.id}"):
            _card(one, open_study(store, one.id), known)


def _card(one: StudySummary, study: Study, known: list[str]) -> None:
    far = progress(study)
    state = f"closed {one.closed[:10]}" if one.closed else "open"
    facts = [
        f"{_MODES[one.mode]} of {', '.join(one.variants)}", counted(far.n_items, "item"),
        f"{far.n_identical:,} identical" if far.n_identical else "", f"{far.answered:,} of {far.asked:,} answers",
        counted(one.n_raters, "rater"), f"made {one.created[:10]}", f"run {', '.join(one.runs)}",
    ]  # fmt: skip
    st.html(
        f'<b style="overflow-wrap:anywhere">{html.escape(one.title)}</b> · {state}'
        f'<p class="ls-foot">{html.escape(" · ".join(fact for fact in facts if fact))}</p>'
    )
    st.progress(min(far.study_share, 1.0))
    for sentence in missing_runs(study, known):
        st.html(f'<p class="ls-foot">{html.escape(sentence)}</p>')
    with st.container(horizontal=True, vertical_alignment="center"):
        if one.closed is None:
            st.button("Rate", type="primary", key=f"rate-{one.id}", on_click=session.open_rating, args=(one.id,))
            st.button("New link", key=f"link-{one.id}", on_click=_do, args=(one.id, lambda: _new_link(study)),
                      help="Makes a new secret and says it once; the link before it opens nothing any more.")  # fmt: skip
            with st.popover("Close"):
                st.html("<p>Nothing more is stored then, raters may see results, and it cannot be opened again.</p>")
                st.button("Close the study", key=f"close-{one.id}", on_click=_do, args=(one.id, lambda: _close(study)))
            _guidelines(study)
            _raters(study)
        page_link("agreement", "What people say", {"study": one.id})
    _what_was_told(one.id)


def _guidelines(study: Study) -> None:
    with st.popover("Guidelines"):
        key = f"rate-guidelines-{study.id}"
        st.text_area("Markdown. Earlier answers keep the version that they were given by.", guidelines(study)[0], height=260,
                     key=key, width=520)  # fmt: skip
        st.button("Store", key=f"store-{key}", on_click=_do, args=(study.id, lambda: _new_guidelines(study, key)))


def _raters(study: Study) -> None:
    raters = list_raters(study)
    if not raters:
        return
    with st.popover("Raters"):
        names = {rater.id: rater.name for rater in raters}
        st.html("".join(f"<div>{html.escape(rater.name)}</div>" for rater in raters))
        # Labels of options are plain text; a rater's name is shown as it is.
        chosen = st.selectbox(
            "Who lost their own link", list(names), format_func=names.__getitem__, key=f"rate-lost-{study.id}"
        )
        rater = next(one for one in raters if one.id == chosen)
        st.button("Give a new key", key=f"renew-{study.id}", on_click=_do, args=(study.id, lambda: _new_key(study, rater.id)),
                  help="They open the study's link with the two parts added that are then shown.")  # fmt: skip


def _do(study_id: str, what: Callable[[], Told]) -> None:
    """Do what a button asks for and keep what there is to say about it."""
    try:
        session.keep_told(what())
    except (InputError, RunError) as error:
        session.keep_told(Told(study_id, str(error)))


def _close(study: Study) -> Told:
    close_study(study)
    return Told(study.id, "The study is closed.")


def _new_link(study: Study) -> Told:
    return link_told(study.id, renew_link(study), "The link before this one opens nothing any more.")


def _new_guidelines(study: Study, key: str) -> Told:
    before = guidelines(study)[1]
    after = set_guidelines(study, str(st.session_state.get(key) or ""))
    return Told(
        study.id,
        "The guidelines are as they were." if before == after else "A new version of the guidelines holds now.",
    )


def _new_key(study: Study, rater_id: str) -> Told:
    from urllib.parse import urlencode

    rater = next(one for one in list_raters(study) if one.id == rater_id)
    key = renew_key(study, rater).key or ""
    added = "&" + urlencode({session.RATER: rater.name, session.OWN: key})
    return Told(
        study.id, "The key before this one opens nothing any more.", (("To be added to the study's link:", added),)
    )


def link_told(study_id: str, key: str, first: str) -> Told:
    """Return what is said once of a study's link: its secret, as a command that serves the form to others."""
    folder = shlex.quote(str(session.workspace_folder()))
    command = f"lorascope dashboard --workspace {folder} --study {study_id} --key {key} --host ADDRESS"
    return Told(
        study_id, f"{first} This is shown only now; the store keeps a hash.",
        (("Secret of the raters' link:", key),
         ("To let others rate, run this and send them the link that it prints:", command)),
    )  # fmt: skip


def _what_was_told(study_id: str) -> None:
    told: Told | None = session.told()
    if told is None or told.study != study_id:
        return
    st.html(f'<div class="ls-note" role="status"><span>{html.escape(told.text)}</span></div>')
    for what, text in told.commands:
        st.html(f'<p class="ls-foot">{html.escape(what)}</p>')
        st.code(text, language=None, wrap_lines=True)
