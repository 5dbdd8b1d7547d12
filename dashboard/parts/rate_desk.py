"""One rater at work: which item is before them, what they last did, and what became of it. Draws nothing.

An answer that could not be stored stays here until it is sent again: the pair (assignment, sequence) in its item makes it one
action however often it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import InputError, RunError
from core.ratings import (
    Done,
    Progress,
    Rater,
    RatingItem,
    Study,
    flag,
    next_item,
    progress,
    skip,
    submit,
    undo,
)

Kind = Literal["rate", "skip", "flag", "undo"]
FLAG_REASONS = ("says who wrote it", "harmful", "text is broken", "prompt is unclear", "other")
OTHER = "other"
_KINDS: tuple[Kind, ...] = ("rate", "skip", "flag", "undo")


@dataclass(frozen=True)
class Message:
    """What the form sends: one action of the rater."""

    item: str
    """Which item was on screen, see `item_key`."""
    kind: Kind
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    comment: str = ""
    token: str = ""
    """Tells this message from every other, so that the form knows which was dealt with."""


@dataclass(frozen=True)
class Screen:
    """What the rater is to see."""

    item: RatingItem | None
    done: Done | None
    progress: Progress | None
    """None while the store cannot be read."""
    note: str
    trouble: str
    """Why the last action, or the next item, could not be had; empty where all is well."""
    unsent: Message | None
    """The action that could not be stored."""
    heard: str
    """The token of the last message that was dealt with, or tried."""


class Desk:
    """The state of one rater's page. Not shared: each browser tab has its own."""

    def __init__(self, study: Study, rater: Rater) -> None:
        """Sit a rater down at a study that they joined."""
        self.study, self.rater = study, rater
        self._item: RatingItem | None = None
        self._progress: Progress | None = None
        self._note = self._trouble = ""
        self._unsent: Message | None = None
        self._heard = ""
        self._is_away = False

    def take(self, raw: Any) -> None:
        """Do what the form asks for. What goes wrong is said on the next screen, and nothing is raised.

        Args:
            raw: as the browser sent it. What belongs to another item than the one on screen, as the second of two clicks
                does, is passed over.
        """
        message = parse_message(raw)
        if message is None or self._item is None or message.item != item_key(self._item):
            return
        self._note = self._trouble = ""
        self._unsent, self._heard = None, message.token
        try:
            self._note = self._do(message, self._item)
        except (InputError, RunError) as error:
            self._trouble, self._unsent = self._said(error), message
            self._is_away = isinstance(error, RunError)

    def _do(self, message: Message, item: RatingItem) -> str:
        study, rater = self.study, self.rater
        if message.kind == "undo":
            before = undo(study, rater)
            return "" if before is not None else "There is no answer yet to go back to."
        if message.kind == "flag":
            flag(study, rater, item, _reason(message))
            return "Flagged. The item is still to be rated, or skipped."
        if message.kind == "skip":
            return skip(study, rater, item, _reason(message), comment=message.comment).note
        return submit(study, rater, item, message.values, comment=message.comment).note

    def _said(self, error: Exception) -> str:
        return without_place(str(error), self.study.store.where)

    def step_back(self) -> None:
        """Open the last answer again, from a screen without an item."""
        self._note = self._trouble = ""
        try:
            undo(self.study, self.rater)
        except (InputError, RunError) as error:
            self._trouble = self._said(error)

    def screen(self) -> Screen:
        """Return what is to be seen now.

        While an action waits to be sent again its item stays, whatever the store says; only a study that was closed, or an
        item that was answered elsewhere, takes it away.
        """
        found: RatingItem | Done | None = self._item
        try:
            if not self._is_away:  # else one would wait twice for a store that does not answer
                found = next_item(self.study, self.rater)
                self._progress = progress(self.study, self.rater)
        except (InputError, RunError) as error:
            self._trouble = self._trouble or self._said(error)
        self._is_away = False
        self._item = found if isinstance(found, RatingItem) else None
        done = found if isinstance(found, Done) else None
        if self._item is None or (self._unsent is not None and self._unsent.item != item_key(self._item)):
            self._unsent = None
        seen = Screen(self._item, done, self._progress, self._note, self._trouble, self._unsent, self._heard)
        if self._unsent is None:
            self._note = self._trouble = ""
        return seen


def item_key(item: RatingItem) -> str:
    """Return what tells one showing of an item to be answered from every other."""
    return f"{item.assignment_id}:{item.sequence}"


def without_place(sentence: str, *places: str) -> str:
    """Return a sentence without where the ratings are kept: it is no business of raters, and may hold a model's name."""
    for place in places:
        sentence = sentence.replace(place, "The store of ratings")
    return sentence


def parse_message(raw: Any) -> Message | None:
    """Return what a browser sent as a message; None where it is none."""
    if not isinstance(raw, Mapping) or raw.get("kind") not in _KINDS:
        return None
    values, texts = raw.get("values"), [raw.get(name, "") for name in ("item", "reason", "comment", "token")]
    if not isinstance(values, Mapping) or not all(isinstance(text, str) for text in texts):
        return None
    return Message(
        str(texts[0]), raw["kind"], {str(name): value for name, value in values.items()}, *map(str, texts[1:])
    )


def _reason(message: Message) -> str:
    return message.comment if message.reason == OTHER and message.comment.strip() else message.reason
