"""What passes the borders of human rating: the plan of a study, an item on a rater's screen, and what became of an answer.

Nothing that a rater's page is handed (`RatingItem`, `Done`, `Receipt`, `Progress`) holds the name of a variant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from core.spec import Strict

Mode = Literal["pair", "score", "rank"]
Purpose = Literal["item", "repeat", "gold", "practice"]
Role = Literal["owner", "rater"]
PAIR_VALUES = ("left", "right", "tie", "both_bad")
GRADED_RANGE = (-3, 3)
"""Of graded pairs: -3 is "left is much better", 0 a tie, 3 "right is much better"."""
SCORE_RANGE = (1, 5)
RANKED_OUTPUTS = (3, 5)
"""How many outputs a ranking has, at least and at most."""
MINIMUM_DWELL_MS = 400
"""An answer that comes sooner after its item was shown is a held key or a second click, and is not stored."""
REPEAT_GAP = 10
"""A repeat comes after at least so many other items of the study, while there are any."""
SMALLEST_REPEAT_GAP = 3
"""Of repeats that come when a rater's list is at its end; a shorter gap would test memory and not judgement."""
SKIP_REASONS = ("cannot judge this", "prompt is unclear", "language I do not read", "text is broken", "other")


class Criterion(Strict):
    """What is judged, with the ends of its scale in words."""

    name: str
    label: str
    low: str = ""
    """What 1 means."""
    high: str = ""
    """What 5 means."""


PREFERENCE = Criterion(name="preference", label="Preference")
"""The one criterion of pairs and rankings, where a study names no others."""
STANDARD_CRITERIA = (
    Criterion(name="fluency", label="Fluency", low="hard to read", high="reads as if written with care"),
    Criterion(name="relevance", label="Relevance", low="does not answer what was asked", high="answers just that"),
    Criterion(name="accuracy", label="Accuracy", low="what it says is wrong", high="all it says is right"),
    Criterion(name="overall", label="Overall satisfaction", low="of no use to me", high="just what I wanted"),
)


class GoldItem(Strict):
    """An item whose right answer is known; raters are not told which items these are.

    A pair: ``outputs`` is the better one, then the worse one. A ranking: the outputs, best first; it is right when the best
    stands above the last. A score: one output, and for each criterion in ``accept`` the lowest and highest right score.
    """

    prompt: str
    outputs: tuple[str, ...]
    accept: dict[str, tuple[int, int]] = {}


class StudyPlan(Strict):
    """What a study is made of. It is stored with the study and does not change."""

    title: str
    mode: Mode
    graded: bool = False
    """Of pairs: a scale from -3 to 3 instead of left, right, tie, both bad."""
    criteria: tuple[Criterion, ...] = ()
    """Empty: what the mode has of itself, see `asked_criteria`."""
    tasks: tuple[str, ...] = ()
    """Empty: every task of the runs that generates text."""
    variants: tuple[str, ...] = ()
    """Empty: every variant of the runs. Of several runs a variant is called ``RUN/VARIANT`` where its name alone is not clear."""
    against: str | None = None
    """Of pairs: the variant that every other one meets; None lets each meet each."""
    examples: Annotated[int, Field(ge=1)] | None = None
    """How many are drawn; None takes all."""
    stratify: tuple[str, ...] = ()
    """Tag fields (``category``) or ``language``: each of their values gets its share of the draw. Tasks always do."""
    seed: Annotated[int, Field(ge=0)] = 0
    raters: Annotated[int, Field(ge=1)] = 1
    """How many are expected."""
    overlap: Annotated[int, Field(ge=1)] = 1
    """How many raters judge an item that is shared."""
    overlap_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of items that `overlap` raters judge; the others get one."""
    repeat_share: Annotated[float, Field(ge=0, le=0.5)] = 0.12
    """The share of a rater's items that come back later with the order of the outputs reversed."""
    practice: Annotated[int, Field(ge=0, le=20)] = 3
    """How many items a rater tries first; they are of other examples, and no analysis sees them."""
    gold: tuple[GoldItem, ...] = ()
    gold_threshold: Annotated[float, Field(ge=0, le=1)] = 0.8
    """A rater with a smaller share of right answers to gold items is marked."""
    reserve_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """For how long an item that a rater was shown is not given to another one in their place."""
    show_reference: bool = False
    guidelines: str = ""
    """Markdown; its first version."""

    @property
    def asked_criteria(self) -> tuple[Criterion, ...]:
        """What raters are asked about each item."""
        return self.criteria or (STANDARD_CRITERIA if self.mode == "score" else (PREFERENCE,))


