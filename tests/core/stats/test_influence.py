import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.metrics.registry import get_metric
from core.stats import (
    bootstrap_values,
    bootstrap_weights,
    cluster_standard_error,
    influence_difference_interval,
    influence_error,
    influence_interval,
    influence_values,
    large_swap_test,
    mean_t_test,
    percentile_interval,
    swap_test,
)

SEEDS = st.integers(0, 2**32 - 1)
N = 6_000
SHARED = np.random.default_rng(0)
LENGTHS = SHARED.integers(5, 40, N)
EASE = SHARED.beta(4, 3, N)


def bleu_statistics(seed: int, gain: float = 0.0) -> np.ndarray:
    """Statistics in sacrebleu's order of texts that match n-grams the rarer the longer they are."""
    generator = np.random.default_rng(seed)
    text = np.maximum(4, LENGTHS + generator.integers(-2, 3, N))
    totals = np.stack([text - order for order in range(4)], axis=1)
    chance = np.clip(EASE + gain, 0, 1)[:, None] ** np.arange(1, 5)
    return np.column_stack([text, LENGTHS, generator.binomial(totals, chance), totals]).astype(float)


def f1_statistics(seed: int, skill: float = 0.6) -> np.ndarray:
    """(tp, fp, fn) of 5 classes of unequal frequency."""
    generator = np.random.default_rng(seed)
    truth = np.random.default_rng(99).choice(5, N, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    answer = np.where(generator.random(N) < skill, truth, generator.integers(0, 5, N))
    counts = np.zeros((N, 5, 3))
    rows, hit = np.arange(N), truth == answer
    counts[rows[hit], truth[hit], 0] = 1
    counts[rows[~hit], answer[~hit], 1] = 1
    counts[rows[~hit], truth[~hit], 2] = 1
    return counts.reshape(N, 15)


def perplexity_statistics(seed: int, gain: float = 0.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.column_stack([LENGTHS * (3 * EASE - gain + generator.normal(0, 0.4, N)), LENGTHS])


def accuracy_statistics(seed: int, gain: float = 0.0) -> np.ndarray:
    right = np.random.default_rng(seed).random(N) < np.clip(EASE + gain, 0, 1)
    return np.column_stack([right, np.ones(N)]).astype(float)


MADE = {
    "bleu": (bleu_statistics, 0.001), "f1_macro": (f1_statistics, 0.605), "perplexity": (perplexity_statistics, 0.01),
    "accuracy": (accuracy_statistics, 0.01),
}  # fmt: skip


@pytest.fixture(scope="module")
def resampled() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Values of both variants in 40,000 resamples: with fewer the bootstrap's own width is not known to one percent."""
    made = {name: (make(1), make(2, gain)) for name, (make, gain) in MADE.items()}
    drawn = {name: ([], []) for name in MADE}
    for seed in range(8):
        weights = bootstrap_weights(N, 5_000, seed=seed)
        for name, arrays in made.items():
            for array, values in zip(arrays, drawn[name], strict=True):
                values.append(bootstrap_values(array, get_metric(name).value, weights))
    return {name: (np.concatenate(a), np.concatenate(b)) for name, (a, b) in drawn.items()}


@pytest.mark.parametrize("name", MADE)
def test_intervals_are_within_two_percent_of_the_bootstrap_s_width(name, resampled):
    make, gain = MADE[name]
    value, a, b = get_metric(name).value, make(1), make(2, gain)
    drawn_a, drawn_b = resampled[name]
    for linear, drawn in (
        (influence_interval(a, value), drawn_a),
        (influence_interval(b, value), drawn_b),
        (influence_difference_interval(a, b, value), drawn_b - drawn_a),
    ):
        low, high, _ = percentile_interval(drawn)
        assert linear.high - linear.low == pytest.approx(high - low, rel=0.02)
        assert linear.low == pytest.approx(low, abs=0.02 * (high - low))


@pytest.mark.parametrize("name", MADE)
def test_the_linear_swap_test_agrees_with_the_drawn_one(name):
    make, gain = MADE[name]
    value, a, b = get_metric(name).value, make(1), make(2, gain)
    linear, drawn = large_swap_test(a, b, value), swap_test(a, b, value, trials=4_000)
    assert linear.statistic == pytest.approx(drawn.statistic)
    assert linear.p == pytest.approx(drawn.p, abs=4 * np.sqrt(0.25 / 4_000))
    assert linear.method == "swap test (normal approximation)"
    assert 0.001 < linear.p < 0.999  # neither end would show an error
    turned = large_swap_test(b, a, value)
    assert (turned.statistic, turned.p) == (pytest.approx(-linear.statistic), pytest.approx(linear.p))


def test_by_cluster_the_linear_swap_test_agrees_too():
    value, a, b = get_metric("perplexity").value, perplexity_statistics(1), perplexity_statistics(2, 0.01)
    groups = np.arange(N) // 3
    linear, drawn = (test(a, b, value, groups=groups) for test in (large_swap_test, swap_test))
    assert linear.method == "cluster swap test (normal approximation, 2,000 clusters)"
    assert linear.p == pytest.approx(drawn.p, abs=0.03)


def test_few_differing_examples_are_drawn_as_if_the_others_were_not_there():
    value, a = get_metric("perplexity").value, perplexity_statistics(1)
    b = a.copy()
    b[:12, 0] += np.arange(-4, 8)
    found = large_swap_test(a, b, value, trials=20_000)
    assert found.method == "swap test (20,000 draws)"
    assert found.p == pytest.approx(swap_test(a, b, value, trials=5_000).p, abs=0.03)
    same = large_swap_test(a, a, value)
    assert (same.statistic, same.p) == (0, 1)


@given(SEEDS, st.integers(3, 30))
@settings(max_examples=40)
def test_influences_of_a_mean_are_its_centred_values(seed, n):
    numbers = np.random.default_rng(seed).integers(-3, 4, n).astype(float)
    statistics = np.column_stack([numbers, np.ones(n)])
    found = influence_values(statistics, lambda sums: sums[..., 0] / sums[..., 1])
    np.testing.assert_allclose(found, (numbers - numbers.mean()) / n, atol=1e-8)


@given(SEEDS)
@settings(max_examples=40)
def test_influences_are_derivatives_by_weight(seed):
    statistics = np.random.default_rng(seed).gamma(2, size=(12, 3))

    def value(sums):
        return np.log(sums[..., 0]) * sums[..., 1] / sums[..., 2]

    found, step = influence_values(statistics, value), 1e-5
    for i in range(12):
        more, less = (np.ones(12), np.ones(12))
        more[i], less[i] = 1 + step, 1 - step
        expected = (value(more @ statistics) - value(less @ statistics)) / (2 * step)
        assert found[i] == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_centred_sums_near_zero_do_not_spoil_the_steps():
    generator = np.random.default_rng(0)
    x = generator.normal(size=500)
    y = x + generator.normal(size=500)
    x, y = x - x.mean(), y - y.mean()
    statistics = np.column_stack([x, y, x * x, y * y, x * y, np.ones(500)])

    def pearson(sums):
        a, b, aa, bb, ab, n = np.moveaxis(sums, -1, 0)
        return (ab - a * b / n) / np.sqrt((aa - a * a / n) * (bb - b * b / n))

    r = float(pearson(statistics.sum(axis=0)))
    # The influence function of the correlation (Devlin, Gnanadesikan & Kettenring, 1975).
    u, v = x / x.std(), y / y.std()
    np.testing.assert_allclose(influence_values(statistics, pearson) * 500, u * v - r * (u**2 + v**2) / 2, atol=1e-6)


def test_a_column_that_is_never_seen_has_no_influence(f1):
    statistics = np.zeros((10, 3))
    statistics[:, 0] = 1
    found = influence_interval(statistics, f1)
    assert (found.low, found.high) == pytest.approx((1, 1), abs=1e-9)


def test_by_cluster_the_error_of_a_mean_is_the_small_sample_one(mean, with_ones):
    generator = np.random.default_rng(1)
    clusters = generator.integers(0, 7, 60)
    values = generator.normal(size=60) + clusters / 4
    influence = influence_values(with_ones(values), mean)
    expected = cluster_standard_error(values, clusters)
    assert influence_error(influence, clusters) == (pytest.approx(expected.clustered_small_sample, rel=1e-6), 7)
    found, referee = influence_interval(with_ones(values), mean, groups=clusters), mean_t_test(values, groups=clusters)
    assert (found.low, found.high) == pytest.approx((referee.low, referee.high), rel=1e-6)
    assert found.method == "influence functions (7 clusters, Student's t)"


@given(SEEDS, st.integers(2, 4))
@settings(max_examples=20)
def test_repeating_examples_under_a_cluster_key_does_not_narrow(seed, times):
    statistics = np.random.default_rng(seed).gamma(2, size=(15, 2))
    value = lambda sums: np.exp(sums[..., 0] / sums[..., 1])  # noqa: E731
    once = influence_interval(statistics, value, groups=range(15))
    repeated = influence_interval(np.repeat(statistics, times, axis=0), value, groups=np.repeat(np.arange(15), times))
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high), rel=1e-6)


