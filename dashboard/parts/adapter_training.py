"""Adapters' section on the training: what the trainer logged, drawn, of one adapter or two."""

from __future__ import annotations

import html

import streamlit as st

from core.charts.adapter_tables import log_table
from core.charts.learning_curves import AXES, curve_axes, curve_label, curve_names, learning_curves
from dashboard import state
from dashboard.parts import frame
from dashboard.parts.adapter_scene import AXIS, CURVE, AdapterScene, one_of
from dashboard.parts.adapter_words import how_it_trained
from dashboard.parts.export_menu import chart


def draw_training(scene: AdapterScene) -> None:
    """Draw the section, or say what is missing."""
    logs = {one.name: one.facts.training_log for one in scene.subjects if one.facts.training_log}
    for one in scene.subjects:
        if one.name not in logs:
            st.html(
                f'<p class="ls-foot">{html.escape(one.name)} has no training log: no trainer_state.json, in its folder or in a '
                "checkpoint's, and no trainer_log.jsonl. TRL's save_model writes none; trainer.save_state() does.</p>"
            )
    names = curve_names(list(logs.values()))
    if not names:
        if logs:
            frame.face("No curve", "The log has no row of a training step with a number in it.")
        return
    for name, log in logs.items():
        st.html(f'<div class="ls-lead">{html.escape(how_it_trained(name, log))}</div>')
    axes = curve_axes(list(logs.values()))
    curve, axis = (one_of(known, scene.choices.one(key), known[0]) for known, key in ((names, CURVE), (axes, AXIS)))
    left, right, _ = st.columns([2, 2, 4])
    left.selectbox("Shown", names, format_func=curve_label, **scene.choices.widget(CURVE, curve))
    right.selectbox("Over", axes, format_func=lambda name: AXES[name], **scene.choices.widget(AXIS, axis))
    chart(
        learning_curves(logs, scene.colours, curve, axis, state.mode()), "training", scene.stem, lambda: log_table(logs),
        alt="What the trainer logged over the training",
    )  # fmt: skip
    sources = ", ".join(f"{name}: {log.source}, {len(log.train)} training rows, {len(log.evaluations)} evaluations"
                        for name, log in logs.items())  # fmt: skip
    st.html(f'<p class="ls-foot">{html.escape(sources)}. One training each: a curve has no interval.</p>')
