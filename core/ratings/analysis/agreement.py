"""How far raters agree, by criterion: all together, and each two of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from core.ratings.analysis.answers import Rated
from core.ratings.analysis.estimate import Estimate, Settings, from_agreement, undefined
from core.ratings.analysis.results import AgreementRow, AlphaRow, Level, RaterPair
from core.ratings.records import GRADED_RANGE, SCORE_RANGE
from core.stats import cohen_kappa, fleiss_kappa, krippendorff_alpha, raw_agreement

_CATEGORIES = {"loss": 0, "tie": 1, "win": 2, "both_bad": 3}
_UNEVEN = "undefined: the number of raters differs from item to item, which Fleiss' kappa does not allow"
_ALONE = "undefined: no item has two ratings"


def agreement_rows(rated: Rated, settings: Settings) -> tuple[AgreementRow, ...]:
    """Return how far people agree on each criterion; swapped repeats, gold and practice have no part."""
    return tuple(_row(rated, one.name, one.label, settings) for one in rated.criteria)


def levels_of(mode: str, graded: bool) -> tuple[Level, ...]:
    """Return the levels of measurement that fit what is asked, the best one first."""
    if mode == "pair" and not graded:
        return ("nominal",)
    return ("ordinal", "nominal") if mode == "rank" else ("ordinal", "interval", "nominal")


def rating_table(rated: Rated, criterion: str) -> pd.DataFrame:
    """Return answers as numbers: rows units, columns raters, NaN where one did not rate; ``group`` is the index's second level.

    A unit is an item; of rankings an output of an item, and the number its rank. Pairs count by which variant was preferred,
    wherever it stood.
    """
    place = {name: number for number, name in enumerate(rated.variants)}
    rows: list[tuple[str, str, str, float]] = []
    names = ["item_id", "group", "rater", "shown", "value"]
    own = rated.own[rated.own["criterion"] == criterion]
    for item_id, group, rater, shown, value in own[names].itertuples(index=False, name=None):
        if rated.study.plan.mode == "rank":
            rows += [
                (f"{item_id}\x1f{name}", group, rater, float(rank)) for name, rank in zip(shown, value, strict=True)
            ]
        elif rated.study.plan.mode == "score":
            rows.append((item_id, group, rater, float(value)))
        else:
            rows.append((item_id, group, rater, _code(value, later_is_left=place[shown[0]] > place[shown[1]])))
    frame = pd.DataFrame(rows, columns=["unit", "group", "rater", "number"])
    return frame.pivot(index=["unit", "group"], columns="rater", values="number")


def _code(value: str | int, *, later_is_left: bool) -> float:
    if not isinstance(value, str):
        return float(-value if later_is_left else value)
    won = {"left": later_is_left, "right": not later_is_left}.get(value)
    return float(_CATEGORIES[value if won is None else "win" if won else "loss"])


def _row(rated: Rated, criterion: str, label: str, settings: Settings) -> AgreementRow:
    table = rating_table(rated, criterion)
    ratings = table.to_numpy(dtype=np.float64).T
    groups = table.index.get_level_values("group").tolist()
    options = {"resamples": settings.resamples, "seed": settings.seed}
    if not ratings.size:
        nothing = undefined(_ALONE)
        alphas = [AlphaRow(level, nothing) for level in levels_of(rated.study.plan.mode, rated.study.plan.graded)]
        return AgreementRow(criterion, label, nothing, tuple(alphas), nothing, (), 0)
    alphas = [
        AlphaRow(level, from_agreement(
            krippendorff_alpha(ratings, level, interval=settings.level, groups=groups, **options)
        ))
        for level in levels_of(rated.study.plan.mode, rated.study.plan.graded)
    ]  # fmt: skip
    raw = from_agreement(raw_agreement(ratings, level=settings.level, groups=groups, **options))
    pairs = tuple(_two(rated, table, *two, settings) for two in combinations(table.columns, 2))
    return AgreementRow(criterion, label, raw, tuple(alphas), _fleiss(ratings, groups, settings), pairs, len(table))


def _fleiss(ratings: np.ndarray, groups: list[str], settings: Settings) -> Estimate:
    raters = np.isfinite(ratings).sum(axis=0)
    if raters.max() < 2:
        return undefined(_ALONE)
    if raters.min() != raters.max():
        return undefined(_UNEVEN, int((raters >= 2).sum()))
    counts = np.column_stack([(ratings == value).sum(axis=0) for value in np.unique(ratings[np.isfinite(ratings)])])
    return from_agreement(
        fleiss_kappa(counts, interval=settings.level, groups=groups, resamples=settings.resamples, seed=settings.seed)
    )


def _two(rated: Rated, table: pd.DataFrame, first: str, second: str, settings: Settings) -> RaterPair:
    both = table[[first, second]].dropna()
    ordered = levels_of(rated.study.plan.mode, rated.study.plan.graded)[0] == "ordinal"
    low, high = _range(rated)
    counts = np.zeros((high - low + 1, high - low + 1))
    np.add.at(counts, tuple((both.to_numpy(dtype=np.int64) - low).T), 1)
    kappa = cohen_kappa(counts, "quadratic" if ordered else None, level=settings.level)
    groups = both.index.get_level_values("group").tolist()
    raw = (
        from_agreement(
            raw_agreement(
                both.to_numpy(dtype=np.float64).T, level=settings.level, groups=groups, resamples=settings.resamples,
                seed=settings.seed,
            )
        )
        if len(both)
        else undefined("undefined: both rated no item")
    )  # fmt: skip
    if kappa.value is None:
        found = undefined(kappa.reason or "undefined", kappa.n)
    else:
        why = None if kappa.low is not None else "no interval: the units show no differences in agreement"
        found = Estimate(kappa.value, kappa.low, kappa.high, kappa.n, why, "large-sample standard error")
    return RaterPair(first, second, raw, found, ordered)


def _range(rated: Rated) -> tuple[int, int]:
    """Return the lowest and highest number that an answer can be: distances are over the whole scale."""
    plan = rated.study.plan
    if plan.mode == "score":
        return SCORE_RANGE
    if plan.mode == "rank":
        return 1, max(1, *(len(shown) for shown in rated.items["variants"]))
    return GRADED_RANGE if plan.graded else (0, len(_CATEGORIES) - 1)
