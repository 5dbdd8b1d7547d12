import numpy as np
import pytest

from core.stats import block_codes, block_length, bootstrap_weights, stationary_bootstrap_weights


def test_weights_are_counts_of_n_draws_and_fair():
    weights = stationary_bootstrap_weights(40, 20_000, seed=1, mean_length=5)
    assert weights.dtype == np.float32
    assert (weights.sum(axis=1) == 40).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(40), abs=0.05)


def test_fewer_resamples_are_the_first_of_more():
    many = stationary_bootstrap_weights(500, 9_000, seed=5)
    np.testing.assert_array_equal(stationary_bootstrap_weights(500, 4_001, seed=5), many[:4_001])


def test_blocks_have_the_mean_length_and_run_round_the_end():
    """Neighbours go together as often as a geometric block length says, the last and the first as well."""
    n, length = 30, 4
    weights = stationary_bootstrap_weights(n, 40_000, seed=2, mean_length=length)
    # Covariance of the counts of positions d apart, by Politis & Romano: the sum over draws of the chance to stay together.
    independent = bootstrap_weights(n, 40_000, seed=2)
    near = np.mean((weights - 1) * (np.roll(weights, 1, axis=1) - 1))
    assert near > 0.5
    assert np.mean((independent - 1) * (np.roll(independent, 1, axis=1) - 1)) < 0
    at_the_end = np.mean((weights[:, -1] - 1) * (weights[:, 0] - 1))
    assert at_the_end == pytest.approx(near, abs=0.08)


def test_a_mean_length_of_one_is_the_bootstrap():
    weights = stationary_bootstrap_weights(25, 20_000, seed=3, mean_length=1)
    assert weights.var() == pytest.approx(1 - 1 / 25, rel=0.03)
    assert np.cov(weights[:, 0], weights[:, 1])[0, 1] == pytest.approx(-1 / 25, abs=0.04)


def test_the_variance_of_a_mean_is_politis_and_romano_s_formula():
    generator = np.random.default_rng(0)
    n, length = 120, 6
    series = np.convolve(generator.normal(size=n + 4), np.ones(5), mode="valid")
    weights = stationary_bootstrap_weights(n, 30_000, seed=1, mean_length=length)
    found = np.var(weights.astype(float) @ series / n)
    centred = series - series.mean()
    q = 1 - 1 / length
    circular = [np.mean(centred * np.roll(centred, -lag)) for lag in range(n)]
    # Politis & Romano (1994), lemma 1, for circular autocovariances.
    expected = (circular[0] + 2 * sum((1 - i / n) * q**i * circular[i] for i in range(1, n))) / n
    assert found == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("n", "length"), [(1, 1), (8, 2), (60, 4), (1_000, 10), (10**6, 100)])
def test_the_customary_length_is_the_cube_root(n, length):
    assert block_length(n) == length


def test_exchanged_blocks_are_neighbours():
    assert block_codes(7, 3).tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert len(np.unique(block_codes(60))) == 15


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stationary_bootstrap_weights(0), "n must be"),
        (lambda: stationary_bootstrap_weights(5, 0), "resamples must be"),
        (lambda: stationary_bootstrap_weights(5, 5, mean_length=0.5), "mean_length must be a number of at least 1"),
        (lambda: stationary_bootstrap_weights(5, 5, mean_length=float("nan")), "mean_length"),
        (lambda: block_codes(5, 0), "length must be"),
        (lambda: block_length(0), "n must be"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
