"""The examples behind what was picked in a picture on Compare: a page of them, and a link that opens them on Examples."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from core.diagnostics.picks import Pick, pick_sentence, read_pick
from core.errors import InputError
from core.example_texts import read_snippets
from core.judging import score_text
from core.results import MetricRow
from dashboard import cache, diagnostic_cache, state
from dashboard.parts.compare_scene import PICK, CompareScene
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.example_data import Scored, prompt_field, scored_by
from dashboard.parts.example_list import pager
from dashboard.parts.linked_html import link, linked_html
from dashboard.parts.navigation import go

_ROWS = 10
_TABLE, _PAGER = "picked-examples", "picked-page"


def draw_picked(scene: CompareScene, row: MetricRow, variant: str) -> None:
    """Draw what was picked: how many examples, the biggest changes first, ten a page; without a pick how one is made."""
    choices = scene.choices
    text = choices.one(PICK)
    if text is None:
        st.html('<p class="ls-foot">A click on a bar, a cell or a diamond lists the examples behind it.</p>')
        return
    try:
        pick = read_pick(text)
        if pick.metric != row.metric or scene.comparison.reference not in (pick.variant, pick.reference):
            choices.put(PICK, None)  # it was made in the picture of another metric or reference
            return
        ids = diagnostic_cache.picked(scene.run, row.task, pick)
    except InputError as error:
        st.html(f'<p class="ls-foot" role="status">{escape(str(error))}</p>')
        return
    if scene.chosen.slice is not None:
        ids &= cache.slice_ids(scene.run, row.task, scene.chosen.slice)
    with st.container(key="picked"):
        _sentence(scene, row, pick, variant, len(ids))
        if ids:
            _table(scene, row, pick, variant, ids)


def _sentence(scene: CompareScene, row: MetricRow, pick: Pick, variant: str, n: int) -> None:
    length_name = diagnostic_cache.lengths(scene.run, row.task, pick.variant)[1] if pick.kind == "length" else ""
    told = f"{n:,} example{'' if n == 1 else 's'}: {pick_sentence(pick, row.unit, row.label, length_name)}."
    parameters = scene.examples_link(row, variant) | {PICK: pick.text()}
    here = scene.link(**{PICK: None})
    content = f'<p>{escape(told)} <a class="better" href="{link("examples", parameters)}">Open them on Examples</a>'
    content += f' · <a class="better" href="{link("compare", here)}">Take the filter away</a></p>'
    if clicked := linked_html(content, "picked-sentence", scene.choices):
        go(*clicked)


def _table(scene: CompareScene, row: MetricRow, pick: Pick, variant: str, ids: frozenset[str]) -> None:
    run, reference = scene.run, scene.comparison.reference
    table, metric = cache.example_table(run, row.task), scene.metric(row)
    scored = scored_by(run, row.task, metric) if metric is not None and not metric.by_label else None
    names = [reference, variant] if pick.variant in (reference, variant) else [reference, pick.variant]
    kept = np.flatnonzero(table.ids.isin(list(ids)))
    if scored is not None:
        gap = (scored.scores[names[1]] - scored.scores[names[0]]).abs().to_numpy(dtype=float)[kept]
        kept = kept[np.argsort(-gap, kind="stable")]
    n_pages = max(1, -(-len(kept) // _ROWS))
    place = st.container()
    number = pager(n_pages, 1, scene.choices.changed("picked", (run.id, row.key, pick.text())), _PAGER)
    shown = kept[(number - 1) * _ROWS : number * _ROWS].tolist()
    listed = [str(table.ids[at]) for at in shown]
    texts = read_snippets(run, row.task, listed, prompt_field(run, row.task))
    rows = [
        [name, texts.get(name, ""), *(_score(scored, at, one) for one in names)]
        for at, name in zip(shown, listed, strict=True)
    ]
    columns = [
        Column("Example", "10rem"),
        Column("Begins", "auto"),
        *(Column(name, "8rem", "number") for name in names),
    ]
    with place:
        exact_table(columns, rows, _TABLE, name="Examples that were picked", ids=listed, on_pick=_remember)
    if (opened := st.session_state.pop(f"{_TABLE}-opened", None)) is not None:
        go("examples", scene.examples_link(row, names[1]) | {PICK: pick.text(), state.EXAMPLE: opened})


def _remember(name: str) -> None:
    st.session_state[f"{_TABLE}-opened"] = name


def _score(scored: Scored | None, position: int, variant: str) -> str:
    return "" if scored is None else score_text(scored.measure, float(scored.scores[variant].iloc[position]))
