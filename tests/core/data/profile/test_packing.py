from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.profile.packing import pack, packing_cost


def _slow_best_fit(lengths: list[int], size: int) -> int:
    spaces: list[int] = []
    for length in sorted((min(x, size) for x in lengths if x > 0), reverse=True):
        fitting = [space for space in spaces if space >= length]
        if fitting:
            spaces.remove(min(fitting))
            spaces.append(min(fitting) - length)
        else:
            spaces.append(size - length)
    return len(spaces)


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 30))
def test_packing_is_best_fit_decreasing(lengths: list[int], size: int) -> None:
    bins = pack(lengths, size)
    assert len(bins) == _slow_best_fit(lengths, size)
    assert all(0 < sum(one) <= size for one in bins)
    assert sorted(x for one in bins for x in one) == sorted(min(x, size) for x in lengths if x > 0)


def test_the_example_of_trls_documentation() -> None:
    assert sorted(map(sorted, pack([5, 2, 3, 1], 4))) == [[1, 3], [2], [4]]


def test_costs_of_padding_and_packing() -> None:
    cost = packing_cost(np.array([10, 10, 2, 2]), 10, batch_size=4)
    assert cost.tokens == 24
    assert cost.padded_share == pytest.approx(1 - 24 / 40)
    assert (cost.blocks, cost.rows_a_block) == (3, pytest.approx(4 / 3))
    assert cost.packed_share == pytest.approx(1 - 24 / 30)


def test_rows_are_packed_within_a_thousand_and_long_files_are_sampled() -> None:
    assert packing_cost(np.full(1001, 1), 1001).blocks == 2
    long = packing_cost(np.full(150_500, 3), 9)
    assert long.sampled and long.rows == 99_500
    assert long.packed_share == pytest.approx(1 - long.tokens / (long.blocks * 9))


def test_no_rows_and_no_tokens_have_no_share() -> None:
    for lengths in ([], [0, 0]):
        cost = packing_cost(np.array(lengths, dtype=np.int32), 8)
        assert (cost.padded_share, cost.packed_share, cost.rows_a_block, cost.blocks) == (None, None, None, 0)


@pytest.mark.parametrize(("max_length", "batch_size"), [(0, 8), (8, 0)])
def test_sizes_below_one_are_refused(max_length: int, batch_size: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        packing_cost(np.array([1]), max_length, batch_size=batch_size)
