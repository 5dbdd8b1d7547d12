"""What is drawn for each rater."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ratings import sides

SEEDS = st.integers(0, 2**31)
RATERS = st.integers(1, 500)


@given(SEEDS, RATERS, st.integers(0, 50))
def test_sides_are_balanced_within_each_block(seed: int, rater: int, block: int) -> None:
    positions = range(block * sides.SIDE_BLOCK, (block + 1) * sides.SIDE_BLOCK)
    assert sum(sides.swapped(seed, rater, position) for position in positions) == sides.SIDE_BLOCK // 2


def test_sides_cannot_be_guessed_from_rater_or_position() -> None:
    shown = [[sides.swapped(7, rater, position) for position in range(8)] for rater in range(1, 401)]
    assert len({tuple(row) for row in shown}) >= 30  # of 36 that two blocks can make
    for position in range(8):
        assert 150 < sum(row[position] for row in shown) < 250


@given(SEEDS, RATERS, st.integers(0, 20), st.integers(3, 5))
def test_of_rankings_each_output_stands_once_at_each_place(seed: int, rater: int, block: int, n: int) -> None:
    orders = [sides.shown_order(seed, rater, block * n + at, n) for at in range(n)]
    assert all(sorted(column) == list(range(n)) for column in zip(*orders, strict=True))
    assert all(sorted(order) == list(range(n)) for order in orders)


def test_a_single_output_has_one_order_and_a_pair_two() -> None:
    assert sides.shown_order(1, 1, 0, 1) == (0,)
    assert {sides.shown_order(1, 1, position, 2) for position in range(4)} == {(0, 1), (1, 0)}


@pytest.mark.parametrize(("share", "length"), [(0.1, 10), (0.12, 8), (0.15, 7), (0.5, 2)])
@given(seed=SEEDS, rater=RATERS, block=st.integers(0, 20))
def test_one_item_of_each_block_comes_back(share: float, length: int, seed: int, rater: int, block: int) -> None:
    assert sum(sides.comes_back(seed, rater, block * length + at, share) for at in range(length)) == 1


def test_no_share_no_repeat() -> None:
    assert not any(sides.comes_back(1, 1, position, 0.0) for position in range(100))


@given(SEEDS, RATERS, st.integers(1, 12), st.integers(12, 300))
def test_gold_items_are_spread_and_in_order(seed: int, rater: int, n_gold: int, expected: int) -> None:
    due = [sides.gold_position(seed, rater, number, n_gold, expected) for number in range(n_gold)]
    assert due == sorted(due) and len(set(due)) == n_gold
    assert due[-1] < min(expected, n_gold * sides.GOLD_EVERY)


@given(SEEDS, RATERS, st.integers(1, 3000))
def test_a_path_is_an_order_of_all_items(seed: int, rater: int, n: int) -> None:
    a, b = sides.path(seed, rater, n)
    assert len({(a * place + b) % n for place in range(n)}) == n


def test_raters_go_different_ways() -> None:
    starts = Counter(sides.path(3, rater, 100) for rater in range(1, 101))
    assert max(starts.values()) <= 3
