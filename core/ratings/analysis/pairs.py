"""One variant against another: rates, the sign test, and evidence that may be looked at after every rating."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from core.ratings.analysis.answers import Rated, compared, count_pair_votes, evidence
from core.ratings.analysis.estimate import Estimate, Settings, mean, rate, undefined
from core.ratings.analysis.results import PairResult
from core.stats import decisive_win_rate, e_value, holm, length_controlled_win_rate, ratings_needed

ALPHA = 0.05
HORIZON = 1_000
_SIMULATIONS = 400


def pair_results(rated: Rated, settings: Settings) -> dict[str, tuple[PairResult, ...]]:
    """Return by criterion every two variants that met, those with the reference first; the study is of pairs or rankings."""
    met, n_looks = _met(rated), looks_of(rated)
    found: dict[str, list[PairResult]] = {}
    for criterion in rated.criteria:
        pairs = compared(rated.own, rated.study.plan.mode, criterion.name)
        votes = count_pair_votes(pairs, rated.variants)
        found[criterion.name] = [_pair(rated, votes, pairs, *one, n_looks, settings) for one in met]
    return _adjusted(found)


def looks_of(rated: Rated) -> int:
    """Return how many pairs and criteria are looked at: each may be the one at which one stops."""
    return max(1, len(_met(rated)) * len(rated.criteria))


def looks_threshold(n_looks: int) -> float:
    """Return the e-value from which one may stop, at 5 % over so many looks."""
    return max(1, n_looks) / ALPHA


def _met(rated: Rated) -> list[tuple[str, str]]:
    """Return (variant, against) of all that stand on one screen of some item, identical ones included."""
    on_screen = {frozenset(two) for shown in set(rated.items["variants"]) for two in combinations(shown, 2)}
    return [(b, a) for a, b in combinations(rated.variants, 2) if frozenset((a, b)) in on_screen]


def _pair(
    rated: Rated, votes: pd.DataFrame, pairs: pd.DataFrame, variant: str, against: str, n_looks: int, settings: Settings
) -> PairResult:
    mine = votes[(votes["variant"] == variant) & (votes["against"] == against)]
    verdicts, groups = mine["verdict"].to_numpy(dtype=object), mine["group"].tolist()
    shares = {
        name: rate(verdicts == name, groups, settings, "no item of this pair was rated")
        for name in ("win", "loss", "tie", "both_bad")
    }
    counts = {name: int(np.sum(verdicts == name)) for name in shares}
    decided = mine[np.isin(verdicts, ("win", "loss"))]
    controlled, effect = _length_controlled(rated, decided, variant, against, settings)
    once = decisive_win_rate(*_by_group(mine))
    signs = evidence(rated, mine, pairs)["sign"].to_numpy()
    standing = int((signs > 0).sum()), int((signs < 0).sum())
    bet = e_value(*standing, alpha=ALPHA / n_looks)
    needed = ratings_needed(
        *standing, alpha=ALPHA / n_looks, horizon=HORIZON, simulations=_SIMULATIONS, seed=settings.seed
    )
    grade, grades = _grades(pairs, variant, against, settings) if rated.study.plan.graded else (None, ())
    return PairResult(
        variant=variant,
        against=against,
        wins=counts["win"],
        losses=counts["loss"],
        ties=counts["tie"],
        both_bad=counts["both_bad"],
        n_identical=_identical(rated, variant, against),
        n_split=int(mine["split"].sum()),
        win=shares["win"],
        loss=shares["loss"],
        tie=shares["tie"],
        bad=shares["both_bad"],
        decisive=rate(
            (decided["verdict"] == "win").to_numpy(), decided["group"].tolist(), settings, "no decisive verdicts"
        ),
        length_controlled=controlled,
        length_effect=effect,
        sign_p=once.sign_p,
        sign_mid_p=once.sign_mid_p,
        p_adjusted=None,
        e_value=bet.value,
        threshold=looks_threshold(n_looks),
        may_stop=bet.may_stop,
        n_evidence=len(signs),
        needed=needed.median,
        needed_most=needed.most,
        needed_reached=needed.reached,
        needed_horizon=needed.horizon,
        grade=grade,
        grades=grades,
    )


def _identical(rated: Rated, variant: str, against: str) -> int:
    same = rated.items[rated.items["identical"].astype(bool)]
    return sum({variant, against} <= set(shown) for shown in same["variants"])


def _by_group(mine: pd.DataFrame) -> tuple[int, int]:
    """Return how many groups of examples were won and lost: examples of one group are no independent evidence."""
    signs = mine["verdict"].map({"win": 1, "loss": -1}).fillna(0)
    sums = signs.groupby(mine["group"]).sum()
    return int((sums > 0).sum()), int((sums < 0).sum())


def _length_controlled(
    rated: Rated, decided: pd.DataFrame, variant: str, against: str, settings: Settings
) -> tuple[Estimate, float | None]:
    lengths = {
        item_id: dict(zip(variants, numbers, strict=True))
        for item_id, variants, numbers in rated.items[["item_id", "variants", "lengths"]].itertuples(
            index=False, name=None
        )
    }
    gaps = [float(lengths[item_id][variant] - lengths[item_id][against]) for item_id in decided["item_id"]]
    found = length_controlled_win_rate(
        (decided["verdict"] == "win").astype(float).to_numpy(), gaps, items=decided["group"].tolist(), level=settings.level
    )  # fmt: skip
    if found.value is None:
        return undefined(found.reason or "undefined", found.n), None
    method = "logistic regression on the difference in characters, robust by example"
    why = None if found.low is not None else "no interval: one example alone shows no uncertainty"
    return Estimate(found.value, found.low, found.high, found.n, why, method), found.length_effect


def _grades(pairs: pd.DataFrame, variant: str, against: str, settings: Settings) -> tuple[Estimate, tuple[int, ...]]:
    """Return the mean grade for a variant, raters averaged within an item, and how often each grade was given."""
    mine = pairs[((pairs["first"] == variant) & (pairs["second"] == against))
                 | ((pairs["first"] == against) & (pairs["second"] == variant))]  # fmt: skip
    signed = mine["grade"].astype(float) * np.where(mine["second"] == variant, 1.0, -1.0)
    by_item = signed.groupby(mine["item_id"]).mean()
    groups = mine.groupby("item_id")["group"].first().reindex(by_item.index)
    levels = tuple(int((signed == grade).sum()) for grade in range(-3, 4))
    return mean(by_item.to_numpy(), groups.tolist(), settings, "no item of this pair was rated"), levels


def _adjusted(found: dict[str, list[PairResult]]) -> dict[str, tuple[PairResult, ...]]:
    """Put in the p-values by Holm's correction over all pairs and criteria."""
    listed = [one.sign_mid_p for results in found.values() for one in results if one.sign_mid_p is not None]
    adjusted = iter(holm(listed).tolist() if listed else [])
    return {
        criterion: tuple(
            one if one.sign_mid_p is None else replace(one, p_adjusted=float(next(adjusted))) for one in results
        )
        for criterion, results in found.items()
    }


def win_matrix(rated: Rated, results: tuple[PairResult, ...]) -> tuple[tuple[Estimate | None, ...], ...]:
    """Return the decisive win rate of the row's variant against the column's, in the order of the variants."""
    cells: dict[tuple[str, str], Estimate] = {}
    for one in results:
        cells[one.variant, one.against] = one.decisive
        cells[one.against, one.variant] = _turned(one.decisive)
    return tuple(tuple(cells.get((row, column)) for column in rated.variants) for row in rated.variants)


def _turned(rate: Estimate) -> Estimate:
    if rate.value is None:
        return rate
    low, high = (None if rate.high is None else 1 - rate.high), (None if rate.low is None else 1 - rate.low)
    return replace(rate, value=1 - rate.value, low=low, high=high)
