"""Boxes on images: reading and checking them, and how much they overlap. A box is [x1, y1, x2, y2], in any one unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.metrics.metric import Observations
from core.metrics.rows import NO_REFERENCE, as_label, as_number

_LARGEST = 1e100
"""Larger coordinates overflow when they become areas."""


@dataclass(frozen=True)
class Boxes:
    """The boxes of one image."""

    corners: np.ndarray
    """(boxes, 4)."""
    labels: tuple[str, ...]
    scores: np.ndarray
    """(boxes,); zero where none were asked for."""

    def of(self, label: str) -> np.ndarray:
        """Return which boxes have a label, positions (m,)."""
        return np.flatnonzero(np.array([own == label for own in self.labels], dtype=bool))


@dataclass(frozen=True)
class Images:
    """What was predicted and what is there, image by image."""

    predicted: list[Boxes]
    """Of the images that are not missing, in order; ``truth`` likewise."""
    truth: list[Boxes]
    reasons: list[str | None]
    """Why an image is missing, one an example."""
    classes: tuple[str, ...]
    """The labels of all readable references, missing images included, sorted: the same for every variant."""


def read_images(observations: Observations, scored: bool) -> Images:
    """Return the boxes of every image.

    Args:
        observations: Predictions and references are lists of boxes.
        scored: Whether predicted boxes need a score.
    """
    predicted: list[Boxes] = []
    truth: list[Boxes] = []
    reasons: list[str | None] = []
    classes: set[str] = set()
    entries = zip(observations.predictions, observations.references, observations.reasons, strict=True)
    for prediction, reference, reason in entries:
        there, why_not = (None, NO_REFERENCE) if reference is None else _read(reference, "ground-truth", scored=False)
        classes.update(there.labels if there is not None else ())
        if prediction is None:
            found, why = None, reason or "there is no prediction"
        else:
            found, why = _read(prediction, "predicted", scored)
        reasons.append(why_not or why)
        if there is not None and found is not None:
            predicted.append(found)
            truth.append(there)
    return Images(predicted, truth, reasons, tuple(sorted(classes)))


def intersection_over_union(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the overlap of each box with each other one, their common area over the area of both, 0-1.

    Args:
        first: (a, 4).
        second: (b, 4).

    Returns:
        float64, (a, b).
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=-1)
    area, other = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) for boxes in (first, second))
    union = area[:, None] + other[None, :] - common
    return np.where(union > 0, common / np.where(union > 0, union, 1.0), 0.0)


def _read(entries: Any, what: str, scored: bool) -> tuple[Boxes | None, str | None]:
    if isinstance(entries, str | dict) or not isinstance(entries, list | tuple | np.ndarray):
        return None, f"{_short(entries)} is no list of {what} boxes"
    corners, labels, scores = [], [], []
    for entry in entries:
        if not isinstance(entry, dict):
            return None, f"{_short(entry)} is no {what} box; expected its box and label"
        box, why = _corners(entry.get("box"), what)
        label = as_label(entry.get("label"))
        score = 0.0
        if why is None and label is None:
            why = f"{what} box {_short(entry.get('box'))} has no label"
        if why is None and scored:
            score, why = (0.0, "there is none") if entry.get("score") is None else as_number(entry["score"], "score")
            why = why and f"{what} box {_short(entry.get('box'))} has no score: {why}"
        if box is None or label is None or why is not None:
            return None, why
        corners.append(box)
        labels.append(label)
        scores.append(score)
    return Boxes(np.array(corners, dtype=np.float64).reshape(-1, 4), tuple(labels), np.array(scores)), None


def _corners(box: Any, what: str) -> tuple[tuple[float, ...] | None, str | None]:
    shown = _short(box)
    if isinstance(box, str) or not isinstance(box, list | tuple | np.ndarray) or len(box) != 4:
        return None, f"{what} box {shown} is not [x1, y1, x2, y2]"
    numbers = [as_number(value, "coordinate") for value in box]
    for number, why in numbers:
        if why is not None or abs(number) > _LARGEST:
            return None, f"{what} box {shown}: {why or 'a coordinate is too large for its area'}"
    left, top, right, bottom = (number for number, _ in numbers)
    for low, high, side in ((left, right, "width"), (top, bottom, "height")):
        if high <= low:
            return None, f"{what} box {shown} has a {'negative' if high < low else 'zero'} {side}"
    return (left, top, right, bottom), None


def _short(value: Any) -> str:
    text = (
        f"[{', '.join(str(item) for item in value)}]" if isinstance(value, list | tuple | np.ndarray) else repr(value)
    )
    return text if len(text) <= 60 else f"{text[:59]}…"
