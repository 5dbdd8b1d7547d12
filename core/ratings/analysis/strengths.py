"""Three and more variants: Davidson's model over all comparisons, with intervals by resampling examples."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import pandas as pd

from core.ratings.analysis.answers import SIDES, Rated, compared
from core.ratings.analysis.estimate import Estimate, Settings, from_interval, undefined
from core.ratings.analysis.results import Strengths, VariantStrength
from core.stats import PreferenceIntervals, elo_ratings, preference_intervals

_ELO_PER_LOG = 400 / log(10)
RATERS_FIXED = (
    "Raters are taken as fixed: the intervals say what other examples would give, not what other raters would."
)
_DEPENDENT = "The pairs of one ranking are not independent of each other: intervals resample whole examples with all their rankings."


def strengths(rated: Rated, criterion: str, settings: Settings) -> Strengths:
    """Return where each variant stands by one criterion.

    Every answer is a comparison (of a ranking every pair), by whom it may be; swapped repeats are left out. Both-bad is counted
    as a tie. Where the sides were not exchanged enough for the position term, it is left out, and a note says so.
    """
    pairs = compared(rated.own, rated.study.plan.mode, criterion)
    notes = [RATERS_FIXED]
    if rated.study.plan.mode == "rank":
        notes.append(_DEPENDENT)
    if (pairs["verdict"] == "both_bad").any():
        notes.append('"Both bad" counts as a tie in the strengths; its share stands by itself.')
    found = _fitted(pairs, rated, settings, position=True)
    why_no_position = None
    if found.fit.reason is not None and len(pairs):
        without = _fitted(pairs, rated, settings, position=False)
        if without.fit.reason is None:
            why_no_position = found.fit.reason
            notes.append(f"There is no position term here ({why_no_position}): what a side is worth is not taken off.")
            found = without
    return Strengths(
        variants=_variants(found, pairs, rated),
        tie_parameter=found.fit.tie_parameter,
        position=_position(found, len(pairs), why_no_position),
        reason=found.fit.reason,
        n=len(pairs),
        n_examples=int(pairs["group"].nunique()),
        notes=tuple(notes),
    )


def _fitted(pairs: pd.DataFrame, rated: Rated, settings: Settings, position: bool) -> PreferenceIntervals:
    sides = pd.Categorical(pairs["verdict"], categories=list(SIDES))
    counts = np.eye(len(SIDES))[sides.codes] if len(pairs) else np.zeros((0, len(SIDES)))
    return preference_intervals(
        pairs["first"], pairs["second"], counts, pairs["group"].tolist(), variants=rated.variants, position=position,
        resamples=settings.resamples, seed=settings.seed, level=settings.level,
    )  # fmt: skip


def _variants(found: PreferenceIntervals, pairs: pd.DataFrame, rated: Rated) -> tuple[VariantStrength, ...]:
    counts = {name: int(((pairs["first"] == name) | (pairs["second"] == name)).sum()) for name in rated.variants}
    fit = found.fit
    if fit.strengths is None:
        none = [undefined(fit.reason or "undefined", counts[name]) for name in rated.variants]
        return tuple(
            VariantStrength(name, one, one, None, None, None) for name, one in zip(rated.variants, none, strict=True)
        )
    middle = elo_ratings(fit.strengths)
    rows = []
    for place, name in enumerate(fit.variants):
        strength = from_interval(float(fit.strengths[place]), found.strengths[place], counts[name])
        # Strengths sum to 0, so that the bounds go over to the scale of Elo as they are.
        shift = float(middle[place]) - float(fit.strengths[place]) * _ELO_PER_LOG
        rank = int(np.sum(fit.strengths > fit.strengths[place] + 1e-9)) + 1
        best, worst = (found.ranks[place].best, found.ranks[place].worst) if found.ranks else (None, None)
        rows.append(VariantStrength(name, strength, _scaled(strength, shift), rank, best, worst))
    return tuple(sorted(rows, key=lambda row: row.rank or 0))


def _scaled(strength: Estimate, shift: float) -> Estimate:
    numbers = [
        None if one is None else one * _ELO_PER_LOG + shift for one in (strength.value, strength.low, strength.high)
    ]
    return replace(strength, value=numbers[0], low=numbers[1], high=numbers[2])


def _position(found: PreferenceIntervals, n: int, why_not: str | None) -> Estimate:
    if found.fit.position is None:
        return undefined(why_not or found.fit.reason or "undefined", n)
    return from_interval(found.fit.position, found.position, n)
