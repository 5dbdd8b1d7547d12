"""The filter that a picture on Compare leaves on Examples: what was picked, as a sentence that can be taken away."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.diagnostics.picks import pick_sentence, read_pick
from core.errors import InputError
from core.judging import metric_of
from dashboard import diagnostic_cache, state
from dashboard.parts.example_scene import ExampleScene


def picked_ids(scene: ExampleScene) -> frozenset[str] | None:
    """Draw what was picked and return the ids of its examples; None where nothing was, or the address cannot be read."""
    text = scene.choices.one(state.PICK)
    if text is None:
        return None
    ids, told = None, ""
    try:
        pick = read_pick(text)
        ids = diagnostic_cache.picked(scene.run, scene.task, pick)
        metric = metric_of(scene.run, scene.task, pick.metric)
        length_name = diagnostic_cache.lengths(scene.run, scene.task, pick.variant)[1] if pick.kind == "length" else ""
        unit, label = (metric.unit, metric.label) if metric is not None else ("number", pick.metric)
        told = f"Picked on Compare: {pick_sentence(pick, unit, label, length_name)}."
    except InputError as error:
        told = str(error)
    st.html(f'<p class="ls-foot" role="status">{escape(told)}</p>')
    st.button(
        "Take the filter away",
        on_click=scene.choices.put,
        args=(state.PICK, None),
        key="examples-unpick",
        type="tertiary",
    )
    return ids
