from __future__ import annotations

import contextlib
import io
import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.metrics.boxes import intersection_over_union
from core.metrics.metric import Observations
from core.metrics.registry import get_metric
from core.panels import aligned
from tests.core.metrics.made import observe, total

LABELS = ("car", "cat", "猫")
NAMES = ("iou", "map_50", "map_50_95")
Box = dict[str, Any]


def drawn(seed: int, n: int = 30, whole: bool = False) -> tuple[list[list[Box]], list[list[Box]]]:
    """Return predicted and ground-truth boxes: near and far ones, images without either, and a class without ground truth."""
    rng = np.random.default_rng(seed)
    predicted, truth = [], []
    for image in range(n):
        there, found = [], []
        for _ in range(int(rng.integers(0, 5)) if image else 0):
            corner, size = rng.uniform(0, 60, 2), rng.uniform(6, 40, 2)
            there.append({"box": _corners(corner, size, whole), "label": str(rng.choice(LABELS))})
            for _ in range(int(rng.integers(0, 3))):
                near = _corners(corner + rng.normal(0, 3, 2), size * rng.uniform(0.8, 1.25, 2), whole)
                label = there[-1]["label"] if rng.random() < 0.8 else str(rng.choice(LABELS))
                found.append({"box": near, "label": label, "score": float(rng.random())})
        for _ in range(int(rng.integers(0, 3))):
            far = _corners(rng.uniform(0, 60, 2), rng.uniform(6, 40, 2), whole)
            found.append({"box": far, "label": str(rng.choice((*LABELS, "dog"))), "score": float(rng.random())})
        predicted.append(found if image != 1 else [])
        truth.append(there)
    return predicted, truth


def _corners(corner: np.ndarray, size: np.ndarray, whole: bool) -> list[float]:
    box = np.concatenate([corner, corner + size])
    return (np.concatenate([np.round(corner), np.round(corner) + np.round(size)]) if whole else box).tolist()


