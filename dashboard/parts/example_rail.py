"""The aggregates of what the filters leave, by variant: whether a pattern in five examples is a pattern in all."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from core.example_aggregates import Aggregate
from core.examples import Measure
from core.notation import decimals, in_shown_unit, number_text


def draw_rail(found: Sequence[Aggregate], measure: Measure | None, colours: Mapping[str, str], n: int) -> None:
    """Draw one block a variant.

    Args:
        found: the aggregates, in the order of the variants.
        measure: what the scores are; None if the task has none.
        colours: of each variant.
        n: how many examples the filters leave.
    """
    if measure is None and not any(each.mean_length is not None or each.labels for each in found):
        return
    shown = [in_shown_unit(each.mean, measure.unit) for each in found if measure and each.mean is not None]
    places = decimals(shown, measure.unit) if measure else 0
    blocks = "".join(_block(each, measure, colours[each.variant], places) for each in found)
    title = f"The {n:,} example{'' if n == 1 else 's'} listed"
    mean = f"Mean {measure.label} an example" if measure else ""
    st.html(
        f'<div class="ls-rail"><div class="ls-rail-head"><b>{title}</b><span>{html.escape(mean)}</span></div>'
        f'<div class="ls-rail-grid">{blocks}</div></div>'
    )


def _block(each: Aggregate, measure: Measure | None, colour: str, places: int) -> str:
    value, bar = "–", ""
    if measure and each.mean is not None:
        value = number_text(in_shown_unit(each.mean, measure.unit), places)
        bar = f'<i style="width:{100 * (measure.drawn(each.mean) or 0):.1f}%;background:{colour}"></i>'
    lines = []
    if each.mean_length is not None:
        lines.append(f"{each.mean_length:,.0f} tokens an answer")
    if each.labels:
        lines.append(", ".join(f"{html.escape(label)} {count:,}" for label, count in each.labels))
    track = f'<span class="ls-track">{bar}</span>' if measure else ""
    rest = "".join(f'<div class="ls-foot">{line}</div>' for line in lines)
    score = f'<span class="ls-score" title="n = {each.n:,}">{value}</span>' if measure else ""
    name = f'<span class="ls-rail-name" title="{html.escape(each.variant)}">{html.escape(each.variant)}</span>'
    dot = f'<span class="ls-dot" style="background:{colour}"></span>'
    return f'<div class="ls-rail-block"><div class="ls-pane-head">{dot}{name}<span class="ls-push"></span>{score}</div>{track}{rest}</div>'


RAIL_CSS = """
.ls-rail { font-size: .84rem; }
.ls-rail-head { display: flex; flex-wrap: wrap; gap: 0 .6rem; margin-bottom: .35rem; }
.ls-rail-head span { color: var(--ls-muted); font-size: .8rem; }
.ls-rail-grid { display: grid; gap: .55rem .9rem; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); }
.ls-rail-block { min-width: 0; } .ls-rail-block .ls-track { display: block; height: .4rem; margin: .15rem 0; }
.ls-rail-block .ls-pane-head { flex-wrap: nowrap; gap: .3rem; font-size: .84rem; }
.ls-rail-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.st-key-examples-ask > * { flex: 1 1 9rem; min-width: 9rem; }
.st-key-examples-shown-row { gap: 0 .6rem; }
.st-key-examples-feature-slices { gap: .1rem .8rem; }
.st-key-examples-more-like button, .st-key-examples-flag button, .st-key-examples-unlike button,
.st-key-examples-feature-slices button {
  min-height: 1.4rem; padding: 0; color: var(--ls-better); }
.st-key-examples-feature-slices button:disabled { color: var(--ls-muted); }
.st-key-menu-examples-features { top: -.35rem; }
.st-key-examples-like { gap: .1rem !important; }
.ls-rail .ls-foot { line-height: 1.3; font-size: .75rem; }
@media (max-width: 1400px) {
  .st-key-examples-body [data-testid=stHorizontalBlock]:has(> [data-testid=stColumn] .st-key-examples-rail) { flex-wrap: wrap; }
  .st-key-examples-body [data-testid=stColumn]:has(.st-key-examples-rail) { order: -1; flex: 1 1 100%; min-width: 100%; }
}
"""
