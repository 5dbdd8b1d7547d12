"""The strengths of variants from counts of wins, losses and ties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import ArrayLike

from core.stats.preference.comparisons import Comparisons, Design, comparisons, design
from core.stats.preference.existence import why_undefined
from core.stats.preference.fitting import fit_batch


@dataclass(frozen=True, eq=False)
class BradleyTerry:
    """Strengths of variants, or why there are none."""

    variants: tuple[str, ...]
    reason: str | None
    """Why nothing below is defined (a variant that never lost, variants that were never compared); None where it is."""
    n: int
    """Comparisons."""
    strengths: np.ndarray | None = None
    """float64 (variants,), natural logs of the worths up to a constant; they sum to 0."""
    worths: np.ndarray | None = None
    """float64 (variants,), above 0; they sum to 1."""
    covariance: np.ndarray | None = None
    """float64 (variants, variants), of ``strengths``; by the model, so as if comparisons were independent of each other."""
    standard_errors: np.ndarray | None = None
    """float64 (variants,), of ``strengths``."""
    tie_parameter: float | None = None
    """Davidson's nu: how many ties for each win among equals; 0 without any tie. None where a tie could not be given."""
    position: float | None = None
    """What standing on the left adds to the log-odds. None where it was not asked for."""
    position_error: float | None = None
    """Its standard error."""


def bradley_terry(
    left: Iterable[str],
    right: Iterable[str],
    counts: ArrayLike,
    *,
    variants: Sequence[str] | None = None,
    position: bool = False,
) -> BradleyTerry:
    """Fit strengths to comparisons of pairs.

    With x = strength(left) - strength(right) + position, left wins : right wins : ties are as exp(x / 2) : exp(-x / 2) : nu.

    Args:
        left: (rows,) the variant on the left. A pair may have any number of rows.
        right: (rows,) the variant on the right.
        counts: (rows, 2) wins of left, wins of right; (rows, 3) with ties, by Davidson's model; or (rows, 4) with both-bad as
            well, which is counted as a tie.
        variants: all of them, in the order wanted; by default in order of first appearance.
        position: whether to estimate what standing on the left is worth.

    Returns:
        The maximum-likelihood estimates; with a reason and nothing else where they are not finite or not unique.

    Raises:
        ValueError: lengths differ, counts are none, a variant is compared with itself or is not among ``variants``.

    Source: Bradley & Terry (1952); ties: Davidson (1970); the position: Davidson & Beaver (1977), whose order effect on x is the
    negative of this one (with ties their nu is this one times exp(-position / 2)).
    """
    rated = comparisons(left, right, counts, variants)
    return fit_comparisons(rated, design(rated, position))


def fit_comparisons(rated: Comparisons, pairs: Design) -> BradleyTerry:
    """Fit strengths to what `comparisons` and `design` give; see `bradley_terry`."""
    counts, names = pairs.summed(rated.counts), rated.variants
    n = int(counts.sum())
    if reason := why_undefined(rated, pairs.matrix, counts):
        return BradleyTerry(names, reason, n)
    anchor = anchor_of(rated, pairs)
    fit = fit_batch(pairs.matrix, counts[None], anchor)
    if not fit.found[0]:
        return BradleyTerry(names, "undefined: some strengths lie too far apart to be estimated", n)
    size = len(names)
    strengths = fit.parameters[0, :size]
    # The anchor makes the information invertible, and adds its own direction's share, which is taken off again.
    covariance = np.linalg.inv(fit.information[0])
    direction = np.append(anchor, 0.0) / np.linalg.norm(anchor)
    covariance -= np.outer(direction, direction) * (direction @ covariance @ direction)
    errors = np.sqrt(np.diagonal(covariance))
    worths = np.exp(strengths - strengths.max())
    has_position = pairs.matrix.shape[1] > size
    return BradleyTerry(
        names,
        None,
        n,
        strengths=strengths,
        worths=worths / worths.sum(),
        covariance=covariance[:size, :size],
        standard_errors=errors[:size],
        tie_parameter=exp(fit.log_tie[0]) if rated.with_ties else None,
        position=float(fit.parameters[0, size]) if has_position else None,
        position_error=float(errors[size]) if has_position else None,
    )


def anchor_of(rated: Comparisons, pairs: Design) -> np.ndarray:
    """Return the direction of the parameters that comparisons say nothing about: all strengths alike, (parameters,)."""
    return (np.arange(pairs.matrix.shape[1]) < len(rated.variants)).astype(np.float64)


def elo_ratings(strengths: ArrayLike, mean: float = 1500.0) -> np.ndarray:
    """Return strengths on the scale of Elo ratings, for display alone: 400 points are odds of 10 to 1.

    Args:
        strengths: (variants,) natural logs, as `BradleyTerry.strengths`.
        mean: of the ratings.

    Source: Elo (1978); these are maximum-likelihood strengths, not ratings updated game by game.
    """
    logs = np.asarray(strengths, dtype=np.float64)
    return mean + (logs - logs.mean()) * 400 / log(10)
