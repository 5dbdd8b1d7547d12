"""The form that makes a workspace out of a base, a folder of adapters and a data file."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from core.errors import InputError
from core.scaffold import Proposal, propose
from core.workspace import workspace_yaml

_ASKED = "new-workspace-asked"


def new_workspace(folder: Path) -> None:
    """Draw the form; what it would write is shown before anything is written."""
    st.html(
        f'<div class="ls-lead">There is no workspace in {html.escape(str(folder.resolve()))} yet. '
        "Say what your training run left behind, and look at what would be written before it is.</div>"
    )
    left, right = st.columns([2, 3], gap="large")
    with left, st.form("new-workspace"):
        base = st.text_input("Base model", placeholder="a folder, or a Hub id such as org/name", key="new-base")
        adapters = st.text_input("Folder with adapters", placeholder="outputs", key="new-adapters",
                                 help="Searched at any depth for folders with adapter_config.json.")  # fmt: skip
        data = st.text_input("Data to evaluate on", placeholder="heldout.jsonl", key="new-data",
                             help="JSONL, JSON, CSV or Parquet with messages, prompt and completion, or text. "
                                  "Best are rows that no adapter was trained on.")  # fmt: skip
        if st.form_submit_button("Look", type="primary", width="stretch"):
            st.session_state[_ASKED] = (base.strip(), adapters.strip(), data.strip())
    st.html('<p class="ls-foot">Relative paths start where the dashboard was started.</p>')
    asked = st.session_state.get(_ASKED)
    with right:
        if asked is None:
            st.html('<p class="ls-foot">The file that would be written appears here.</p>')
        else:
            _proposal(folder, *asked)


def _proposal(folder: Path, base: str, adapters: str, data: str) -> None:
    missing = [
        name for name, value in (("base model", base), ("folder with adapters", adapters), ("data", data)) if not value
    ]
    if missing:
        st.html(f'<p class="ls-note-failed" role="alert">Still missing: {", ".join(missing)}.</p>')
        return
    try:
        proposal = propose(base, Path(adapters).expanduser(), Path(data).expanduser(), folder)
    except (InputError, OSError) as error:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(str(error))}</p>')
        return
    models, tasks = proposal.spec.models, proposal.spec.tasks
    named = ", ".join(f"{name} ({task.kind})" for name, task in tasks.items())
    st.html(
        f'<div class="ls-lead"><b>{len(models.adapters)} adapter{"" if len(models.adapters) == 1 else "s"}</b>: '
        f"{html.escape(', '.join(models.adapters))}<br><b>{len(tasks)} task{'' if len(tasks) == 1 else 's'}</b>: "
        f"{html.escape(named)}</div>"
    )
    for note in proposal.notes:
        st.html(f'<div class="ls-note"><b>Note</b><span>{html.escape(note)}</span></div>')
    if st.button("Write workspace.yaml", type="primary"):
        _write(proposal)
    with st.expander("The file", expanded=True):
        st.code(workspace_yaml(proposal.spec), language="yaml")


def _write(proposal: Proposal) -> None:
    try:
        proposal.write()
    except (InputError, OSError) as error:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(str(error))}</p>')
        return
    st.session_state.pop(_ASKED, None)
    st.rerun()
