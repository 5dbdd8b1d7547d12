"""Draws the examples of a study: uniformly at random within strata, each stratum by its share.

Nothing that a model answered decides which examples are drawn: to choose close calls would bias every win rate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stratified_draw(strata: Sequence[str], n: int, seed: int) -> list[int]:
    """Return the places of n examples in random order, without repetition.

    Args:
        strata: for each example the name of its stratum. Quotas are proportional, by largest remainder; between equal
            remainders chance decides.
        n: how many to draw; all where there are not more.
        seed: the same seed gives the same draw.
    """
    draw = np.random.default_rng([seed, 0])
    total = len(strata)
    if n >= total:
        return [int(place) for place in draw.permutation(total)]
    names, codes = np.unique(np.asarray(strata, dtype=object).astype(str), return_inverse=True)
    sizes = np.bincount(codes, minlength=len(names))
    ideal = n * sizes / total
    quotas = np.floor(ideal).astype(int)
    by_remainder = np.lexsort((draw.random(len(names)), -(ideal - quotas)))
    quotas[by_remainder[: n - int(quotas.sum())]] += 1
    chosen = [draw.choice(np.flatnonzero(codes == code), quotas[code], replace=False) for code in range(len(names))]
    return [int(place) for place in draw.permutation(np.concatenate(chosen))]
