"""How the examples moved: counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.diagnostics.lengths import length_groups
from core.diagnostics.paired import differences, in_bin, outcome_of, paired_differences, win_tie_loss

SCORES = pd.DataFrame(
    {
        "baseline": [0.2, 0.5, 0.5, 0.1 + 0.2, np.nan, 1.0],
        "qv-r8": [0.7, 0.5, 0.3, 0.3, 0.4, 0.0],
        "qv-r2": [0.2, 0.6, np.nan, 0.4, 0.4, 1.0],
    },
    index=pd.Index(list("abcdef"), name="example_id"),
)


def test_ties_are_counted_apart_and_rounding_is_a_tie() -> None:
    found = paired_differences(SCORES, "baseline", "qv-r8")
    assert (found.n, found.n_ties, found.n_up, found.n_down, found.n_missing) == (5, 2, 1, 2, 1)
    assert found.mean == pytest.approx((0.5 - 0.2 - 1.0) / 5) and found.median == 0


def test_bins_have_one_width_with_zero_among_the_edges_and_hold_each_moved_example_once() -> None:
    found = paired_differences(SCORES, "baseline", "qv-r8")
    assert np.diff(found.edges) == pytest.approx(0.1) and 0.0 in found.edges
    assert found.edges[0] == pytest.approx(-1.0) and found.edges[-1] == pytest.approx(0.5)
    assert found.counts.sum() == 3 and found.counts[0] == 1 and found.counts[-1] == 1
    moved = differences(SCORES, "baseline", "qv-r8")
    inside = [in_bin(moved, low, high) for low, high in zip(found.edges[:-1], found.edges[1:], strict=True)]
    assert [int(mask.sum()) for mask in inside] == found.counts.tolist()
    assert in_bin(moved, 0.0, 0.0).tolist() == [False, True, False, True, False, False]


def test_nothing_moved_has_no_bins() -> None:
    found = paired_differences(SCORES[["baseline"]].assign(same=SCORES["baseline"]), "baseline", "same")
    assert not len(found.edges) and not len(found.counts) and (found.n_ties, found.n_missing) == (5, 1)


@pytest.mark.parametrize(("higher", "wins", "losses"), [(True, 1, 2), (False, 2, 1)])
def test_wins_ties_and_losses_follow_the_direction(higher: bool, wins: int, losses: int) -> None:
    one, two = win_tie_loss(SCORES, "baseline", ["qv-r8", "qv-r2"], higher)
    assert (one.wins, one.ties, one.losses, one.n_missing) == (wins, 2, losses, 1)
    assert two.variant == "qv-r2" and two.wins + two.ties + two.losses == 4 and two.n_missing == 2
    assert outcome_of(np.array([1.0, np.nan]), higher).tolist() == ["win" if higher else "loss", "none"]


def test_groups_of_length_are_of_about_equal_size_and_part_no_length() -> None:
    lengths = np.array([1, 2, 2, 2, 3, 4, 5, 6, 7, 8, np.nan])
    scores = np.array([1, 0, 0, 3, 1, 1, 1, 1, 1, 6, 9], dtype=float)
    first, second = length_groups(lengths, scores, groups=2)
    assert (first.low, first.high, first.n, second.low, second.high, second.n) == (1, 3, 5, 4, 8, 5)
    assert first.mean_score == pytest.approx(1.0) and second.mean_score == pytest.approx(2.0)
    assert first.mean_length == pytest.approx(2.0) and second.mean_length == pytest.approx(6.0)


def test_all_of_one_length_are_one_group_and_none_known_is_no_group() -> None:
    assert [group.n for group in length_groups(np.full(20, 7.0), np.arange(20.0))] == [20]
    assert length_groups(np.full(3, np.nan), np.arange(3.0)) == ()
