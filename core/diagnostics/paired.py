"""How the examples moved: the distribution of paired differences, and wins, ties and losses of every variant.

Ties are counted apart: on many metrics most examples do not move at all, and a bar of them would hide the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

WinTieLoss = Literal["win", "tie", "loss"]
_BINS_A_SIDE = 10
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12
"""Two values closer than that are equal but for rounding."""


@dataclass(frozen=True)
class PairedDifferences:
    """Variant minus reference of each example, in the metric's unit."""

    edges: np.ndarray
    """float64 (bins + 1,): of equal width, zero among them; empty where no example moved."""
    counts: np.ndarray
    """int64 (bins,): examples that moved; what lies on an edge counts to the bin farther from zero, but the last ones hold
    their ends."""
    n_ties: int
    n_up: int
    """Examples whose value became larger, for better or worse."""
    n_down: int
    n_missing: int
    """Examples without a value under one of the two."""
    mean: float | None
    """Over all pairs, ties included; None without any."""
    median: float | None

    @property
    def n(self) -> int:
        """Pairs."""
        return self.n_ties + self.n_up + self.n_down


@dataclass(frozen=True)
class Outcomes:
    """How often a variant wins, ties and loses against the reference."""

    variant: str
    wins: int
    ties: int
    losses: int
    n_missing: int


def differences(scores: pd.DataFrame, reference: str, variant: str) -> np.ndarray:
    """Return variant minus reference of each example, float64 (n,): 0 where both are equal but for rounding, NaN where missing."""
    theirs, ours = (scores[name].to_numpy(dtype=np.float64) for name in (reference, variant))
    with np.errstate(invalid="ignore"):
        found = np.where(np.isclose(ours, theirs, rtol=_RELATIVE, atol=_ABSOLUTE), 0.0, ours - theirs)
    return np.where(np.isfinite(found), found, np.nan)


def paired_differences(scores: pd.DataFrame, reference: str, variant: str) -> PairedDifferences:
    """Return how the examples moved.

    Args:
        scores: index example id, a column a variant, NaN where there is no value.
        reference: the column that is compared with.
        variant: the column that is compared.
    """
    found = differences(scores, reference, variant)
    known = found[np.isfinite(found)]
    edges = _edges(known)
    counts = np.array(
        [np.count_nonzero(in_bin(known, low, high)) for low, high in zip(edges[:-1], edges[1:], strict=True)], dtype=np.int64
    )  # fmt: skip
    up, down = int((known > 0).sum()), int((known < 0).sum())
    mean, median = (float(known.mean()), float(np.median(known))) if len(known) else (None, None)
    return PairedDifferences(edges, counts, len(known) - up - down, up, down, len(found) - len(known), mean, median)


def in_bin(found: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return which differences lie between two edges on one side of zero, bool (n,); between 0 and 0 lie the ties.

    The edge nearer to zero is left out, so that no tie lies in a bin and every difference in one bin alone.
    """
    with np.errstate(invalid="ignore"):
        if low == high == 0:
            return found == 0
        return (found >= low) & (found < high) if high <= 0 else (found > low) & (found <= high)


def win_tie_loss(
    scores: pd.DataFrame, reference: str, variants: Sequence[str], higher_is_better: bool
) -> tuple[Outcomes, ...]:
    """Return how often each variant wins, ties and loses against the reference, example by example.

    Args:
        scores: as for `paired_differences`.
        reference: a column.
        variants: columns, in the order wanted.
        higher_is_better: of the metric.
    """
    found = []
    for variant in variants:
        gain = differences(scores, reference, variant)
        classes = outcome_of(gain, higher_is_better)
        wins, ties, losses = (int((classes == name).sum()) for name in ("win", "tie", "loss"))
        found.append(Outcomes(variant, wins, ties, losses, int(np.isnan(gain).sum())))
    return tuple(found)


def outcome_of(found: np.ndarray, higher_is_better: bool) -> np.ndarray:
    """Return ``win``, ``tie``, ``loss`` or, where a value is missing, ``none`` for each difference; object (n,)."""
    gain = found if higher_is_better else -found
    return np.select([gain > 0, gain < 0, gain == 0], ["win", "loss", "tie"], "none").astype(object)


def _edges(known: np.ndarray) -> np.ndarray:
    moved = known[known != 0]
    if not len(moved):
        return np.zeros(0)
    low, high = min(0.0, float(moved.min())), max(0.0, float(moved.max()))
    width = max(-low, high) / _BINS_A_SIDE
    below, above = (int(np.ceil(side / width - _RELATIVE)) for side in (-low, high))
    edges = width * np.arange(-below, above + 1)
    # The product may fall short of the largest difference by rounding.
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges
