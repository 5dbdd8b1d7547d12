from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from core.metrics.weighted_ranks import average_precision, roc_auc


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
