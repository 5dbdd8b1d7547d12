"""How often the tests reject where there is no difference, and the intervals hold the truth: by simulation, seeds fixed."""

from functools import cache

import numpy as np

from core.stats import (
    bootstrap_interval,
    bootstrap_weights,
    mcnemar,
    sign_flip_test,
    swap_masks,
    swap_test,
    wilson_interval,
)

NULLS, N, ALPHA = 10_000, 50, 0.05


@cache
def _mid_p(only_a: int, only_b: int) -> float:
    return mcnemar(only_a, only_b).mid_p


def test_mid_p_keeps_its_level():
    generator = np.random.default_rng(0)
    for discordant in (0.1, 0.3, 0.6):
        chances = [discordant / 2, discordant / 2, 1 - discordant]
        tables = generator.multinomial(N, chances, size=NULLS)
        rejected = np.mean([_mid_p(int(a), int(b)) <= ALPHA for a, b, _ in tables])
        assert rejected <= 0.065
    # The last setting has enough discordant pairs for the test not to be idle.
    assert rejected >= 0.03


def test_sign_flip_keeps_its_level_on_continuous_differences():
    differences = np.random.default_rng(1).standard_t(3, size=(NULLS, N))
    p = np.array([sign_flip_test(d, trials=499, seed=i).p for i, d in enumerate(differences)])
    assert 0.03 <= np.mean(p <= ALPHA) <= 0.065


def test_swap_test_keeps_its_level_on_a_corpus_value():
    generator = np.random.default_rng(2)
    # A ratio of sums, as token-weighted perplexity is; both variants share each example's difficulty and length.
    lengths = generator.integers(5, 60, size=(NULLS, N, 1))
    nll = lengths * (2 + generator.normal(size=(NULLS, N, 1)) * 0.5 + generator.normal(size=(NULLS, N, 2)) * 0.3)
    masks = swap_masks(N, 1_999, seed=3)

    def perplexity(sums: np.ndarray) -> np.ndarray:
        return np.exp(sums[..., 0] / sums[..., 1])

    def p_of(i: int) -> float:
        a, b = (np.column_stack([nll[i, :, side], lengths[i, :, 0]]) for side in (0, 1))
        p = swap_test(a, b, perplexity, masks=masks).p
        assert p is not None
        return p

    assert 0.03 <= np.mean([p_of(i) <= ALPHA for i in range(NULLS)]) <= 0.065


def test_bootstrap_interval_of_a_mean_covers_about_as_often_as_it_says(mean, with_ones):
    generator = np.random.default_rng(4)
    weights = bootstrap_weights(N, 1_000, seed=5).astype(np.float64)
    intervals = [
        bootstrap_interval(with_ones(generator.normal(3, 2, size=N)), mean, weights=weights) for _ in range(2_000)
    ]
    assert 0.92 <= np.mean([i.low <= 3 <= i.high for i in intervals]) <= 0.965


def test_wilson_covers_rates_near_the_edge():
    for rate in (0.02, 0.1, 0.5, 0.95):
        hits = np.random.default_rng(6).binomial(N, rate, size=NULLS)
        bounds = {int(k): wilson_interval(int(k), N) for k in np.unique(hits)}
        covered = np.mean([bounds[int(k)][0] <= rate <= bounds[int(k)][1] for k in hits])
        assert covered >= 0.91
