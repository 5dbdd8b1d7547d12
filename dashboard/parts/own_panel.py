"""The user's own metrics of a run: which files they are, whether they may run, and the button that lets them run."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from core.errors import InputError, RunError
from core.jobs.own_launch import TIME_LIMIT, compute_own_metrics
from core.notation import duration_text
from core.own.files import file_hash
from core.own.results import own_names
from core.own.rows import workspace_of
from core.store import Run
from core.trust import TrustState, is_trusted, trust

Hashes = tuple[tuple[str, str], ...]
_SHOWN_BYTES = 20_000
_TOLD, _WANTED = "own-told", "own-wanted"


def own_panel(run: Run, reference: str) -> None:
    """Draw the panel of a run that names own metrics; of any other run nothing."""
    names = own_names(run)
    if not names:
        return
    with st.container(border=True, key="own-metrics"):
        listed = ", ".join(names)
        st.html(f'<div class="ls-label">Your own metrics: {html.escape(listed)}</div>')
        place = workspace_of(run)
        if place is None:
            st.html('<p class="ls-foot">This run was copied away from its workspace. What was computed there is shown; '
                    "code runs in its workspace alone.</p>")  # fmt: skip
            return
        try:
            found = is_trusted(place)
        except InputError as error:
            _failed(str(error))
            return
        _files(place, found)
        _buttons(run, reference, place, found)
        for sentence in st.session_state.pop(_TOLD, ()):
            _failed(sentence)


def _files(place: Path, found: TrustState) -> None:
    if not found.files:
        st.html('<p class="ls-foot">There is no file in the folder metrics/ any more.</p>')
        return
    lines = []
    for name in found.files:
        told = "not trusted: it does not run" if name in found.untrusted else "trusted"
        told = "changed since it was trusted: it does not run" if name in found.changed else told
        lines.append(f'<div class="ls-note"><b>{html.escape(name)}</b><span class="ls-muted">{told}</span></div>')
    st.html("".join(lines))
    seen = [name for name in found.files if name in (*found.changed, *found.untrusted)]
    if seen:
        opened = st.expander("Read the code that would run", key="own-code", on_change="rerun")
        if opened.open:
            with opened:
                for name in seen:
                    st.text(name)
                    content = (place / name).read_bytes()[:_SHOWN_BYTES].decode("utf-8", errors="replace")
                    st.code(content, language="python" if name.endswith(".py") else None)


def _buttons(run: Run, reference: str, place: Path, found: TrustState) -> None:
    limit = f"Each metric may take {duration_text(TIME_LIMIT)}."
    wanted = st.session_state.pop(_WANTED, None) == run.id
    if found.state == "trusted":
        if st.button("Compute what is missing", key="own-compute", help=limit) or wanted:
            _compute(run, reference)
    elif found.files:
        st.html('<p class="ls-foot">Code in a workspace can do whatever you can. Trust it if you know where it comes from: '
                "every file above may then run, and a file that changes has to be trusted again.</p>")  # fmt: skip
        st.button(
            "Trust these files and compute", key="own-trust", help=limit, on_click=_trust, args=(run.id, place, _hashes(place, found))
        )  # fmt: skip


def _trust(run_id: str, place: Path, shown: Hashes) -> None:
    """Trust the files if they are still those that the page showed; its next drawing computes."""
    try:
        if _hashes(place, is_trusted(place)) != shown:
            raise InputError("A file in metrics/ changed while this page was open. Look at it again, then trust it.")
        trust(place)
    except (InputError, OSError) as error:
        st.session_state[_TOLD] = (str(error),)
    else:
        st.session_state[_WANTED] = run_id


def _compute(run: Run, reference: str) -> None:
    """Compute in processes of their own, wait for them, and draw the page anew."""
    try:
        with st.status("Computing your own metrics") as told:
            found = compute_own_metrics(run, reference, say=lambda sentence: told.update(label=sentence))
    except (InputError, RunError, OSError) as error:
        found = (str(error),)
    st.session_state[_TOLD] = found
    st.rerun()


def _hashes(place: Path, found: TrustState) -> Hashes:
    return tuple((name, file_hash(place / name)) for name in found.files)


def _failed(sentence: str) -> None:
    st.html(f'<p class="ls-note-failed" role="alert">{html.escape(sentence)}</p>')
