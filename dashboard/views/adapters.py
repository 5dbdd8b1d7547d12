"""Adapters: what an adapter is, what it changed, how it trained, what its merging moves; or two of them beside each other."""

from __future__ import annotations

import html
from collections.abc import Callable

import streamlit as st

from core.errors import InputError
from core.notation import counted
from dashboard import adapter_cache, state
from dashboard.parts import frame
from dashboard.parts.adapter_anatomy import draw_anatomy
from dashboard.parts.adapter_facts import draw_facts
from dashboard.parts.adapter_merge import draw_merge
from dashboard.parts.adapter_scene import (
    ADAPTER,
    BESIDE,
    CHOICES,
    SECTION,
    AdapterScene,
    Subject,
    adapter_names,
    one_of,
    subject_or_reason,
)
from dashboard.parts.adapter_training import draw_training
from dashboard.parts.adapter_words import facts_line, how_alike, what_it_changed, what_it_is
from dashboard.parts.progress import PROGRESS_CSS, findings_list, preflight_findings
from dashboard.parts.url_choices import UrlChoices

_SECTIONS: dict[str, tuple[str, Callable[[AdapterScene], None]]] = {
    "anatomy": ("What it changed", draw_anatomy),
    "training": ("Training", draw_training),
    "facts": ("Facts and checks", draw_facts),
    "merge": ("Merging", draw_merge),
}
"""Name in the URL, name on the page, and what draws it; a section costs nothing until it is opened."""
_NONE = ""


def show() -> None:
    """Draw the page."""
    st.html(f"<style>{PROGRESS_CSS}</style>")
    try:
        chosen = state.selection().alone
    except InputError as error:
        frame.face("This cannot be opened", str(error))
        return
    names = adapter_names(chosen)
    if not names:
        frame.face(
            "No adapter",
            "Name adapters in workspace.yaml under models.adapters; their folders need adapter_config.json.",
        )
        return
    choices = UrlChoices("adapters", CHOICES)
    name, beside = _pickers(choices, names)
    found = subject_or_reason(chosen.workspace, name)
    if isinstance(found, str):
        _unreadable(chosen, name, found)
        return
    other = subject_or_reason(chosen.workspace, beside) if beside else None
    if isinstance(other, str):
        frame.face(f"{beside} cannot be read", other)
        other = None
    scene = AdapterScene(chosen, choices, names, found, other)
    _lead(scene)
    section = one_of(list(_SECTIONS), choices.one(SECTION), "anatomy")
    st.segmented_control("Section", list(_SECTIONS), format_func=lambda name: _SECTIONS[name][0], label_visibility="collapsed",
                         **choices.widget(SECTION, section))  # fmt: skip
    _SECTIONS[section][1](scene)


def _pickers(choices: UrlChoices, names: tuple[str, ...]) -> tuple[str, str]:
    """Draw the two pickers and return what they say: the adapter, and the one beside it or nothing."""
    name = one_of(names, choices.one(ADAPTER), names[0])
    others = [_NONE, *(other for other in names if other != name)]
    beside = one_of(others, choices.one(BESIDE), _NONE)
    left, right, _ = st.columns([3, 3, 6])
    left.selectbox("Adapter", names, **choices.widget(ADAPTER, name))
    right.selectbox("Beside", others, format_func=lambda name: name or "none", **choices.widget(BESIDE, beside))
    return name, beside


def _lead(scene: AdapterScene) -> None:
    """Say in a sentence what the page knows, and in a grey line what the adapters are."""
    st.html(f'<div class="ls-lead">{html.escape(" ".join(_sentences(scene)))}</div>')
    lines = [
        f"{one.name}: {facts_line(one.facts)}" if scene.beside else facts_line(one.facts) for one in scene.subjects
    ]
    st.html("".join(f'<p class="ls-foot">{html.escape(line)}</p>' for line in lines))
    for one in scene.subjects:
        if one.facts.warnings:
            remarks = counted(len(one.facts.warnings), "remark")
            told = f"{one.name}: {remarks} on its files, under Facts and checks. The first: {one.facts.warnings[0]}"
            st.html(
                f'<div class="ls-findings"><div class="ls-finding warning"><i>!</i><span>{html.escape(told)}</span></div></div>'
            )


def _sentences(scene: AdapterScene) -> list[str]:
    layers = adapter_cache.base_layers(scene.workspace)
    if scene.beside is not None and scene.subject.facts.is_lora and scene.beside.facts.is_lora:
        _, overlap = adapter_cache.overlap(scene.workspace, scene.subject.facts, scene.beside.facts)
        if overlap is not None:
            return [how_alike((scene.subject.name, scene.beside.name), overlap)]
    return [_sentence(scene, one, layers) for one in scene.subjects]


def _sentence(scene: AdapterScene, subject: Subject, layers: int | None) -> str:
    if subject.facts.is_lora:
        _, anatomy = adapter_cache.anatomy(scene.workspace, subject.facts)
        if anatomy is not None:
            return what_it_changed(subject.name, anatomy, subject.facts, layers)
    return what_it_is(subject.name, subject.facts, layers)


def _unreadable(chosen: state.Selection, name: str, reason: str) -> None:
    """Say why an adapter's files cannot be read; what a run found out about it is shown all the same."""
    frame.face(f"{name} cannot be read", reason)
    found = [] if chosen.run is None else [one for one in preflight_findings(chosen.run) if one[0] == name]
    if found and chosen.run is not None:
        frame.heading(f"What run {chosen.run.id} found")
        findings_list((name, [finding]) for _, several in found for finding in several)
