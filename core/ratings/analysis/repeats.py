"""Whether raters agree with themselves when the outputs come back in reversed order."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.ratings.analysis.answers import Rated

_COLUMNS = ("rater_id", "group", "changed", "decided", "flipped")


def changed_and_flipped(rated: Rated) -> pd.DataFrame:
    """Return one row a repeat and criterion whose first answer counts too.

    Returns:
        rater_id, group, changed (another answer than the first time, sides taken off), decided (a variant was preferred both
        times; of rankings: one stood alone on top), flipped (and it was another one).
    """
    first = {
        (assignment, criterion): row
        for assignment, criterion, *row in rated.own[["assignment_id", "criterion", *_READ]].itertuples(
            index=False, name=None
        )
    }
    rows = []
    columns = ["repeat_of", "criterion", "rater_id", "group", *_READ]
    for repeat_of, criterion, rater_id, group, *again in rated.repeats[columns].itertuples(index=False, name=None):
        before = first.get((repeat_of, criterion))
        if before is None:
            continue
        chosen = (before[1], again[1])
        decided = not any(one in (None, "tie", "both_bad") for one in chosen)
        changed = _sideless(*before) != _sideless(*again)
        rows.append((rater_id, group, changed, decided, decided and chosen[0] != chosen[1]))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


_READ = ("value", "preferred", "shown")


def _sideless(value: Any, preferred: str | None, shown: tuple[str, ...]) -> Any:
    """Return what an answer says of the variants, wherever they stood."""
    if isinstance(value, list):
        return dict(zip(shown, value, strict=True))
    if preferred is None:
        return value
    return (preferred, abs(value)) if isinstance(value, int) else preferred
