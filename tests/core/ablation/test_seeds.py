"""Statements about a choice hold their level with three seeds, whatever varies, and find what is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.ablation.seeds import seed_contrast, shared_variance
from core.stats import benjamini_hochberg

LEVELS, SEEDS, EXAMPLES, SWEEPS = 3, 3, 60, 1_000


def simulate(seed_sd: float, taste_sd: float, own_sd: float, effect: float = 0.0) -> np.ndarray:
    """Return the share of sweeps with a statement, over three levels of three seeds; the second level is ``effect`` better.

    Args:
        seed_sd: between seeds.
        taste_sd: how much a level likes one example more than another.
        own_sd: how much a single training does.
        effect: of the second level.
    """
    rng = np.random.default_rng([int(100 * x) for x in (seed_sd, taste_sd, own_sd, effect)])
    shape = (SWEEPS, LEVELS, SEEDS, EXAMPLES)
    each = rng.normal(size=(SWEEPS, 1, 1, EXAMPLES)) + taste_sd * rng.normal(size=(SWEEPS, LEVELS, 1, EXAMPLES))
    each = each + own_sd * rng.normal(size=shape) + seed_sd * rng.normal(size=(*shape[:3], 1))
    each[:, 1] += effect
    flat = each.reshape(SWEEPS, LEVELS * SEEDS, EXAMPLES)
    centred = flat - flat.mean(axis=-1, keepdims=True)
    covariance = centred @ centred.swapaxes(-1, -2) / (EXAMPLES - 1) / EXAMPLES
    values = flat.mean(axis=-1).reshape(SWEEPS, LEVELS, SEEDS)
    p = []
    for other in (1, 2):
        groups = [range(SEEDS), range(other * SEEDS, (other + 1) * SEEDS)]
        shared = shared_variance(covariance, groups, (-1.0, 1.0))
        p.append(seed_contrast([values[:, 0], values[:, other]], (-1.0, 1.0), shared, EXAMPLES).p)
    return np.array([(benjamini_hochberg(row) < 0.05).any() for row in np.array(p).T])


@pytest.mark.parametrize(
    ("seed_sd", "taste_sd", "own_sd"), [(0.0, 0.0, 0.5), (0.0, 0.5, 0.5), (0.05, 0.5, 0.5), (0.3, 0.5, 0.5), (1.0, 0.0, 0.0)]
)  # fmt: skip
def test_noise_gives_a_false_statement_in_one_sweep_of_twenty_at_the_most(
    seed_sd: float, taste_sd: float, own_sd: float
) -> None:
    assert simulate(seed_sd, taste_sd, own_sd).mean() <= 0.065


def test_the_examples_alone_would_take_seeds_for_a_factor() -> None:
    """What the random effect is for: without it, most of these sweeps of pure noise would give a false statement."""
    rng = np.random.default_rng(0)
    values = 0.3 * rng.normal(size=(SWEEPS, 2)) + rng.normal(size=(SWEEPS, 2, EXAMPLES)).mean(axis=-1)
    z = np.abs(values[:, 0] - values[:, 1]) / np.sqrt(2 / EXAMPLES)
    assert np.mean(z > 1.96) > 0.3


def test_a_planted_effect_is_found() -> None:
    assert simulate(0.05, 0.3, 0.3, effect=0.5).mean() > 0.8


def test_without_examples_it_is_welchs_t() -> None:
    a, b = np.array([1.0, 1.4, 0.9]), np.array([2.0, 2.9, 2.2, 2.6])
    found = seed_contrast([a, b], (-1.0, 1.0), 0.0, 100)
    referee: Any = stats.ttest_ind(b, a, equal_var=False)
    assert float(found.p) == pytest.approx(referee.pvalue)
    assert [float(end) for end in found.interval(0.95)] == pytest.approx(list(referee.confidence_interval(0.95)))


def test_examples_that_all_seeds_share_widen_the_interval() -> None:
    a, b = np.array([1.0, 1.4, 0.9]), np.array([2.0, 2.9, 2.2])
    without, with_them = (seed_contrast([a, b], (-1.0, 1.0), variance, 50) for variance in (0.0, 0.2))
    assert float(with_them.error) ** 2 == pytest.approx(float(without.error) ** 2 + 0.2)
    assert float(with_them.p) > float(without.p) and float(with_them.degrees) > float(without.degrees)


def test_what_is_each_seeds_own_is_not_counted_twice() -> None:
    groups = [[0, 1, 2], [3, 4, 5]]
    assert shared_variance(np.eye(6), groups, (-1.0, 1.0)) == pytest.approx(0.0)
    block = np.kron(np.eye(2), np.ones((3, 3)))
    assert shared_variance(block, groups, (-1.0, 1.0)) == pytest.approx(2.0)
    assert shared_variance(np.ones((6, 6)), groups, (-1.0, 1.0)) == pytest.approx(0.0), (
        "an example hard for all is no difference"
    )


def test_one_seed_has_no_spread() -> None:
    with pytest.raises(ValueError, match="two seeds or more in every configuration"):
        seed_contrast([np.array([1.0]), np.array([1.0, 2.0])], (-1.0, 1.0), 0.0, 10)


def test_no_spread_at_all() -> None:
    same = np.array([1.0, 1.0, 1.0])
    assert float(seed_contrast([same, same], (-1.0, 1.0), 0.0, 10).p) == 1.0
    assert float(seed_contrast([same, same + 1], (-1.0, 1.0), 0.0, 10).p) == 0.0
