"""Mean average precision of scored boxes as COCO defines it (Lin et al., 2014; its evaluation code is the reference).

An image's statistics are slots of three numbers, so that they hold whatever was predicted: for each class that the image
shows (class, ground-truth boxes, -1), for each predicted box (class, score, at which thresholds it found a ground-truth
box, one bit each), and zeros in slots that are not used. Classes are numbered from 1 over the sorted labels of the
references, which all variants share; boxes of any other label are left out, as COCO leaves out classes without ground truth.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from core.metrics.boxes import Boxes, intersection_over_union, read_images
from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.rows import assemble
from core.row_blocks import row_blocks

MOST_BOXES = 100
"""Of one class in one image; those of lower scores are left out."""
_TRUTH = -1.0
_RECALLS = np.linspace(0.0, 1.0, 101)
_WIDTH = 3


class BoxAveragePrecision(Metric):
    """The mean over classes and IoU thresholds of the interpolated average precision at 101 recalls.

    Boxes are matched from the highest score down, each to the free ground-truth box that it overlaps most. Boxes of one
    score count in the order of the examples. ``Statistics.labels`` names the slots, so that variants whose images have
    more boxes are given the same columns.
    """

    family = "vision"
    kinds = frozenset({"vision"})
    ordered = True
    undefined = "no image has a ground-truth box and a prediction"

    @property
    @abstractmethod
    def thresholds(self) -> np.ndarray:
        """The overlaps from which a box counts as found, ascending, (at most 50,)."""

    def statistics(self, observations: Observations) -> Statistics:
        """Return the slots of each image, (n, 3 x slots)."""
        images = read_images(observations, scored=True)
        code = {label: index + 1 for index, label in enumerate(images.classes)}
        pairs = zip(images.predicted, images.truth, strict=True)
        slots = [self._slots(predicted, truth, code) for predicted, truth in pairs]
        most = max((len(some) for some in slots), default=0) or 1
        rows = np.zeros((len(slots), most, _WIDTH))
        for row, some in zip(rows, slots, strict=True):
            row[: len(some)] = np.reshape(some, (-1, _WIDTH))
        signature = (
            f"{self.name}|coco|iou:{self.thresholds[0]:g}-{self.thresholds[-1]:g}|recalls:101|most boxes:{MOST_BOXES}"
        )
        labels = tuple(f"slot {index + 1}" for index in range(most))
        return assemble(rows.reshape(len(slots), most * _WIDTH), images.reasons, signature, most * _WIDTH, labels)

    def weighted_values(self, array: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the mean average precision under each row of weights, (draws,); NaN where no class occurs."""
        slots = array.reshape(len(array), array.shape[1] // _WIDTH, _WIDTH)
        classes = range(1, int(slots[..., 0].max(initial=0)) + 1)
        total, occurring = np.zeros(len(weights)), np.zeros(len(weights))
        for label in classes:
            precision = self._class_precision(slots, label, weights)
            total += np.nan_to_num(precision)
            occurring += np.isfinite(precision)
        with np.errstate(invalid="ignore"):
            return np.where(occurring > 0, total / occurring, np.nan)

    def _slots(self, predicted: Boxes, truth: Boxes, code: dict[str, int]) -> list[tuple[float, float, float]]:
        slots: list[tuple[float, float, float]] = []
        for label in sorted(set(truth.labels) | (set(predicted.labels) & code.keys())):
            there = truth.of(label)
            if len(there):
                slots.append((code[label], len(there), _TRUTH))
            own = predicted.of(label)
            own = own[np.argsort(-predicted.scores[own], kind="stable")][:MOST_BOXES]
            found = self._found(predicted.corners[own], truth.corners[there])
            slots += [(code[label], score, bits) for score, bits in zip(predicted.scores[own], found, strict=True)]
        return slots

    def _found(self, predicted: np.ndarray, truth: np.ndarray) -> list[float]:
        """Return for each predicted box, highest score first, the bits of the thresholds at which it is a hit."""
        if not len(truth):
            return [0.0] * len(predicted)
        overlaps = intersection_over_union(predicted, truth)
        thresholds = np.minimum(self.thresholds, 1 - 1e-10)[:, None]
        free = np.ones((len(thresholds), len(truth)), dtype=bool)
        rows, powers = np.arange(len(thresholds)), 2.0 ** np.arange(len(thresholds))
        found: list[float] = []
        for own in overlaps:
            fit = np.where(free & (own >= thresholds), own, -1.0)
            # Of equal overlaps COCO's loop keeps the last.
            best = len(truth) - 1 - fit[:, ::-1].argmax(axis=1)
            hit = fit[rows, best] >= 0
            free[rows[hit], best[hit]] = False
            found.append(float(powers[hit].sum()))
        return found

    def _class_precision(self, slots: np.ndarray, label: int, weights: np.ndarray) -> np.ndarray:
        """Return the average precision of one class, (draws,); NaN where it has no ground truth."""
        own, is_truth = slots[..., 0] == label, slots[..., 2] == _TRUTH
        boxes = np.where(own & is_truth, slots[..., 1], 0.0).sum(axis=1)
        image, slot = np.nonzero(own & ~is_truth)
        order = np.argsort(-slots[image, slot, 1], kind="stable")
        image, bits = image[order], slots[image, slot, 2][order].astype(np.int64)
        precision = np.full(len(weights), np.nan)
        for draws in row_blocks(len(weights), len(slots) + 6 * max(1, len(image))):
            block = np.asarray(weights[draws], dtype=np.float64)
            positives, repeated = block @ boxes, block[:, image]
            returned = np.cumsum(repeated, axis=1)
            means = [
                _interpolated(repeated[:, hits], returned[:, hits], positives)
                for hits in (np.flatnonzero(bits >> index & 1) for index in range(len(self.thresholds)))
            ]
            precision[draws] = np.where(positives > 0, np.mean(means, axis=0), np.nan)
        return precision


class Map50(BoxAveragePrecision):
    """COCO's AP50: average precision where a box counts as found from an IoU of 0.5; equal to pycocotools' ``stats[1]``."""

    name, label = "map_50", "mAP@50"

    @property
    def thresholds(self) -> np.ndarray:
        """One half."""
        return np.array([0.5])


class Map5095(BoxAveragePrecision):
    """COCO's AP: the mean over the IoU thresholds 0.50, 0.55 to 0.95; equal to pycocotools' ``stats[0]``."""

    name, label = "map_50_95", "mAP@50:95"

    @property
    def thresholds(self) -> np.ndarray:
        """Ten thresholds, 0.05 apart."""
        return np.linspace(0.5, 0.95, 10)


def _interpolated(hits: np.ndarray, returned: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return the mean over 101 recalls of the best precision at that recall or a higher one, (draws,).

    Args:
        hits: (draws, h): how often each box that is a hit was returned, highest score first.
        returned: (draws, h): how many boxes were returned up to it, itself included.
        positives: (draws,): ground-truth boxes.
    """
    found = np.cumsum(hits, axis=1)
    with np.errstate(all="ignore"):
        precision = np.where(returned > 0, found / returned, 0.0)
        recall = np.where(positives[:, None] > 0, found / positives[:, None], 0.0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # Each hit answers for the recalls that it is the first to reach.
    reached = np.searchsorted(_RECALLS, recall, side="right")
    return (best * np.diff(reached, axis=1, prepend=0)).sum(axis=1) / len(_RECALLS)
