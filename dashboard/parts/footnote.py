"""The one grey line under every result: n, interval level, seed, dataset and run."""

from __future__ import annotations

import html

import streamlit as st

from core.results import Comparison
from core.run_notes import read_notes
from core.store import Run
from core.wording.footnote import footnote_text, hashed_datasets

_NOTES_SHOWN = 6


def footnote(run: Run, comparison: Comparison, part: str | None, *more: str) -> None:
    """Draw the line, below what should be known of the run's prompts; ``more`` are further facts, as plain text."""
    notes = read_notes(run)
    for note in (
        *notes[:_NOTES_SHOWN],
        *([f"and {len(notes) - _NOTES_SHOWN} more notes"] if notes[_NOTES_SHOWN:] else []),
    ):
        st.html(f'<p class="ls-foot" role="note">{html.escape(note)}</p>')
    st.html(f'<p class="ls-foot">{html.escape(footnote_text(run, comparison, part, *more))}</p>')


def examples_footnote(run: Run, task: str, part: str | None, n: int, of: int, judged_by: str | None) -> None:
    """Draw the line under a list of examples.

    Args:
        run: the run.
        task: whose examples they are.
        part: the slice; None is all examples.
        n: how many are listed.
        of: how many the task has.
        judged_by: the metric's label; None for a task without.
    """
    facts = [
        f"n = {n:,} of {of:,} examples", f"single examples judged by {judged_by}, without an interval" if judged_by else "",
        f"seed {run.spec.settings.seed}", f"slice {part}" if part else "",
        f"data: {hashed_datasets(run, [run.spec.tasks[task].dataset])}", f"run {run.id}",
    ]  # fmt: skip
    st.html(f'<p class="ls-foot">{html.escape(" · ".join(fact for fact in facts if fact))}</p>')
