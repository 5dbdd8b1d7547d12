"""Shape: how long the rows are, what max_length cuts off, whose tokens they are, what packing costs; and what rows are made of."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from core.charts.lengths import length_histogram
from core.charts.shares import Share, share_bars
from core.data.profile.lengths import Lengths
from core.notation import counted
from dashboard.parts import data_results
from dashboard.parts.data_makeup import draw_makeup
from dashboard.parts.data_scene import CUT, Scene, show_rows
from dashboard.parts.export_menu import chart

_CUTS = (
    64,
    96,
    128,
    192,
    256,
    384,
    512,
    768,
    1024,
    1536,
    2048,
    3072,
    4096,
    6144,
    8192,
    12288,
    16384,
    24576,
    32768,
    65536,
    131072,
)
_ROWS_EXPORTED = 1_000_000


def draw(scene: Scene) -> None:
    """Draw the segment."""
    known = data_results.lengths(scene)
    left, right = st.columns([6, 4], gap="medium")
    with left:
        if known is not None and len(known.totals):
            _lengths(scene, known)
        else:
            _without_tokens(scene)
    with right:
        if known is not None and known.roles:
            _roles(scene, known)
            _packing(scene, known)
    draw_makeup(scene)


def cut_choices(longest: int, chosen: int) -> list[int]:
    """Return what the slider offers: the usual lengths up to one past the longest row, and the chosen one."""
    beyond = next((cut for cut in _CUTS if cut >= longest), _CUTS[-1])
    return sorted({cut for cut in _CUTS if cut <= max(beyond, 1024)} | {chosen})


def _lengths(scene: Scene, known: Lengths) -> None:
    longest = int(known.sorted_totals[-1])
    st.select_slider(
        "max_length, in tokens", [str(cut) for cut in cut_choices(longest, scene.max_length)],
        format_func=lambda cut: f"{int(cut):,}", **scene.choices.widget(CUT, str(scene.max_length)),
    )  # fmt: skip
    cut = known.cut(scene.max_length)
    lost = (
        f"{cut.rows:,} of {counted(len(known.totals), 'row')} {'is' if cut.rows == 1 else 'are'} longer and cut off "
        f"({percent_of(cut.share)}), with {percent_of(cut.share_of_tokens)} of all tokens."
    )
    if cut.answers_lost:
        lost += f" In {cut.answers_lost:,} of them nothing of the answer is left."
    none = f"No row is longer than {cut.max_length:,} tokens: nothing is cut off."
    st.html(f'<p data-name="cut">{html.escape(lost if cut.rows else none)}</p>')
    if cut.rows:
        st.button(
            "Show the rows that are cut off", key="data-cut-rows", on_click=show_rows, args=(scene.choices,),
            kwargs={"over": cut.max_length},
        )  # fmt: skip
    chart(
        length_histogram(known.totals, scene.max_length, scene.mode), "lengths", scene.stem,
        lambda: pd.DataFrame({"line": known.lines, "tokens": known.totals, "prompt_tokens": known.prompts}).head(_ROWS_EXPORTED),
        alt="Histogram of row lengths in tokens",
    )  # fmt: skip
    _percentiles(known)
    notes = [*known.notes]
    if known.unrendered.count:
        notes.append(
            f"The chat template refuses {counted(known.unrendered.count, 'row')}, without a length here: {known.unrendered.reason}"
        )
    notes.append(f"Counted with the tokenizer and chat template of {scene.model.name} ({known.tokenizer[:12]}).")
    st.html("".join(f'<p class="ls-foot">{html.escape(note)}</p>' for note in notes))


def _percentiles(known: Lengths) -> None:
    names = {"p1": "1 %", "p25": "25 %", "p50": "half", "p75": "75 %", "p95": "95 %", "p99": "99 %", "p100": "all"}
    found = known.percentiles()
    cells = "".join(f"<div><small>{label}</small><b>{found[name]:,}</b></div>" for name, label in names.items())
    st.html(
        f'<div class="ls-label">Tokens that so many of the rows do not pass</div><div class="ls-facts">{cells}</div>'
    )


def _without_tokens(scene: Scene) -> None:
    if scene.model.reason:
        st.html(f'<p class="ls-foot">{html.escape(scene.model.reason)}</p>')
    size = scene.scan.characters
    if size is None:
        return
    names = {"p1": "1 %", "p25": "25 %", "p50": "half", "p75": "75 %", "p95": "95 %", "p99": "99 %"}
    cells = "".join(
        f"<div><small>{label}</small><b>{size.percentiles[name]:,}</b></div>" for name, label in names.items()
    )
    st.html(
        '<div class="ls-label">Characters that so many of the rows do not pass</div>'
        f'<div class="ls-facts">{cells}<div><small>all</small><b>{size.largest:,}</b></div></div>'
    )


def _roles(scene: Scene, known: Lengths) -> None:
    parts = [Share(role.role, role.tokens, role.share) for role in known.roles]
    subtitle = f"{known.tokens:,} tokens; template: headers, ends of turns, BOS and EOS"
    chart(
        share_bars(parts, "Whose tokens they are", subtitle, "tokens", scene.mode), "roles", scene.stem,
        lambda: pd.DataFrame([vars(role) for role in known.roles]), alt="Tokens by role",
    )  # fmt: skip


def _packing(scene: Scene, known: Lengths) -> None:
    cost = known.packing(scene.max_length)
    if cost.padded_share is None or cost.packed_share is None:
        return
    sampled = f" Estimated from {cost.rows:,} rows." if cost.sampled else ""
    st.html(
        '<div class="ls-label">Packing</div><p>'
        + html.escape(
            f"Batches of {cost.batch_size} rows are {percent_of(cost.padded_share)} padding. With packing=True {cost.rows:,} rows "
            f"become {cost.blocks:,} blocks of {cost.max_length:,} tokens that are {percent_of(cost.packed_share)} empty.{sampled}"
        )
        + "</p>"
    )


def percent_of(share: float | None) -> str:
    """Return a share in percent with one decimal."""
    return "no share" if share is None else f"{100 * share:.1f} %"
