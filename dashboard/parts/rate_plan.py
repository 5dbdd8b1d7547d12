"""What the form for a new study says, made into a plan. Draws nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.ratings import Criterion, StudyPlan, parse_gold

Choice = Literal["pair", "graded", "score", "rank"]
MODES: dict[Choice, str] = {
    "pair": "Pairs", "graded": "Pairs, on a scale", "score": "Scores 1 to 5", "rank": "Ranking",
}  # fmt: skip
CRITERION_COLUMNS = {"label": "Criterion", "low": "1 means", "high": "5 means"}


@dataclass(frozen=True)
class Written:
    """The fields of the form."""

    title: str
    mode: Choice
    variants: tuple[str, ...]
    against: str | None
    tasks: tuple[str, ...]
    examples: int | None
    stratify: tuple[str, ...]
    criteria: tuple[Mapping[str, Any], ...]
    """Rows of the table of criteria, by the keys of `CRITERION_COLUMNS`; cells may be empty."""
    guidelines: str
    raters: int
    overlap: int
    overlap_percent: int
    repeat_percent: int
    practice: int
    gold: str
    """Lines of JSON."""
    show_reference: bool
    seed: int


def plan_of(written: Written) -> StudyPlan:
    """Return the plan that the form describes.

    Raises:
        InputError: a line of the gold items is none.
    """
    is_pair = written.mode in ("pair", "graded")
    return StudyPlan(
        title=written.title.strip(), mode="pair" if written.mode == "graded" else written.mode, graded=written.mode == "graded",
        criteria=tuple(criteria_of(written.criteria)), tasks=written.tasks, variants=written.variants,
        against=written.against if is_pair and len(written.variants) > 2 else None, examples=written.examples,
        stratify=written.stratify, seed=written.seed, raters=written.raters, overlap=written.overlap,
        overlap_share=written.overlap_percent / 100, repeat_share=written.repeat_percent / 100, practice=written.practice,
        gold=parse_gold(written.gold, "Gold items"), show_reference=written.show_reference, guidelines=written.guidelines,
    )  # fmt: skip


def criteria_of(rows: Iterable[Mapping[str, Any]]) -> Iterable[Criterion]:
    """Yield a criterion for each row with a label; its name is made of the label's letters and digits."""
    for row in rows:
        label, low, high = (_text(row.get(name)) for name in CRITERION_COLUMNS)
        if label:
            name = re.sub(r"\W+", "_", label.casefold()).strip("_") or label
            yield Criterion(name=name, label=label, low=low, high=high)


def _text(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else ""
