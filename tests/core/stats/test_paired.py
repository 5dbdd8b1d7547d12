from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from core.stats import sign_flip_test, swap_masks, swap_test

DIFFERENCES = st.lists(st.integers(-6, 6), min_size=1, max_size=12)


def _f1(sums):
    return 2 * sums[..., 0] / (2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


def test_golden_maize(golden):
    case = golden["sign_flip"]
    found = sign_flip_test(case["differences"])
    assert found.p == case["p_two_sided"] == 2 * case["patterns_reaching_the_sum"] / case["of"]
    assert found.trials == case["of"]
    assert found.statistic == pytest.approx(np.mean(case["differences"]))
    assert found.method == "sign-flip (exact)"


def test_drawn_signs_come_near_the_exact_p_of_the_maize(golden, mean, with_ones):
    differences = np.array(golden["sign_flip"]["differences"], dtype=float)
    exact = golden["sign_flip"]["p_two_sided"]
    found = swap_test(with_ones(np.zeros(15)), with_ones(differences), mean, trials=40_000)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))
    assert found.statistic == pytest.approx(differences.mean())
    assert found.method == "swap test (40,000 draws)"


@given(DIFFERENCES)
def test_exact_sign_flip_equals_enumeration_by_hand(differences):
    sums = [
        sum(s * d for s, d in zip(signs, differences, strict=True))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    expected = np.mean([abs(total) >= abs(sum(differences)) for total in sums])
    assert sign_flip_test(differences).p == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("whole", [True, False])
def test_exact_sign_flip_of_many_equals_all_patterns(whole):
    drawn = np.random.default_rng(9).normal(0.3, 1, size=17)
    differences = np.rint(2 * drawn) + (drawn > 0) if whole else drawn  # whole numbers have ties
    differences = differences[differences != 0]
    signs = 1 - 2 * ((np.arange(2 ** len(differences))[:, None] >> np.arange(len(differences))) & 1)
    expected = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9)
    assert sign_flip_test(differences).p == pytest.approx(expected, abs=1e-12)


def test_sign_flip_agrees_with_scipy():
    differences = np.random.default_rng(5).normal(0.4, 1, size=12)
    referee = permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_test(differences).p == pytest.approx(referee.pvalue, abs=1e-12)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=60), st.integers(1, 30), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_ties_leave_the_sign_flip_p_as_it_is(differences, n_ties, shuffler):
    with_ties = list(differences)
    for _ in range(n_ties):
        with_ties.insert(shuffler.randint(0, len(with_ties)), 0.0)
    assert sign_flip_test(with_ties, trials=200).p == sign_flip_test(differences, trials=200).p


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=60))
@settings(max_examples=60)
def test_the_sign_flip_keeps_p_when_all_signs_turn(differences):
    found = sign_flip_test(differences, trials=200)
    turned = sign_flip_test([-d for d in differences], trials=200)
    assert (turned.p, turned.statistic) == (found.p, pytest.approx(-found.statistic))


def test_floats_that_tie_but_for_rounding_count_as_ties():
    differences = np.array([0.1, 0.2, -0.3, 0.7])
    as_integers = sign_flip_test([1, 2, -3, 7])
    assert sign_flip_test(differences).p == as_integers.p
    assert sign_flip_test(differences * 1e-12).p == as_integers.p


def test_nothing_but_ties():
    assert sign_flip_test([0.0] * 30).p == 1
    same = np.ones((30, 3))
    found = swap_test(same, same, _f1, trials=50)
    assert (found.statistic, found.p) == (0, 1)


def test_more_than_twenty_differences_are_drawn():
    differences = np.random.default_rng(1).normal(0.3, 1, size=21)
    found = sign_flip_test(differences, trials=50_000, seed=1)
    assert found.method == "sign-flip (50,000 draws)"
    # Every pattern of the 21 signs, as bits of a number, half of the patterns by symmetry.
    patterns = np.arange(2**20, dtype=np.uint32)
    sums = differences[20] + sum(np.where(patterns >> i & 1, -differences[i], differences[i]) for i in range(20))
    exact = np.mean(np.abs(sums) >= abs(differences.sum()) - 1e-9)
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 50_000))
    assert sign_flip_test(differences[:20]).trials == 2**20