@dataclass(frozen=True)
class Rater:
    """One who rates, within one study."""

    id: str
    name: str
    """As they wrote it; may hold any printable character, markup included: show it as text."""
    number: int
    """In the order of joining, from 1; seeds what is drawn for this rater."""
    key: str | None = None
    """Given once, to a rater who joined by the link: it proves who they are when they come back."""


@dataclass(frozen=True)
class RatingItem:
    """What a rater has on screen. A reload gives the same item with the same order."""

    assignment_id: str
    sequence: int
    """1 for the first answer, one more after each undo; with the assignment it identifies an answer that is sent twice."""
    mode: Mode
    graded: bool
    prompt: str
    reference: str | None
    """None as well where the study does not show references."""
    outputs: tuple[str, ...]
    """In the order shown: left, then right."""
    criteria: tuple[Criterion, ...]
    guideline_hash: str
    number: int
    """Its place in the rater's list, from 1."""
    practice: bool
    shown_at: str
    """UTC, ISO 8601: when the rater first saw it in this sitting."""
    previous: Mapping[str, Any] | None = None
    """After an undo: the answer that stands until it is replaced, by criterion; ``{}`` where the item was skipped."""
    previous_comment: str = ""


@dataclass(frozen=True)
class Done:
    """There is nothing to show this rater now."""

    state: Literal["finished", "waiting", "closed"]
    """``waiting``: what is left is on other raters' screens and may come free."""
    message: str


@dataclass(frozen=True)
class Receipt:
    """What became of an answer."""

    outcome: Literal["stored", "repeated", "too soon"]
    """``repeated``: this answer was stored before; ``too soon``: it came before anybody could have read the item."""
    action_ids: tuple[str, ...] = ()
    """Of the rows on disk, one for each criterion."""
    note: str = ""
    """A sentence for the rater where something is to be said."""


@dataclass(frozen=True)
class Progress:
    """How far a rater and the study have come. Items with identical outputs are in none of the counts but their own."""

    rater_done: int
    """Answers of the rater, repeats included; practice and gold are not told apart from the outside and not counted."""
    rater_skipped: int
    rater_left: int
    """How many more could be asked of this rater now, at most; repeats are not foreseen."""
    answered: int
    """Answers that the study has, at most so many an item as it asks for."""
    asked: int
    """Answers that the study asks for in all."""
    n_items: int
    n_identical: int
    """Items whose outputs are the same text: ties by themselves, shown to nobody."""
    n_raters: int
    seconds_each: float | None
    """The median time of the rater's last answers; None before the third."""
    seconds_left: float | None

    @property
    def rater_share(self) -> float:
        """How much of what the rater can be asked is done: 0 to 1."""
        settled = self.rater_done + self.rater_skipped
        return settled / max(1, settled + self.rater_left)

    @property
    def study_share(self) -> float:
        """How much of what the study asks for is answered: 0 to 1."""
        return self.answered / max(1, self.asked)


@dataclass(frozen=True)
class StudySummary:
    """A line in the list of studies."""

    id: str
    title: str
    mode: Mode
    created: str
    closed: str | None
    runs: tuple[str, ...]
    variants: tuple[str, ...]
    n_items: int
    n_raters: int
    n_answers: int
