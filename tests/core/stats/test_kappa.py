import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from core.stats import cohen_kappa, fleiss_kappa

TABLES = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 9), min_size=k, max_size=k), min_size=k, max_size=k)
)


def test_golden_cohen(golden):
    case = golden["cohen_kappa"]
    found = cohen_kappa(case["table"])
    assert found.value == pytest.approx(case["kappa"], abs=case["tolerance"])
    assert found.standard_error == pytest.approx(case["standard_error"], abs=case["tolerance"])
    assert (found.low, found.high) == pytest.approx(tuple(case["interval"]), abs=case["tolerance"])
    assert found.n == 19
    assert cohen_kappa(case["table"], "linear").value == pytest.approx(case["linear_weighted"], abs=case["tolerance"])


def test_golden_fleiss(golden):
    case = golden["fleiss_kappa"]
    found = fleiss_kappa(case["counts"], interval=0.95)
    assert found.value == pytest.approx(case["value"], abs=case["tolerance"])
    assert found.interval.low < found.value < found.interval.high


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@given(TABLES)
def test_cohen_equals_statsmodels(weights, table):
    found = cohen_kappa(table, weights)
    counts = np.array(table)
    if np.count_nonzero(counts) <= np.count_nonzero(np.diag(counts)) <= 1:
        assert found.value is None
        assert found.reason in ("undefined: no variation", "undefined: no unit has two ratings")
        return
    wt = "linear" if weights == "linear" else "quadratic" if weights == "quadratic" else None
    with np.errstate(all="ignore"):
        referee = cohens_kappa(counts, wt=wt)
    assert found.value == pytest.approx(referee.kappa, abs=1e-9)
    if found.standard_error is None:
        assert referee.var_kappa == pytest.approx(0, abs=1e-12)
        assert (found.low, found.high) == (None, None)
        return
    assert found.standard_error == pytest.approx(referee.std_kappa, rel=1e-6)
    bounds = np.clip([referee.kappa_low, referee.kappa_upp], -1, 1)
    assert (found.low, found.high) == pytest.approx(tuple(bounds), abs=1e-6)


@given(TABLES)
def test_exchanging_the_raters_changes_nothing(table):
    for weights in (None, "linear", "quadratic"):
        one, other = cohen_kappa(table, weights), cohen_kappa(np.transpose(table), weights)
        assert one.value == pytest.approx(other.value, abs=1e-12)
        assert one.standard_error == pytest.approx(other.standard_error, abs=1e-9)


@given(TABLES, st.randoms(use_true_random=False))
def test_numbering_of_unordered_categories_does_not_matter(table, random):
    order = list(range(len(table)))
    random.shuffle(order)
    assert cohen_kappa(np.array(table)[order][:, order]).value == pytest.approx(cohen_kappa(table).value, abs=1e-12)


def test_perfect_agreement_has_no_error_to_show():
    found = cohen_kappa([[5, 0], [0, 7]])
    assert (found.value, found.standard_error, found.low, found.high) == (1, None, None, None)


def test_no_variation_is_said():
    assert cohen_kappa([[9, 0], [0, 0]]).reason == "undefined: no variation"
    assert cohen_kappa([[0, 0], [0, 0]]).reason == "undefined: no unit has two ratings"
    # One rater who always says the same agrees by chance alone: that is 0, and defined.
    assert cohen_kappa([[5, 0], [4, 0]]).value == pytest.approx(0)
    assert fleiss_kappa([[3, 0], [3, 0]]).reason == "undefined: no variation"
    assert fleiss_kappa(np.empty((0, 3))).reason == "undefined: no unit has two ratings"


@given(st.integers(2, 6), st.integers(2, 4), st.integers(1, 12), st.integers(0, 1000))
def test_fleiss_equals_statsmodels(raters, categories, units, seed):
    counts = np.random.default_rng(seed).multinomial(raters, np.full(categories, 1 / categories), size=units)
    found = fleiss_kappa(counts)
    if (counts.sum(axis=0) > 0).sum() == 1:
        assert found.value is None
    else:
        assert found.value == pytest.approx(statsmodels_fleiss(counts), abs=1e-12)


def test_fleiss_interval_counts_undefined_resamples_and_has_width():
    counts = [[3, 0]] * 5 + [[2, 1]]
    assert fleiss_kappa(counts, interval=0.95, resamples=300).interval.n_undefined > 0
    perfect = fleiss_kappa([[3, 0], [0, 3]] * 4, interval=0.95)
    assert (perfect.value, perfect.interval.low) == (1, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cohen_kappa([[1, 2, 3], [4, 5, 6]]), r"square.*\(2, 3\)"),
        (lambda: cohen_kappa([1, 2]), "square"),
        (lambda: cohen_kappa([[1, -1], [2, 3]]), "whole numbers of at least 0; found -1"),
        (lambda: cohen_kappa([[1, np.nan], [2, 3]]), "found nan"),
        (lambda: cohen_kappa([[1, 0.5], [2, 3]]), "found 0.5"),
        (lambda: cohen_kappa([["a", "b"], ["c", "d"]]), "must hold counts"),
        (lambda: cohen_kappa([[1, 2], [3, 4]], "cubic"), "found 'cubic'"),
        (lambda: cohen_kappa([[1, 2], [3, 4]], level=2), "level"),
        (lambda: fleiss_kappa([[3, 0], [2, 0]]), "found 2 to 3. Use Krippendorff's alpha"),
        (lambda: fleiss_kappa([[1, 0], [0, 1]]), "at least 2 raters a unit; found 1"),
        (lambda: fleiss_kappa([3, 0]), r"\(units, categories\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
