import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nltk.metrics.agreement import AnnotationTask
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from core.stats import bootstrap_weights, krippendorff_alpha, raw_agreement

LEVELS = ["nominal", "ordinal", "interval", "ratio"]
RATINGS = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 9)),
    elements=st.sampled_from([1.0, 2.0, 3.0, 5.0, float("nan")]),
)


def _by_nltk(ratings: np.ndarray, level: str) -> float:
    """Krippendorff's alpha by nltk, of units with at least two ratings; it knows nothing of levels but takes a distance."""
    enough = ratings[:, np.isfinite(ratings).sum(axis=0) >= 2]
    values, counts = np.unique(enough[np.isfinite(enough)], return_counts=True)
    rank = dict(zip(values, np.cumsum(counts) - counts / 2, strict=True))
    distances = {
        "nominal": lambda a, b: float(a != b),
        "ordinal": lambda a, b: (rank[a] - rank[b]) ** 2,
        "interval": lambda a, b: (a - b) ** 2,
        "ratio": lambda a, b: ((a - b) / (a + b)) ** 2,
    }
    rows = [
        (rater, unit, enough[rater, unit])
        for rater in range(len(enough))
        for unit in range(enough.shape[1])
        if np.isfinite(enough[rater, unit])
    ]
    return AnnotationTask(data=rows, distance=distances[level]).alpha()


@pytest.mark.parametrize("level", LEVELS)
def test_golden(golden, level):
    case = golden["krippendorff_alpha"]
    found = krippendorff_alpha(case["ratings"], level)
    assert found.value == pytest.approx(case["values"][level], abs=case["tolerance"])
    assert (found.n_units, found.n_unpaired, found.n_ratings) == (11, 1, 40)


@pytest.mark.parametrize("level", LEVELS)
@given(RATINGS)
def test_equals_nltk_wherever_it_is_defined(level, ratings):
    found = krippendorff_alpha(ratings, level)
    paired = ratings[:, np.isfinite(ratings).sum(axis=0) >= 2]
    if not paired.size:
        assert (found.value, found.reason) == (None, "undefined: no unit has two ratings")
    elif len(np.unique(paired[np.isfinite(paired)])) == 1:
        assert (found.value, found.reason) == (None, "undefined: no variation")
    else:
        assert found.value == pytest.approx(_by_nltk(ratings, level), abs=1e-9)
        assert found.reason is None


def test_nominal_alpha_of_two_raters_is_scotts_pi_but_for_the_sample_size():
    ratings = np.random.default_rng(0).integers(0, 3, size=(2, 40))
    pi = statsmodels_fleiss(aggregate_raters(ratings.T)[0])
    assert krippendorff_alpha(ratings, "nominal").value == pytest.approx(1 - (1 - pi) * 79 / 80, abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
@given(RATINGS, st.randoms(use_true_random=False))
def test_order_of_raters_and_units_does_not_matter(level, ratings, random):
    raters, units = list(range(len(ratings))), list(range(ratings.shape[1]))
    random.shuffle(raters)
    random.shuffle(units)
    shuffled = krippendorff_alpha(ratings[raters][:, units], level)
    assert shuffled.value == pytest.approx(krippendorff_alpha(ratings, level).value, abs=1e-12)


@given(RATINGS)
def test_what_a_level_ignores_may_change(ratings):
    relabelled = np.where(np.isnan(ratings), np.nan, 10 - 3 * ratings)
    for level in ("nominal", "ordinal", "interval"):
        changed = krippendorff_alpha(relabelled, level).value
        assert changed == pytest.approx(krippendorff_alpha(ratings, level).value, abs=1e-9)
    assert krippendorff_alpha(ratings**3, "ordinal").value == pytest.approx(
        krippendorff_alpha(ratings, "ordinal").value
    )
    assert krippendorff_alpha(ratings * 7, "ratio").value == pytest.approx(krippendorff_alpha(ratings, "ratio").value)


def test_large_values_lose_no_digits():
    ratings = np.random.default_rng(1).normal(size=(3, 30))
    shifted = krippendorff_alpha(ratings + 1e8, "interval").value
    assert shifted == pytest.approx(krippendorff_alpha(ratings, "interval").value, abs=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_interval_is_that_of_repeated_units(level):
    generator = np.random.default_rng(2)
    ratings = np.clip(generator.integers(1, 5, size=15) + generator.integers(-1, 2, size=(3, 15)), 1, 5).astype(float)
    ratings[0, :4] = np.nan
    found = krippendorff_alpha(ratings, level, interval=0.9, resamples=40, seed=5)
    drawn = [
        krippendorff_alpha(np.repeat(ratings, weights.astype(int), axis=1), level).value
        for weights in bootstrap_weights(15, 40, 5)
    ]
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(np.quantile(drawn, [0.05, 0.95])), abs=1e-9)
    assert found.interval.low < found.value < found.interval.high


def test_resamples_without_variation_are_counted():
    ratings = np.ones((2, 6))
    ratings[1, 0] = 2
    found = krippendorff_alpha(ratings, "nominal", interval=0.95, resamples=500)
    assert 0 < found.interval.n_undefined < 500


def test_perfect_agreement_is_no_certainty():
    found = krippendorff_alpha([[1, 2, 3], [1, 2, 3]], "ordinal", interval=0.95)
    assert (found.value, found.interval.low, found.interval.high) == (1, None, None)
    assert "no differences in agreement" in found.interval.method


def test_raw_agreement_of_two_raters_has_wilsons_interval():
    ratings = np.array([[1, 1, 2, 2, np.nan, 3], [1, 2, 2, 2, 1, 3]])
    found = raw_agreement(ratings)
    assert (found.value, found.n_units, found.n_unpaired, found.n_ratings) == (0.8, 5, 1, 10)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.3755, 0.9638), abs=5e-4)


