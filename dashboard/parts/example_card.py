"""One example: the prompt as the model saw it, the reference, and what each variant made of it, side by side."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.charts.theme import Mode
from core.errors import RunError
from core.example_options import Answer, OptionBar, reference_text
from core.feedback import PAGE, Entry, Feedback, Thumb, give_feedback
from core.feedback.log import Output
from core.gains import GainStrip, gain_strip
from core.notation import counted
from core.records import Example
from core.spec import TaskSpec
from core.store import Run
from dashboard.parts.example_turns import draw_thinking, draw_turns
from dashboard.parts.gain_strip import draw_gain_strip
from dashboard.parts.original_input import original_beside
from dashboard.parts.word_diff import Piece, exact_text, word_diff

_THUMBS: tuple[Thumb, ...] = ("down", "up")
"""In the order of st.feedback's values."""
PANES_A_ROW = 2
BARS_SHOWN = 12
NOTES_SHOWN = 3


@dataclass(frozen=True)
class Pane:
    """One variant's place on the card."""

    variant: str
    colour: str
    answer: Answer
    scores: tuple[tuple[str, str], ...]
    """Metric's label and the score as text; the chosen metric first."""
    verdict: str
    """The difference to the other variant as text with its mark, empty for the other one itself."""
    better: bool | None


@dataclass(frozen=True)
class Card:
    """All that is shown of one example."""

    example: Example
    task: TaskSpec
    panes: tuple[Pane, ...]
    other: str
    """The variant that the others' words and likelihoods are compared with."""
    other_answer: Answer
    marked: bool
    dropped: bool
    """Whether words that only the other has are shown, struck through."""
    original: Example | None = None
    """What a perturbed example was made from."""


def draw_card(run: Run | None, card: Card, feedback: Feedback, mode: Mode) -> None:
    """Draw the example and its panes; without a run (several are joined) there is nowhere to keep thumbs and notes."""
    example = card.example
    draw_turns(example, card.task)
    if card.original is not None and card.task.perturbation is not None:
        original_beside(card.original, example, card.task.perturbation, mode)
    elif example.prompt:
        with st.expander("Prompt as the model saw it"):
            exact_text(example.prompt, "card-prompt", name="prompt", tall=True)
    _reference(example)
    strips = {pane.variant: strip for pane in card.panes if (strip := strip_of(card, pane.variant)) is not None}
    scale = max((strip.scale for strip in strips.values()), default=1.0)
    for start in range(0, len(card.panes), PANES_A_ROW):
        row = card.panes[start : start + PANES_A_ROW]
        columns = st.columns(max(len(row), min(PANES_A_ROW, len(card.panes))))
        for column, pane in zip(columns, row, strict=False):
            with column, st.container(border=True, key=f"pane-{pane.variant}"):
                _pane(card, pane)
                if pane.variant in strips:
                    draw_gain_strip(strips[pane.variant], scale, pane.variant, card.other, mode, f"gain-{pane.variant}")
                if run is not None:
                    _feedback(run, feedback.of(example.task, example.id, pane.variant))
                _said_elsewhere(feedback, (example.task, example.id, pane.variant))


def _reference(example: Example) -> None:
    """Draw the reference where it is text; rankings show it among their documents."""
    text = reference_text(example)
    if text is None:
        return
    st.html('<div class="ls-label">Reference</div>')
    exact_text(text, "card-reference", name="reference")


def strip_of(card: Card, variant: str) -> GainStrip | None:
    """Return where a variant on the card finds the reference likelier than the other one; None where there is no telling."""
    ours = next((pane.answer.likelihood for pane in card.panes if pane.variant == variant), None)
    theirs, text = card.other_answer.likelihood, card.example.reference
    if ours is None or theirs is None or not isinstance(text, str) or variant == card.other:
        return None
    return gain_strip(text, ours, theirs)


