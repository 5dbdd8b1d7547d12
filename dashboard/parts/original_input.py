"""The input of a perturbed example beside the one that it was made from, with the changed words marked."""

from __future__ import annotations

import html

import streamlit as st

from core.charts.theme import PALETTES, Mode
from core.data.perturb import find_perturbation
from core.records import Example
from core.spec import PerturbationRef
from dashboard.parts.word_diff import exact_text, word_diff


def perturbation_label(ref: PerturbationRef) -> str:
    """Return a perturbation's name for a reader; of several copies which one it is."""
    known = find_perturbation(ref.name)
    label = ref.name if known is None else known.label
    return f"{label}, copy {ref.copy_number + 1}" if ref.name.startswith("character_edits") else label


def original_beside(original: Example, perturbed: Example, ref: PerturbationRef, mode: Mode) -> None:
    """Draw both inputs: what only the original has is marked in it, and what the perturbation put in likewise."""
    label, accent = perturbation_label(ref), PALETTES[mode]
    if original.prompt == perturbed.prompt and original.options == perturbed.options:
        st.html(f'<p class="ls-foot">{html.escape(label)} left this input as it is.</p>')
        return
    columns = st.columns(2)
    sides = (
        ("Original input", original, perturbed, accent.better),
        (f"Perturbed: {label}", perturbed, original, accent.worse),
    )
    for column, (title, ours, other, colour) in zip(columns, sides, strict=True):
        with column:
            st.html(f'<div class="ls-label">{html.escape(title)}</div>')
            key = "card-original" if ours is original else "card-perturbed"
            exact_text(word_diff(ours.prompt, other.prompt).pieces, key, name=title, accent=colour, tall=True)
            if ours.options != other.options:
                st.html(f'<p class="ls-foot">Options in the order: {html.escape(", ".join(ours.options))}</p>')
