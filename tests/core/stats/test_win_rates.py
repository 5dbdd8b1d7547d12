from math import inf

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binomtest

from core.stats import decisive_win_rate, length_controlled_win_rate

COUNTS = st.integers(0, 60)


def test_golden_wilson(golden):
    case = golden["wilson_interval"]
    found = decisive_win_rate(case["k"], case["n"] - case["k"], 7, 4)
    assert (found.low, found.high) == pytest.approx(tuple(case["interval"]), abs=case["tolerance"])
    assert (found.n, found.n_decisive, found.ties, found.both_bad) == (159, 148, 7, 4)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_exchanging_the_variants_mirrors_the_rate(wins, losses, ties, both_bad):
    one, other = decisive_win_rate(wins, losses, ties, both_bad), decisive_win_rate(losses, wins, ties, both_bad)
    if wins + losses == 0:
        assert (one.value, one.low, one.high, one.sign_p, one.sign_mid_p) == (None,) * 5
        return
    assert one.value == pytest.approx(1 - other.value)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))
    assert one.sign_p == pytest.approx(binomtest(wins, wins + losses).pvalue)
    assert (one.sign_p, one.sign_mid_p) == (other.sign_p, other.sign_mid_p)
    assert one.sign_mid_p <= one.sign_p


@pytest.mark.parametrize("rate", [0.5, 0.62, 0.8])
def test_interval_covers_the_truth_in_95_of_100_studies(rate):
    generator = np.random.default_rng(7)
    verdicts = generator.multinomial(100, [0.8 * rate, 0.8 * (1 - rate), 0.2], size=2_000)
    found = [decisive_win_rate(*row) for row in verdicts.tolist()]
    assert 0.93 <= np.mean([f.low <= rate <= f.high for f in found]) <= 0.97
    if rate == 0.5:
        assert 0.03 <= np.mean([f.sign_mid_p <= 0.05 for f in found]) <= 0.065


def _verdicts(n: int, seed: int, effect: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    gaps = generator.normal(40, 80, size=n).round()
    return (generator.random(n) < expit(0.4 + effect * np.tanh(gaps / gaps.std()))).astype(int), gaps


@pytest.mark.parametrize("clustered", [False, True])
def test_length_control_equals_a_robust_logistic_regression(clustered):
    wins, gaps = _verdicts(200, seed=1)
    items = np.arange(200) // 3 if clustered else np.arange(200)
    found = length_controlled_win_rate(wins, gaps, items=items if clustered else None)
    n_items = len(np.unique(items))
    model = sm.Logit(wins, sm.add_constant(np.tanh(gaps / gaps.std())))
    fit = model.fit(disp=0, cov_type="cluster", cov_kwds={"groups": items, "use_correction": False})
    half = 1.959964 * fit.bse[0] * np.sqrt(n_items / (n_items - 1))
    assert found.value == pytest.approx(expit(fit.params[0]), abs=1e-7)
    assert found.length_effect == pytest.approx(fit.params[1], abs=1e-6)
    assert (found.low, found.high) == pytest.approx(tuple(expit(fit.params[0] + [-half, half])), abs=1e-6)
    assert (found.raw, found.n, found.reason) == (pytest.approx(wins.mean()), 200, None)


def test_length_control_recovers_the_rate_at_equal_length():
    found = length_controlled_win_rate(*_verdicts(20_000, seed=2))
    assert found.low < expit(0.4) < found.high
    assert found.raw > found.high + 0.05
    free = length_controlled_win_rate(*_verdicts(20_000, seed=3, effect=0.0))
    assert free.value == pytest.approx(free.raw, abs=0.01)


def test_length_control_is_mirrored_and_free_of_the_unit():
    wins, gaps = _verdicts(80, seed=4)
    found, mirrored = length_controlled_win_rate(wins, gaps), length_controlled_win_rate(1 - wins, -gaps)
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx(
        (1 - found.value, 1 - found.high, 1 - found.low)
    )
    assert length_controlled_win_rate(wins, gaps * 4.7).value == pytest.approx(found.value)


@pytest.mark.parametrize(
    ("wins", "gaps", "reason"),
    [
        ([], [], "no decisive verdicts"),
        ([1, 1, 1], [1, 2, -3], "alone tells every verdict, or the verdicts are all the same"),
        ([1, 1, 0, 0], [5, 3, -2, -9], "alone tells every verdict"),
        ([1, 0, 1], [0, 0, 0], "all differences in length are equal"),
        ([1, 0, 1], [7, 7, 7], "all differences in length are equal"),
    ],
)
def test_what_length_control_cannot_say(wins, gaps, reason):
    found = length_controlled_win_rate(wins, gaps)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.reason.startswith("undefined: ") and reason in found.reason


def test_one_item_has_no_interval():
    found = length_controlled_win_rate([1, 0, 1, 0], [1, 2, -3, -1], items=["x"] * 4)
    assert found.value is not None
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decisive_win_rate(-1, 3), "found -1"),
        (lambda: decisive_win_rate(1, 3.5), "found 3.5"),
        (lambda: decisive_win_rate(1, 3, level=95), "level"),
        (lambda: length_controlled_win_rate([1, 0], [1]), "found 2 and 1"),
        (lambda: length_controlled_win_rate([1, 0.5], [1, 2]), "leave ties out"),
        (lambda: length_controlled_win_rate([1, 0], [1, np.nan]), "length_differences holds NaN"),
        (lambda: length_controlled_win_rate([1, 0], [1, inf]), "length_differences holds NaN or infinity"),
        (lambda: length_controlled_win_rate([1, 0], [1, 2], items=["x"]), "one cluster for each"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
