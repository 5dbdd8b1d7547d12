"""Adapters' section on merging: whether the merged model still answers as the adapter beside its base does."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from core.adapters.kept import AdapterJob
from core.adapters.merge import MergeCheck, MergeRow
from core.charts.adapter_tables import merge_table
from core.charts.merge_tables import merge_metrics_rows, merge_metrics_table
from core.merge_metrics import MergeMetric
from core.notation import counted, percent
from core.wording.merging import metrics_sentence
from dashboard import adapter_cache
from dashboard.parts import frame
from dashboard.parts.adapter_job import job_panel
from dashboard.parts.adapter_scene import ANSWERED, QUANTISED, AdapterScene
from dashboard.parts.adapter_words import what_merging_moves
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import export_menu

_COLUMNS = (
    Column("Model", "auto"), Column("Against", "auto"), Column("Largest logit change", "9rem", "number"),
    Column("Mean", "6rem", "number"), Column("Other likeliest token", "10rem", "number"),
    Column("Greedy tokens that differ", "11rem", "number"), Column("Continuations", "8rem", "number"),
)  # fmt: skip
_METRIC_COLUMNS = (
    Column("Metric", "auto"), Column("Model", "auto"), Column("Against", "auto"), Column("Values", "9rem", "number"),
    Column("Difference", "6rem", "number"), Column("Interval", "11rem", "number"), Column("Examples that flip", "8rem", "number"),
)  # fmt: skip
_ANSWERED = {"0": "none", "16": "16", "32": "32", "64": "64", "128": "128"}
"""As the URL has it, and as the page says it."""
_USUAL = "32"


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
    quantised, answered = _choices(scene)
    named = scene.workspace.spec.models.adapters.get(subject.name)
    job, found = adapter_cache.merge_check(
        scene.workspace, subject.facts, base, 1.0 if named is None else named.scale, run, quantised, answered
    )
    job_panel(job, "Check what merging moves", _note(job, run.id), again=found is not None)
    if found is not None:
        metrics = adapter_cache.metrics_of_merging(job, found)
        _result(scene, found, metrics)
        if metrics:
            _metrics(scene, found, metrics)


def _choices(scene: AdapterScene) -> tuple[bool, int]:
    """Draw what can be chosen and return it: whether 4 bits are looked at, and how many examples of each task are answered."""
    quantised, answered = scene.choices.flag(QUANTISED), int(scene.choices.one(ANSWERED, list(_ANSWERED)) or _USUAL)
    with st.container(horizontal=True, vertical_alignment="bottom", key="merge-choices"):
        st.selectbox(
            "Examples of each task, for the metrics", list(_ANSWERED), format_func=_ANSWERED.__getitem__, width=260,
            **scene.choices.widget(ANSWERED, str(answered)),
        )  # fmt: skip
        st.toggle("Also on a base in 4 bits", help="Needs the package bitsandbytes.", **scene.choices.switch(QUANTISED))
    return quantised, answered


def _note(job: AdapterJob, run: str) -> str:
    """Return what the check asks, and of whom."""
    asked = counted(len(job.request["prompts"]), "prompt")
    examples = job.request.get("examples") or {}
    if examples:
        n = counted(sum(map(len, examples.values())), "example")
        asked += f" and {n} of {counted(len(examples), 'task')}"
    slowly = "; on a CPU that takes minutes" if examples else ""
    models = f"merged and unmerged, in float32 and in bfloat16{slowly}"
    return f"Asks {asked} of run {run}, {models}. The base is loaded twice; no file is changed."


def _result(scene: AdapterScene, found: MergeCheck, metrics: Sequence[MergeMetric]) -> None:
    if scene.beside is not None:
        st.html(
            f'<p class="ls-foot">Of {html.escape(scene.subject.name)} alone; choose the other one as the adapter to see its merging.</p>'
        )
    told = " ".join(filter(None, (what_merging_moves(scene.subject.name, found), metrics_sentence(metrics))))
    st.html(f'<div class="ls-lead">{html.escape(told)}</div>')
    with st.container(key="chart-merge"):
        frame.heading("Merged against unmerged")
        export_menu("merge", f"{scene.subject.name}-merged", lambda: merge_table(found))
        exact_table(_COLUMNS, [_row(row) for row in found.rows], "merge-rows", name="Merged against unmerged")
    st.html(
        f'<p class="ls-foot">Logits at the last 32 positions of each prompt, over the whole vocabulary; {found.new_tokens} greedy tokens a '
        "prompt, compared place by place. The row unmerged against unmerged says what the precision alone does. "
        f"Prompts of run {html.escape(found.run)}, {html.escape(found.device)}, tensors {found.tensor_hash[:8]}.</p>"
    )


def _metrics(scene: AdapterScene, found: MergeCheck, metrics: Sequence[MergeMetric]) -> None:
    """Draw the primary metrics of every pair of models."""
    with st.container(key="chart-merge-metrics"):
        frame.heading("What that does to the metrics")
        export_menu("merge-metrics", f"{scene.subject.name}-merged-metrics", lambda: merge_metrics_table(metrics))
        exact_table(
            _METRIC_COLUMNS,
            merge_metrics_rows(metrics),
            "merge-metric-rows",
            name="Metrics of merged and unmerged",
            tall=True,
        )
    level = percent(metrics[0].level)
    st.html(
        f'<p class="ls-foot">{counted(found.answered, "example")} of run {html.escape(found.run)}, the same for every model; primary '
        f"metrics, {level} intervals of paired differences, of shares in points. An example flips where its own score turns from right to "
        "wrong or back, or moves by more than what Examples counts as gained or lost.</p>"
    )


def _row(row: MergeRow) -> tuple[str, ...]:
    if row.largest_logit_change is None or row.mean_logit_change is None:
        return (row.model, row.reason, *("",) * 5)
    return (
        row.model, row.against, f"{row.largest_logit_change:.3g}", f"{row.mean_logit_change:.2g}",
        f"{row.other_top} of {row.positions}", f"{row.other_tokens} of {row.tokens}", f"{row.other_continuations} of {row.prompts}",
    )  # fmt: skip