def _pane(card: Card, pane: Pane) -> None:
    answer, other = pane.answer, card.other_answer
    st.html(_heading(pane))
    if answer.reason:
        st.html(f'<p class="ls-foot">No answer: {html.escape(answer.reason)}.</p>')
    if answer.no_likelihood:
        st.html(f'<p class="ls-foot">No likelihood of the reference: {html.escape(answer.no_likelihood)}.</p>')
    draw_thinking(answer, pane.variant)
    if answer.text is not None:
        against = other.text if card.marked and pane.variant != card.other else None
        diff = word_diff(answer.text, against) if against is not None else None
        pieces: Sequence[Piece] | str = diff.pieces if diff else answer.text
        exact_text(
            pieces, f"output-{pane.variant}", name=f"output of {pane.variant}", accent=pane.colour, dropped=card.dropped
        )
        _fact_line(answer, diff is not None and not diff.complete)
    if answer.bars:
        st.html(_bars(answer.bars, pane.colour, ranked=card.task.kind == "ranking"))
    if answer.read_as is not None:
        label = "Expected value" if card.task.kind == "regression" and answer.bars else "Read as"
        st.html(f'<p class="ls-foot">{label}: <b>{html.escape(answer.read_as)}</b></p>')
    if answer.text is None:
        _fact_line(answer, False)


def _heading(pane: Pane) -> str:
    first = pane.scores[:1]
    rest = " · ".join(f"{html.escape(label)} {html.escape(value)}" for label, value in pane.scores[1:])
    score = "".join(
        f'<span class="ls-score" title="{html.escape(label)}"><small>{html.escape(label)}</small> {html.escape(value)}</span>'
        for label, value in first
    )
    tone = {True: "better", False: "worse", None: "muted"}[pane.better]
    verdict = f'<span class="ls-{tone}">{html.escape(pane.verdict)}</span>' if pane.verdict else ""
    return (
        f'<div class="ls-pane-head"><span class="ls-dot" style="background:{pane.colour}"></span>'
        f'<b>{html.escape(pane.variant)}</b><span class="ls-push"></span>{score}{verdict}</div>'
        + (f'<div class="ls-foot">{rest}</div>' if rest else "")
    )


def _fact_line(answer: Answer, too_long: bool) -> None:
    """Draw what the answer cost in tokens and how it ended, where that is known."""
    ended = {"eos": "ended by itself", "stop": "ended at a stop string", "length": "cut off at the token limit"}
    facts = [
        f"{counted(answer.n_tokens, 'token')}" if answer.n_tokens is not None else "",
        f"{answer.n_thinking_tokens:,} of them thinking" if answer.n_thinking_tokens else "",
        f"prompt of {counted(answer.n_prompt_tokens, 'token')}" if answer.n_prompt_tokens else "",
        f"{counted(answer.n_scored, 'token')} scored" if answer.n_scored else "",
        ended.get(answer.finish or "", ""),
        "too long to compare word by word" if too_long else "",
    ]
    if any(facts):
        st.html(f'<p class="ls-foot">{html.escape(", ".join(fact for fact in facts if fact))}</p>')


def _bars(bars: Sequence[OptionBar], colour: str, ranked: bool) -> str:
    """Return the options as bars: what was chosen is bold, what is right has a tick. Rankings are sorted."""
    shown = sorted(bars, key=lambda bar: -bar.probability) if ranked else list(bars)
    lines = []
    for bar in shown[:BARS_SHOWN]:
        classes = f"ls-option{' chosen' if bar.chosen else ''}{' long' if ranked else ''}"
        tick = '<span title="right by the reference">✓</span>' if bar.right else "<span></span>"
        lines.append(
            f'<div class="{classes}"><span class="ls-option-name" title="{html.escape(bar.label)}">{html.escape(bar.label)}</span>'
            f'{tick}<span class="ls-track"><i style="width:{100 * bar.probability:.1f}%;background:{colour}"></i></span>'
            f"<span>{100 * bar.probability:.0f} %</span></div>"
        )
    if len(shown) > BARS_SHOWN:
        lines.append(f'<div class="ls-foot">and {len(shown) - BARS_SHOWN} more</div>')
    return f'<div class="ls-options">{"".join(lines)}</div>'


