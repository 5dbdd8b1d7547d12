"""Whether a score goes with length: each example's score against its length, and the mean in groups of equal size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GROUPS = 8
LEAST_IN_GROUP = 5


@dataclass(frozen=True)
class LengthGroup:
    """The examples between two lengths."""

    low: float
    """The shortest."""
    high: float
    """The longest; examples of one length are all in one group."""
    mean_length: float
    mean_score: float
    n: int


def length_groups(lengths: np.ndarray, scores: np.ndarray, groups: int = GROUPS) -> tuple[LengthGroup, ...]:
    """Return the mean score in groups of about equal size, from the shortest to the longest examples.

    Args:
        lengths: float64 (n,), NaN where not known.
        scores: float64 (n,), in the metric's unit, NaN where there is no value.
        groups: at most so many; fewer where a group would have less than `LEAST_IN_GROUP` examples, or lengths are few.
    """
    known = np.isfinite(lengths) & np.isfinite(scores)
    length, score = lengths[known], scores[known]
    if not len(length):
        return ()
    wanted = max(1, min(groups, len(length) // LEAST_IN_GROUP))
    # Upper ends that are lengths which occur: no length is parted over two groups.
    ends = np.unique(np.quantile(length, np.arange(1, wanted + 1) / wanted, method="inverted_cdf"))
    code = np.searchsorted(ends, length, side="left")
    return tuple(
        LengthGroup(
            float(length[inside].min()), float(length[inside].max()), float(length[inside].mean()), float(score[inside].mean()),
            int(inside.sum()),
        )
        for inside in (code == place for place in range(len(ends)))
    )  # fmt: skip
