"""ROC-AUC and average precision of weighted examples, for many draws of weights at once, and their derivatives by weight.

An example of weight w is that example repeated w times. Scores are sorted once; every draw is a row of cumulative sums over
the groups of equal scores. Where one class has few examples (a label against all others), what lies above each of them is
instead one product of the weights with a matrix of comparisons, many times faster. Arrays: ``scores`` float64 (n,),
``positive`` float64 (n,) of 0 and 1, ``weights`` (draws, n).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.row_blocks import row_blocks

FEW = 128
"""Examples of the smaller class up to which comparing each of them with all others is faster than cumulative sums."""
_COMPARISONS = 4_000_000
"""Entries of such a matrix at the most."""
_WORKING_ARRAYS = 6
"""How many arrays of the size of a block of weights are alive at once."""

_OfGroups = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From the weights of positives and of negatives in each group of equal scores, highest first, (draws, groups) each, to
values (draws,)."""


def roc_auc(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each draw, (draws,); NaN where one class has no weight.

    It is the chance that a positive scores above a negative, ties counting half (Hanley & McNeil, 1982).
    """
    if _is_few(positive):
        return _auc_of_few(scores, positive, weights)
    if _is_few(1 - positive):
        # The chance is the same when both the classes and the order are turned round.
        return _auc_of_few(-scores, 1 - positive, weights)
    return _by_groups(scores, positive, weights, _auc_of_groups)


def average_precision(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the average precision of each draw, (draws,); NaN where one class has no weight.

    As ``sklearn.metrics.average_precision_score``: the sum over distinct scores, from the highest, of the precision there
    times the gain in recall; nothing is interpolated.
    """
    if _is_few(positive):
        return _precision_of_few(scores, positive, weights)
    return _by_groups(scores, positive, weights, _precision_of_groups)


def roc_auc_influence(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the AUC and its derivative by the weight of each example, (n,), from one sort; NaN where one class has no weight.

    The derivatives are DeLong's structural components (DeLong, DeLong & Clarke-Pearson, 1988), centred and over their class's size.

    Args:
        scores: (n,).
        positive: (n,).
        weights: (n,), of one draw.
    """
    ranked = _Ranked.of(scores, positive, weights)
    ups, downs = ranked.ups, ranked.downs
    n_positive, n_negative = ups.sum(), downs.sum()
    below = np.cumsum(downs)
    below -= downs / 2
    above = n_positive - np.cumsum(ups)
    above += ups / 2
    with np.errstate(all="ignore"):
        auc = float((ups @ below) / (n_positive * n_negative))
        below -= auc * n_negative
        below /= n_positive * n_negative
        above -= auc * n_positive
        above /= n_positive * n_negative
    return auc, ranked.by_example(below, above)


def average_precision_influence(
    scores: np.ndarray, positive: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the average precision and its derivative by the weight of each example, (n,), from one sort.

    Both are NaN where one class has no weight.

    Args:
        scores: (n,).
        positive: (n,).
        weights: (n,), of one draw.
    """
    ranked = _Ranked.of(scores, positive, weights)
    ups, downs = ranked.ups, ranked.downs
    n_positive = ups.sum() if downs.any() else np.nan
    hits, answers = np.cumsum(ups[::-1])[::-1], np.cumsum((ups + downs)[::-1])[::-1]
    with np.errstate(all="ignore"):
        shares = np.where(answers > 0, 1 / answers, 0.0)
        precision = hits * shares
        shares *= ups
        # An example counts among the answers of every group of its own score or a lower one.
        as_answer, as_hit = np.cumsum(shares * precision), np.cumsum(shares)
        average = float((ups @ precision) / n_positive)
        of_negatives = -as_answer / n_positive
        of_positives = (precision + as_hit - as_answer - average) / n_positive
    return average, ranked.by_example(of_positives, of_negatives)


def _is_few(positive: np.ndarray) -> bool:
    """Whether the examples of one class are few enough to be compared with all others one by one."""
    count = int(np.count_nonzero(positive))
    return 0 < count <= min(FEW, len(positive) - 1) and count * len(positive) <= _COMPARISONS


def _auc_of_few(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each draw from the weight of the negatives below each positive."""
    chosen = np.flatnonzero(positive)
    below = (scores[:, None] < scores[chosen]) + np.float32(0.5) * (scores[:, None] == scores[chosen])
    below[chosen] = 0.0
    weights, out = np.asarray(weights), np.empty(len(weights))
    for rows, block in _blocks(weights):
        ups = block[:, chosen]
        n_positive, pairs = (
            ups.sum(axis=1, dtype=np.float64),
            np.einsum("dp,dp->d", ups, block @ below, dtype=np.float64),
        )
        n_negative = block.sum(axis=1, dtype=np.float64) - n_positive
        with np.errstate(all="ignore"):
            out[rows] = pairs / (n_positive * n_negative)
    return out


def _precision_of_few(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the average precision of each draw from the hits and answers down to each positive."""
    chosen = np.flatnonzero(positive)
    upto = (scores[:, None] >= scores[chosen]).astype(np.float32)
    weights, out = np.asarray(weights), np.empty(len(weights))
    for rows, block in _blocks(weights):
        ups = block[:, chosen]
        hits, answers = (ups @ upto[chosen]).astype(np.float64), block @ upto
        n_positive = ups.sum(axis=1, dtype=np.float64)
        some_negative = block.sum(axis=1, dtype=np.float64) > n_positive
        # No answer down to here means that this positive has no weight either: 0 / 1 adds nothing.
        hits /= np.where(answers > 0, answers, 1.0)
        with np.errstate(all="ignore"):
            out[rows] = np.where(some_negative, np.einsum("dp,dp->d", ups, hits) / n_positive, np.nan)
    return out


def _blocks(weights: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the draws block by block; single precision is kept, since it holds whole weights and their sums exactly."""
    kind = np.float32 if weights.dtype == np.float32 else np.float64
    for rows in row_blocks(len(weights), weights.shape[1]):
        yield rows, weights[rows].astype(kind, copy=False)


def _by_groups(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray, value: _OfGroups) -> np.ndarray:
    weights = np.asarray(weights)
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], falling[1:] != falling[:-1]])) if len(order) else order
    up = positive[order]
    out = np.full(len(weights), np.nan)
    if not up.any() or up.all():
        return out
    for rows in row_blocks(len(weights), _WORKING_ARRAYS * len(order)):
        block = weights[rows].astype(np.float64).take(order, axis=1)
        ups = block * up
        block -= ups
        if len(starts) < len(order):
            ups, block = np.add.reduceat(ups, starts, axis=1), np.add.reduceat(block, starts, axis=1)
        out[rows] = value(ups, block)
    return out


def _auc_of_groups(ups: np.ndarray, downs: np.ndarray) -> np.ndarray:
    above = np.cumsum(ups, axis=1)
    n_positive = above[:, -1].copy()
    above -= ups / 2
    with np.errstate(all="ignore"):
        return np.einsum("dg,dg->d", downs, above) / (n_positive * downs.sum(axis=1))


def _precision_of_groups(ups: np.ndarray, downs: np.ndarray) -> np.ndarray:
    hits = np.cumsum(ups, axis=1)
    answers = np.cumsum(downs, axis=1)
    some_negative = answers[:, -1] > 0
    answers += hits
    n_positive = hits[:, -1].copy()
    # No answer down to here means no positive either: 0 / 1 adds nothing.
    hits /= np.where(answers > 0, answers, 1.0)
    with np.errstate(all="ignore"):
        return np.where(some_negative, np.einsum("dg,dg->d", ups, hits) / n_positive, np.nan)


@dataclass(frozen=True)
class _Ranked:
    """Examples of one draw in ascending order of their scores, equal scores as groups."""

    order: np.ndarray
    is_up: np.ndarray
    """bool (n,), in this order."""
    sizes: np.ndarray | None
    """Examples in each group; None where no two scores are equal."""
    ups: np.ndarray
    """The weight of the positives in each group."""
    downs: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> _Ranked:
        # Not a stable sort, which takes twice as long: groups do not depend on the order within them.
        order = np.argsort(scores)
        rising, up, weight = scores[order], positive[order], weights[order]
        ups = up * weight
        downs = weight - ups
        new = np.ones(len(order), dtype=bool)
        np.not_equal(rising[1:], rising[:-1], out=new[1:])
        if new.all():
            return cls(order, up > 0, None, ups, downs)
        starts = np.flatnonzero(new)
        sizes = np.diff(starts, append=len(order))
        return cls(order, up > 0, sizes, np.add.reduceat(ups, starts), np.add.reduceat(downs, starts))

    def by_example(self, of_positives: np.ndarray, of_negatives: np.ndarray) -> np.ndarray:
        """Return numbers of groups as those of the examples in them, in the order in which the examples were given."""
        if self.sizes is not None:
            of_positives, of_negatives = np.repeat(of_positives, self.sizes), np.repeat(of_negatives, self.sizes)
        out = np.empty(len(self.order))
        out[self.order] = np.where(self.is_up, of_positives, of_negatives)
        return out
