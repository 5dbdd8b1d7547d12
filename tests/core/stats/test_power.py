import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from core.stats import minimum_detectable_effect, sample_size


def test_golden(golden):
    case = golden["sample_size"]
    found = sample_size(case["variance_of_paired_difference"], case["difference"], case["alpha"], case["power"])
    assert found == case["n"]


@given(st.floats(0.01, 10), st.floats(0.01, 2), st.floats(0.001, 0.2), st.floats(0.5, 0.99))
def test_the_two_are_inverse(variance, difference, alpha, power):
    n = sample_size(variance, difference, alpha, power)
    assert minimum_detectable_effect(variance, n, alpha, power) <= difference * (1 + 1e-9)
    if n > 1:
        assert minimum_detectable_effect(variance, n - 1, alpha, power) > difference


def test_a_z_test_has_the_promised_power():
    n = sample_size(0.25, -0.1, 0.05, 0.9)
    shift = 0.1 / np.sqrt(0.25 / n)
    assert norm.sf(norm.isf(0.025) - shift) == pytest.approx(0.9, abs=0.003)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_size(-1, 0.1), "variance"),
        (lambda: sample_size(float("nan"), 0.1), "variance"),
        (lambda: sample_size(1, 0), "difference"),
        (lambda: sample_size(1, 0.1, alpha=0), "alpha"),
        (lambda: sample_size(1, 0.1, power=1), "power"),
        (lambda: minimum_detectable_effect(1, 0), "n must be"),
        (lambda: minimum_detectable_effect(float("inf"), 5), "variance"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
