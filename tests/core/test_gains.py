"""The gain strip: every character once, every token's gain once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.gains import Concentration, Gain, GainStrip, concentration, gain_strip
from core.records import Likelihood
from core.wording.cross import answer_sentence


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


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
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


def _strip(*nats: float) -> GainStrip:
    return GainStrip(tuple(Gain(f"w{place}", value, value, 0.0, 1) for place, value in enumerate(nats)), 1.0)


def test_the_fewest_tokens_that_hold_half_of_a_gain() -> None:
    assert concentration(_strip(1, 5, 1, 2, 1)) == Concentration(0.5, 1, 5)
    assert concentration(_strip(1, 1, 1, 1)) == Concentration(0.5, 2, 4)
    # Losses are not set off against gains: of 10 nats gained 6 lie in one token.
    assert concentration(_strip(6, -3, 4)) == Concentration(0.6, 1, 3)
    assert concentration(_strip(-1, -8, 2)) == Concentration(8 / 9, 1, 3)
    assert concentration(_strip(2, -2)) is None and concentration(_strip()) is None


def test_a_piece_of_several_tokens_counts_as_so_many() -> None:
    strip = GainStrip((Gain("é", 3.0, 0.0, 0.0, 2), Gain("b", 1.0, 0.0, 0.0, 1)), 1.0)
    assert concentration(strip) == Concentration(0.75, 2, 3)


def test_the_sentence_says_whose_answer_and_where() -> None:
    strip = _strip(1.2, 13, 0, -0.1)
    assert answer_sentence(strip, "qv-r8", "qv-r8", "baseline") == (
        "qv-r8 finds its own answer 14.1 nats likelier than baseline does; 92 % of the gain lies in 1 of 4 tokens."
    )
    assert answer_sentence(_strip(-4, -4), "baseline", "qv-r8", "baseline") == (
        "qv-r8 finds baseline's answer 8.0 nats less likely than baseline does; 50 % of the loss lies in 1 of 2 tokens."
    )
    assert (
        answer_sentence(_strip(0.01), "qv-r8", "qv-r8", "baseline")
        == "qv-r8 finds its own answer as likely as baseline does."
    )
    assert answer_sentence(_strip(2.0), "qv-r8", "qv-r8", "baseline") == (
        "qv-r8 finds its own answer 2.0 nats likelier than baseline does."
    )
