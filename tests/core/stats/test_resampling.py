import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from core.stats import (
    bootstrap_difference_interval,
    bootstrap_interval,
    bootstrap_sums,
    bootstrap_values,
    bootstrap_weights,
    cluster_bootstrap_interval,
    percentile_interval,
    resampling,
)
from core.stats.arrays import weighted_sums


def test_weights_are_multinomial_counts():
    n, resamples = 40, 20_000
    weights = bootstrap_weights(n, resamples, seed=3)
    assert weights.dtype == np.float32
    assert weights.shape == (resamples, n)
    assert (weights.sum(axis=1) == n).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(n), abs=5 / np.sqrt(resamples))
    assert weights.var() == pytest.approx(1 - 1 / n, rel=0.02)
    covariance = np.cov(weights[:, 0], weights[:, 1])[0, 1]
    assert covariance == pytest.approx(-1 / n, abs=5 / np.sqrt(resamples))


def test_fewer_resamples_are_the_first_of_more():
    many = bootstrap_weights(160, 30_000, seed=5)
    np.testing.assert_array_equal(bootstrap_weights(160, 13_001, seed=5), many[:13_001])
    assert not np.array_equal(bootstrap_weights(160, 30_000, seed=6), many)


def test_more_than_65536_examples():
    weights = bootstrap_weights(70_000, 3, seed=0)
    assert (weights.sum(axis=1) == 70_000).all()
    assert weights[:, 65_536:].sum() == pytest.approx(3 * (70_000 - 65_536), rel=0.05)


def test_weights_by_cluster_draw_whole_clusters():
    groups = ["a", "b", "a", None, "c", None, "b", "a"]
    weights = bootstrap_weights(8, 5_000, seed=1, groups=groups)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 0], weights[:, 7])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 6])
    one_of_each = weights[:, [0, 1, 3, 4, 5]]
    assert (one_of_each.sum(axis=1) == 5).all()
    assert not np.array_equal(weights[:, 3], weights[:, 5])
    np.testing.assert_array_equal(bootstrap_weights(8, 9, groups=range(8)), bootstrap_weights(8, 9))


def test_values_equal_a_loop_over_resampled_examples(f1, monkeypatch):
    generator = np.random.default_rng(0)
    statistics = generator.integers(0, 3, size=(30, 3))
    weights = bootstrap_weights(30, 50, seed=2)
    expected = []
    for row in weights:
        rows = np.repeat(np.arange(30), row.astype(int))
        expected.append(f1(statistics[rows].sum(axis=0)))
    np.testing.assert_allclose(bootstrap_values(statistics, f1, weights), expected, rtol=1e-13)
    monkeypatch.setattr("core.row_blocks.BLOCK_ELEMENTS", 100)
    np.testing.assert_allclose(bootstrap_values(statistics, f1, weights), expected, rtol=1e-13)


def test_sums_are_taken_in_double_precision():
    statistics = np.full((3, 1), 2.0**24 + 1)
    sums = bootstrap_sums(statistics, np.full((1, 3), 3, dtype=np.float32))
    assert sums.tolist() == [[9 * (2.0**24 + 1)]]


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 300, 2**20, 0.5]))
@settings(max_examples=30)
def test_products_in_single_precision_lose_nothing(seed, size):
    generator = np.random.default_rng(seed)
    weights = generator.poisson(1.0, (20, 50)).astype(np.float32)
    columns = generator.integers(-3, 4, (50, 3)) * float(size)
    expected = weights.astype(np.float64) @ columns
    np.testing.assert_array_equal(weighted_sums(weights, columns, float(weights.sum(axis=1).max())), expected)


def test_percentile_interval_leaves_undefined_resamples_out_and_counts_them():
    values = np.concatenate([np.arange(101.0), [np.nan, np.inf, np.nan]])
    assert percentile_interval(values, 0.9) == (pytest.approx(5), pytest.approx(95), 3)
    assert percentile_interval([np.nan, np.nan], 0.95) == (None, None, 2)


