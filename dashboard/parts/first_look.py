"""The first look at a run of many answers: its metrics are computed once, with progress and a way to stop, and then kept."""

from __future__ import annotations

import html
import os
import shlex

import streamlit as st

from core.kept import is_kept
from core.prepare_statistics import prepare_statistics, work_left
from core.store import Run
from dashboard import cache
from dashboard.parts.data_work import Reporter, worked

WORTH_SAYING = 500_000
"""Values of single examples, some seconds of work, from which a page says what it is at."""
_WHAT = "Computing the metrics"


def metrics_ready(run: Run, reference: str) -> bool:
    """Compute what is missing of a run's statistics if it is much, and tell whether the page can be drawn.

    Args:
        run: which run; of one that goes on nothing is computed beforehand.
        reference: what the page compares with.

    Returns:
        False where the work was stopped; that is then said, with a button to go on.
    """
    if not run.truth.is_file():
        return True
    key = ("first look", str(run.folder), cache.evidence_state(run), reference)
    slot = cache.slot(key)
    if slot.made:
        return True
    values = _missing_values(run, reference)
    if values < WORTH_SAYING:
        slot.made = True
        return True
    said = (
        f"The first look at this run computes {values:,} values (examples × metrics × variants). They are then kept in the run's "
        f"folder. The command line does the same: lorascope compare {shlex.quote(str(run.folder))}"
    )
    st.html(f'<p class="ls-foot" role="status">{html.escape(said)}</p>')
    if not worked(key, "Computing the metrics", lambda report: _compute(run, report), "what is done is kept"):
        return False
    st.rerun()


def _missing_values(run: Run, reference: str) -> int:
    reader = cache.statistics_reader(run)
    return 0 if reader.evidence_hash is None or is_kept(reader, reference) else work_left(reader)


def _compute(run: Run, report: Reporter) -> bool:
    def told(done: int, total: int) -> None:
        report.share(done / total, f"{done:,} of {total:,} (metrics × variants)")

    # Processes of their own, so that this one stays free and a click ends the work.
    prepare_statistics(run, told, max(2, os.cpu_count() or 1), cache.statistics_reader(run))
    return True
