"""Examples: the evidence behind every number, one example at a time, all variants side by side."""

from __future__ import annotations

import html

import streamlit as st

from core.example_aggregates import Aggregate, aggregates
from core.examples import Selection
from core.feedback import Feedback
from core.gains import GainStrip
from dashboard import cache, example_cache, result_cache, state
from dashboard.parts import frame
from dashboard.parts.example_card import CARD_CSS, draw_card, strip_of
from dashboard.parts.example_cross import CROSS_CSS, draw_cross
from dashboard.parts.example_data import (
    card_of,
    lead,
    list_rows,
    other_scores,
    prompt_field,
)
from dashboard.parts.example_export import example_menu
from dashboard.parts.example_feature_table import draw_feature_table
from dashboard.parts.example_features import FEATURE_CHOICES, draw_features
from dashboard.parts.example_filters import LIKE, SEARCH, filtered
from dashboard.parts.example_list import example_list, pager
from dashboard.parts.example_marks import MARKED, draw_flag, marked_ids
from dashboard.parts.example_rail import RAIL_CSS, draw_rail
from dashboard.parts.example_scene import SORT, ExampleScene, example_pickers
from dashboard.parts.first_look import metrics_ready
from dashboard.parts.footnote import examples_footnote
from dashboard.parts.url_choices import UrlChoices

MARKING, SHOWN = "marking", "shown"
_MARKING = {"added": "Mark added", "both": "Mark changes", "off": "No marks"}
_PANES_AT_FIRST = 4
_LIST, _PAGER = "examples-list", "examples-page"


def show() -> None:
    """Draw the page."""
    chosen = frame.selection_or_face()
    if chosen is None or chosen.run is None or not metrics_ready(chosen.run, chosen.reference):
        return
    st.html(f"<style>{CARD_CSS}{RAIL_CSS}{CROSS_CSS}</style>")
    names = (state.TASK, state.METRIC, state.VARIANT, state.EXAMPLE, state.OUTCOME, state.TAGS, SEARCH, SORT, MARKING,
             SHOWN, state.PICK, LIKE, MARKED, *FEATURE_CHOICES)  # fmt: skip
    headline = st.container(key="chart-examples-headline")
    home = chosen.first or chosen.run
    scene = example_pickers(chosen.run, home, chosen.reference, chosen.slice, UrlChoices("examples", names))
    if not len(scene.table.ids):
        frame.nothing_so_far(chosen.run)
        return
    feedback = result_cache.feedback(chosen.run)
    with st.container(key="examples-body"):
        left, main, rail = st.columns([3.1, 6.2, 1.9])
        with left:
            found_by = filtered(scene)
            selection, jump = found_by.selection, found_by.is_new
            position = _open_position(scene, selection, jump)
            _list(scene, selection, position, jump)
        with main, st.container(key="examples-main"):
            strip = _opened(scene, selection, position, feedback)
        found = _aggregates(scene, selection)
        with rail, st.container(key="examples-rail"):
            measure = scene.scored.measure if scene.scored else None
            draw_rail(found, measure, scene.colours, len(selection.positions))
            draw_features(scene, found_by.asked, found_by.before_feature, found_by.tested)
    draw_feature_table(scene, found_by.asked.feature, found_by.before_feature, found_by.tested)
    examples_footnote(
        scene.run, scene.task, scene.part, len(selection.positions), len(scene.table.ids), measure and measure.label
    )
    with headline:
        st.html(f'<div class="ls-lead">{html.escape(_sentence(scene, selection))}</div>')
        example_menu(
            f"{scene.run.id}-{scene.task}", scene.table, selection, scene.scored.scores if scene.scored else None, found,
            strip, None if position is None else str(scene.table.ids[position]), scene.variant, scene.reference, state.mode(),
        )  # fmt: skip


def _sentence(scene: ExampleScene, selection: Selection) -> str:
    if scene.scored is None:
        return f"{scene.task} has no metric yet: its examples are shown in the order of the dataset, without scores."
    return lead(scene.scored.measure, selection.counts, scene.variant, scene.reference)


def _open_position(scene: ExampleScene, selection: Selection, is_new_list: bool) -> int | None:
    """Return which example is open: the one in the URL, or the first listed when there is none or the list is another."""
    asked = scene.choices.one(state.EXAMPLE)
    position = scene.table.position(asked)
    is_outside = is_new_list and len(selection.positions) > 0 and selection.rank(position) is None
    if asked is None or is_outside:
        position = int(selection.positions[0]) if len(selection.positions) else None
        scene.choices.put(state.EXAMPLE, None if position is None else str(scene.table.ids[position]))
    return position