def test_interval_agrees_with_scipy(mean, with_ones):
    numbers = np.random.default_rng(4).gamma(2.0, size=60)
    found = bootstrap_interval(with_ones(numbers), mean, resamples=20_000)
    referee = bootstrap((numbers,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    assert found.low == pytest.approx(referee.low, abs=0.02)
    assert found.high == pytest.approx(referee.high, abs=0.02)
    assert found.method == "bootstrap (20,000 resamples)"
    assert found.n_undefined == 0


def test_weights_drawn_before_give_the_same_interval_as_streamed_ones(f1, monkeypatch):
    statistics = np.random.default_rng(0).integers(0, 2, size=(50, 3))
    whole = bootstrap_interval(statistics, f1, weights=bootstrap_weights(50, 700, seed=9))
    streamed = bootstrap_interval(statistics, f1, resamples=700, seed=9)
    assert streamed == whole
    monkeypatch.setattr("core.row_blocks.BLOCK_ELEMENTS", 5 * 50 * 64)
    blocks = list(resampling._weight_blocks(50, 700, 9, None))
    assert len(blocks) == 11
    many_blocks = bootstrap_interval(statistics, f1, resamples=700, seed=9)
    assert many_blocks == bootstrap_interval(statistics, f1, weights=np.concatenate(blocks))


def test_undefined_resamples_are_counted(f1):
    statistics = np.zeros((10, 3))
    statistics[0] = (1, 0, 1)
    found = bootstrap_interval(statistics, f1, resamples=4_000)
    assert (found.low, found.high) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.n_undefined == pytest.approx(4_000 * 0.9**10, rel=0.1)
    nothing = bootstrap_interval(np.zeros((10, 3)), f1, resamples=100)
    assert (nothing.low, nothing.high, nothing.n_undefined) == (None, None, 100)
    assert "undefined in every resample" in nothing.method


def test_a_single_unit_has_no_interval(mean, with_ones):
    one = bootstrap_interval([[1.0, 1.0]], mean)
    assert (one.low, one.high) == (None, None)
    cluster = cluster_bootstrap_interval(with_ones([1.0, 2.0, 3.0]), mean, ["a", "a", "a"])
    assert (cluster.low, cluster.high) == (None, None)
    assert "one cluster alone" in cluster.method


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30), st.integers(2, 4))
@settings(max_examples=50)
def test_repeating_examples_under_a_cluster_key_does_not_narrow_the_cluster_interval(numbers, times):
    def mean(sums):
        return sums[..., 0] / sums[..., 1]

    once = np.column_stack([numbers, np.ones(len(numbers))])
    names = list(range(len(numbers)))
    single = cluster_bootstrap_interval(once, mean, names, resamples=300)
    repeated = cluster_bootstrap_interval(np.repeat(once, times, axis=0), mean, np.repeat(names, times), resamples=300)
    assert repeated.low == pytest.approx(single.low, abs=1e-9)
    assert repeated.high == pytest.approx(single.high, abs=1e-9)


def test_by_cluster_is_wider_where_clusters_differ(mean, with_ones):
    generator = np.random.default_rng(8)
    groups = np.repeat(np.arange(25), 8)
    statistics = with_ones(generator.normal(size=25)[groups] + 0.1 * generator.normal(size=200))
    by_example = bootstrap_interval(statistics, mean, resamples=2_000)
    by_cluster = cluster_bootstrap_interval(statistics, mean, groups, resamples=2_000)
    assert by_cluster.high - by_cluster.low > 2 * (by_example.high - by_example.low)
    assert by_cluster.method == "cluster bootstrap (2,000 resamples, 25 clusters)"


def test_difference_is_paired(mean, with_ones):
    numbers = np.random.default_rng(3).normal(size=80)
    a, b = with_ones(numbers), with_ones(numbers + 0.5)
    found = bootstrap_difference_interval(a, b, mean, resamples=500)
    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(0.5))
    assert bootstrap_difference_interval(b, a, mean, resamples=500).low == pytest.approx(-0.5)


def test_difference_of_means_is_the_mean_of_differences(mean, with_ones):
    a, b = np.random.default_rng(3).normal(size=(2, 80))
    weights = bootstrap_weights(80, 900, groups=[i // 4 for i in range(80)])
    found = bootstrap_difference_interval(
        with_ones(a), with_ones(b), mean, weights=weights, groups=[i // 4 for i in range(80)]
    )
    expected = cluster_bootstrap_interval(with_ones(b - a), mean, [i // 4 for i in range(80)], resamples=900)
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert found.method == expected.method


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda mean: bootstrap_weights(0), "n must be a whole number of at least 1"),
        (lambda mean: bootstrap_weights(5, 0), "resamples must be"),
        (lambda mean: bootstrap_weights(5, 10, groups=["a"]), "each of the 5 examples; found 1"),
        (lambda mean: bootstrap_interval(np.empty((0, 2)), mean), "empty"),
        (lambda mean: bootstrap_interval([1.0, 2.0], mean), r"shape \(examples, k\)"),
        (lambda mean: bootstrap_interval([[1.0, np.nan]], mean), "first at example 0"),
        (lambda mean: bootstrap_interval([[1.0, 1.0]] * 3, mean, level=95), "level must lie between 0 and 1"),
        (lambda mean: bootstrap_interval([[1.0, 1.0]] * 3, mean, weights=np.ones((9, 4))), r"\(resamples, 3\)"),
        (lambda mean: bootstrap_interval([[1.0, 1.0]] * 3, lambda s: s), "it gave the shape"),
        (lambda mean: cluster_bootstrap_interval([[1.0, 1.0]] * 3, mean, ["a", "b"]), "each of the 3 examples"),
        (
            lambda mean: cluster_bootstrap_interval(
                [[1.0, 1.0]] * 4, mean, ["a", "a", "b", "c"], weights=bootstrap_weights(4, 20)
            ),
            "weights were not drawn by cluster",
        ),
        (lambda mean: bootstrap_difference_interval([[1.0, 1.0]] * 3, [[1.0, 1.0]] * 2, mean), "same examples"),
        (lambda mean: percentile_interval([]), "not empty"),
        (lambda mean: percentile_interval([1.0], level=1), "level"),
    ],
)
def test_bad_input(call, message, mean):
    with pytest.raises(ValueError, match=message):
        call(mean)
