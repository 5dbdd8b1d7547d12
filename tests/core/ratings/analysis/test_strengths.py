from __future__ import annotations

import numpy as np
import pytest

from core.ratings.analysis.strengths import strengths
from core.stats import elo_ratings, preference_intervals
from tests.core.ratings.analysis import made
from tests.core.ratings.analysis.made import SETTINGS

NAMES = ("base", "lora", "full")
SIDES = ["left", "right", "tie", "both_bad"]


def _pairs(rng: np.random.Generator, n: int, values: list[str] | None = None):
    """Return a study of pairs, and its comparisons as `preference_intervals` takes them."""
    items, own, rows = [], [], []
    for at in range(n):
        two = [(0, 1), (0, 2), (1, 2)][at % 3]
        items.append(made.item(f"i{at}", [NAMES[one] for one in two], group=f"e{at // 3}", example_id=f"e{at // 3}"))
        for rater in ("Ana", "Ben"):
            shown = [NAMES[one] for one in (two if rng.random() < 0.5 else two[::-1])]
            value = values[at] if values else made.verdicts(rng, 1)[0]
            own.append(made.answer(f"i{at}", rater, shown, value, group=f"e{at // 3}"))
            rows.append((*shown, np.eye(4)[SIDES.index(value)], f"e{at // 3}"))
    left, right, counts, groups = zip(*rows, strict=True)
    return made.rated(items, own, variants=NAMES), (left, right, np.array(counts), groups)


def test_strengths_are_davidsons_over_all_answers_with_whole_examples_resampled():
    rated, comparisons = _pairs(np.random.default_rng(3), 120)
    found = strengths(rated, "preference", SETTINGS)
    direct = preference_intervals(*comparisons, variants=NAMES, position=True, resamples=SETTINGS.resamples)
    assert (found.reason, found.n, found.n_examples) == (None, 240, 40)
    by_name = {one.variant: one for one in found.variants}
    for place, name in enumerate(NAMES):
        one, interval = by_name[name], direct.strengths[place]
        assert (one.strength.value, one.strength.low, one.strength.high) == (
            direct.fit.strengths[place],
            interval.low,
            interval.high,
        )
        assert (one.rank, one.best, one.worst) == tuple(vars(direct.ranks[place]).values())
        assert one.elo.value == pytest.approx(elo_ratings(direct.fit.strengths)[place])
        assert one.elo.high - one.elo.low == pytest.approx((interval.high - interval.low) * 400 / np.log(10))
    assert [one.rank for one in found.variants] == sorted(one.rank for one in found.variants)
    assert (found.position.value, found.position.low) == (direct.fit.position, direct.position.low)
    assert any("Raters are taken as fixed" in note for note in found.notes) and any(
        "counts as a tie" in note for note in found.notes
    )


def test_without_exchanged_sides_the_position_term_is_left_out_and_said():
    rng = np.random.default_rng(4)
    items, own = [], []
    for at in range(90):
        two = [("base", "lora"), ("base", "full")][at % 2]
        items.append(made.item(f"i{at}", two))
        own.append(made.answer(f"i{at}", "Ana", two, made.verdicts(rng, 1)[0]))
    found = strengths(made.rated(items, own, variants=NAMES), "preference", SETTINGS)
    assert found.reason is None and found.position.value is None and "not exchanged enough" in found.position.reason
    assert any("There is no position term here" in note for note in found.notes)


def test_a_ranking_counts_as_its_pairs_and_says_that_they_depend_on_each_other():
    rng = np.random.default_rng(6)
    items = [made.item(f"e{at}", NAMES) for at in range(40)]
    own = []
    for at in range(40):
        shown = [NAMES[one] for one in rng.permutation(3)]
        own.append(made.answer(f"e{at}", "Ana", shown, (rng.permutation(3) + 1).tolist()))
    found = strengths(made.rated(items, own, variants=NAMES, mode="rank"), "preference", SETTINGS)
    assert (found.n, found.n_examples) == (120, 40) and found.position.value is not None
    assert any("not independent" in note for note in found.notes)


@pytest.mark.parametrize(
    ("value", "reason"), [("tie", "every comparison is a tie"), ("both_bad", "every comparison is a tie")]
)
def test_all_ties_give_a_reason(value: str, reason: str):
    rated, _ = _pairs(np.random.default_rng(5), 30, [value] * 30)
    found = strengths(rated, "preference", SETTINGS)
    assert reason in found.reason and found.variants[0].rank is None and found.variants[0].strength.value is None


def test_nobody_rated():
    found = strengths(made.rated([made.item("a", NAMES[:2])], [], variants=NAMES), "preference", SETTINGS)
    assert found.reason == "undefined: no comparisons" and found.n == 0