def _list(scene: ExampleScene, selection: Selection, position: int | None, is_new_list: bool) -> None:
    if not len(selection.positions):
        st.html('<p class="ls-foot">No example is left by these filters. Take one of them away.</p>')
        return
    jump = scene.choices.changed("open", position) or is_new_list
    place = st.container()
    number = pager(selection.n_pages, selection.page_of(position), jump, _PAGER)
    page = selection.page(number)
    texts = example_cache.snippets(scene.run, scene.task, prompt_field(scene.run, scene.task), page.tolist())
    snippets = {str(scene.table.ids[at]): text for at, text in zip(page, texts, strict=True)}
    marks = marked_ids(scene)
    rows = list_rows(
        scene.table,
        page.tolist(),
        selection,
        scene.scored,
        snippets,
        scene.colours,
        marks["rated"],
        scene.reference,
        marks["flagged"],
    )
    opened = None if position is None else str(scene.table.ids[position])
    with place:
        example_list(
            rows, opened, state.mode(), _LIST, lambda: scene.choices.put(state.EXAMPLE, st.session_state[_LIST].picked)
        )


def _opened(scene: ExampleScene, selection: Selection, position: int | None, feedback: Feedback) -> GainStrip | None:
    """Draw the open example; return where the chosen variant gained on it, if that is shown."""
    asked = scene.choices.one(state.EXAMPLE)
    if position is None:
        if asked is not None:
            frame.face("No such example", f"The task {scene.task} has no example {asked!r}. Choose one from the list.")
        return None
    name = str(scene.table.ids[position])
    marking = _steps(scene, selection, position, name)
    variants = list(scene.colours)
    first = [scene.reference, scene.variant, *(v for v in variants if v not in (scene.reference, scene.variant))]
    shown = scene.choices.several(SHOWN, variants) or (first if len(first) <= _PANES_AT_FIRST else first[:2])
    with st.container(horizontal=True, vertical_alignment="center", key="examples-shown-row"):
        st.pills(
            "Variants beside each other", first, selection_mode="multi", wrap=True, label_visibility="collapsed",
            **scene.choices.widget(SHOWN, shown),
        )  # fmt: skip
        st.button(
            "More like this", type="tertiary", key="examples-more-like", disabled=scene.choices.one(LIKE) == name,
            help="Lists the examples that share most words with this one.",
            on_click=scene.choices.put, args=(LIKE, name),
        )  # fmt: skip
        draw_flag(scene, name)
    card = card_of(
        scene.run, scene.task, name, position, [v for v in first if v in shown], scene.reference, scene.scored,
        other_scores(scene.run, scene.task, scene.metrics, scene.scored.metric.name if scene.scored else None), scene.colours, marking,
    )  # fmt: skip
    if card is not None:
        is_one = scene.run is scene.home
        draw_card(scene.run if is_one else None, card, feedback, state.mode())
        if is_one:
            draw_cross(scene, card)
    for warning in feedback.warnings:
        st.html(f'<p class="ls-foot">{html.escape(warning)}</p>')
    return None if card is None else strip_of(card, scene.variant)


def _steps(scene: ExampleScene, selection: Selection, position: int, name: str) -> str:
    """Draw the open example's name, what is marked, and the buttons to its neighbours; return what is marked."""
    rank = selection.rank(position)
    where = (
        f"{rank + 1:,} of {len(selection.positions):,}"
        if rank is not None
        else "not among those that the filters leave"
    )
    columns = st.columns([3, 2.6, 1.7, 1.5], vertical_alignment="center")
    marking = scene.choices.one(MARKING, list(_MARKING)) or "added"
    if scene.run.spec.tasks[scene.task].generates:
        columns[1].selectbox(
            f"Words marked against {scene.reference}", list(_MARKING), format_func=_MARKING.__getitem__,
            label_visibility="collapsed", **scene.choices.widget(MARKING, marking),
        )  # fmt: skip
    columns[0].html(f'<div class="ls-opened"><b>{html.escape(name)}</b><span>{where}</span></div>')
    for column, label, key, step in ((columns[2], "Previous", "k", -1), (columns[3], "Next", "j", 1)):
        target = selection.neighbour(position, step)
        column.button(
            label, shortcut=key, disabled=target is None, width="stretch", key=f"examples-{label}",
            on_click=scene.choices.put, args=(state.EXAMPLE, None if target is None else str(scene.table.ids[target])),
        )  # fmt: skip
    return marking


def _aggregates(scene: ExampleScene, selection: Selection) -> tuple[Aggregate, ...]:
    spec = scene.run.spec.tasks[scene.task]
    return aggregates(
        selection.positions, list(scene.colours), scene.scored.scores if scene.scored else None,
        cache.output_lengths(scene.run, scene.task) if spec.generates else None,
        cache.predicted_labels(scene.run, scene.task) if spec.kind == "classification" else None,
    )  # fmt: skip
