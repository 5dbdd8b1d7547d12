import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, ttest_1samp, wilcoxon
from statsmodels.stats.proportion import proportion_effectsize
from statsmodels.stats.weightstats import DescrStatsW

from core.stats import effect_size, equivalence_test, mean_t_test

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(3, 40))
@settings(max_examples=40)
def test_effects_of_numbers_with_ties(seed, n):
    a, b = np.random.default_rng(seed).integers(0, 5, (2, n)).astype(float)
    found, gaps = effect_size(a, b), b - a
    moved = gaps[gaps != 0]
    if len(moved):
        ranks = rankdata(np.abs(moved))
        assert found.rank_biserial == pytest.approx((ranks[moved > 0].sum() - ranks[moved < 0].sum()) / ranks.sum())
        # scipy's statistic is the smaller of the two rank sums.
        smaller = wilcoxon(moved).statistic
        assert (1 - abs(found.rank_biserial)) / 2 * ranks.sum() == pytest.approx(smaller)
    if gaps.std() > 0:
        assert found.d_z == pytest.approx(ttest_1samp(gaps, 0).statistic / np.sqrt(n), abs=1e-12)
    back = effect_size(b, a)
    assert back.mean_difference == -found.mean_difference
    assert back.rank_biserial == (None if found.rank_biserial is None else pytest.approx(-found.rank_biserial))


def test_effects_of_rates():
    a = np.array([1] * 9 + [0] * 12 + [1] * 2 + [0] * 3)
    b = np.array([1] * 21 + [0] * 5)
    found = effect_size(a, b)
    assert found.odds_ratio == 12 / 2
    assert found.cohen_h == pytest.approx(proportion_effectsize(21 / 26, 11 / 26))
    assert effect_size(b, a).odds_ratio == pytest.approx(2 / 12)
    assert effect_size([0, 0, 1], [1, 1, 1]).odds_ratio == np.inf
    assert effect_size([0, 1], [0, 1]).odds_ratio is None
    assert effect_size([0, 0.5], [1, 1]).cohen_h is None


def test_effects_that_are_not_defined_are_none():
    nothing = effect_size([0.3, 2], [0.3, 2])
    assert (nothing.mean_difference, nothing.d_z, nothing.rank_biserial) == (0, None, None)
    shifted = effect_size([1, 2, 3], [2, 3, 4])
    assert (shifted.d_z, shifted.rank_biserial) == (None, 1)


@given(SEEDS, st.integers(2, 40), st.floats(0.05, 3))
@settings(max_examples=40)
def test_equivalence_equals_statsmodels(seed, n, band):
    differences = np.random.default_rng(seed).normal(0.2, 1, n)
    found = equivalence_test(differences, band)
    p, *_ = DescrStatsW(differences).ttost_mean(-band, band)
    assert found.p == pytest.approx(p, rel=1e-9)
    assert found.within == (found.p < 0.05) == (-band < found.low and found.high < band)
    assert (found.low, found.high) == pytest.approx(ttest_1samp(differences, 0).confidence_interval(0.9))
    turned = equivalence_test(-differences, band)
    assert turned.p == pytest.approx(found.p)


def test_equivalence_by_cluster_and_without_spread():
    differences = np.repeat(np.random.default_rng(0).normal(0, 1, 12), 10)
    alone = equivalence_test(differences, 0.6)
    clustered = equivalence_test(differences, 0.6, groups=np.repeat(np.arange(12), 10))
    assert alone.p < clustered.p
    assert clustered.method == "two one-sided t test (12 clusters)"
    once = equivalence_test(differences[::10], 0.6)
    assert clustered.p == pytest.approx(once.p)
    assert equivalence_test([0.1] * 5, 0.2).within
    assert equivalence_test([0.3] * 5, 0.2).p == 1


@given(SEEDS, st.integers(2, 30))
@settings(max_examples=40)
def test_t_equals_scipy(seed, n):
    differences = np.random.default_rng(seed).normal(0.3, 1, n)
    found, referee = mean_t_test(differences, level=0.9), ttest_1samp(differences, 0)
    assert found.p == pytest.approx(referee.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx(referee.confidence_interval(0.9))


def test_t_by_cluster_equals_statsmodels():
    generator = np.random.default_rng(1)
    clusters = generator.integers(0, 7, 60)
    values = generator.normal(size=60) + clusters / 4
    found = mean_t_test(values, groups=clusters)
    model = sm.OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    assert found.p == pytest.approx(model.pvalues[0], rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(model.conf_int()[0]))
    assert (found.degrees, found.method) == (6, "t test (7 clusters)")


def test_doubling_examples_under_a_cluster_key_does_not_narrow():
    differences = np.random.default_rng(3).normal(size=15)
    once = mean_t_test(differences, groups=range(15))
    twice = mean_t_test(np.repeat(differences, 2), groups=np.repeat(np.arange(15), 2))
    assert (twice.low, twice.high, twice.p) == pytest.approx((once.low, once.high, once.p))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: effect_size([1, 2], [1]), "same examples of both variants; found 2 and 1"),
        (lambda: effect_size([], []), "empty"),
        (lambda: effect_size([1, np.nan], [1, 2]), "NaN"),
        (lambda: mean_t_test([1.0]), "at least 2 examples"),
        (lambda: mean_t_test([1.0, 2.0], groups=["a", "a"]), "at least 2 clusters"),
        (lambda: mean_t_test([1.0, 2.0], level=2), "level"),
        (lambda: equivalence_test([1.0, 2.0], 0), "band must be a number above 0"),
        (lambda: equivalence_test([1.0, 2.0], float("nan")), "band"),
        (lambda: equivalence_test([1.0, 2.0], 1, alpha=1), "alpha"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
