"""One verdict an item and pair of variants, for formats that know no raters: by votes, a vote a rater."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from core.errors import InputError
from core.ratings.study import Study


@dataclass
class Votes:
    """How the raters of one item voted."""

    item_id: str
    variants: tuple[str, str]
    for_first: int = 0
    for_second: int = 0
    tie: int = 0
    both_bad: int = 0
    rows: list[pd.Series] = field(default_factory=list)

    @property
    def winner(self) -> int | None:
        """0 or 1 where one variant has more votes than the other and than "both bad"; None otherwise."""
        most = max(self.for_first, self.for_second)
        if self.for_first == self.for_second or most <= self.both_bad:
            return None
        return 0 if self.for_first > self.for_second else 1

    @property
    def why_not(self) -> str:
        """Why there is no winner."""
        return "both bad" if self.both_bad >= max(self.for_first, self.for_second, self.tie, 1) else "tie"


def count_votes(study: Study, frame: pd.DataFrame) -> list[Votes]:
    """Return the votes on every item that was rated: current answers, by the study's first criterion.

    Practice, gold items and repeats have no vote.

    Args:
        study: of mode pair.
        frame: as `core.ratings.actions.actions` or the exported table gives it.

    Raises:
        InputError: the study is not of pairs.
    """
    if study.plan.mode != "pair":
        raise InputError(
            f"Study {study.plan.title!r} is of mode {study.plan.mode!r}; this format holds pairs. Use jsonl, csv or parquet."
        )
    aside = frame[["practice", "gold", "repeat"]].astype(bool).any(axis=1)
    counted = frame["current"].astype(bool) & (frame["kind"] == "rate") & ~aside
    counted &= frame["criterion"] == study.plan.asked_criteria[0].name
    order = {name: place for place, name in enumerate(study.variants)}
    found: dict[str, Votes] = {}
    for _, row in frame[counted].iterrows():
        first, second = sorted(row["shown"], key=lambda name: order[name])
        votes = found.setdefault(row["item_id"], Votes(row["item_id"], (first, second)))
        votes.rows.append(row)
        votes.for_first += row["preferred"] == first
        votes.for_second += row["preferred"] == second
        votes.tie += row["preferred"] == "tie"
        votes.both_bad += row["preferred"] == "both_bad"
    return list(found.values())
