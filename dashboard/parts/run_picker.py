"""The bar at the top of every page: which run, against which reference, which slice."""

from __future__ import annotations

import html

import streamlit as st

from core.errors import InputError
from core.slices import is_answer_slice, read_answer_slice
from core.store import Run
from dashboard import cache, state
from dashboard.parts.join_picker import join_picker


def top_bar() -> None:
    """Draw the pickers; their choices live in the URL and are read by `state.selection`."""
    try:
        place = state.workspace()
    except InputError:
        return  # the page itself says what is wrong
    runs = {run.id: run for run in place.runs()}
    broken = [found.folder.name for found in place.broken_runs()]
    if not runs and not broken:
        return
    with st.container(key="top-bar"):
        widths = [5, 3, 4] if len(runs) < 2 else [4, 3, 3, 3]
        run_column, *join_columns, reference_column, slice_column = st.columns(widths, vertical_alignment="bottom")
        # Broken runs can be chosen: the page then says what is wrong with them.
        name = run_column.selectbox(
            "Run", [*runs, *broken], key=state.RUN, bind="query-params", persist_state="session",
            help="Newest first. What is shown on every page comes from this run's folder.",
        )  # fmt: skip
        if (run := runs.get(name or "")) is None:
            return
        refusals: tuple[str, ...] = ()
        if join_columns:
            with join_columns[0]:
                shown = join_picker(place, list(runs.values()), run)
            run, refusals = shown.run, shown.refusals
        variants = run.spec.models.variants
        reference_column.selectbox(
            "Against", list(variants), index=variants.index(run.spec.reference), key=state.REFERENCE, bind="query-params",
            persist_state="session", help="Every difference is a variant minus this one, paired by example.",
        )  # fmt: skip
        known, named = [state.ALL_EXAMPLES, *slices(run)], state.asked(state.SLICE)
        slice_column.selectbox(
            "Slice", known, key=state.SLICE, bind="query-params", persist_state="session",
            help="Only the examples with this tag, language, label, value or length. The family of p-values stays as declared.",
        )  # fmt: skip
        if named and named not in known:
            told = f"This run has no slice {named!r}: all examples are shown."
            slice_column.html(f'<p class="ls-foot" role="status">{html.escape(told)}</p>')
        for refusal in refusals:
            st.html(f'<p class="ls-foot" role="status">{html.escape(refusal)}</p>')


def slices(run: Run) -> list[str]:
    """Return the parts of a run that can be looked at alone: languages, tags and what else not all examples have."""
    asked = state.asked(state.SLICE)
    return [*cache.slices(run), *([asked] if asked is not None and _is_answered(run, asked) else [])]


def _is_answered(run: Run, name: str) -> bool:
    """Tell whether a slice is one by what a variant of this run answered, which a reader asked for."""
    if not is_answer_slice(name):
        return False
    try:
        read_answer_slice(run, name)
    except InputError:
        return False
    return True
