"""Which of two variants people prefer on each example, as a sign: what automatic metrics and model judges are held against."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from core.ratings.analysis.answers import Rated, compared, count_pair_votes
from core.ratings.analysis.scores import score_table

COLUMNS = ("task", "example_id", "group", "variant", "against", "sign")
_SIGNS = {"win": 1.0, "loss": -1.0, "tie": 0.0, "both_bad": 0.0}


def human_signs(rated: Rated, criterion: str) -> pd.DataFrame:
    """Return one row an example and pair of variants that people judged, with the columns `COLUMNS`.

    ``sign`` is 1 where ``variant`` is preferred to ``against``, -1 the other way round, 0 for a tie or both bad: of pairs and
    rankings by the raters' majority, of scores by which mean score is higher.
    """
    if rated.study.plan.mode == "score":
        return _of_scores(rated, criterion)
    return pair_signs(rated, compared(rated.own, rated.study.plan.mode, criterion))


def pair_signs(rated: Rated, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the same of comparisons, as `core.ratings.analysis.answers.compared` gives them."""
    votes = count_pair_votes(pairs, rated.variants)
    examples = rated.items.set_index("item_id")[["task", "example_id"]].reindex(votes["item_id"])
    known = votes.assign(
        task=examples["task"].to_numpy(), example_id=examples["example_id"].to_numpy(), sign=votes["verdict"].map(_SIGNS)
    )  # fmt: skip
    return known[list(COLUMNS)]


def _of_scores(rated: Rated, criterion: str) -> pd.DataFrame:
    table = score_table(rated, criterion)
    parts = []
    for against, variant in combinations(rated.variants, 2):
        gap = (table[variant] - table[against]).dropna()
        index = gap.index.to_frame(index=False)
        parts.append(index.assign(variant=variant, against=against, sign=np.sign(gap.to_numpy(dtype=float))))
    filled = [part for part in parts if len(part)]
    return pd.concat(filled)[list(COLUMNS)] if filled else pd.DataFrame(columns=list(COLUMNS))
