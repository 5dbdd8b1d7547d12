"""Scores by criterion: means, and paired differences to the reference on the same examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from core.errors import InputError, nearest
from core.ratings.analysis.answers import Rated
from core.ratings.analysis.estimate import Estimate, Settings, mean
from core.ratings.analysis.results import ScoreAnalysis, ScoreRow
from core.ratings.records import SCORE_RANGE
from core.stats import holm, sign_flip_test

WEIGHTED = "weighted"
_NOTHING = "nobody scored this variant"
_NO_PAIR = "no example has a score of both"


def score_analysis(rated: Rated, settings: Settings, weights: Mapping[str, float] | None) -> ScoreAnalysis:
    """Return means and differences of every criterion and variant; an average over criteria only by ``weights``.

    Raises:
        InputError: weights name an unknown criterion, or are not positive numbers.
    """
    shares = check_weights(rated, weights)
    tables = {one.name: score_table(rated, one.name) for one in rated.criteria}
    rows: list[ScoreRow] = []
    for criterion in rated.criteria:
        given = rated.own[rated.own["criterion"] == criterion.name]
        for variant in rated.variants:
            values = given.loc[given["variant_left"] == variant, "value"]
            levels = tuple(int((values == level).sum()) for level in range(SCORE_RANGE[0], SCORE_RANGE[1] + 1))
            rows.append(_row(tables[criterion.name], criterion.name, criterion.label, variant, rated, settings, levels))
    weighted: list[ScoreRow] = []
    if shares:
        total = _weighted_table(tables, shares)
        weighted = [_row(total, WEIGHTED, "Weighted average", name, rated, settings, ()) for name in rated.variants]
    return ScoreAnalysis(_adjusted(rows), _adjusted(weighted), tuple(shares.items()))


def check_weights(rated: Rated, weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return weights that sum to 1; empty where none were given.

    Raises:
        InputError: a criterion is unknown, a weight is no number above 0, or the study is not of scores.
    """
    names = [criterion.name for criterion in rated.criteria]
    if weights and rated.study.plan.mode != "score":
        raise InputError(
            f"Weights are for scores; study {rated.study.plan.title!r} is of mode {rated.study.plan.mode!r}."
        )
    for name, weight in (weights or {}).items():
        if name not in names:
            raise InputError(
                f"Found a weight for {name!r}{nearest(name, names)}; the study asks for {', '.join(names)}."
            )
        if not (isinstance(weight, int | float) and np.isfinite(weight) and weight > 0):
            raise InputError(
                f"Found the weight {weight!r} of {name!r}, expected a number above 0. Leave out what is not to count."
            )
    total = sum((weights or {}).values())
    return {name: weight / total for name, weight in (weights or {}).items()}


def score_table(rated: Rated, criterion: str) -> pd.DataFrame:
    """Return the mean score of each example and variant, raters averaged.

    Returns:
        Rows by task, example id and ``group``; a column a variant, NaN where nobody scored it.
    """
    given = rated.own[rated.own["criterion"] == criterion]
    by = [given["task"], given["example_id"], given["group"], given["variant_left"]]
    values = given["value"].astype(float).groupby(by).mean()
    nothing = pd.DataFrame(index=pd.MultiIndex.from_arrays([[], [], []], names=["task", "example_id", "group"]))
    return (values.unstack() if len(values) else nothing).reindex(columns=list(rated.variants))


def groups_of(table: pd.DataFrame) -> list[str]:
    """Return the group of each example of a `score_table`."""
    return table.index.get_level_values("group").tolist()


def _weighted_table(tables: Mapping[str, pd.DataFrame], shares: Mapping[str, float]) -> pd.DataFrame:
    """Return the weighted average; an example counts only where every weighted criterion has a score."""
    parts = [tables[name] * share for name, share in shares.items()]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _row(
    table: pd.DataFrame, criterion: str, label: str, variant: str, rated: Rated, settings: Settings, levels: tuple[int, ...]
) -> ScoreRow:  # fmt: skip
    mine = table[table[variant].notna()]
    average = mean(mine[variant].to_numpy(dtype=float), groups_of(mine), settings, _NOTHING)
    if variant == rated.variants[0]:
        return ScoreRow(criterion, label, variant, average, None, None, None, levels)
    difference, p = _difference(table, variant, rated.variants[0], settings)
    return ScoreRow(criterion, label, variant, average, difference, p, None, levels)


def _difference(table: pd.DataFrame, variant: str, reference: str, settings: Settings) -> tuple[Estimate, float | None]:
    both = table[table[variant].notna() & table[reference].notna()]
    gaps = (both[variant] - both[reference]).to_numpy(dtype=float)
    groups = groups_of(both)
    found = mean(gaps, groups, settings, _NO_PAIR)
    p = sign_flip_test(gaps, groups=groups, seed=settings.seed).p if len(gaps) else None
    return found, p


def _adjusted(rows: list[ScoreRow]) -> tuple[ScoreRow, ...]:
    listed = [row.p for row in rows if row.p is not None]
    adjusted = iter(holm(listed).tolist() if listed else [])
    return tuple(row if row.p is None else replace(row, p_adjusted=float(next(adjusted))) for row in rows)
