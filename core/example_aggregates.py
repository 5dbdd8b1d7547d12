"""Sums over the examples that a reader's filters leave: whether a pattern in five examples is a pattern in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Aggregate:
    """One variant over the examples that the filters leave."""

    variant: str
    n: int
    """Examples that have a value."""
    mean: float | None
    """Mean of the examples' own values: for corpus metrics not the metric's value."""
    mean_length: float | None
    """Mean length of the outputs, tokens."""
    labels: tuple[tuple[str, int], ...]
    """The most frequent predicted labels with their counts."""


def aggregates(
    positions: np.ndarray,
    variants: Sequence[str],
    scores: pd.DataFrame | None = None,
    lengths: pd.DataFrame | None = None,
    labels: Mapping[str, pd.Categorical] | None = None,
    top: int = 3,
) -> tuple[Aggregate, ...]:
    """Summarise the examples at ``positions`` for every variant.

    Args:
        positions: places in the table.
        variants: whom to summarise, in this order.
        scores: rows as the table, columns variants; None for tasks without metric.
        lengths: output lengths in tokens, likewise; None for tasks without generated text.
        labels: predicted labels by variant, likewise; None for tasks without.
        top: how many labels to name.
    """
    made = []
    for variant in variants:
        values, tokens = _known(scores, variant, positions), _known(lengths, variant, positions)
        common: tuple[tuple[str, int], ...] = ()
        if labels is not None and variant in labels:
            common = _most_frequent(labels[variant], positions, top)
        mean = float(values.mean()) if values.size else None
        made.append(Aggregate(variant, int(values.size), mean, float(tokens.mean()) if tokens.size else None, common))
    return tuple(made)


def _most_frequent(labels: pd.Categorical, positions: np.ndarray, top: int) -> tuple[tuple[str, int], ...]:
    """Return the labels at ``positions`` that occur most, with their counts; ties in the order of the labels."""
    codes = np.asarray(labels.codes)[positions]
    counts = np.bincount(codes[codes >= 0], minlength=len(labels.categories))
    order = np.argsort(-counts, kind="stable")[:top]
    return tuple((str(labels.categories[place]), int(counts[place])) for place in order if counts[place])


def _known(frame: pd.DataFrame | None, variant: str, positions: np.ndarray) -> np.ndarray:
    """Return the values of one column at ``positions`` that are there, float64."""
    if frame is None or variant not in frame:
        return np.empty(0)
    values = frame[variant].to_numpy(dtype=np.float64)[positions]
    return values[np.isfinite(values)]
