import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare
from statsmodels.stats.contingency_tables import cochrans_q

from core.stats import cochran_q, friedman, mcnemar

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(2, 6), st.integers(3, 60))
@settings(max_examples=40)
def test_cochran_equals_statsmodels(seed, m, n):
    generator = np.random.default_rng(seed)
    table = (generator.random((n, m)) < generator.random(m)).astype(int)
    found = cochran_q(table)
    if (table == table[:, :1]).all():
        assert (found.statistic, found.p) == (0, 1)
        return
    referee = cochrans_q(table)
    assert found.statistic == pytest.approx(referee.statistic, abs=1e-9)
    assert found.p == pytest.approx(referee.pvalue, rel=1e-9)
    assert found.degrees == m - 1


def test_cochran_of_two_is_mcnemar():
    table = np.random.default_rng(0).integers(0, 2, (80, 2))
    only_a, only_b = int(np.sum(table[:, 0] > table[:, 1])), int(np.sum(table[:, 1] > table[:, 0]))
    assert cochran_q(table).p == pytest.approx(mcnemar(only_a, only_b).chi2_p, rel=1e-12)


@given(SEEDS, st.integers(3, 6), st.integers(3, 40))
@settings(max_examples=40)
def test_friedman_equals_scipy_with_ties(seed, m, n):
    table = np.random.default_rng(seed).integers(0, 4, (n, m))
    found = friedman(table)
    if (table == table[:, :1]).all():
        return
    referee = friedmanchisquare(*table.T)
    assert (found.statistic, found.p) == pytest.approx((referee.statistic, referee.pvalue), nan_ok=True)


def test_nothing_differs():
    same = np.repeat(np.random.default_rng(0).integers(0, 2, (10, 1)), 3, axis=1)
    assert (cochran_q(same).p, friedman(same).p) == (1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cochran_q([[1, 0.5]]), "0 .wrong. and 1 .right. alone"),
        (lambda: cochran_q([[1], [0]]), "at least 2 variants"),
        (lambda: cochran_q([]), "shape"),
        (lambda: cochran_q([[1, np.nan]]), "NaN"),
        (lambda: friedman([[1, 2], [2, 1]]), "at least 3 variants"),
        (lambda: friedman([[1, 2, np.inf]]), "NaN or infinity"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
