"""What an answer may be in each mode, how it is stored (JSON), and what it says about the variants that were shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import InputError, nearest
from core.ratings.records import GRADED_RANGE, PAIR_VALUES, SCORE_RANGE, StudyPlan


def check_values(plan: StudyPlan, values: Mapping[str, Any], n_shown: int) -> dict[str, str]:
    """Return an answer as it is stored: JSON by criterion.

    Args:
        plan: the study's.
        values: by criterion. Pair: left, right, tie or both_bad, or -3 to 3 where it is graded. Score: 1 to 5. Rank: one
            rank for each output as shown, 1 for the best; equal ranks are ties and no rank is left out ([1, 2, 2]).
        n_shown: how many outputs were on screen.

    Raises:
        InputError: a criterion is missing or unknown, or its value is none of these.
    """
    names = [criterion.name for criterion in plan.asked_criteria]
    for name in values:
        if name not in names:
            raise InputError(f"Found criterion {name!r}{nearest(name, names)}; the study asks for {', '.join(names)}.")
    missing = [name for name in names if values.get(name) is None]
    if missing:
        raise InputError(f"No answer yet for: {', '.join(missing)}. Answer each criterion, or skip the item.")
    return {name: json.dumps(_check_value(plan, values[name], n_shown)) for name in names}


def _check_value(plan: StudyPlan, value: Any, n_shown: int) -> Any:
    if plan.mode == "rank":
        return _check_ranks(value, n_shown)
    if plan.mode == "pair" and not plan.graded:
        if value not in PAIR_VALUES:
            raise InputError(f"Found the answer {value!r}, expected one of {', '.join(PAIR_VALUES)}.")
        return value
    low, high = GRADED_RANGE if plan.mode == "pair" else SCORE_RANGE
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"Found the answer {value!r}, expected a whole number from {low} to {high}.")
    return value


def _check_ranks(value: Any, n_shown: int) -> list[int]:
    ranks = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    whole = [rank for rank in ranks if isinstance(rank, int) and not isinstance(rank, bool)]
    if len(ranks) != n_shown or len(whole) != n_shown or set(whole) != set(range(1, len(set(whole)) + 1)):
        raise InputError(
            f"Found the ranking {value!r}, expected {n_shown} ranks, one for each output: 1 for the best, equal ones for a tie."
        )
    return whole


def preferred(mode: str, value: Any, shown: Sequence[str]) -> str | None:
    """Return what a stored answer prefers: of pairs a variant, ``tie`` or ``both_bad``; of a ranking its single best or ``tie``.

    None for scores, and where there is no answer.
    """
    if value is None or mode == "score":
        return None
    if mode == "rank":
        best = [variant for variant, rank in zip(shown, value, strict=True) if rank == 1]
        return best[0] if len(best) == 1 else "tie"
    side = value if isinstance(value, str) else ("left" if value < 0 else "right" if value > 0 else "tie")
    return {"left": shown[0], "right": shown[1]}.get(side, side)


def gold_is_right(
    mode: str, criterion: str, value: Any, shown: Sequence[str], accept: Mapping[str, Any]
) -> bool | None:
    """Tell whether an answer to a gold item is right; None where nothing is known of the criterion.

    A graded pair is right on the right side of 0, a ranking where the best stands above the worst.
    """
    if value is None or not accept:
        return None
    if mode == "score":
        ends = accept.get(criterion)
        return None if ends is None else ends[0] <= value <= ends[1]
    if mode == "rank":
        rank = dict(zip(shown, value, strict=True))
        return rank[accept["best"]] < rank[accept["worst"]]
    return preferred(mode, value, shown) == accept["best"]
