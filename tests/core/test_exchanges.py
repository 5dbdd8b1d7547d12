"""The swap test of many pairs at once against the plain one, which recomputes every exchange."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from core.draw_jobs import weighted
from core.exchanges import stacked_rows, swapped_orders
from core.metrics.metric import Metric
from core.metrics.registry import get_metric
from core.resampler import Masked, Resampler, SwapJob
from core.stats.paired import swap_masks, swap_test
from tests.core.made_metrics import Auc

N, TRIALS, SEED, CLASSES = 60, 10_000, 3, 5
GROUPS = [f"g{i // 3}" for i in range(N)]
GAINS = (0.0, 0.1, 0.3)
"""From no difference at all to one that hardly any exchange reaches."""


def classes(seed: int, right: float, n: int = N) -> np.ndarray:
    """Return (tp, fp, fn) for each class of answers of which a share is right."""
    truth, rng = np.random.default_rng(0).integers(0, CLASSES, n), np.random.default_rng(seed)
    answers = np.where(rng.random(n) < right, truth, rng.integers(0, CLASSES, n))
    counts = np.zeros((n, CLASSES, 3))
    hit = answers == truth
    counts[np.arange(n)[hit], truth[hit], 0] = 1
    counts[np.arange(n)[~hit], answers[~hit], 1] = 1
    counts[np.arange(n)[~hit], truth[~hit], 2] = 1
    return counts.reshape(n, -1)


def likelihoods(seed: int, gain: float, n: int = N) -> np.ndarray:
    lengths = np.random.default_rng(0).integers(2, 40, n)
    return np.column_stack([lengths * np.random.default_rng(seed).gamma(2, 1 - 2 * gain, n), lengths])


def scores(seed: int, skill: float, n: int = N) -> np.ndarray:
    """Return (score, reference is the label) for each class; rounded, so that there are ties."""
    truth, rng = np.random.default_rng(0).integers(0, CLASSES, n), np.random.default_rng(seed)
    member = truth[:, None] == np.arange(CLASSES)
    return np.stack([np.round(rng.random((n, CLASSES)) + skill * member, 1), member], axis=2).reshape(n, -1)


def numbers(seed: int, skill: float, n: int = N) -> np.ndarray:
    truth, rng = np.random.default_rng(0).normal(size=n), np.random.default_rng(seed)
    return np.column_stack([np.round(rng.normal(size=n) + (0.3 + skill) * truth, 1), np.round(truth, 1)])


def job(metric: Metric, base: np.ndarray, others: list[np.ndarray], mask: np.ndarray | None = None) -> SwapJob:
    there = np.ones(len(base), dtype=bool) if mask is None else mask
    return SwapJob(metric, [Masked(base, there)] * len(others), [Masked(one, there) for one in others])


@pytest.mark.parametrize("groups", [None, GROUPS])
@pytest.mark.parametrize("name", ["f1_macro", "mcc", "precision_macro", "perplexity"])
def test_values_of_sums_have_the_p_of_the_plain_test(name: str, groups: list[str] | None) -> None:
    metric, make = get_metric(name), likelihoods if name == "perplexity" else classes
    at = 0.0 if name == "perplexity" else 0.5
    base, others = make(1, at), [make(2 + i, at + gain) for i, gain in enumerate(GAINS)]
    p = Resampler(N, groups, seed=SEED, resamples=1, trials=TRIALS).swap([job(metric, base, others)])[0]
    plain = [swap_test(base, one, metric.value, trials=TRIALS, seed=SEED, groups=groups).p for one in others]
    # The same exchanges are counted: at most one or two of ten thousand may be judged otherwise.
    np.testing.assert_allclose(p, np.array(plain, dtype=np.float64), atol=2 / TRIALS)
    assert p[-1] < 0.02 < p[0]


@pytest.mark.parametrize("groups", [None, GROUPS])
@pytest.mark.parametrize("name", ["roc_auc_macro", "pr_auc_macro", "roc_auc_weighted", "spearman"])
def test_values_of_orders_have_the_p_of_the_plain_test(name: str, groups: list[str] | None) -> None:
    metric, make = get_metric(name), numbers if name == "spearman" else scores
    base, others = make(1, 0.2), [make(2 + i, 0.2 + gain) for i, gain in enumerate(GAINS)]
    mask = np.arange(N) % 7 != 3
    p = Resampler(N, groups, seed=SEED, resamples=1, trials=800).swap([job(metric, base, others, mask)])[0]
    masks = swap_masks(N if groups is None else N // 3, 800, SEED)
    masks = masks if groups is None else masks[:, np.arange(N) // 3]
    for one, found in zip(others, p, strict=True):
        plain = plain_p(metric, base[mask], one[mask], masks[:, mask])
        assert found == pytest.approx(plain, abs=2 / 800)


def plain_p(metric: Metric, base: np.ndarray, other: np.ndarray, masks: np.ndarray) -> float:
    """Recompute both sides after each exchange from rows alone, without any weights."""
    sides = np.kron(np.eye(2), np.ones(len(base)))

    def difference(mask: np.ndarray) -> float:
        a, b = np.where(mask[:, None], other, base), np.where(mask[:, None], base, other)
        return float(np.diff(weighted(metric, np.concatenate([a, b]), sides))[0])

    observed = abs(difference(np.zeros(len(base), dtype=bool)))
    drawn = np.abs([difference(mask) for mask in masks])
    return float((1 + np.count_nonzero(drawn >= observed - 1e-9)) / (1 + len(masks)))


def test_the_difference_of_a_roc_auc_is_linear_in_the_signs() -> None:
    """What the speed of its test rests on, over all exchanges of seven examples, ties included."""
    n = 7
    truth = np.array([1, 0, 1, 0, 0, 1, 0])
    a, b = (np.column_stack([np.random.default_rng(seed).integers(0, 4, n), truth]) for seed in (1, 2))
    metric = get_metric("roc_auc")
    stacked = stacked_rows(*(Masked(some.astype(float), np.ones(n, dtype=bool)) for some in (a, b)))
    influence = metric.influence(stacked, np.ones(2 * n))
    assert influence is not None
    signs = np.array(list(product((1, -1), repeat=n)))
    exact = swapped_orders(metric, stacked, signs < 0)
    assert np.ptp(exact) > 0.5
    np.testing.assert_allclose(exact, signs @ (2 * (influence[n:] - influence[:n])), atol=1e-12)


def test_without_influences_every_exchange_is_recomputed() -> None:
    base, other = scores(1, 0.2)[:, :2], scores(2, 0.6)[:, :2]
    draws = Resampler(N, None, seed=SEED, resamples=1, trials=1_000)
    blind, seeing = draws.swap([job(Auc(), base, [other]), job(get_metric("roc_auc"), base, [other])])
    assert blind.tolist() == seeing.tolist()
    assert blind[0] == pytest.approx(plain_p(Auc(), base, other, swap_masks(N, 1_000, SEED)))


def test_what_has_no_value_has_p_one_and_spoils_no_other() -> None:
    base, other = scores(1, 0.2)[:, :2], scores(2, 0.9)[:, :2]
    single = base * [1, 0]  # no positive
    draws = Resampler(N, None, seed=SEED, resamples=1, trials=1_000)
    p = draws.swap([job(get_metric("roc_auc"), single, [single]), job(get_metric("roc_auc"), base, [other])])
    assert p[0].tolist() == [1.0]
    assert p[1][0] == draws.swap([job(get_metric("roc_auc"), base, [other])])[0][0] < 0.05


def test_an_undefined_exchange_counts_as_extreme() -> None:
    """Recall of a class that one side may come to lack: as careful as the plain test."""
    metric = get_metric("mcc")
    base, other = classes(1, 0.9, 6), classes(2, 0.1, 6)
    found = Resampler(6, None, seed=SEED, resamples=1, trials=500).swap([job(metric, base, [other])])[0][0]
    plain = swap_test(base, other, metric.value, trials=500, seed=SEED)
    assert found == pytest.approx(plain.p, abs=1 / 500)