def test_masks_are_fair_and_by_cluster():
    masks = swap_masks(13, 20_000, seed=2)
    assert masks.dtype == np.bool_
    assert masks.shape == (20_000, 13)
    assert masks.mean(axis=0) == pytest.approx(np.full(13, 0.5), abs=0.02)
    assert np.corrcoef(masks.T)[~np.eye(13, dtype=bool)] == pytest.approx(np.zeros(13 * 12), abs=0.04)
    clustered = swap_masks(5, 100, groups=["x", "y", "x", None, None])
    np.testing.assert_array_equal(clustered[:, 0], clustered[:, 2])
    assert not np.array_equal(clustered[:, 3], clustered[:, 4])


TABLES = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).integers(0, 3, size=(2, 25, 3)))


@given(TABLES, st.integers(0, 99))
@settings(max_examples=60)
def test_exchanging_the_variants_flips_the_sign_and_keeps_p(tables, seed):
    a, b = tables
    found = swap_test(a, b, _f1, trials=200, seed=seed)
    exchanged = swap_test(b, a, _f1, trials=200, seed=seed)
    assert exchanged.statistic == -found.statistic
    assert exchanged.p == found.p


def test_swap_test_equals_a_loop_that_exchanges_examples():
    a, b = np.random.default_rng(11).integers(0, 4, size=(2, 30, 3))
    masks = swap_masks(30, 400, seed=4)
    observed = _f1(b.sum(axis=0)) - _f1(a.sum(axis=0))
    extreme = 0
    for mask in masks:
        first, second = np.where(mask[:, None], b, a), np.where(mask[:, None], a, b)
        extreme += abs(_f1(second.sum(axis=0)) - _f1(first.sum(axis=0))) >= abs(observed) - 1e-12
    found = swap_test(a, b, _f1, masks=masks)
    assert found.statistic == pytest.approx(observed)
    assert found.p == (1 + extreme) / 401


def test_by_cluster_repeated_examples_are_no_new_evidence(mean, with_ones):
    differences = np.random.default_rng(6).normal(0.3, 1, size=16)
    repeated, names = np.repeat(differences, 5), np.repeat(np.arange(16), 5)
    exact = sign_flip_test(differences)
    clustered = sign_flip_test(repeated, groups=names)
    assert clustered.p == exact.p
    assert clustered.method == "cluster sign-flip (exact, 16 clusters)"
    assert sign_flip_test(repeated).p < exact.p
    swapped = swap_test(with_ones(repeated * 0), with_ones(repeated), mean, groups=names, trials=20_000)
    assert swapped.p == pytest.approx(exact.p, abs=4 * np.sqrt(0.25 / 20_000))
    assert swapped.method == "cluster swap test (20,000 draws, 16 clusters)"


def test_undefined_trials_count_as_extreme():
    # Only two examples carry anything: exchanged apart, one side has no positive at all and its F1 is undefined.
    a, b = np.zeros((10, 3)), np.zeros((10, 3))
    a[0], b[1] = (1, 1, 0), (3, 0, 0)
    found = swap_test(a, b, _f1, trials=1_000)
    assert found.n_undefined == pytest.approx(500, abs=80)
    assert found.p == 1


def test_no_test_of_an_undefined_difference():
    found = swap_test(np.zeros((4, 3)), np.ones((4, 3)), _f1, trials=10)
    assert (found.statistic, found.p) == (None, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: swap_test(one, one[:2], _f1), "same examples"),
        (lambda one: swap_test(one[:0], one[:0], _f1), "statistics_a is empty"),
        (lambda one: swap_test(one, one * np.nan, _f1), "statistics_b holds NaN"),
        (lambda one: swap_test(one, one, _f1, masks=np.ones((5, 3), dtype=bool)), r"\(trials, 4\)"),
        (lambda one: swap_test(one, one, _f1, groups=["a"]), "each of the 4 examples"),
        (lambda one: swap_test(one, one, _f1, groups=["a"] * 4, masks=swap_masks(4, 50)), "not drawn by cluster"),
        (lambda one: swap_test(one, one, _f1, trials=0), "trials must be"),
        (lambda one: sign_flip_test([]), "empty"),
        (lambda one: sign_flip_test([1.0, float("nan")]), "first at example 1"),
        (lambda one: sign_flip_test([[1.0]]), "one-dimensional"),
        (lambda one: sign_flip_test([1.0, 2.0], groups=["a"]), "each of the 2 examples"),
        (lambda one: sign_flip_test(np.arange(30.0), trials=0), "trials must be"),
        (lambda one: swap_masks(0), "n must be"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((4, 3)))
