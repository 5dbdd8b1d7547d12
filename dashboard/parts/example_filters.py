"""What narrows the list of examples: search, tags, outcome, a text feature, another example's likes, a reader's marks, a pick."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import streamlit as st

from core.examples import Outcome, Query, Selection, select
from core.text_features import in_cell
from dashboard import cache, example_cache, state
from dashboard.parts.example_data import MARKS, prompt_fields, threshold_text
from dashboard.parts.example_features import AskedFeature, asked_feature
from dashboard.parts.example_marks import MARKED, marked_only
from dashboard.parts.example_pick import picked_ids
from dashboard.parts.example_scene import ExampleScene

SEARCH, LIKE = "search", "like"


@dataclass(frozen=True)
class Filtered:
    """What the filters leave."""

    selection: Selection
    is_new: bool
    """Whether it is another list than the last one."""
    asked: AskedFeature
    before_feature: np.ndarray
    """int64: the positions that all filters but the text feature's leave."""
    tested: bool
    """Whether those were chosen without a look at the answers."""


def filtered(scene: ExampleScene) -> Filtered:
    """Draw search, tags and outcomes; return what they and the text feature leave."""
    choices, scored = scene.choices, scene.scored
    text = _search(scene)
    tags = choices.several(state.TAGS, scene.table.tag_names)
    _tags(scene, tags)
    known = scored.measure.outcomes if scored else ()
    outcome = cast(Outcome | None, choices.one(state.OUTCOME, known))
    marked = marked_only(scene)
    query = Query(
        scene.variant, scene.reference, outcome, tuple(tags), None, _matching(scene, text), scene.order, marked, _like(scene)
    )  # fmt: skip
    scores, measure = (scored.scores, scored.measure) if scored else (None, None)
    selection = select(scene.table, scores, measure, query)
    before, asked = selection.positions, asked_feature(scene)
    if asked.hits is not None and asked.cell is not None:
        kept = in_cell(asked.hits, scene.variant, scene.reference, asked.cell)
        selection = select(scene.table, scores, measure, replace(query, kept=kept if marked is None else kept & marked))
    _outcomes(scene, selection, outcome)
    token = (
        scene.run.id, scene.task, scored and scored.metric.name, scene.variant, scene.part, outcome, tags, text, scene.order,
        choices.one(state.PICK), choices.one(LIKE), choices.one(MARKED), asked.feature if asked.cell else None, asked.cell,
    )  # fmt: skip
    by_answers = bool(text.strip()) or outcome is not None or marked is not None or choices.one(state.PICK) is not None
    return Filtered(selection, choices.changed("list", token), asked, before, not by_answers)


def _search(scene: ExampleScene) -> str:
    text = scene.choices.one(SEARCH) or ""
    st.text_input(
        "Search", icon=":material/search:", placeholder="Search prompt, reference, outputs", label_visibility="collapsed",
        **scene.choices.widget(SEARCH, text),
    )  # fmt: skip
    return text


def _tags(scene: ExampleScene, tags: list[str]) -> None:
    table = scene.table
    if table.tag_names:
        st.multiselect(
            "Tags", table.tag_names, format_func=lambda tag: f"{tag} ({table.tag_counts[tag]:,})", placeholder="Any tag",
            label_visibility="collapsed", **scene.choices.widget(state.TAGS, tags),
        )  # fmt: skip


def _matching(scene: ExampleScene, text: str) -> frozenset[str] | None:
    """Return the ids that search, slice and pick leave; None where none of them narrows anything."""
    found = cache.search_hits(scene.run, scene.task, text) if text.strip() else None
    if scene.part is not None:
        inside = cache.slice_ids(scene.run, scene.task, scene.part)
        found = inside if found is None else found & inside
    by_pick = picked_ids(scene)
    if by_pick is not None:
        found = by_pick if found is None else found & by_pick
    return found


def _like(scene: ExampleScene) -> tuple[int, ...] | None:
    """Draw which example the list is like and return the nearest; None where none was asked for."""
    asked = scene.choices.one(LIKE)
    if asked is None:
        return None
    position = scene.table.position(asked)
    found = None
    if position is None:
        told = f"The task {scene.task} has no example {asked!r} to be like."
    else:
        found = example_cache.nearest(scene.run, scene.task, prompt_fields(scene.run, scene.task), position)
        told = (
            f"Like {asked}, by shared words: the nearest first." if len(found) > 1 else f"No example is like {asked}."
        )
    with st.container(key="examples-like"):
        st.html(f'<p class="ls-foot" role="status">{html.escape(told)}</p>')
        st.button(
            "All examples again", on_click=scene.choices.put, args=(LIKE, None), key="examples-unlike", type="tertiary"
        )
    return found


def _outcomes(scene: ExampleScene, selection: Selection, outcome: Outcome | None) -> None:
    if scene.scored is None:
        return
    measure, counts = scene.scored.measure, selection.counts
    st.pills(
        "Outcome", [name for name in measure.outcomes if counts[name] or name == outcome or name != "no value"],
        format_func=lambda name: f"{MARKS[name]} {name} {counts[name]:,}", label_visibility="collapsed", wrap=True,
        **scene.choices.widget(state.OUTCOME, outcome),
    )  # fmt: skip
    if not measure.rate:
        st.html(f'<p class="ls-foot">{html.escape(threshold_text(measure))}</p>')
