"""Adapters' section on merging: whether the merged model still answers as the adapter beside its base does."""

from __future__ import annotations

import html

import streamlit as st

from core.adapters.merge import MergeCheck, MergeRow
from core.charts.adapter_tables import merge_table
from core.notation import counted
from dashboard import adapter_cache
from dashboard.parts import frame
from dashboard.parts.adapter_job import job_panel
from dashboard.parts.adapter_scene import QUANTISED, AdapterScene
from dashboard.parts.adapter_words import what_merging_moves
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import export_menu

_COLUMNS = (
    Column("Model", "auto"), Column("Against", "auto"), Column("Largest logit change", "9rem", "number"),
    Column("Mean", "6rem", "number"), Column("Other likeliest token", "10rem", "number"),
    Column("Greedy tokens that differ", "11rem", "number"), Column("Continuations", "8rem", "number"),
)  # fmt: skip


def draw_merge(scene: AdapterScene) -> None:
    """Draw the section, or say what it needs."""
    run, base = scene.chosen.run, adapter_cache.base_folder(scene.workspace)
    subject = scene.subject
    if run is None or not run.examples:
        frame.face(
            "A run is needed",
            "The merged model is asked some of a run's prompts, and there is no run with prompts yet.",
        )
        return
    if not subject.facts.is_lora or base is None:
        why = "Merging is checked for LoRA." if base is not None else "The base's weights are not on this disk."
        frame.face("This cannot be checked", why)
        return
    quantised = scene.choices.flag(QUANTISED)
    st.toggle("Also on a base in 4 bits", help="Needs the package bitsandbytes.", **scene.choices.switch(QUANTISED))
    named = scene.workspace.spec.models.adapters.get(subject.name)
    job, found = adapter_cache.merge_check(
        scene.workspace, subject.facts, base, 1.0 if named is None else named.scale, run, quantised
    )
    prompts = counted(len(job.request["prompts"]), "prompt")
    note = f"Asks {prompts} of run {run.id}, in float32 and in bfloat16; the base is loaded twice. No file is changed."
    job_panel(job, "Check what merging moves", note, again=found is not None)
    if found is not None:
        _result(scene, found)


def _result(scene: AdapterScene, found: MergeCheck) -> None:
    if scene.beside is not None:
        st.html(
            f'<p class="ls-foot">Of {html.escape(scene.subject.name)} alone; choose the other one as the adapter to see its merging.</p>'
        )
    st.html(f'<div class="ls-lead">{html.escape(what_merging_moves(scene.subject.name, found))}</div>')
    with st.container(key="chart-merge"):
        frame.heading("Merged against unmerged")
        export_menu("merge", f"{scene.subject.name}-merged", lambda: merge_table(found))
        exact_table(_COLUMNS, [_row(row) for row in found.rows], "merge-rows", name="Merged against unmerged")
    st.html(
        f'<p class="ls-foot">Logits at the last 32 positions of each prompt, over the whole vocabulary; {found.new_tokens} greedy tokens a '
        "prompt, compared place by place. The row unmerged against unmerged says what the precision alone does. "
        f"Prompts of run {html.escape(found.run)}, {html.escape(found.device)}, tensors {found.tensor_hash[:8]}.</p>"
    )


def _row(row: MergeRow) -> tuple[str, ...]:
    if row.largest_logit_change is None or row.mean_logit_change is None:
        return (row.model, row.reason, *("",) * 5)
    return (
        row.model, row.against, f"{row.largest_logit_change:.3g}", f"{row.mean_logit_change:.2g}",
        f"{row.other_top} of {row.positions}", f"{row.other_tokens} of {row.tokens}", f"{row.other_continuations} of {row.prompts}",
    )  # fmt: skip
