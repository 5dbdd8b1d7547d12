"""ROC and precision-recall curves of one label against the rest, with bootstrap bands; all curves share the resamples.

The bands are pointwise, by vertical averaging: in each resample the curve's height is read at fixed places, and the band holds
the middle ``level`` of them there (Macskassy, Provost & Rosset, 2005, "ROC confidence bands"; Fawcett, 2006, section 8).
Between the points of a precision-recall curve no straight line is drawn, since such points cannot be reached (Davis & Goadrich,
2006); the height at a recall is the precision of the highest threshold that reaches it, as in ``sklearn.metrics``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from core.draws import Draws
from core.errors import InputError
from core.metrics.metric import Observations
from core.metrics.scores import LabelTable, label_scores

RESAMPLES = 1_000
_PLACES = np.linspace(0.0, 1.0, 101)
_MOST_POINTS = 1_000
"""Of a curve with more thresholds about so many are kept for the picture and its band; the area is that of all."""


@dataclass(frozen=True)
class Curve:
    """One curve with its band."""

    x: np.ndarray
    """float64 (points,): false positive rate, or recall."""
    y: np.ndarray
    """float64 (points,): true positive rate, or precision."""
    places: np.ndarray
    """float64 (places,): where the band is."""
    low: np.ndarray
    """float64 (places,); NaN where no resample has the curve."""
    high: np.ndarray
    area: float
    """ROC-AUC by trapezoids, or average precision."""


@dataclass(frozen=True)
class LabelCurves:
    """One variant's curves for one label against the rest."""

    label: str
    roc: Curve
    pr: Curve
    n_positive: int
    n_negative: int
    n_missing: int
    """Examples without scores or reference."""


def curve_labels(observations: Observations) -> tuple[str, ...]:
    """Return the labels that have a curve; none where options are not the same labels for all, or nothing has scores."""
    table = label_scores(observations)
    return table.labels if any(reason is None for reason in table.reasons) else ()


def label_curves(
    observed: Mapping[str, Observations], label: str, draws: Draws, level: float
) -> dict[str, LabelCurves]:
    """Return the curves of each variant.

    Args:
        observed: by variant, of the same examples in the same order.
        label: the positive one.
        draws: over those examples; its resamples are shared by all curves.
        level: of the bands.

    Raises:
        InputError: a variant has no scores for the label, or its examples are all positive or all negative.
    """
    sides = {variant: _Side(variant, label_scores(some), label) for variant, some in observed.items()}
    heights: dict[str, tuple[list[np.ndarray], list[np.ndarray]]] = {variant: ([], []) for variant in sides}
    for weights in draws.weight_blocks(draws.scheme("examples"), draws.resamples, 2 * draws.n):
        for variant, side in sides.items():
            for found, drawn in zip(heights[variant], side.heights(weights), strict=True):
                found.append(drawn)
    return {variant: side.curves(*heights[variant], level) for variant, side in sides.items()}


class _Side:
    """One variant's scores, sorted from the highest."""

    def __init__(self, variant: str, table: LabelTable, label: str) -> None:
        if label not in table.labels:
            known = ", ".join(table.labels) or "none"
            raise InputError(f"{variant}: no scores for the label {label!r}; labels with scores: {known}")
        place = table.labels.index(label)
        present = np.array([reason is None for reason in table.reasons], dtype=bool)
        scores = table.scores[present, place]
        order = np.argsort(-scores, kind="stable")
        self.label, self._rows = label, np.flatnonzero(present)[order]
        self._positive = (table.reference[self._rows] == place).astype(np.float64)
        self.n_missing = int((~present).sum())
        self.n_positive = int(self._positive.sum())
        self.n_negative = len(order) - self.n_positive
        if not self.n_positive or not self.n_negative:
            raise InputError(
                f"{variant}: of the {len(order):,} examples with scores {self.n_positive:,} have the label {label!r}: a curve needs "
                "some with it and some without"
            )
        ordered = scores[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        self._all_starts = starts
        step = -(-len(starts) // _MOST_POINTS)
        self._starts = starts[::step]

    def _counts(self, weights: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many positives and negatives score at least each threshold, both (rows, thresholds)."""
        mine = weights[:, self._rows].astype(np.float64)
        hits = np.add.reduceat(mine * self._positive, starts, axis=1)
        return hits.cumsum(axis=1), (np.add.reduceat(mine, starts, axis=1) - hits).cumsum(axis=1)

    def heights(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the heights of the two curves at `_PLACES` in each resample, both (rows, places)."""
        hits, alarms = self._counts(weights, self._starts)
        with np.errstate(invalid="ignore", divide="ignore"):
            recall, wrong, precision = hits / hits[:, -1:], alarms / alarms[:, -1:], hits / (hits + alarms)
        return _roc_heights(wrong, recall), _pr_heights(recall, precision)

    def curves(self, roc: Iterable[np.ndarray], pr: Iterable[np.ndarray], level: float) -> LabelCurves:
        """Return the curves with bands from the resamples' heights."""
        whole = np.ones((1, int(self._rows.max()) + 1))
        (hits,), (alarms,) = self._counts(whole, self._all_starts)
        recall, wrong = (np.concatenate([[0.0], some / some[-1]]) for some in (hits, alarms))
        precision = hits / (hits + alarms)
        roc_area = float(np.sum(np.diff(wrong) * (recall[1:] + recall[:-1]) / 2))
        pr_area = float(np.sum(np.diff(recall) * precision))
        (hits,), (alarms,) = self._counts(whole, self._starts)
        recall, wrong, precision = hits / hits[-1], alarms / alarms[-1], hits / (hits + alarms)
        roc_curve = _curve(np.concatenate([[0.0], wrong]), np.concatenate([[0.0], recall]), roc, level, roc_area)
        pr_curve = _curve(
            np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision]), pr, level, pr_area
        )
        return LabelCurves(self.label, roc_curve, pr_curve, self.n_positive, self.n_negative, self.n_missing)


def _roc_heights(wrong: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Return the true positive rate at each place, (rows, places); NaN in a resample without positives or negatives."""
    start = np.zeros(1)
    return np.stack([
        np.interp(_PLACES, np.concatenate([start, x]), np.concatenate([start, y]))
        if np.isfinite(x[-1]) and np.isfinite(y[-1]) else np.full(len(_PLACES), np.nan)
        for x, y in zip(wrong, recall, strict=True)
    ])  # fmt: skip


def _pr_heights(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Return the precision of the highest threshold that reaches each recall, (rows, places); NaN without positives.

    Thresholds above every example of a resample have no precision; at recall 0 it is that of the first that has one.
    """
    found = np.full((len(recall), len(_PLACES)), np.nan)
    for row, (x, y) in enumerate(zip(recall, precision, strict=True)):
        if np.isfinite(x[-1]):
            there = np.flatnonzero(np.isfinite(y))
            found[row] = y[there][np.searchsorted(x[there], _PLACES - 1e-12, side="left")]
    return found


def _curve(x: np.ndarray, y: np.ndarray, drawn: Iterable[np.ndarray], level: float, area: float) -> Curve:
    heights = np.concatenate(list(drawn))
    known = heights[np.isfinite(heights).all(axis=1)]
    tail = (1 - level) / 2
    low, high = np.quantile(known, [tail, 1 - tail], axis=0) if len(known) else np.full((2, len(_PLACES)), np.nan)
    return Curve(x, y, _PLACES, low, high, area)
