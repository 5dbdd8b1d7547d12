"""The overlap of predicted boxes with the ground truth; average precision of scored boxes is in `core.metrics.detection`."""

from __future__ import annotations

from core.metrics.boxes import Boxes, intersection_over_union, read_images
from core.metrics.metric import Observations, Statistics
from core.metrics.rows import RatioMetric, assemble


class MeanIou(RatioMetric):
    """The mean over ground-truth boxes of the overlap with the predicted box that is theirs; 0 where none is.

    Boxes of one label and image are matched one to one so that their overlaps sum to the most (the assignment problem; Kuhn,
    1955). Statistics: (sum of overlaps, ground-truth boxes); an image without ground-truth boxes adds nothing.
    """

    name = "iou"
    label = "Mean IoU"
    family = "vision"
    kinds = frozenset({"vision"})
    caution = (
        "Every predicted box may be matched, whatever its score, and a box too many costs nothing: see mAP for those."
    )
    undefined = "no image has a ground-truth box and a prediction"

    def statistics(self, observations: Observations) -> Statistics:
        """Return (sum of overlaps, ground-truth boxes) for each image, (n, 2)."""
        images = read_images(observations, scored=False)
        rows = [
            (_matched_overlap(predicted, truth), float(len(truth.labels)))
            for predicted, truth in zip(images.predicted, images.truth, strict=True)
        ]
        return assemble(rows, images.reasons, "iou|match:one-to-one by label|unmatched:0|scores:ignored", 2)


def _matched_overlap(predicted: Boxes, truth: Boxes) -> float:
    from scipy.optimize import linear_sum_assignment

    total = 0.0
    for label in sorted(set(truth.labels) & set(predicted.labels)):
        overlaps = intersection_over_union(truth.corners[truth.of(label)], predicted.corners[predicted.of(label)])
        rows, columns = linear_sum_assignment(overlaps, maximize=True)
        total += float(overlaps[rows, columns].sum())
    return total