def test_one_unit_or_no_value_has_no_interval(mean, with_ones, f1):
    assert influence_interval([[1.0, 1.0]], mean).method == "none: one example alone shows no uncertainty"
    assert influence_interval(with_ones([1.0, 2.0]), mean, groups=["a", "a"]).low is None
    assert influence_interval(np.zeros((5, 3)), f1).method == "none: the value is undefined"
    assert large_swap_test(np.zeros((2_000, 3)), np.ones((2_000, 3)), f1).p is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda mean: influence_values([[1.0, np.nan]], mean), "NaN"),
        (lambda mean: influence_interval([[1.0, 1.0]] * 3, mean, level=95), "level"),
        (lambda mean: influence_interval([[1.0, 1.0]] * 3, mean, groups=["a"]), "each of the 3 examples"),
        (lambda mean: influence_difference_interval([[1.0, 1.0]] * 3, [[1.0, 1.0]], mean), "same examples"),
        (lambda mean: large_swap_test([[1.0, 1.0]] * 3, [[1.0, 1.0]], mean), "same examples"),
        (lambda mean: large_swap_test([[1.0, 1.0]] * 3, [[1.0, 1.0]] * 3, mean, groups=["a"]), "each of the 3"),
    ],
)
def test_bad_input(call, message, mean):
    with pytest.raises(ValueError, match=message):
        call(mean)