@given(RATINGS)
def test_raw_agreement_counts_pairs(ratings):
    pairs = [
        ratings[a, unit] == ratings[b, unit]
        for unit in range(ratings.shape[1])
        for a in range(len(ratings))
        for b in range(a)
        if np.isfinite(ratings[[a, b], unit]).all()
    ]
    found = raw_agreement(ratings, resamples=50)
    if not pairs:
        assert (found.value, found.interval) == (None, None)
        return
    assert found.value == pytest.approx(np.mean(pairs))
    if found.interval.method.startswith("Wilson"):
        assert 0 <= found.interval.low < found.interval.high <= 1


def test_raw_agreement_of_three_raters_is_resampled_by_unit():
    ratings = np.random.default_rng(3).integers(0, 3, size=(3, 60))
    assert "bootstrap" in raw_agreement(ratings).interval.method
    # Full agreement counts units, not the three pairs in each: 1 - 1.96^2 / (10 + 1.96^2) is Wilson's bound.
    found = raw_agreement(np.ones((3, 10)))
    assert (found.value, found.interval.high) == (1, 1)
    assert found.interval.low == pytest.approx(0.7225, abs=5e-4)


def test_a_study_without_ratings_is_undefined_and_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for ratings in (np.empty((0, 5)), np.full((2, 5), np.nan), [[1.0, 2.0]], [[None, 1], [2, None]]):
            assert krippendorff_alpha(ratings, "ordinal").reason == "undefined: no unit has two ratings"
            assert krippendorff_alpha(ratings, "ratio").value is None
            assert raw_agreement(ratings).value is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: krippendorff_alpha([1, 2, 3], "nominal"), r"shape \(raters, units\); found the shape \(3,\)"),
        (lambda: krippendorff_alpha([["good", "bad"]], "nominal"), "must be numbers"),
        (lambda: krippendorff_alpha([[1, 2], [1, np.inf]], "nominal"), "infinity"),
        (lambda: krippendorff_alpha([[1, 2], [1, -2]], "ratio"), "at least 0; found -2"),
        (lambda: krippendorff_alpha([[1, 2], [1, 2]], "metric"), "nominal, ordinal, interval, ratio; found 'metric'"),
        (lambda: krippendorff_alpha([[1, 2], [1, 2]], "nominal", interval=95), "level must lie between"),
        (lambda: raw_agreement([[1, 2], [1, 2]], level=0), "level must lie between"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
