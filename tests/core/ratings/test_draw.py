"""The draw of examples: strata, seeds, and that every example has the same chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from core.ratings.draw import stratified_draw


@given(
    st.lists(st.sampled_from(["a", "b", "c", "语"]), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 1000)
)
def test_shares_of_strata_are_kept(strata: list[str], n: int, seed: int) -> None:
    chosen = stratified_draw(strata, n, seed)
    assert len(chosen) == len(set(chosen)) == min(n, len(strata))
    sizes, drawn = Counter(strata), Counter(strata[place] for place in chosen)
    for name, size in sizes.items():
        assert abs(drawn[name] - len(chosen) * size / len(strata)) < 1
    assert chosen == stratified_draw(strata, n, seed)


def test_every_example_has_its_stratums_chance_and_order_is_random() -> None:
    strata = ["a"] * 12 + ["b"] * 8
    counts, firsts = np.zeros(20), np.zeros(20)
    for seed in range(2000):
        chosen = stratified_draw(strata, 5, seed)
        counts[chosen] += 1
        firsts[chosen[0]] += 1
    assert chisquare(counts[:12]).pvalue > 1e-3 and chisquare(counts[12:]).pvalue > 1e-3
    assert chisquare(firsts, np.array([2000 * 3 / 5 / 12] * 12 + [2000 * 2 / 5 / 8] * 8)).pvalue > 1e-3


def test_chance_decides_between_equal_remainders() -> None:
    winners = Counter(
        tuple(sorted("ab"[place // 3] for place in stratified_draw(["a"] * 3 + ["b"] * 3, 3, seed)))
        for seed in range(200)
    )
    assert set(winners) == {("a", "a", "b"), ("a", "b", "b")} and min(winners.values()) > 60
