from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, binom

from core.stats import confidence_sequence, e_value, e_values, ratings_needed
from core.stats.evalues import RatingsNeeded

COUNTS = st.integers(0, 40)
PRIORS = {"uniform": 1.0, "jeffreys": 0.5}


def test_golden(golden):
    case = golden["e_value_beta_binomial"]
    found = e_value(case["wins"], case["losses"], prior=case["prior"])
    assert found.value == pytest.approx(case["value"], abs=5e-8)
    assert found.p == pytest.approx(1 / case["value"])
    assert not found.may_stop
    assert e_value(9, 1, alpha=0.11).may_stop


@pytest.mark.parametrize("prior", PRIORS)
@given(COUNTS, COUNTS)
@settings(max_examples=30)  # each integrates twice; a wrong prior or norm is off at every count
def test_is_the_likelihood_ratio_averaged_over_the_prior(prior, wins, losses):
    def ratio(rate: float) -> float:
        return (2 * rate) ** wins * (2 * (1 - rate)) ** losses * beta.pdf(rate, PRIORS[prior], PRIORS[prior])

    expected = quad(ratio, 0, 0.5, limit=200)[0] + quad(ratio, 0.5, 1, limit=200)[0]
    found = e_value(wins, losses, prior)
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert found == e_value(losses, wins, prior)
    assert found.may_stop == (found.value >= 20)


@pytest.mark.parametrize("prior", PRIORS)
def test_stopping_whenever_it_looks_good_is_wrong_at_most_5_times_in_100(prior):
    flips = np.random.default_rng(5).random((4_000, 1_000)) < 0.5
    evidence = e_values(flips, prior)
    reached = np.mean(evidence.max(axis=1) >= 20)
    assert 0.005 < reached <= 0.05
    # A p-value looked at as often would be wrong far more often: here at |z| > 1.96 after each of 10 to 1,000 flips.
    n = np.arange(1, 1_001)
    z = (2 * np.cumsum(flips, axis=1) - n) / np.sqrt(n)
    assert np.mean((np.abs(z[:, 9:]) > 1.96).any(axis=1)) > 0.28


@pytest.mark.parametrize("prior", PRIORS)
def test_a_fair_bet_neither_wins_nor_loses_on_average(prior):
    average = sum(binom.pmf(wins, 20, 0.5) * e_value(wins, 20 - wins, prior).value for wins in range(21))
    assert average == pytest.approx(1)


def test_a_true_preference_is_found():
    flips = np.random.default_rng(6).random((500, 400)) < 0.65
    assert np.mean(e_values(flips).max(axis=1) >= 20) > 0.95


@given(st.lists(st.integers(0, 1), min_size=1, max_size=30))
def test_running_evidence_is_that_of_the_counts(outcomes):
    running = e_values(outcomes)
    for n in range(1, len(outcomes) + 1):
        wins = sum(outcomes[:n])
        assert running[n - 1] == pytest.approx(e_value(wins, n - wins).value)


def test_no_verdicts_are_no_evidence():
    assert (e_value(0, 0).value, e_value(0, 0).p) == (1, 1)
    assert confidence_sequence(0, 0) == (0, 1)
    assert e_values(np.empty((3, 0))).shape == (3, 0)


def test_overwhelming_evidence_is_infinite_and_silent():
    found = e_value(60_000, 5_000)
    assert (found.value, found.p, found.may_stop) == (inf, 0, True)
    assert found.log_value > 20_000


@pytest.mark.parametrize("prior", PRIORS)
@given(COUNTS, COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_confidence_sequence_holds_one_half_where_the_evidence_is_not_enough(prior, wins, losses, level):
    low, high = confidence_sequence(wins, losses, prior, level=level)
    assert 0 <= low < high <= 1
    if wins + losses:
        assert low <= wins / (wins + losses) <= high
    assert (low < 0.5 < high) == (not e_value(wins, losses, prior, alpha=1 - level).may_stop)
    assert confidence_sequence(losses, wins, prior, level=level) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_confidence_sequence_covers_at_all_times_at_once():
    n, rate = 300, 0.6
    wins = np.cumsum(np.random.default_rng(8).random((1_000, n)) < rate, axis=1)
    held = np.ones(1_000, dtype=bool)
    for k in range(5, n + 1, 5):
        bounds = np.array([confidence_sequence(w, k - w) for w in range(k + 1)])
        now = wins[:, k - 1]
        held &= (bounds[now, 0] <= rate) & (rate <= bounds[now, 1])
    assert 0.95 <= held.mean() < 1


def test_large_counts_are_bounded_tightly():
    low, high = confidence_sequence(600_000, 400_000)
    assert 0.597 < low < 0.6 < high < 0.603


def test_needed_is_what_simulated_studies_took():
    assert ratings_needed(40, 5) == RatingsNeeded(0, 0, 1.0, 2_000)
    clear, close = ratings_needed(9, 1), ratings_needed(11, 9)
    assert 0 < clear.median <= clear.most < 40
    assert clear.median < close.median
    assert clear.reached > close.reached
    assert clear == ratings_needed(9, 1)
    # An honest forecast: go on from 12 of 16 at rates that 12 of 16 leave open, and half are done by the median.
    forecast = ratings_needed(12, 4, seed=1)
    generator = np.random.default_rng(9)
    rates = generator.beta(13, 5, size=3_000)
    flips = generator.random((3_000, forecast.median)) < rates[:, None]
    past = np.tile([1] * 12 + [0] * 4, (3_000, 1))
    done = (e_values(np.concatenate([past, flips], axis=1))[:, 16:] >= 20).any(axis=1)
    assert done.mean() == pytest.approx(0.5, abs=0.05)


def test_where_the_variants_may_be_equal_no_number_is_made_up():
    found = ratings_needed(200, 200, horizon=200, simulations=500)
    assert (found.median, found.most) == (None, None)
    assert found.reached < 0.3


def test_needed_counts_the_first_time_the_evidence_suffices():
    # Six wins in a row give 2^6 / 7 = 9.1, seven 16, eight 28.4: nothing less than eight can do.
    found = ratings_needed(0, 0, simulations=4_000, horizon=50)
    assert found.median > 8
    assert ratings_needed(7, 0, horizon=1, simulations=4_000).reached == pytest.approx(8 / 9, abs=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: e_value(-1, 2), "found -1"),
        (lambda: e_value(1, 2.5), "found 2.5"),
        (lambda: e_value(1, 2, prior="flat"), "'uniform' or 'jeffreys'; found 'flat'"),
        (lambda: e_value(1, 2, alpha=5), "alpha"),
        (lambda: e_values([0, 1, 2]), "leave ties out"),
        (lambda: e_values([0, np.nan]), "found nan"),
        (lambda: e_values(1), "arrays of 1"),
        (lambda: confidence_sequence(1, 2, level=1), "level"),
        (lambda: ratings_needed(1, 2, horizon=0), "horizon"),
        (lambda: ratings_needed(1, 2, simulations=0), "simulations"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
