"""Tests that stop early: the published rule, its level, and that small p-values are told from all trials."""

from __future__ import annotations

import numpy as np
import pytest

from core.stats.sequential import SequentialCounts


def p_of(flags: np.ndarray, enough: int | None, blocks: int = 1) -> np.ndarray:
    counts = SequentialCounts(len(flags), flags.shape[1], enough)
    for block in np.array_split(np.arange(flags.shape[1]), blocks):
        for test in counts.open:
            counts.add(int(test), flags[test, block])
    return counts.p()


def test_it_stops_at_the_trial_that_was_enough() -> None:
    flags = np.zeros((2, 10), dtype=bool)
    flags[0, [1, 3, 4]] = True
    flags[1, 7] = True
    # Besag and Clifford: h / l where the h-th extreme trial is the l-th of all, (g + 1) / (n + 1) where it never comes.
    assert p_of(flags, enough=2).tolist() == [2 / 4, 2 / 11]
    assert p_of(flags, enough=None).tolist() == [4 / 11, 2 / 11]


@pytest.mark.parametrize("blocks", [1, 3, 7])
def test_blocks_do_not_matter(blocks: int) -> None:
    flags = np.random.default_rng(1).random((40, 700)) < np.random.default_rng(2).random((40, 1))
    np.testing.assert_array_equal(p_of(flags, 50, blocks), p_of(flags, 50))


def test_a_stopped_test_takes_no_further_trial() -> None:
    counts = SequentialCounts(2, 100, enough=3)
    counts.add(0, np.array([True, True, True, False]))
    assert counts.open.tolist() == [1]
    assert counts.p()[0] == 1.0


def test_the_level_holds() -> None:
    generator = np.random.default_rng(3)
    # Under the null the rank of what was observed is uniform: a trial is as extreme with a probability that is uniform itself.
    chance = generator.random((20_000, 1))
    p = p_of(generator.random((20_000, 400)) < chance, enough=10)
    for level in (0.01, 0.05, 0.1, 0.3):
        share = float((p <= level).mean())
        assert share <= level + 3 * np.sqrt(level * (1 - level) / len(p))
