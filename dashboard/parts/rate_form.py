"""The rating form: an item, the answers with their keys, and the rater's progress, in one element of the page.

One element, so that an item replaces the one before as a whole and a key means what is on screen. Its script takes no key
that is held down, and sends one message an action. Nothing that it is sent names a run or a variant.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from core.ratings import MINIMUM_DWELL_MS, SKIP_REASONS, Progress, Rater, RatingItem
from dashboard.parts.progress import rough_duration
from dashboard.parts.rate_desk import FLAG_REASONS, Message, Screen, item_key
from dashboard.parts.rate_markdown import TAGS, markdown_html
from dashboard.parts.word_diff import DRAWN_AT_ONCE, EXACT_CSS, EXACT_JS, Piece, sendable, word_diff

LONGEST_COMMENT = 10_000
PAIR_CHOICES = (("left", "Left is better"), ("right", "Right is better"), ("tie", "Tie"), ("both_bad", "Both are bad"))
GRADED_CHOICES = (
    (-3, "Left is much better"), (-2, "Left is better"), (-1, "Left is slightly better"), (0, "Tie"),
    (1, "Right is slightly better"), (2, "Right is better"), (3, "Right is much better"),
)  # fmt: skip
SCORE_CHOICES = tuple((score, str(score)) for score in range(1, 6))
TOO_SOON = "That came before the item could be read, and was not stored. Answer again."
PRACTICE = "Practice: this answer does not count. Try the keys; U takes you back."


def rating_form(
    screen: Screen, rater: Rater, *, rendered: bool, marked: bool, key: str, on_message: Callable[[Any], None]
) -> None:
    """Draw the form.

    Args:
        screen: with an item.
        rater: who rates.
        rendered: whether Markdown in outputs is drawn, on all sides alike.
        marked: whether the words are marked in which a pair's outputs differ; only of texts as they are.
        key: of the element.
        on_message: called with what the rater did, as the browser sent it, before the page is drawn again.
    """

    def sent() -> None:
        if (message := st.session_state[key].answer) is not None:
            on_message(message)

    _form(data=form_data(screen, rater, rendered=rendered, marked=marked), key=key, on_answer_change=sent)


def form_data(screen: Screen, rater: Rater, *, rendered: bool, marked: bool) -> dict[str, Any]:
    """Return all that the browser is told of an item.

    Raises:
        ValueError: the screen has no item.
    """
    item = screen.item
    if item is None:
        raise ValueError("a form needs an item")
    choices = {"pair": GRADED_CHOICES if item.graded else PAIR_CHOICES, "score": SCORE_CHOICES, "rank": ()}[item.mode]
    return {
        "id": item_key(item), "mode": item.mode, "place": sendable(rater.name), "standing": standing(screen.progress),
        "share": screen.progress.rater_share if screen.progress else 0.0, "practice": PRACTICE if item.practice else "",
        "prompt": {"pieces": _as_is(item.prompt)},
        "reference": {"pieces": _as_is(item.reference)} if item.reference is not None else None,
        "panes": [{"name": name, **shown} for name, shown in zip(_names(item), _panes(item, rendered, marked), strict=True)],
        "criteria": [
            {name: sendable(getattr(one, name)) for name in ("name", "label", "low", "high")} for one in item.criteria
        ],
        "choices": [list(choice) for choice in choices], "reasons": {"skip": list(SKIP_REASONS), "flag": list(FLAG_REASONS)},
        "previous": dict(item.previous) if item.previous is not None else None, "comment": sendable(item.previous_comment),
        "note": screen.note or _reopened(item), "trouble": screen.trouble, "heard": screen.heard, "draft": _draft(screen.unsent),
        "dwell": MINIMUM_DWELL_MS, "tooSoon": TOO_SOON, "longestComment": LONGEST_COMMENT, "atOnce": DRAWN_AT_ONCE,
        "tags": list(TAGS),
    }  # fmt: skip


def standing(progress: Progress | None) -> str:
    """Return in a line how far the rater and the study are."""
    if progress is None:
        return ""
    parts = [f"{progress.rater_done:,} rated"]
    if progress.rater_skipped:
        parts.append(f"{progress.rater_skipped:,} skipped")
    if progress.rater_left:
        parts.append(f"at most {progress.rater_left:,} left")
    if progress.seconds_left:
        parts.append(f"about {rough_duration(progress.seconds_left)}")
    return " · ".join([*parts, f"study {progress.study_share:.0%}"])


def _reopened(item: RatingItem) -> str:
    if item.previous is None:
        return ""
    said = "You skipped this item." if not item.previous else "This is your last answer."
    return f"{said} It stands until you submit another."


def _names(item: RatingItem) -> list[str]:
    if item.mode == "pair":
        return ["Left", "Right"]
    return (
        ["Answer"] if len(item.outputs) == 1 else [f"Answer {place}" for place, _ in enumerate(item.outputs, start=1)]
    )


def _panes(item: RatingItem, rendered: bool, marked: bool) -> list[dict[str, Any]]:
    if rendered and all(len(text) <= DRAWN_AT_ONCE for text in item.outputs):
        return [{"html": markdown_html(sendable(text))} for text in item.outputs]
    if marked and len(item.outputs) == 2:
        left, right = item.outputs
        return [{"pieces": _differing(left, right)}, {"pieces": _differing(right, left)}]
    return [{"pieces": _as_is(text)} for text in item.outputs]


def _as_is(text: str) -> list[list[str]]:
    return _sent([Piece("same", text)])


def _differing(text: str, other: str) -> list[list[str]]:
    return _sent([piece for piece in word_diff(text, other).pieces if piece.kind != "del"])


def _sent(pieces: list[Piece]) -> list[list[str]]:
    return [[piece.kind, sendable(piece.text)] for piece in pieces if piece.text]


def _draft(unsent: Message | None) -> dict[str, Any] | None:
    if unsent is None or unsent.kind not in ("rate", "skip"):
        return None
    return {
        "item": unsent.item, "kind": unsent.kind, "values": dict(unsent.values), "reason": unsent.reason,
        "comment": sendable(unsent.comment),
    }  # fmt: skip


def _beside(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


_form: Any = component(
    "lorascope_rating_form",
    html='<div class="form" role="form" aria-label="Rating">\n</div>',
    css=EXACT_CSS + _beside("rate_form.css"),
    js="\n".join([EXACT_JS, *map(_beside, ("rate_texts.js", "rate_answers.js", "rate_form.js"))]),
)
