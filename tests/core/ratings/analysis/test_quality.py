from __future__ import annotations

import pytest

from core.ratings import GoldItem, RatingStore, join, next_item
from core.ratings.analysis import analyse
from core.ratings.analysis.quality import rating_quality
from core.stats import mcnemar, wilson_interval
from tests.core.ratings.analysis import made
from tests.core.ratings.analysis.made import SETTINGS
from tests.core.ratings.studies import Clock, answer, make_study, rate_all, shown

PAIR = ("base", "lora")


def _study(values: list[str], *, seconds: float = 9.0, length: int = 100, repeats=(), **more):
    names = [f"e{at:02d}" for at in range(len(values))]
    items = [made.item(name, lengths=(length, length)) for name in names]
    own = [made.answer(name, "Ana", PAIR, value, seconds=seconds) for name, value in zip(names, values, strict=True)]
    return made.rated(items, own, repeats=repeats, **more)


def test_a_lean_to_one_side_is_measured_among_decisive_answers():
    found = rating_quality(_study(["left"] * 16 + ["right"] * 4 + ["tie"] * 5), SETTINGS)
    assert (found.left.value, found.left.n) == (0.8, 20) and (found.left.low, found.left.high) == wilson_interval(
        16, 20
    )
    assert found.left_p == mcnemar(16, 4).mid_p
    (rater,) = found.raters
    assert rater.left == found.left and rater.n_answers == 25


@pytest.mark.parametrize(
    ("first", "again", "changed", "decided", "flipped"),
    [
        ("left", "right", 0, 1, 0),  # the sides are exchanged: the same variant
        ("left", "left", 1, 1, 1),
        ("left", "tie", 1, 0, None),
        ("tie", "both_bad", 1, 0, None),
        ("tie", "tie", 0, 0, None),
    ],
)
def test_repeats(first: str, again: str, changed: int, decided: int, flipped: int | None):
    chosen = {"left": "base", "right": "lora"}
    turned = {"left": "lora", "right": "base"}
    once = made.answer("e0", "Ana", PAIR, first, preferred=chosen.get(first, first))
    repeat = made.answer(
        "e0", "Ana", PAIR[::-1], again, preferred=turned.get(again, again), repeat_of="e0/Ana", assignment_id="r"
    )
    found = rating_quality(made.rated([made.item("e0")], [once], repeats=[repeat]), SETTINGS)
    assert (found.changed.value, found.changed.n, found.flipped.n) == (changed, 1, decided)
    assert found.flipped.value == flipped


def test_graded_repeats_turn_with_the_sides():
    once = made.answer("e0", "Ana", PAIR, -2, preferred="base")
    repeat = made.answer("e0", "Ana", PAIR[::-1], 2, preferred="base", repeat_of="e0/Ana", assignment_id="r")
    weaker = repeat | {"value": 1}
    for again, changed in ((repeat, 0), (weaker, 1)):
        found = rating_quality(made.rated([made.item("e0")], [once], repeats=[again], graded=True), SETTINGS)
        assert (found.changed.value, found.flipped.value) == (changed, 0)


@pytest.mark.parametrize(
    ("seconds", "length", "fast"), [(2.9, 300, 1), (3.1, 300, 0), (0.9, 10, 1), (1.1, 10, 0), (9.9, 50_000, 1), (10.1, 50_000, 0)]
)  # fmt: skip
def test_too_fast_goes_by_the_length_of_the_outputs(seconds: float, length: int, fast: int):
    found = rating_quality(_study(["left"], seconds=seconds, length=length), SETTINGS)
    assert (
        found.too_fast.value == fast and "200 characters a second, at least 1 s and at most 10 s" in found.too_fast_rule
    )


def test_an_answer_without_a_time_is_not_too_fast():
    found = rating_quality(_study(["left", "left"], seconds=float("nan")), SETTINGS)
    assert found.too_fast.value is None and found.raters[0].seconds_median is None and found.drift.seconds_first is None


def test_drift_is_the_second_half_of_each_list_against_the_first():
    values = ["right"] * 18 + ["left"] * 2 + ["tie"] * 2 + ["left"] * 16 + ["right"] * 6
    found = rating_quality(_study(values), SETTINGS).drift
    assert (found.first.value, found.first.n, found.second.value) == (0.9, 20, pytest.approx(6 / 22))
    assert found.difference.value == pytest.approx(6 / 22 - 0.9) and found.difference.high < 0


def test_each_raters_own_win_rate():
    items = [made.item(f"e{at}") for at in range(10)]
    own = [made.answer(f"e{at}", "Ana", PAIR, "right") for at in range(10)]
    own += [made.answer(f"e{at}", "Ben", PAIR[::-1], "right" if at < 7 else "left") for at in range(10)]
    found = rating_quality(made.rated(items, own), SETTINGS)
    assert [(one.rater, one.win_rate.value) for one in found.raters] == [("Ana", 1.0), ("Ben", 0.3)]
    assert found.left.n == 20 and found.left_p is not None


def test_gold_accuracy_is_held_against_the_threshold(lite: RatingStore, clock: Clock, tmp_path):
    gold = tuple(GoldItem(prompt=f"{n}+1?", outputs=(str(n + 1), "no")) for n in range(2))
    study = make_study(lite, tmp_path, gold=gold, gold_threshold=0.75)
    ana = join(study, "Ana")
    while not hasattr(item := next_item(study, ana), "message"):
        right = "no" not in item.outputs or item.outputs.index("no") == (1 if item.prompt == "0+1?" else 0)
        answer(study, ana, item, "left" if right else "right")
    quality = analyse(study, resamples=100).quality
    assert (quality.gold.value, quality.gold.n, quality.gold_threshold) == (0.5, 2, 0.75)
    assert quality.raters[0].below_gold_threshold


def test_repeats_of_a_real_study_and_skips(lite: RatingStore, tmp_path):
    study = make_study(lite, tmp_path, n=40, repeat_share=0.2)
    ana = join(study, "Ana")
    from core.ratings import skip

    skip(study, ana, shown(study, ana), "other")
    rate_all(study, ana)  # always left: each repeat is flipped
    found = analyse(study, resamples=100)
    assert (
        found.quality.flipped.value == found.quality.changed.value == 1
        and found.quality.flipped.n == found.counts.n_repeats > 3
    )
    assert (found.quality.left.value, found.quality.raters[0].n_skipped, found.counts.n_skipped) == (1, 1, 1)


def test_nobody_rated():
    found = rating_quality(made.rated([made.item("a")], []), SETTINGS)
    assert (
        found.raters == () and found.left.reason == "undefined: no decisive answer with sides" and found.left_p is None
    )
    assert found.drift.difference.value is None and found.gold.reason == "undefined: no gold item was answered"
