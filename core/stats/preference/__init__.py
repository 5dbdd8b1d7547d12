"""Preference between variants that were shown side by side: Bradley and Terry's model, with Davidson's ties and a position term.

`model` fits counts, `bootstrap` gives intervals and ranks by resampling items. The rest serves these two: `comparisons`
checks and sums what was rated, `existence` says whether there is an estimate at all, `fitting` finds it.
"""

from core.stats.preference.bootstrap import PreferenceIntervals, Rank, preference_intervals
from core.stats.preference.model import BradleyTerry, bradley_terry, elo_ratings

__all__ = [
    "BradleyTerry",
    "PreferenceIntervals",
    "Rank",
    "bradley_terry",
    "elo_ratings",
    "preference_intervals",
]
