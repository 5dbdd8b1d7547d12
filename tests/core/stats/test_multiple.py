import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from core.stats import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_golden_holm(golden):
    case = golden["holm"]
    adjusted = holm(case["p"])
    assert int((adjusted <= 0.05).sum()) == case["rejected_at_0.05"]
    assert adjusted[3] == pytest.approx(case["adjusted_fourth"], abs=1e-12)


def test_benjamini_hochberg_rejects_the_four_of_the_paper(golden):
    assert int((benjamini_hochberg(golden["holm"]["p"]) <= 0.05).sum()) == 4


@given(P_VALUES)
@settings(max_examples=25)
def test_equal_to_statsmodels(p):
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], rtol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_missing_tests_stay_missing_and_do_not_count(adjust):
    adjusted = adjust([0.01, np.nan, 0.04, np.nan, 0.03])
    assert np.isnan(adjusted[[1, 3]]).all()
    np.testing.assert_array_equal(adjusted[[0, 2, 4]], adjust([0.01, 0.04, 0.03]))
    assert np.isnan(adjust([np.nan, np.nan])).all()
    np.testing.assert_array_equal(adjust([0.01, None]), adjust([0.01, np.nan]))
    assert adjust([]).shape == (0,)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize(
    ("p", "message"), [([0.1, 1.2], "between 0 and 1"), ([-0.1], "between 0 and 1"), ([[0.1]], "one-dimensional")]
)
def test_bad_input(adjust, p, message):
    with pytest.raises(ValueError, match=message):
        adjust(p)
