"""Look: one row as the model will see it, with the loss mask and the cut, and what the trainer will make of the file."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from core.charts.tables import tokens_table
from core.data.browse import RowTable, range_text
from core.data.profile.mask import ALL, ASSISTANT, COMPLETION, RenderedExample, render_example
from core.data.profile.trainer import Advice
from core.data.profile.view import view_row
from core.errors import InputError
from dashboard.parts import data_results
from dashboard.parts.data_headline import with_code
from dashboard.parts.data_scene import LINE, Scene, show_rows
from dashboard.parts.export_menu import csv_button
from dashboard.parts.row_card import row_card
from dashboard.parts.token_strip import token_strip

LOSS = "loss"
_MASKS = {ALL: "Every token", COMPLETION: "completion_only_loss", ASSISTANT: "assistant_only_loss"}
_LEVELS = {"stops": "Stops", "warning": "Warning", "note": "Note"}


def draw(scene: Scene) -> None:
    """Draw the segment."""
    table = data_results.table(scene)
    if table is None or not table.n:
        return
    left, right = st.columns([6.4, 3.6], gap="medium")
    with left:
        _row(scene, table)
    with right:
        _advice(scene)


def _row(scene: Scene, table: RowTable) -> None:
    position = _step(scene, table)
    if position is None:
        return
    row = table.open(position)
    view = view_row(row.line, row.fields) if row.fields is not None else None
    renderer = scene.model.renderer
    if view is None or renderer is None:
        if view is not None:
            st.html(
                f'<p class="ls-foot">{html.escape(scene.model.reason)} Here is the row as it stands in the file.</p>'
            )
        with st.container(border=True):
            row_card(row, (), "data-look")
        return
    if not view.turns:
        st.html('<p class="ls-foot">This row has no form that a trainer renders. Here is what it holds.</p>')
        row_card(row, (), "data-look")
        return
    try:
        example = render_example(view, renderer, max_length=scene.max_length)
    except InputError as error:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(str(error))}</p>')
        row_card(row, (), "data-look")
        return
    _rendered(scene, example)


def _step(scene: Scene, table: RowTable) -> int | None:
    """Draw the line that is looked at and the way to its neighbours; return its position."""
    asked = scene.choices.one(LINE)
    line = int(asked) if asked and asked.isdecimal() and len(asked) < 12 else int(table.lines[0])
    position = table.position(line)
    at = int(np.searchsorted(table.lines, line)) if position is None else position
    columns = st.columns([2.2, 3, 1.6, 1.4], vertical_alignment="bottom")
    last = int(table.lines[-1])

    def jumped() -> None:
        scene.choices.put(LINE, str(st.session_state["data-jump"]))

    st.session_state["data-jump"] = min(max(line, 1), last)
    columns[0].number_input("Line", 1, last, key="data-jump", on_change=jumped)
    columns[1].html(f'<p class="ls-foot" style="padding-bottom:.6rem">of {last:,}</p>')
    for column, label, key, target in (
        (columns[2], "Previous", "k", at - 1), (columns[3], "Next", "j", at + (position is not None)),
    ):  # fmt: skip
        is_there = 0 <= target < table.n
        column.button(
            label, shortcut=key, disabled=not is_there, width="stretch", key=f"data-{label}", on_click=scene.choices.put,
            args=(LINE, str(table.lines[target]) if is_there else None),
        )  # fmt: skip
    if position is None:
        st.html(f'<p class="ls-foot">The file has nothing on line {line:,}.</p>')
    return position


def _rendered(scene: Scene, example: RenderedExample) -> None:
    name = scene.choices.one(LOSS, list(_MASKS)) or ALL
    with st.container(key="chart-tokens"):
        with st.container(key="menu-tokens"), st.popover("Export", type="tertiary", width="content"):
            csv_button(
                "CSV of the tokens", "tokens", f"{scene.stem}-line-{example.line}", lambda: tokens_table(example)
            )
        st.segmented_control(
            "Which tokens are trained on, by the trainer's option", list(_MASKS), format_func=_MASKS.__getitem__, required=True,
            **scene.choices.widget(LOSS, name),
        )  # fmt: skip
        mask = example.masks[name]
        words = [f"{example.n_tokens:,} tokens"]
        if mask.trained is not None:
            words.append(f"{mask.n_trained:,} are trained on")
            if example.cut is not None:
                words.append(f"{mask.n_trained_after_cut:,} of them before the cut at {scene.max_length:,}")
        elif example.cut is not None:
            words.append(f"cut at {scene.max_length:,}")
        key = "" if mask.trained is None else '<span class="ls-key"></span>trained on'
        st.html(f'<p data-name="mask">{html.escape(", ".join(words))}. {key}</p>')
        for note in filter(None, [mask.note and _sentence(mask.note), *example.notes]):
            st.html(f'<p class="ls-note-failed" role="status">{with_code(note)}</p>')
        token_strip(example.tokens, mask.trained, example.cut, scene.mode, "data-tokens")


def _sentence(note: str) -> str:
    return note if note.endswith(".") else f"{note[:1].upper()}{note[1:]}."


def _advice(scene: Scene) -> None:
    known = data_results.lengths(scene) if scene.is_small or data_results.knows_lengths(scene) else None
    found = data_results.advice(scene, known)
    st.html('<div class="ls-label">What the trainer (TRL\'s SFTTrainer) will make of this file</div>')
    if not found:
        st.html('<p class="ls-foot">Nothing to say about this file.</p>')
    for number, one in enumerate(found):
        _one_advice(scene, number, one)
    if known is None and scene.model.renderer is not None:
        st.html('<p class="ls-foot">What max_length and packing do is said once Shape has counted the tokens.</p>')


def _one_advice(scene: Scene, number: int, one: Advice) -> None:
    st.html(
        f'<div class="ls-advice {one.level}"><b>{_LEVELS[one.level]}</b><span>{with_code(one.message)}</span></div>'
    )
    if one.lines:
        some = f"the first {len(one.lines):,}" if len(one.lines) >= 100 else f"{len(one.lines):,}"
        st.button(
            f"Show its rows ({some})", type="tertiary", key=f"data-advice-{number}", on_click=show_rows, args=(scene.choices,),
            kwargs={"lines": range_text(one.lines)},
        )  # fmt: skip
