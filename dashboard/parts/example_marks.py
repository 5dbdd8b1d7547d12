"""What a reader marked: the flag of the open example, and the filter to those with a flag, a thumb or a note."""

from __future__ import annotations

import html
from typing import Literal, cast

import numpy as np
import streamlit as st

from core.errors import RunError
from core.flags import set_flag
from dashboard import example_cache, result_cache
from dashboard.parts.example_scene import ExampleScene

MARKED = "marked"
Mark = Literal["flagged", "rated"]
_NAMES: dict[Mark, str] = {"flagged": "flagged", "rated": "with a thumb or note"}
_FAILED = "flag-failed"


def marked_ids(scene: ExampleScene) -> dict[Mark, frozenset[str]]:
    """Return the ids of the task's examples with each mark."""
    rated = frozenset(
        example for _, (task, example, _) in result_cache.feedback(scene.run).latest if task == scene.task
    )
    return {"flagged": example_cache.flags(scene.home).of(scene.task), "rated": rated}


def marked_only(scene: ExampleScene) -> np.ndarray | None:
    """Draw the filter where anything is marked; return which examples it keeps, bool (n,), or None where it keeps all."""
    ids = marked_ids(scene)
    asked = cast(Mark | None, scene.choices.one(MARKED, list(_NAMES)))
    offered = [mark for mark in _NAMES if ids[mark] or mark == asked]
    if offered:
        st.pills(
            "Marked by you", offered, format_func=lambda mark: f"{_NAMES[mark]} {len(ids[mark]):,}",
            label_visibility="collapsed", wrap=True, **scene.choices.widget(MARKED, asked),
        )  # fmt: skip
    for warning in example_cache.flags(scene.home).warnings:
        st.html(f'<p class="ls-foot">{html.escape(warning)}</p>')
    return None if asked is None else np.asarray(scene.table.ids.isin(list(ids[asked])))


def draw_flag(scene: ExampleScene, example_id: str) -> None:
    """Draw the button that flags the open example; what it says is on disk before the page is drawn again."""
    is_flagged = example_id in example_cache.flags(scene.home).of(scene.task)

    def turn() -> None:
        try:
            set_flag(scene.home, scene.task, example_id, not is_flagged)
            st.session_state.pop(_FAILED, None)
        except RunError as error:
            st.session_state[_FAILED] = str(error)

    st.button(
        "Take the flag away" if is_flagged else "Flag", shortcut="f", type="tertiary", key="examples-flag", on_click=turn,
        help="Kept with the run.",
    )  # fmt: skip
    if failed := st.session_state.pop(_FAILED, None):
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(failed)}</p>')
