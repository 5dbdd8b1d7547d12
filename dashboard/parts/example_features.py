"""Text features without code: what a reader asks of the answers, and how often each variant's answers have it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from core.charts.tables import comparison_table
from core.errors import InputError
from core.notation import counted, difference_texts, p_text, value_texts
from core.results import MetricRow
from core.slices import answer_slice
from core.text_features import (
    CELLS,
    KINDS,
    RULES,
    Cell,
    FeatureKind,
    TextFeature,
    as_comparison,
    cell_counts,
    feature_from,
)
from core.text_features.rates import DESCRIBED
from dashboard import example_cache, state
from dashboard.parts.example_feature_table import BESIDE
from dashboard.parts.example_scene import ExampleScene
from dashboard.parts.export_menu import export_menu
from dashboard.parts.navigation import go

FEATURE, ARGUMENT, CELL = "feature", "feature-text", "feature-in"
FEATURE_CHOICES = (FEATURE, ARGUMENT, CELL, BESIDE)
_PLACEHOLDERS: dict[FeatureKind, str] = {
    "contains": "Words, as typed",
    "regex": r"A pattern, such as \d+",
    "length": "Characters",
}
_LANGUAGES_LISTED = 30


@dataclass(frozen=True)
class AskedFeature:
    """What is asked of the answers, if anything."""

    kind: FeatureKind | None = None
    argument: str = ""
    feature: TextFeature | None = None
    hits: pd.DataFrame | None = None
    """Rows as the example table, columns variants; None while nothing can be counted."""
    cell: Cell | None = None
    """Which part of the examples is listed; None is all."""
    refusal: str = ""
    """Why nothing is counted; empty where nothing was typed yet."""


def has_answers(scene: ExampleScene) -> bool:
    """Whether the task's answers are texts."""
    return scene.run.spec.tasks[scene.task].generates or bool(scene.run.spec.models.imported)


def asked_feature(scene: ExampleScene) -> AskedFeature:
    """Return what the URL asks of the answers, with what was found."""
    kind = cast(FeatureKind | None, scene.choices.one(FEATURE, list(KINDS)))
    if kind is None or not has_answers(scene):
        return AskedFeature()
    argument = scene.choices.one(ARGUMENT) or _default(scene, kind)
    needs = kind in _PLACEHOLDERS or kind == "language"
    if needs and not argument.strip():
        return AskedFeature(kind, argument)
    try:
        feature = feature_from(kind, argument)
        hits = example_cache.feature_hits(scene.run, scene.task, feature)
    except InputError as error:
        return AskedFeature(kind, argument, refusal=str(error))
    cell = cast(Cell | None, scene.choices.one(CELL, list(CELLS)))
    return AskedFeature(kind, argument, feature, hits, cell)


def _default(scene: ExampleScene, kind: FeatureKind) -> str:
    """Return what is looked for before anything is typed: half of the answers, or their most frequent language."""
    if kind == "length":
        return str(example_cache.median_length(scene.run, scene.task))
    if kind == "language":
        return next(iter(example_cache.answer_languages(scene.run, scene.task)), "")
    return ""


def draw_features(scene: ExampleScene, asked: AskedFeature, positions: np.ndarray, tested: bool) -> None:
    """Draw what can be asked and, once it is, a block for each variant and the parts of the list.

    Args:
        scene: of the page.
        asked: see `asked_feature`.
        positions: what all other filters leave.
        tested: whether they leave it without a look at the answers.
    """
    if not has_answers(scene):
        return
    with st.container(key="chart-examples-features"):
        with st.container(horizontal=True, vertical_alignment="bottom", key="examples-ask"):
            _ask(scene, asked)
        if asked.refusal:
            st.html(f'<p class="ls-foot" role="alert">{html.escape(asked.refusal)}</p>')
        if asked.feature is None or asked.hits is None or not len(positions):
            return
        row = example_cache.feature_rows(scene.run, scene.task, (asked.feature,), scene.reference, positions, tested)[0]
        export_menu(
            "examples-features", f"{scene.run.id}-{scene.task}-{asked.feature.kind}",
            lambda: comparison_table(as_comparison(scene.run, scene.reference, row)),
        )  # fmt: skip
        st.html(_blocks(row, scene.colours, scene.reference))
        _parts(scene, asked, positions)
        _as_slice(scene, asked.feature, asked.hits)
        st.html(f'<p class="ls-foot">{html.escape(_reading(asked.feature.kind, row, len(positions), tested))}</p>')


