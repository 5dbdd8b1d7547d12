"""The gain strip: every character once, every token's gain once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gains import gain_strip
from core.records import Likelihood


def _likelihood(starts: list[int], logprobs: list[float], text: str) -> Likelihood:
    return Likelihood(
        tuple(range(len(starts))), tuple(logprobs), tuple(starts), (False,) * len(starts), len(text.encode())
    )


def test_each_token_has_its_own_gain_and_the_end_of_the_turn_too() -> None:
    strip = gain_strip(
        "we go", _likelihood([0, 2, 5], [-1, -2, -0.5], "we go"), _likelihood([0, 2, 5], [-3, -1, -0.5], "we go")
    )
    assert [(gain.text, gain.nats) for gain in strip.gains] == [("we", 2.0), (" go", -1.0), ("", 0.0)]
    assert [gain.is_end for gain in strip.gains] == [False, False, True]
    assert strip.total == 1.0


def test_byte_tokens_of_one_character_are_one_piece() -> None:
    starts = [0, 1, 1, 1, 2]
    strip = gain_strip(
        "a好b", _likelihood(starts, [-1, -1, -2, -3, -1], "a好b"), _likelihood(starts, [-1, -2, -2, -4, -1], "a好b")
    )
    assert [(gain.text, gain.nats, gain.n_tokens) for gain in strip.gains] == [
        ("a", 0.0, 1),
        ("好", 2.0, 3),
        ("b", 0.0, 1),
    ]


def test_other_tokenizers_are_compared_over_the_same_text_only() -> None:
    ours, theirs = _likelihood([0, 2, 4, 6], [-1] * 4, "abcdef"), _likelihood([0, 3, 4, 6], [-2] * 4, "abcdef")
    strip = gain_strip("abcdef", ours, theirs)
    assert [(gain.text, gain.nats) for gain in strip.gains] == [("abcd", 2.0), ("ef", 1.0), ("", 1.0)]


def test_text_before_the_first_token_belongs_to_it() -> None:
    strip = gain_strip("  x", _likelihood([2], [-1], "  x"), _likelihood([2], [-2], "  x"))
    assert [gain.text for gain in strip.gains] == ["  x"]


def test_nothing_in_common_is_an_empty_strip() -> None:
    assert gain_strip("", _likelihood([], [], ""), _likelihood([], [], "")).gains == ()


def test_the_scale_ignores_the_one_outlier_and_never_magnifies_noise() -> None:
    starts = list(range(100))
    text = "x" * 100
    quiet = gain_strip(text, _likelihood(starts, [-0.01] * 100, text), _likelihood(starts, [-0.02] * 100, text))
    assert quiet.scale == 1.0
    loud = gain_strip(text, _likelihood(starts, [-0.1] * 99 + [-90.0], text), _likelihood(starts, [-3.1] * 100, text))
    assert loud.scale == pytest.approx(3.0)


@given(st.data())
def test_pieces_join_to_the_reference_and_gains_to_the_difference_of_sums(data: st.DataObject) -> None:
    text = data.draw(st.text(min_size=1, max_size=20))
    places = st.lists(st.integers(0, len(text)), min_size=1, max_size=12).map(lambda some: sorted([0, *some]))
    sides = []
    for _ in range(2):
        starts = data.draw(places)
        logprobs = data.draw(st.lists(st.floats(-50, 0), min_size=len(starts), max_size=len(starts)))
        sides.append(_likelihood(starts, logprobs, text))
    strip = gain_strip(text, *sides)
    assert "".join(gain.text for gain in strip.gains) == text
    expected = np.sum(sides[0].token_logprobs) - np.sum(sides[1].token_logprobs)
    assert strip.total == pytest.approx(expected, abs=1e-9)
    assert sum(gain.n_tokens for gain in strip.gains) == len(sides[0].token_starts)
