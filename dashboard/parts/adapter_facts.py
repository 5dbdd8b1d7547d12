"""Adapters' section on facts: every setting with the file that says so, what contradicts, and what the pre-flight found."""

from __future__ import annotations

import html
from collections.abc import Iterable

import streamlit as st

from core.adapters import Finding
from core.charts.adapter_tables import setting_pairs, setting_rows, settings_table
from dashboard import adapter_cache, cache
from dashboard.parts import frame
from dashboard.parts.adapter_scene import AdapterScene, Subject
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import export_menu
from dashboard.parts.progress import LEVEL_MARKS, preflight_findings
from dashboard.parts.word_diff import exact_text, word_diff


def draw_facts(scene: AdapterScene) -> None:
    """Draw the section."""
    frame.heading("Checks")
    st.html(f'<div class="ls-findings">{"".join(_lines(scene))}</div>')
    for one in scene.subjects:
        _templates(scene, one)
    with st.container(key="chart-adapter-settings"):
        frame.heading("How it was made" if scene.beside is None else "How they were made, differences first")
        export_menu(
            "adapter-settings",
            f"{scene.stem}-settings",
            lambda: settings_table({one.name: one.facts for one in scene.subjects}),
        )
        if scene.beside is None:
            _one(scene.subject)
        else:
            _two(scene.subject, scene.beside)
    st.html(
        '<p class="ls-foot">Where files disagree, what counts is, in this order: adapter_config.json with the tensors, '
        "training_args, trainer_state.json, the results, README.md. training_args.bin is a pickle: it is read without being loaded.</p>"
    )


def _templates(scene: AdapterScene, subject: Subject) -> None:
    """Draw one conversation as both chat templates put it, where these differ; what is the adapter's alone is marked."""
    found = adapter_cache.template_difference(scene.workspace, subject.facts.folder)
    if found is None or found.base is None or found.same_text:
        return
    with st.expander(f"One conversation by the chat templates of the base and of {subject.name}"):
        sides = (("base", found.base, found.adapter), (subject.name, found.adapter, found.base))
        for column, (name, text, other) in zip(st.columns(2), sides, strict=True):
            with column:
                st.html(f'<p class="ls-foot">{html.escape(name)}</p>')
                exact_text(
                    word_diff(text, other).pieces,
                    f"template-{subject.name}-{name}",
                    name=f"template of {name}",
                    tall=True,
                )


def _lines(scene: AdapterScene) -> Iterable[str]:
    for one in scene.subjects:
        for source, finding in _findings(scene, one):
            yield (
                f'<div class="ls-finding {finding.level}"><i>{LEVEL_MARKS[finding.level]}</i><b>{html.escape(one.name)}</b>'
                f'<span>{html.escape(finding.sentence)} <span class="ls-muted">{html.escape(source)}</span></span></div>'
            )


def _one(subject: Subject) -> None:
    columns = (
        Column("Setting", "16rem"),
        Column("Value", "auto"),
        Column("Said by", "13rem"),
        Column("Others say", "14rem"),
    )
    exact_table(
        columns, setting_rows(subject.facts), "adapter-settings-rows", name="Settings of the adapter", tall=True
    )


def _two(first: Subject, second: Subject) -> None:
    columns = (Column("Setting", "16rem"), Column(first.name, "auto"), Column(second.name, "auto"), Column("", "6rem"))
    rows = [
        (name, one, other, "differs" if differs else "")
        for name, one, other, differs in setting_pairs(first.facts, second.facts)
    ]
    exact_table(columns, rows, "adapter-settings-rows", name="Settings of both adapters", tall=True)


def _findings(scene: AdapterScene, subject: Subject) -> Iterable[tuple[str, Finding]]:
    """Yield what the run's pre-flight found with the model loaded, or else what the files alone say; with who says so."""
    found = [Finding("warning", "config", sentence) for sentence in subject.facts.warnings]
    run = scene.chosen.run
    checked = None if run is None else dict(preflight_findings(run)).get(subject.name)
    if checked is None or run is None:
        source = "from its files"
        found += [
            one for one in dict(cache.adapter_findings(scene.workspace)).get(subject.name, []) if one.code != "config"
        ]
    else:
        source = f"pre-flight of run {run.id}"
        found += [one for one in checked if one.code != "config"]
    order = ("error", "warning", "ok")
    for finding in sorted(found, key=lambda one: order.index(one.level)):
        yield "from its files" if finding.code == "config" else source, finding
