"""One row of a data file, turn by turn, exactly as it stands there."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence

import streamlit as st

from core.data.browse import OpenRow
from core.data.inspect.records import Fault, Turn
from core.data.profile.view import RowView, view_row
from dashboard.parts.word_diff import exact_text

TURNS_SHOWN = 40


def row_card(row: OpenRow, faults: Sequence[Fault], key: str) -> None:
    """Draw a row: its faults, its turns, its other fields; or its bytes, where nothing can be read.

    Args:
        row: as `core.data.browse` opens it.
        faults: of this line.
        key: begins the keys of the elements.
    """
    for fault in faults:
        repair = f" A repaired copy would {fault.repair}." if fault.repair else ""
        st.html(
            f'<div class="ls-note"><b>{html.escape(fault.code)}</b><span>{html.escape(fault.message + repair)}</span></div>'
        )
    view = view_row(row.line, row.fields) if row.fields is not None else None
    if view is None or not view.turns:
        words = "The row as it stands" if view is not None else "This line cannot be read as a row. It stands there so:"
        st.html(f'<div class="ls-label">{words}</div>')
        exact_text(row.raw, f"{key}-raw", name="row", tall=True)
        return
    _turns(view.turns, f"{key}-turn")
    if view.rejected:
        st.html('<div class="ls-label">Rejected</div>')
        _turns(view.rejected, f"{key}-rejected")
    if rest := _others(row, view):
        st.html('<div class="ls-label">Other fields</div>')
        exact_text(rest, f"{key}-fields", name="other fields")


def _turns(turns: Sequence[Turn], key: str) -> None:
    for number, turn in enumerate(turns[:TURNS_SHOWN]):
        st.html(f'<div class="ls-label">{html.escape(turn.role or "(no role)")}</div>')
        exact_text(turn.text, f"{key}-{number}", name=f"turn {number + 1}")
    if len(turns) > TURNS_SHOWN:
        st.html(f'<p class="ls-foot">The first {TURNS_SHOWN} of {len(turns):,} turns.</p>')


def _others(row: OpenRow, view: RowView) -> str:
    """Return the fields that are no turns as lines of JSON."""
    shown = {turn.text for turn in (*view.turns, *view.rejected)}
    skipped = {"messages", "conversations", "chosen", "rejected", "completions"}
    rest = {
        key: value for key, value in (row.fields or {}).items()
        if key not in skipped and not (isinstance(value, str) and value in shown)
        and not (key in ("prompt", "completion") and isinstance(value, list))
    }  # fmt: skip
    return "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False, default=str)}" for key, value in rest.items())
