import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, binomtest, norm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from core.stats import mcnemar, paired_difference_interval, wilson_interval

COUNTS = st.integers(0, 40)
METHODS = ["tango", "newcombe10"]


def test_golden_mcnemar(golden):
    case = golden["mcnemar"]
    (_, only_a), (only_b, _) = case["table"]
    found = mcnemar(only_a, only_b)
    assert found.chi2 == pytest.approx(case["chi2"], abs=5e-4)
    assert found.chi2_p == pytest.approx(case["p"], abs=5e-9)
    assert found.chi2_corrected == pytest.approx(case["chi2_corrected"], abs=5e-4)
    assert found.chi2_corrected_p == pytest.approx(case["p_corrected"], abs=5e-9)


def test_golden_paired_difference_interval(golden):
    for case in golden["paired_difference_interval"]:
        found = paired_difference_interval(*case["table"], method=case["method"])
        assert found == pytest.approx(case["interval"], abs=0.0005)


def test_golden_wilson(golden):
    case = golden["wilson_interval"]
    assert wilson_interval(case["k"], case["n"]) == pytest.approx(case["interval"], abs=case["tolerance"])


@given(COUNTS, COUNTS)
def test_mcnemar_equals_its_referees(only_a, only_b):
    found = mcnemar(only_a, only_b)
    assert found == mcnemar(only_b, only_a)
    n = only_a + only_b
    if n == 0:
        assert (found.exact_p, found.mid_p, found.chi2_p, found.chi2_corrected_p) == (1, 1, 1, 1)
        return
    table = [[0, only_a], [only_b, 0]]
    assert found.exact_p == pytest.approx(binomtest(only_a, n, 0.5).pvalue, rel=1e-9)
    assert found.chi2_p == pytest.approx(statsmodels_mcnemar(table, exact=False, correction=False).pvalue, rel=1e-9)
    if only_a != only_b:
        corrected = statsmodels_mcnemar(table, exact=False, correction=True).pvalue
        assert found.chi2_corrected_p == pytest.approx(corrected, rel=1e-9)
    # Twice the one-sided mid-p: all that is further out, and half of what is as far.
    further, here = binom.cdf(min(only_a, only_b) - 1, n, 0.5), binom.pmf(only_a, n, 0.5)
    assert found.mid_p == pytest.approx(2 * (further + here / 2), rel=1e-9)
    assert found.mid_p <= found.exact_p


def test_mcnemar_with_many_discordant_pairs():
    found = mcnemar(400_000, 402_000)
    assert found.exact_p == pytest.approx(binomtest(400_000, 802_000, 0.5).pvalue, rel=1e-6)
    assert found.mid_p == pytest.approx(found.chi2_p, rel=1e-3)


def _score(delta: float, only_a: int, only_b: int, n: int) -> float:
    """Tango's z with the restricted maximum-likelihood estimate found by search instead of in closed form."""

    def minus_log_likelihood(p_b: float) -> float:
        p_a = p_b + delta
        terms = ((only_a, p_a), (only_b, p_b), (n - only_a - only_b, 1 - p_a - p_b))
        return -sum(count * np.log(max(p, 1e-300)) for count, p in terms if count)

    bounds = (max(0.0, -delta), (1 - delta) / 2)
    p_b = minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return (only_a - only_b - n * delta) / np.sqrt(n * (2 * p_b + delta - delta**2))


@pytest.mark.parametrize("table", [(1, 1, 7, 12), (30, 5, 9, 6), (100, 20, 3, 37), (3, 4, 4, 2), (2, 1, 12, 5)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_tango_bounds_are_where_the_score_test_just_rejects(table, level):
    low, high = paired_difference_interval(*table, level=level)
    z = norm.isf((1 - level) / 2)
    assert _score(low, table[1], table[2], sum(table)) == pytest.approx(z, abs=1e-4)
    assert _score(high, table[1], table[2], sum(table)) == pytest.approx(-z, abs=1e-4)


@pytest.mark.parametrize("method", METHODS)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_exchanging_the_variants_mirrors_the_interval(method, both, only_a, only_b, neither):
    n = both + only_a + only_b + neither
    if n == 0:
        return
    low, high = paired_difference_interval(both, only_a, only_b, neither, method)
    mirrored = paired_difference_interval(both, only_b, only_a, neither, method)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)
    assert -1 <= low <= (only_a - only_b) / n <= high <= 1
    assert high - low > 1e-3


@pytest.mark.parametrize("n", [1, 2, 10, 1_000, 1_000_000])
def test_tango_at_the_extremes_is_continuous_with_its_closed_forms(n):
    z_squared = norm.isf(0.025) ** 2
    nothing_differs = z_squared / (n + z_squared)
    assert paired_difference_interval(n, 0, 0, 0) == pytest.approx((-nothing_differs, nothing_differs), rel=1e-9)
    assert paired_difference_interval(0, 0, 0, n) == pytest.approx((-nothing_differs, nothing_differs), rel=1e-9)
    low, high = paired_difference_interval(0, n, 0, 0)
    assert high == 1
    assert low == pytest.approx((n - z_squared) / (n + z_squared), rel=1e-9)
    assert paired_difference_interval(0, 0, n, 0) == pytest.approx((-1, -low), rel=1e-9)


def test_newcombe_has_width_where_nothing_differs():
    low, high = paired_difference_interval(500, 0, 0, 500, method="newcombe10")
    assert low < 0 < high
    assert paired_difference_interval(0, 10, 0, 0, method="newcombe10")[1] == 1


@given(st.integers(1, 200), st.data())
def test_wilson_stays_within_and_around_the_rate(n, data):
    k = data.draw(st.integers(0, n))
    low, high = wilson_interval(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert high - low > 0
    assert wilson_interval(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    referee = proportion_confint(k, n, alpha=0.1, method="wilson")
    assert wilson_interval(k, n, level=0.9) == pytest.approx(referee, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mcnemar(-1, 2), "only_a must be a count"),
        (lambda: mcnemar(1, 2.5), "only_b must be a count"),
        (lambda: mcnemar(float("nan"), 2), "only_a must be a count"),
        (lambda: mcnemar(float("inf"), 2), "only_a must be a count"),
        (lambda: wilson_interval(0, 0), "at least one example"),
        (lambda: wilson_interval(5, 4), "found 5 of 4"),
        (lambda: wilson_interval(1, 4, level=95), "level"),
        (lambda: paired_difference_interval(0, 0, 0, 0), "at least one example"),
        (lambda: paired_difference_interval(1, 2, 3, -4), "neither must be a count"),
        (lambda: paired_difference_interval(1, 2, 3, 4, method="wald"), "'tango' or 'newcombe10'; found 'wald'"),
        (lambda: paired_difference_interval(1, 2, 3, 4, level=0), "level"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
