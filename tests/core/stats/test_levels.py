"""How often the tests reject where there is no difference, and the intervals hold the truth: by simulation, seeds fixed."""

from functools import cache

import numpy as np

from core.resampler import Masked, Resampler, SwapJob
from core.stats import (
    block_codes,
    bootstrap_interval,
    bootstrap_weights,
    cochran_q,
    equivalence_test,
    friedman,
    mcnemar,
    mean_t_test,
    sign_flip_test,
    swap_masks,
    swap_test,
    wilson_interval,
)
from tests.core.made_metrics import Auc

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


def test_t_of_few_clusters_keeps_its_level():
    """Ten clusters of unequal size that share an effect of their own: the naive test would reject every third null."""
    generator = np.random.default_rng(7)
    groups = np.repeat(np.arange(10), [3, 4, 4, 5, 5, 5, 5, 6, 6, 7])
    differences = generator.normal(size=(NULLS, 10))[:, groups] + generator.normal(size=(NULLS, N))
    rejected = np.mean([mean_t_test(d, groups=groups).p <= ALPHA for d in differences])
    assert 0.03 <= rejected <= 0.065
    assert np.mean([mean_t_test(d).p <= ALPHA for d in differences[:1_000]]) > 0.2


def test_blocks_keep_the_level_of_a_time_series():
    """Neighbours that go together: exchanged one by one the test would reject too often, by blocks it does not."""
    generator = np.random.default_rng(8)
    noise = generator.normal(size=(NULLS, N + 1))
    differences = noise[:, 1:] + 0.4 * noise[:, :-1]
    blocks = block_codes(N)
    p = [sign_flip_test(d, groups=blocks, trials=499, seed=i).p for i, d in enumerate(differences)]
    by_example = [sign_flip_test(d, trials=499, seed=i).p for i, d in enumerate(differences[:3_000])]
    assert 0.03 <= np.mean(np.array(p) <= ALPHA) <= 0.065
    assert np.mean(np.array(by_example) <= ALPHA) > np.mean(np.array(p) <= ALPHA) + 0.02


def test_tests_of_several_variants_keep_their_level():
    generator = np.random.default_rng(9)
    ease = generator.beta(2, 2, size=(NULLS, N, 1))
    rates = generator.random((NULLS, N, 4)) < ease
    scores = generator.normal(size=(3_000, N, 4)) + generator.normal(size=(3_000, N, 1))
    assert 0.03 <= np.mean([cochran_q(table).p <= ALPHA for table in rates]) <= 0.065
    assert 0.03 <= np.mean([friedman(table).p <= ALPHA for table in scores]) <= 0.065


def test_equivalence_is_claimed_rarely_at_the_edge_of_the_band():
    differences = np.random.default_rng(10).normal(0.5, 1, size=(NULLS, N))
    claimed = np.mean([equivalence_test(d, 0.5).within for d in differences])
    assert 0.03 <= claimed <= 0.065


def test_exchanging_keeps_the_level_of_an_ordered_value():
    generator = np.random.default_rng(11)
    positive = np.arange(N) % 3 == 0
    everyone = np.ones(N, dtype=bool)
    draws = Resampler(N, None, seed=0, resamples=1, trials=199)
    rejected = 0
    for _ in range(1_000):
        shared = positive + generator.normal(size=N)
        a, b = (Masked(np.column_stack([shared + generator.normal(size=N), positive]), everyone) for _ in range(2))
        rejected += draws.swap([SwapJob(Auc(), [a], [b])])[0][0] <= ALPHA
    assert 0.03 <= rejected / 1_000 <= 0.07