def coco(predicted: list[list[Box]], truth: list[list[Box]]) -> dict[str, float]:
    """Return what pycocotools says of the same boxes."""
    labels = sorted({box["label"] for boxes in (*predicted, *truth) for box in boxes})

    def rows(images: list[list[Box]]) -> list[dict[str, Any]]:
        out = []
        for image, box in ((image, box) for image, boxes in enumerate(images) for box in boxes):
            x1, y1, x2, y2 = box["box"]
            sizes = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
            label = labels.index(box["label"]) + 1
            out.append(
                {"id": len(out) + 1, "image_id": image + 1, "category_id": label, "score": box.get("score"), **sizes}
            )
        return out

    sets = []
    with contextlib.redirect_stdout(io.StringIO()):
        for images in (truth, predicted):
            one = COCO()
            one.dataset = {
                "images": [{"id": image + 1} for image in range(len(images))],
                "categories": [{"id": index + 1, "name": label} for index, label in enumerate(labels)],
                "annotations": rows(images),
            }
            one.createIndex()
            sets.append(one)
        evaluation = COCOeval(*sets, iouType="bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {"map_50_95": float(evaluation.stats[0]), "map_50": float(evaluation.stats[1])}


def boxes(predicted: list[Any], truth: list[Any]) -> Observations:
    return observe(predicted, truth, kind="vision")


def mean_precision(name: str, observed: Observations, weights: np.ndarray | None = None) -> float:
    metric = get_metric(name)
    array = metric.statistics(observed).array
    return float(metric.weighted_values(array, np.ones((1, len(array))) if weights is None else weights)[0])


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_average_precision_equals_pycocotools(seed: int, whole: bool) -> None:
    predicted, truth = drawn(seed, whole=whole)
    for name, expected in coco(predicted, truth).items():
        assert 0.05 < expected < 0.95
        assert mean_precision(name, boxes(predicted, truth)) == pytest.approx(expected, abs=1e-6), name


def test_equal_scores_count_in_the_order_of_the_examples_as_in_pycocotools() -> None:
    predicted, truth = drawn(11, 40)
    coarse = [[box | {"score": round(box["score"], 1)} for box in image] for image in predicted]
    for name, expected in coco(coarse, truth).items():
        assert mean_precision(name, boxes(coarse, truth)) == pytest.approx(expected, abs=1e-6), name


@pytest.mark.parametrize("name", ["map_50", "map_50_95"])
def test_whole_weights_are_images_repeated(name: str) -> None:
    predicted, truth = drawn(7, 20)
    metric = get_metric(name)
    array = metric.statistics(boxes(predicted, truth)).array
    weights = np.random.default_rng(3).poisson(1.0, (6, 20)).astype(np.float32)
    found = metric.weighted_values(array, weights)
    for row, one in zip(weights.astype(int).tolist(), found, strict=True):
        again = [image for image, times in enumerate(row) for _ in range(times)]
        expected = coco([predicted[image] for image in again], [truth[image] for image in again])[name]
        assert one == pytest.approx(expected, abs=1e-6)


def test_draws_in_blocks_equal_draws_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    predicted, truth = drawn(8)
    metric = get_metric("map_50_95")
    array = metric.statistics(boxes(predicted, truth)).array
    weights = np.random.default_rng(2).poisson(1.0, (9, 30))
    whole = metric.weighted_values(array, weights)
    monkeypatch.setattr("core.row_blocks.BLOCK_ELEMENTS", 700)
    np.testing.assert_array_equal(metric.weighted_values(array, weights), whole)


def test_only_the_hundred_best_boxes_of_a_class_in_an_image_count() -> None:
    there = [{"box": [0, 0, 10, 10], "label": "cat"}]
    wrong = [{"box": [50, 50, 60, 60], "label": "cat", "score": 0.9}] * 100
    right = [{"box": [0, 0, 10, 10], "label": "cat", "score": 0.1}]
    assert mean_precision("map_50", boxes([wrong + right], [there])) == 0
    assert mean_precision("map_50", boxes([wrong[1:] + right], [there])) == pytest.approx(0.01)
    assert coco([wrong[1:] + right], [there])["map_50"] == pytest.approx(0.01)


def test_variants_with_more_boxes_or_other_classes_get_the_same_columns() -> None:
    predicted, truth = drawn(5)
    other = [image + [{"box": [0, 0, 5, 5], "label": "bird", "score": 0.5}] * 3 + image for image in predicted]
    metric = get_metric("map_50_95")
    made = {"a": metric.statistics(boxes(predicted, truth)), "b": metric.statistics(boxes(other, truth))}
    assert made["a"].array.shape[1] < made["b"].array.shape[1]
    assert made["a"].signature == made["b"].signature
    for order in (("a", "b"), ("b", "a")):
        same = aligned({name: made[name] for name in order})
        assert same["a"].array.shape == same["b"].array.shape
        for name, own in (("a", predicted), ("b", other)):
            found = metric.weighted_values(same[name].array, np.ones((1, 30)))[0]
            assert found == pytest.approx(coco(own, truth)["map_50_95"], abs=1e-6)
        # Images exchanged between the variants, as the swap test does.
        odd = np.arange(30) % 2 == 1
        mixed = np.where(odd[:, None], same["b"].array, same["a"].array)
        expected = coco(
            [b if index % 2 else a for index, (a, b) in enumerate(zip(predicted, other, strict=True))], truth
        )
        assert metric.weighted_values(mixed, np.ones((1, 30)))[0] == pytest.approx(expected["map_50_95"], abs=1e-6)


def test_a_class_without_ground_truth_in_a_resample_is_left_out() -> None:
    truth = [[{"box": [0, 0, 9, 9], "label": "cat"}], [{"box": [0, 0, 9, 9], "label": "car"}]]
    predicted = [[{"box": [0, 0, 9, 9], "label": "cat", "score": 1}], []]
    assert mean_precision("map_50", boxes(predicted, truth)) == 0.5
    assert mean_precision("map_50", boxes(predicted, truth), np.array([[2.0, 0]])) == 1
    assert np.isnan(mean_precision("map_50", boxes(predicted, truth), np.array([[0.0, 0]])))


@pytest.mark.parametrize("seed", range(8))
def test_iou_is_the_best_one_to_one_match_of_all(seed: int) -> None:
    """Against every assignment of up to 4 ground-truth boxes, label by label."""
    predicted, truth = drawn(seed, 12)
    overlap, n_boxes = 0.0, 0
    for found, there in zip(predicted, truth, strict=True):
        n_boxes += len(there)
        for label in {box["label"] for box in there}:
            wanted = [box["box"] for box in there if box["label"] == label]
            given = [box["box"] for box in found if box["label"] == label]
            shared = [[_overlap(a, b) for b in given] + [0.0] * len(wanted) for a in wanted]
            choices = itertools.permutations(range(len(given) + len(wanted)), len(wanted))
            overlap += max(sum(row[at] for row, at in zip(shared, choice, strict=True)) for choice in choices)
    assert total(get_metric("iou"), boxes(predicted, truth)) == pytest.approx(overlap / n_boxes, abs=1e-12)


def _overlap(a: list[float], b: list[float]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def test_overlap_by_hand() -> None:
    first, second = (
        np.array([[0.0, 0, 10, 10]]),
        np.array([[5.0, 0, 15, 10], [0, 0, 10, 10], [10, 0, 20, 10], [2, 2, 4, 4]]),
    )
    np.testing.assert_allclose(intersection_over_union(first, second), [[1 / 3, 1, 0, 0.04]])


def test_iou_weights_boxes_not_images_and_ignores_scores() -> None:
    one = {"box": [0, 0, 10, 10], "label": "cat"}
    observed = boxes([[one], [], [one]], [[one], [one, one | {"label": "car"}], []])
    statistics = get_metric("iou").statistics(observed)
    assert statistics.array.tolist() == [[1, 1], [0, 2], [0, 0]]
    assert total(get_metric("iou"), observed) == pytest.approx(1 / 3)
    assert not statistics.missing.any()


GOOD = {"box": [0, 0, 10, 10], "label": "cat", "score": 0.5}


@pytest.mark.parametrize(
    ("prediction", "reference", "reason"),
    [
        ([GOOD | {"box": [5, 0, 3, 9]}], [GOOD], "predicted box [5, 0, 3, 9] has a negative width"),
        ([GOOD | {"box": [0, 9, 3, 2.5]}], [GOOD], "predicted box [0, 9, 3, 2.5] has a negative height"),
        ([GOOD], [GOOD | {"box": [5, 0, 5, 9]}], "ground-truth box [5, 0, 5, 9] has a zero width"),
        ([GOOD | {"box": [0, float("nan"), 3, 9]}], [GOOD], "predicted box [0, nan, 3, 9]: the coordinate is NaN"),
        ([GOOD | {"box": [0, 0, float("inf"), 9]}], [GOOD], "predicted box [0, 0, inf, 9]: the coordinate is infinite"),
        ([GOOD | {"box": [0, 0, 1e200, 9]}], [GOOD], "predicted box [0, 0, 1e+200, 9]: a coordinate is too large for its area"),
        ([GOOD | {"box": [0, "左", 3, 9]}], [GOOD], "predicted box [0, 左, 3, 9]: the coordinate '左' is not a number"),
        ([GOOD | {"box": [0, 0, 3]}], [GOOD], "predicted box [0, 0, 3] is not [x1, y1, x2, y2]"),
        ([{"label": "cat", "score": 1}], [GOOD], "predicted box None is not [x1, y1, x2, y2]"),
        ([{"box": [0, 0, 3, 9], "score": 1}], [GOOD], "predicted box [0, 0, 3, 9] has no label"),
        ([GOOD], [{"box": [0, 0, 3, 9]}], "ground-truth box [0, 0, 3, 9] has no label"),
        (["cat"], [GOOD], "'cat' is no predicted box; expected its box and label"),
        ("[0, 0, 3, 9]", [GOOD], "'[0, 0, 3, 9]' is no list of predicted boxes"),
        (GOOD, [GOOD], "{'box': [0, 0, 10, 10], 'label': 'cat', 'score': 0.5} is no list of predicted boxes"),
        (None, [GOOD], "the model failed"),
        ([GOOD], None, "the example has no reference"),
    ],
)  # fmt: skip
def test_bad_boxes_are_missing_with_their_reason_and_spoil_no_other(
    prediction: Any, reference: Any, reason: str
) -> None:
    observed = boxes([prediction, [GOOD]], [reference, [GOOD]])
    for name in NAMES:
        statistics = get_metric(name).statistics(observed)
        assert statistics.reasons == (reason, None)
        assert not statistics.array[0].any()
    assert total(get_metric("iou"), observed) == 1
    assert mean_precision("map_50_95", observed) == 1


@pytest.mark.parametrize(
    ("score", "why"),
    [
        (None, "there is none"),
        (float("nan"), "the score is NaN"),
        ("high", "the score 'high' is not a number"),
    ],
)
def test_only_average_precision_needs_scores(score: Any, why: str) -> None:
    observed = boxes([[GOOD | {"score": score}], [GOOD]], [[GOOD], [GOOD]])
    for name in ("map_50", "map_50_95"):
        reason = f"predicted box [0, 0, 10, 10] has no score: {why}"
        assert get_metric(name).statistics(observed).reasons == (reason, None)
    assert total(get_metric("iou"), observed) == 1


@pytest.mark.parametrize("name", NAMES)
def test_no_image_gives_no_value(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for observed in (boxes([], []), boxes([None], [[GOOD]]), boxes([[GOOD]], [[]])):
            array = get_metric(name).statistics(observed).array
            assert np.isnan(get_metric(name).weighted_values(array, np.ones((1, len(array)))))
