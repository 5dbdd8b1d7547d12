"""How far it depends on a composite's weights which variant is first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.composite.results import WeightChange, WeightDependence

CONCENTRATION = 20.0
"""Of the weightings near the declared ones: a share of a half then varies by about a tenth (its standard deviation)."""
DRAWS = 10_000
_TIE = 1e-12


def weight_dependence(
    weights: Mapping[str, float], scaled: Mapping[str, Sequence[float]], seed: int = 0, draws: int = DRAWS
) -> WeightDependence:
    """Return under which share of all weightings each variant is first.

    Args:
        weights: by key, above zero.
        scaled: for each variant its parts' values, 0-1, in the order of ``weights``; at least two variants.
        seed: of the draw.
        draws: weightings of either kind.
    """
    variants, table = list(scaled), np.array(list(scaled.values()), dtype=np.float64)
    stated = np.array(list(weights.values()), dtype=np.float64)
    shares = stated / stated.sum()
    rng = np.random.default_rng(seed)
    around = _first_shares(rng.dirichlet(CONCENTRATION * shares, draws), table)
    anywhere = _first_shares(rng.dirichlet(np.ones(len(shares)), draws), table)
    composed = table @ shares
    first = int(np.argmax(composed >= composed.max() - _TIE))
    return WeightDependence(
        first=variants[first],
        around=dict(zip(variants, around.tolist(), strict=True)),
        anywhere=dict(zip(variants, anywhere.tolist(), strict=True)),
        concentration=CONCENTRATION,
        draws=draws,
        seed=seed,
        change=_smallest_change(list(weights), stated, variants, table, first),
    )


def _first_shares(weightings: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return how often each variant is first, (variants,); those that are level share it.

    Args:
        weightings: (draws, parts).
        table: (variants, parts).
    """
    composed = weightings @ table.T
    level = composed >= composed.max(axis=1, keepdims=True) - _TIE
    return (level / level.sum(axis=1, keepdims=True)).mean(axis=0)


def _smallest_change(
    keys: Sequence[str], weights: np.ndarray, variants: Sequence[str], table: np.ndarray, first: int
) -> WeightChange | None:
    """Return the weight that has to move least, in the weights' own unit, until another variant draws level.

    The lead of the first variant over another is linear in each weight, so that where it ends is known exactly.
    """
    best: tuple[float, WeightChange] | None = None
    for other, name in enumerate(variants):
        gaps = table[first] - table[other]
        lead = float(weights @ gaps)
        for part, key in enumerate(keys):
            if other == first or abs(gaps[part]) <= _TIE:
                continue
            move = -lead / gaps[part]
            new = float(weights[part] + move)
            if new < 0 or len(keys) == 1:
                continue
            if best is None or abs(move) < best[0]:
                best = abs(move), WeightChange(key, new, float(weights[part]), name)
    return None if best is None else best[1]