def _feedback(run: Run, entry: Entry) -> None:
    """Draw thumbs and remark of one output; what is entered is on disk before the page is drawn again."""
    name = json.dumps([run.id, *entry.output])
    thumb_key, text_key = f"thumb-{name}", f"note-{name}"

    def save() -> None:
        value = st.session_state.get(thumb_key)
        text = str(st.session_state.get(text_key) or "").strip()
        try:
            give_feedback(run, *entry.output, None if value is None else _THUMBS[value], text)
            st.session_state.pop("note-failed", None)
        except RunError as error:
            st.session_state["note-failed"] = (name, str(error))

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        default = _THUMBS.index(entry.thumb) if entry.thumb else None
        st.feedback("thumbs", key=thumb_key, default=default, on_change=save, width="content")
        st.text_input(
            f"Note on {entry.variant}", value=entry.note, key=text_key, on_change=save, label_visibility="collapsed",
            placeholder="Note, kept with the run", max_chars=4_000,
        )  # fmt: skip
    failed = st.session_state.get("note-failed")
    if failed and failed[0] == name:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(failed[1])}</p>')
    elif not entry.empty:
        st.html(f'<p class="ls-foot">Saved {html.escape(entry.time[:16].replace("T", " "))} UTC</p>')


def _said_elsewhere(feedback: Feedback, output: Output) -> None:
    """Draw what other sources than these pages said of an output."""
    found = [entry for (source, about), entry in feedback.latest.items() if about == output and source != PAGE]
    if not found:
        return
    thumbs = [entry.thumb for entry in found if entry.thumb]
    notes = [f"{entry.source.partition('#')[0]}: {entry.note}" for entry in found if entry.note]
    told = [f"Imported: {thumbs.count('up')} of {len(thumbs)} thumbs up"] if thumbs else []
    told += [
        *notes[:NOTES_SHOWN],
        *([f"and {len(notes) - NOTES_SHOWN} more notes"] if len(notes) > NOTES_SHOWN else []),
    ]
    st.html("".join(f'<p class="ls-foot">{html.escape(line)}</p>' for line in told))


CARD_CSS = """
.ls-opened { display: flex; gap: .7rem; align-items: baseline; } .ls-opened b { font-size: 1.1rem; overflow-wrap: anywhere; }
.ls-opened span { color: var(--ls-muted); font-size: .84rem; }
.ls-label { font-size: .78rem; font-weight: 600; color: var(--ls-muted); margin-bottom: .1rem; }
[data-testid=stColumn] > [data-testid=stVerticalBlock]:has(> [data-testid=stLayoutWrapper] > [class*="st-key-pane-"]) { height: 100%; }
[data-testid=stLayoutWrapper]:has(> [class*="st-key-pane-"]) { flex: 1; }
[class*="st-key-pane-"] { height: 100%; }
.ls-pane-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .5rem; font-size: .9rem; }
.ls-dot { width: .65rem; height: .65rem; border-radius: 50%; flex: none; align-self: center; }
.ls-push { flex: 1; }
.ls-score { font-variant-numeric: tabular-nums; font-weight: 600; } .ls-score small { font-weight: 400; color: var(--ls-muted); }
.ls-better { color: var(--ls-better); font-weight: 600; } .ls-worse { color: var(--ls-worse); font-weight: 600; }
.ls-note-failed { color: var(--ls-worse); font-size: .85rem; }
.ls-muted { color: var(--ls-muted); }
.ls-options { font-size: .8rem; line-height: 1.5; }
.ls-option { display: grid; grid-template-columns: minmax(0, 9.5em) 1em minmax(2rem, 1fr) 3.2em; gap: .35rem; align-items: center; }
.ls-option.long { grid-template-columns: 1em minmax(2rem, 1fr) 3.2em; row-gap: 0; margin-bottom: .3rem; }
.ls-option.long .ls-option-name { grid-column: 1 / -1; white-space: normal; line-height: 1.3; }
.ls-option.chosen { font-weight: 650; }
.ls-option-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ls-option > :last-child { text-align: right; font-variant-numeric: tabular-nums; }
.ls-track { height: .6rem; background: var(--ls-neutral-fill); border-radius: .2rem; overflow: hidden; }
.ls-track i { display: block; height: 100%; min-width: 1px; }
"""
