"""Human ratings in words: the words follow the statistics."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from core.ratings.analysis.results import Drift, Estimate
from core.wording.raters import (
    agreement_sentence,
    metrics_sentence,
    rater_concerns,
    raters_sentence,
    side_sentence,
)
from core.wording.ratings import (
    counts_line,
    e_text,
    in_one,
    number_texts,
    pair_name,
    points_texts,
    ranks_text,
    share_texts,
    sign_texts,
    stopping,
)
from tests import made_analyses as made


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.55, 0.72, "64 % [55, 72]"), (0.503, 0.72, "63.5 % [50.3, 72.0]"), (0.5, 0.72, "64 % [50, 72]"),
     (0.2, 0.499, "63.5 % [20.0, 49.9]")],
)  # fmt: skip
def test_a_bound_beside_one_half_never_reads_as_one_half(low: float, high: float, text: str) -> None:
    estimate = Estimate(0.635, low, high, 60)
    assert in_one(share_texts(estimate), estimate) == text


def test_what_is_not_defined_says_why() -> None:
    assert in_one(number_texts(made.none()), made.none()) == "undefined: no variation"
    assert number_texts(Estimate(0.52, None, None, 9)) == ("0.52", "")
    assert points_texts(Estimate(0.04, -0.08, 0.16, 60)) == ("+4.0", "[−8.0, +16.0]")


@pytest.mark.parametrize(
    ("value", "text"), [(0.31, "0.31"), (3.142, "3.14"), (31.42, "31.4"), (1234, "1,234"), (inf, "more than a million")]
)
def test_e_values_read_as_numbers(value: float, text: str) -> None:
    assert e_text(value) == text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "You may stop: the e-value is 31 (enough: 20)."),
        ({"may_stop": False, "e_value": 3.1, "needed": 40, "needed_most": 120}, "About 40 more decisive verdicts are likely needed"),
        ({"may_stop": False, "e_value": 3.1, "needed": 40, "needed_most": 120}, "in four of five within 120"),
        ({"may_stop": False, "e_value": 0.2, "needed": None, "needed_most": None}, "more than 2,000 further decisive verdicts"),
        ({"may_stop": False, "e_value": 1.0, "n_evidence": 0}, "No decisive verdict counts yet"),
    ],
)  # fmt: skip
def test_whether_one_may_stop(more: dict[str, Any], said: str) -> None:
    told = stopping(made.pair(**more))
    assert said in told and ("You may stop" in told) == made.pair(**more).may_stop


def test_the_adjusted_p_is_named_where_it_differs() -> None:
    assert sign_texts(made.pair()) == ("p = 0.015", "p = 0.030 adjusted")
    assert sign_texts(made.pair(p_adjusted=0.015)) == ("p = 0.015", "")
    assert sign_texts(made.pair(sign_mid_p=None)) == ("–", "")


def test_ranks_read_as_a_range_where_there_are_several() -> None:
    first = made.strengths(("a", "b", "c")).variants[0]
    assert ranks_text(first) == "1 to 2" and ranks_text(replace(first, worst=1)) == "1"
    assert ranks_text(replace(first, best=None, worst=None)) == ""


def test_a_pair_is_called_by_its_variant_alone_where_the_other_side_is_always_the_same() -> None:
    first, second = made.pair(), made.pair("all-r8")
    assert pair_name(first, [first, second]) == "qv-r8"
    assert pair_name(first, [first, made.pair("all-r8", "qv-r8")]) == "qv-r8 against baseline"


def test_how_much_was_rated() -> None:
    line = counts_line(made.analysis())
    assert "72 of 72 items rated · 140 answers of 2 raters" in line and "study 3f2a90c1b7de" in line


QUALITY = made.quality(made.rater(), made.rater("Ben"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"left": made.number(0.8), "left_p": 0.01}, "leans to the left: 80 % of 60 decisive answers"),
        ({"left": made.number(0.2), "left_p": 0.01}, "leans to the right: 80 %"),
        ({"flipped": made.number(0.5, 0.2, 10)}, "chose the other side on 5 of 10 swapped repeats"),
        ({"too_fast": made.number(0.3)}, "gave 30 % of the answers sooner"),
        ({"gold": made.number(0.5, n=4), "below_gold_threshold": True}, "50.0 % of the gold items right, expected 80 %"),
        ({"drift": Drift(made.number(0.8), made.number(0.4), made.number(-0.4), 9.0, 8.0)}, "second half otherwise"),
        ({"drift": Drift(made.number(0.6), made.number(0.6), made.none(), 9.0, 3.0)}, "hurried: 9 s an answer in the first half, 3 s"),
    ],
)  # fmt: skip
def test_each_concern_has_its_words(more: dict[str, Any], said: str) -> None:
    (concern,) = rater_concerns(made.rater(**more), QUALITY)
    assert said.replace("50.0", "50") in concern


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"left": made.number(0.8), "left_p": 0.04},
        {"flipped": made.number(0.5, 0.2, 4)},
        {"left": made.none(), "left_p": None},
    ],
)
def test_what_could_be_chance_or_too_little_is_no_concern(more: dict[str, Any]) -> None:
    assert rater_concerns(made.rater(**more), QUALITY) == ()


def test_raters_in_a_sentence() -> None:
    off = made.rater(made.HOSTILE, below_gold_threshold=True, gold=made.number(0.4))
    assert raters_sentence(made.quality(made.rater(), off)).startswith(
        f"Something is off with 1 of 2 raters: {made.HOSTILE}."
    )
    assert raters_sentence(made.quality(made.rater())).startswith("The one rater passes every check")
    assert raters_sentence(QUALITY).startswith("Each of the 2 raters passes")
    assert raters_sentence(made.quality()) == "Nobody has rated an item of this study yet."


@pytest.mark.parametrize(
    ("left", "said"),
    [(made.number(0.55), "No side is preferred: 55 % [45, 65]"), (made.number(0.7), "The left side is preferred"),
     (made.number(0.3), "The right side is preferred"), (Estimate(0.9, None, None, 3), "No side is preferred"), (made.none(), "")],
)  # fmt: skip
def test_sides_in_a_sentence(left: Estimate, said: str) -> None:
    told = side_sentence(replace(QUALITY, left=left))
    assert told.startswith(said) and bool(told) == bool(said)


def _alpha(value: float) -> Any:
    row = made.agreement()
    return replace(row, alphas=(replace(row.alphas[0], alpha=made.number(value)),))


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.85, "agree very well"), (0.65, "agree well"), (0.52, "agree moderately"), (0.3, "agree a little"), (0.05, "hardly agree"),
     (-0.2, "agree less than by chance")],
)  # fmt: skip
def test_the_word_for_agreement_follows_alpha(value: float, word: str) -> None:
    assert agreement_sentence([_alpha(value)]).startswith(f"The raters {word} (alpha ")


def test_agreement_that_is_not_defined_is_said_and_not_shown_as_a_number() -> None:
    told = agreement_sentence([made.agreement(names=("Ana",))])
    assert told == "How far the raters agree cannot be said: undefined: no item was rated by two."
    assert agreement_sentence([replace(made.agreement(), n_units=0)]) == "Nobody has rated an item of this study yet."
    assert "on fluency" in agreement_sentence([made.agreement("Fluency"), made.agreement("Accuracy")])


def test_a_metric_is_praised_only_where_its_interval_is_above_chance() -> None:
    good, poor = made.metric(), made.metric("BLEU", made.number(0.55))
    assert metrics_sentence([good, poor]).startswith("1 of 2 metrics orders answers")
    assert metrics_sentence([poor, poor]).startswith(
        "None of 2 metrics orders answers as the raters do more often than chance would."
    )
    assert metrics_sentence([poor]).startswith(
        "The one metric orders answers as the raters do no more often than chance"
    )