def _ask(scene: ExampleScene, asked: AskedFeature) -> None:
    choices = scene.choices

    def forget() -> None:
        choices.put(ARGUMENT, None)
        choices.put(CELL, None)

    st.selectbox(
        "Text feature", list(KINDS), index=None, format_func=KINDS.__getitem__, placeholder="None",
        **choices.widget(FEATURE, asked.kind, forget),
    )  # fmt: skip
    if asked.kind in _PLACEHOLDERS:
        st.text_input(
            "What to look for", placeholder=_PLACEHOLDERS[asked.kind], label_visibility="collapsed", max_chars=200,
            **choices.widget(ARGUMENT, asked.argument),
        )  # fmt: skip
    elif asked.kind == "language":
        counts = example_cache.answer_languages(scene.run, scene.task)
        listed = list(dict.fromkeys([*list(counts)[:_LANGUAGES_LISTED], *([asked.argument] if asked.argument else [])]))
        st.selectbox(
            "Language", listed, format_func=lambda name: f"{name} ({counted(counts.get(name, 0), 'answer')})",
            label_visibility="collapsed", **choices.widget(ARGUMENT, asked.argument or None),
        )  # fmt: skip


def _blocks(row: MetricRow, colours: Mapping[str, str], reference: str) -> str:
    ordered = [reference, *(name for name in colours if name != reference)]
    blocks = "".join(_block(row, name, colours[name]) for name in ordered)
    return f'<div class="ls-rail"><div class="ls-rail-grid">{blocks}</div></div>'


def _block(row: MetricRow, variant: str, colour: str) -> str:
    value, difference = row.values[variant], row.differences.get(variant)
    shown, interval = value_texts(value, row.unit)
    bar = "" if value.value is None else f'<i style="width:{100 * value.value:.1f}%;background:{colour}"></i>'
    lines = []
    if difference is not None and difference.difference is None:
        lines.append(difference.reason or "nothing to compare")
    elif difference is not None:
        lines.append(" ".join(filter(None, (*difference_texts(difference, row.unit), p_text(difference.p_adjusted)))))
    elif value.value is not None:
        lines.append("the reference")
    tip = f"{shown} % {interval}\nn = {value.n:,}\n{value.method}" if value.value is not None else value.reason or ""
    told = tip if difference is None else f"{tip}\nDifference: {difference.method}, n = {difference.n:,}"
    name = html.escape(variant)
    rest = "".join(f'<div class="ls-foot">{html.escape(line)}</div>' for line in lines)
    return (
        f'<div class="ls-rail-block" data-variant="{name}" title="{html.escape(told)}"><div class="ls-pane-head">'
        f'<span class="ls-dot" style="background:{colour}"></span><span class="ls-rail-name">{name}</span>'
        f'<span class="ls-push"></span><span class="ls-score">{shown} %</span></div>'
        f'<span class="ls-track">{bar}</span>{rest}</div>'
    )


def _parts(scene: ExampleScene, asked: AskedFeature, positions: np.ndarray) -> None:
    """Draw the pills that list the examples where both, one alone or neither has the feature."""
    if asked.hits is None:
        return
    counts = cell_counts(asked.hits, positions, scene.variant, scene.reference)
    names: dict[Cell, str] = {
        "variant": f"only {scene.variant}", "reference": f"only {scene.reference}", "both": "both", "neither": "neither",
    }  # fmt: skip
    st.pills(
        "List the examples where it is in", list(names), format_func=lambda cell: f"{names[cell]} {counts[cell]:,}", wrap=True,
        **scene.choices.widget(CELL, asked.cell),
    )  # fmt: skip


def _as_slice(scene: ExampleScene, feature: TextFeature, hits: pd.DataFrame) -> None:
    """Draw the buttons that make the feature a slice: all metrics over the examples where one variant's answers have it."""
    with st.container(horizontal=True, key="examples-feature-slices"):
        for variant in (scene.reference, scene.variant):
            name = answer_slice(scene.task, variant, feature)
            if st.button(
                f"Compare where {variant} has it", type="tertiary", key=f"examples-slice-{variant}",
                on_click=state.choose_slice, args=(name,), disabled=not (hits[variant] > 0).any(),
                help="All metrics over these examples alone, every variant against the reference.",
            ):  # fmt: skip
                go("compare", {})


def _reading(kind: FeatureKind, row: MetricRow, n: int, tested: bool) -> str:
    if not tested:
        return f"{RULES[kind]} {DESCRIBED.capitalize()}."
    methods = dict.fromkeys(found.method for found in row.differences.values() if found.p is not None)
    how = f" {'; '.join(methods)};" if methods else ""
    return (
        f"{RULES[kind]} Points of difference over {n:,} examples:{how} p adjusted over the variants (Benjamini and Hochberg), not "
        "over the features that are tried."
    )
