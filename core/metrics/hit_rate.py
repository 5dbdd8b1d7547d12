"""The hit rate, which two fields call so: of rankings, and of a strategy's periods."""

from __future__ import annotations

import numpy as np

from core.metrics.metric import Observations, Resampling, Statistics
from core.metrics.number_pairs import number_pairs
from core.metrics.ranked_lists import read_rankings
from core.metrics.ranking import TIES
from core.metrics.rows import RatioMetric, assemble
from core.records import Kind

RANKING_CUT_OFF = 10


class HitRate(RatioMetric):
    """Rankings: the share of examples with a relevant document among the first 10 (``hit_rate_at_10``); finance: the share of
    the periods with a position in which position and return have the same sign.

    A period without a position (0) is missing; a return of exactly 0 is no hit. Statistics: (hit, 1).
    """

    name = "hit_rate"
    label = "Hit rate"
    family = "ranking"
    kinds = frozenset({"ranking", "finance"})
    test = "rate"
    undefined = "no example has scores and a relevant document, or no period a position and a return"

    def resampling_for(self, kind: Kind | None) -> Resampling:
        """Return that periods are resampled in blocks of neighbours, examples of a ranking one by one."""
        return "blocks" if kind == "finance" else self.resampling

    def statistics(self, observations: Observations) -> Statistics:
        """Return (hit, 1) for each example, (n, 2); numbers without a stated kind are read as positions and returns."""
        if observations.kind == "ranking":
            lists, reasons = read_rankings(observations)
            rows = np.stack([lists.hit_chance(RANKING_CUT_OFF), np.ones(lists.n)], axis=1)
            return assemble(rows, reasons, f"hit_rate|first:{RANKING_CUT_OFF}|relevant:>0|{TIES}", 2)
        positions, returns, reasons = number_pairs(observations, "position", "return")
        reasons = [
            "no position was taken in this period" if reason is None and position == 0 else reason
            for position, reason in zip(positions.tolist(), reasons, strict=True)
        ]
        present = np.array([reason is None for reason in reasons], dtype=bool)
        hits = np.sign(positions[present]) == np.sign(returns[present])
        rows = np.stack([hits.astype(np.float64), np.ones(len(hits))], axis=1)
        return assemble(rows, reasons, "hit_rate|periods with a position|sign of the return", 2)
