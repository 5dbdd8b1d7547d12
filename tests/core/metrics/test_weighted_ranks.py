from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from core.metrics.registry import get_metric
from core.metrics.weighted_ranks import (
    average_precision,
    average_precision_influence,
    roc_auc,
    roc_auc_influence,
)


@pytest.mark.parametrize("area", [roc_auc, average_precision])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_comparing_a_few_with_all_gives_the_areas_of_sorting(
    area: Callable[..., np.ndarray], share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    scores, positive = np.round(rng.random(90), 1), (rng.random(90) < share).astype(float)
    weights = np.concatenate([rng.poisson(1, (50, 90)), np.zeros((1, 90)), positive[None], 1 - positive[None]])
    compared = [area(scores, positive, weights.astype(kind)) for kind in (np.float32, np.float64, np.int64)]
    monkeypatch.setattr("core.metrics.weighted_ranks.FEW", 0)
    for one in compared:
        np.testing.assert_allclose(one, area(scores, positive, weights), rtol=1e-12)
    assert np.isnan(compared[0]).tolist() == [False] * 50 + [True] * 3


@pytest.mark.parametrize(("area", "referee"), [(roc_auc, roc_auc_score), (average_precision, average_precision_score)])
@pytest.mark.parametrize("few", [0, 128])
def test_weights_are_repetitions(
    area: Callable[..., np.ndarray], referee: Callable[..., float], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.metrics.weighted_ranks.FEW", few)
    rng = np.random.default_rng(5)
    scores, positive = np.round(rng.random(70), 1), (rng.random(70) < 0.2).astype(float)
    weights = rng.poisson(1, (20, 70))
    expected = [referee(np.repeat(positive, row), np.repeat(scores, row)) for row in weights]
    np.testing.assert_allclose(area(scores, positive, weights), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("area", "slopes", "referee"),
    [
        (roc_auc, roc_auc_influence, roc_auc_score),
        (average_precision, average_precision_influence, average_precision_score),
    ],
)
@pytest.mark.parametrize("digits", [1, 12], ids=["ties", "no ties"])
def test_one_sort_gives_the_area_and_its_derivatives(
    area: Callable[..., np.ndarray],
    slopes: Callable[..., tuple[float, np.ndarray]],
    referee: Callable[..., float],
    digits: int,
) -> None:
    rng, step = np.random.default_rng(6), 1e-6
    scores, positive = np.round(rng.normal(size=60), digits), (rng.random(60) < 0.4).astype(float)
    value, found = slopes(scores, positive, np.ones(60))
    assert value == pytest.approx(referee(positive, scores), abs=1e-12)
    moved = (area(scores, positive, 1 + step * np.eye(60)) - area(scores, positive, 1 - step * np.eye(60))) / (2 * step)
    np.testing.assert_allclose(found, moved, atol=1e-8)
    alone, _ = slopes(scores, np.ones(60), np.ones(60))
    assert np.isnan(alone)
    assert np.isnan(slopes(scores[:0], positive[:0], np.ones(0))[0])


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc", "roc_auc_macro", "roc_auc_weighted", "pr_auc_macro", "spearman"])
def test_an_ordered_metric_s_value_and_influences_are_those_that_it_gives_apart(name: str) -> None:
    metric, rng = get_metric(name), np.random.default_rng(7)
    rows = np.empty((80, 6 if name.endswith(("macro", "weighted")) else 2))
    rows[:, ::2] = np.round(rng.normal(size=rows[:, ::2].shape), 1)
    rows[:, 1::2] = np.eye(rows.shape[1] // 2 + 1)[rng.integers(0, rows.shape[1] // 2 + 1, 80)][:, :-1]
    value, influence = metric.value_and_influence(rows)
    assert value == pytest.approx(float(metric.weighted_values(rows, np.ones((1, 80)))[0]), rel=1e-12)
    apart = metric.influence(rows, np.ones(80))
    assert influence is not None
    assert apart is not None
    np.testing.assert_array_equal(influence, apart)
    assert np.abs(influence).max() > 1e-4
