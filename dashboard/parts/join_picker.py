"""Which runs are joined with the chosen one: the picker in the bar, and what Compare says of it."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from core.joined.words import headline, sentences
from core.store import Run
from core.workspace import Workspace
from dashboard import join_cache, state
from dashboard.parts.url_choices import UrlChoices

_PICKED = "join-picked"


def join_picker(place: Workspace, runs: Sequence[Run], run: Run) -> state.Shown:
    """Draw the choice of runs that agree with ``run`` on at least one task, and return what is then shown.

    The choice lives in the URL as ``join=RUN,RUN``.

    Args:
        place: the workspace.
        runs: of it, newest first.
        run: the chosen one.
    """
    choices = UrlChoices("bar", (state.JOIN,))
    known = [one.run_id for one in join_cache.candidates(runs, run) if one.reason is None]
    asked = [name for name in state.joined_ids() if name != run.id]
    # What cannot be joined, and is answered with the reason, can be taken away where it is seen.
    known += [name for name in asked if name not in known]
    if st.session_state.get(_PICKED) != asked:
        st.session_state[_PICKED] = asked
    st.multiselect(
        "Join runs", known, key=_PICKED, disabled=not known, placeholder="none" if known else "none agrees with it",
        on_change=lambda: choices.put(state.JOIN, ",".join(st.session_state[_PICKED])),
        help="Runs that asked the same of the same examples, paired by example. Compare says which cannot be joined, and why.",
    )  # fmt: skip
    return state.with_joined(place, run)


def joined_note(chosen: state.Selection) -> None:
    """Draw what is joined, what was left out, and which runs cannot be joined and why; nothing where there is one run."""
    if chosen.run is None or chosen.first is None:
        return
    if (facts := join_cache.facts(chosen.run)) is not None:
        rest = " ".join(sentences(facts))
        st.html(f'<p class="ls-foot"><b>{html.escape(headline(facts))}</b> {html.escape(rest)}</p>')
    reasons = [one for one in join_cache.candidates(chosen.workspace.runs(), chosen.first) if one.reason is not None]
    if reasons:
        count = "1 other run" if len(reasons) == 1 else f"{len(reasons)} other runs"
        lines = "".join(f"<p><b>{html.escape(one.run_id)}</b>: {html.escape(one.reason or '')}.</p>" for one in reasons)
        told = f"{count} cannot be joined with {chosen.first.id}"
        st.html(f'<details class="ls-foot"><summary>{html.escape(told)}</summary>{lines}</details>')
