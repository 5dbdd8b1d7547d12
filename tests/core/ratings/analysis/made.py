"""Answers that nobody gave, as the analysis reads them: no store is behind these studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from core.ratings import RatingStore, Study, StudyPlan
from core.ratings.actions import COLUMNS
from core.ratings.analysis.answers import Rated
from core.ratings.analysis.estimate import Settings

SETTINGS = Settings(level=0.95, resamples=400, seed=0)
ITEM_COLUMNS = ("item_id", "task", "example_id", "cluster", "variants", "identical", "needed", "lengths", "group")


def item(name: str, variants: Sequence[str] = ("base", "lora"), **more: Any) -> dict[str, Any]:
    """One of the study's own items, of an example of the same name."""
    known = {"item_id": name, "task": "reply", "example_id": name, "cluster": None, "variants": tuple(variants), "identical": False,
             "needed": 1, "lengths": tuple(100 + 10 * place for place in range(len(variants))), "group": name}  # fmt: skip
    return known | more


def answer(item_id: str, rater: str, shown: Sequence[str], value: Any, **more: Any) -> dict[str, Any]:
    """One answer to the criterion ``preference``."""
    known: dict[str, Any] = dict.fromkeys(COLUMNS)
    known |= {
        "item_id": item_id, "assignment_id": f"{item_id}/{rater}", "rater": rater, "rater_id": rater.lower(), "criterion": "preference",
        "value": value, "shown": tuple(shown), "variant_left": shown[0], "task": "reply", "example_id": item_id, "group": item_id,
        "number": 0, "seconds": 9.0, "comment": "", "kind": "rate", "current": True,
    }  # fmt: skip
    return known | more


def rated(
    items: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]], *, closed: bool = True, repeats: Sequence[dict[str, Any]] = (),
    variants: Sequence[str] = ("base", "lora"), **plan: Any,
) -> Rated:  # fmt: skip
    """A study of these items and answers; numbers are given in the order of the answers."""
    asked = StudyPlan(**({"title": "Made", "mode": "pair"} | plan))
    study = Study(cast(RatingStore, None), "made", asked, "owner", "", (), tuple(variants))
    numbered = [row | {"number": place} for place, row in enumerate(own)]
    table = pd.DataFrame(list(items), columns=list(ITEM_COLUMNS))
    answers = _frame(numbered)
    counted = answers.groupby("item_id")["assignment_id"].nunique()
    needed = table.set_index("item_id")["needed"]
    complete = frozenset(name for name, n in counted.items() if closed or n >= needed[name])
    return Rated(
        study, tuple(variants), closed, table, answers, _frame(repeats), _frame(()), _frame(()), 0, 0, pd.Series(dtype=int), complete
    )  # fmt: skip


def _frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=[*COLUMNS, "group"])
    frame["value"] = pd.Series([row["value"] for row in rows], dtype=object)
    return frame


def verdicts(rng: np.random.Generator, n: int) -> list[str]:
    """Some verdicts on pairs."""
    return rng.choice(["left", "right", "tie", "both_bad"], size=n, p=[0.45, 0.25, 0.2, 0.1]).tolist()
