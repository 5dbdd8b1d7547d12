"""The items on which raters differ, to be talked over."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from core.ratings.analysis.answers import Rated
from core.ratings.analysis.results import Disagreement, RaterVerdict

_APART = 2
"""Scores so many levels apart are a conflict and no shade."""


def disagreements(rated: Rated) -> tuple[Disagreement, ...]:
    """Return items that two raters or more answered differently; first those where they are opposed, then by more raters."""
    own = rated.own.sort_values(["item_id", "criterion", "number"], kind="stable")
    columns = ["item_id", "criterion", "task", "example_id", "rater", "comment", "value", "preferred", "shown"]
    rows = own[columns].itertuples(index=False, name=None)
    found = [
        one for key, several in groupby(rows, key=lambda row: row[:4]) if (one := _item(rated, key, list(several)))
    ]
    order = {item_id: number for number, item_id in enumerate(rated.items["item_id"])}
    return tuple(sorted(found, key=lambda one: (not one.opposed, -len(one.verdicts), order[one.item_id])))


def _item(rated: Rated, key: tuple[str, str, str, str], rows: Sequence[tuple[Any, ...]]) -> Disagreement | None:
    item_id, criterion, task, example_id = key
    said = [(rater, value, preferred, shown, comment) for *_, rater, comment, value, preferred, shown in rows]
    verdicts = tuple(RaterVerdict(one[0], _text(*one[1:4]), one[4] or "") for one in said)
    if len({verdict.verdict for verdict in verdicts}) < 2:
        return None
    variants = tuple(name for name in rated.variants if name in said[0][3])
    return Disagreement(item_id, task, example_id, criterion, variants, verdicts, _opposed(said))


def _opposed(said: Sequence[tuple[Any, ...]]) -> bool:
    values = [value for _, value, *_ in said]
    if all(preferred is None for _, _, preferred, *_ in said):
        return max(values) - min(values) >= _APART
    return len({preferred for _, _, preferred, *_ in said} - {None, "tie", "both_bad"}) > 1


def _text(value: Any, preferred: str | None, shown: Sequence[str]) -> str:
    """Return an answer in words: ``qv-r8``, ``qv-r8 by 2``, ``both bad``, ``4``, ``a > b = c``."""
    if isinstance(value, list):
        ranked = sorted(zip(value, shown, strict=True))
        tiers = [" = ".join(name for _, name in tier) for _, tier in groupby(ranked, key=lambda one: one[0])]
        return " > ".join(tiers)
    if preferred is None:
        return str(value)
    by = f" by {abs(value)}" if isinstance(value, int) and value else ""
    return "both bad" if preferred == "both_bad" else preferred + by
