from __future__ import annotations

import numpy as np
import pytest

from core.stats.percentiles import percentile_bounds, percentile_interval

DRAWN = np.random.default_rng(1).normal(size=(400, 5))


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_many_columns_have_the_bounds_of_each(level: float) -> None:
    drawn = DRAWN.copy()
    drawn[::3, 1], drawn[7, 2], drawn[:, 3] = np.nan, np.inf, np.nan
    low, high, undefined = percentile_bounds(drawn, level)
    for column in range(5):
        expected = percentile_interval(drawn[:, column], level)
        if expected[0] is None:
            assert np.isnan([low[column], high[column]]).all()
        else:
            assert (low[column], high[column]) == (expected[0], expected[1])
        assert undefined[column] == expected[2]
    assert undefined.tolist() == [0, 134, 1, 400, 0]


def test_the_bounds_are_the_quantiles() -> None:
    low, high, _ = percentile_bounds(DRAWN, 0.9)
    np.testing.assert_allclose([low, high], np.quantile(DRAWN, [0.05, 0.95], axis=0))


def test_no_columns_have_no_bounds() -> None:
    assert [len(some) for some in percentile_bounds(np.empty((9, 0)))] == [0, 0, 0]


def test_a_level_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        percentile_bounds(DRAWN, 1.0)
