from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from core.ratings.analysis.agreement import agreement_rows, rating_table
from core.stats import cohen_kappa, fleiss_kappa, krippendorff_alpha, raw_agreement
from tests.core.ratings.analysis import made
from tests.core.ratings.analysis.made import SETTINGS
from tests.core.stats.conftest import GOLDEN


def _scored(ratings: list[list[float | None]]):
    """A study in which rater by rater the units got these scores."""
    items = [made.item(f"i{at:02d}", ("base",)) for at in range(len(ratings[0]))]
    own = [
        made.answer(f"i{at:02d}", f"R{rater}", ("base",), int(score))
        for rater, row in enumerate(ratings) for at, score in enumerate(row) if score is not None
    ]  # fmt: skip
    return made.rated(items, own, mode="score", criteria=({"name": "preference", "label": "Preference"},))


def test_published_alpha_comes_out_of_a_study():
    golden = json.loads(GOLDEN.read_text())["krippendorff_alpha"]
    ratings = [[None if one in (None, "*") else one for one in row] for row in golden["ratings"]]
    (row,) = agreement_rows(_scored(ratings), SETTINGS)
    for one in row.alphas:
        assert one.alpha.value == pytest.approx(golden["values"][one.level], abs=golden["tolerance"])
        assert one.alpha.low < one.alpha.value < one.alpha.high
    assert (
        row.alpha.level == "ordinal" and row.fleiss.value is None and "differs from item to item" in row.fleiss.reason
    )


def test_pairs_count_by_the_variant_wherever_it_stood():
    items = [made.item(name) for name in "abcd"]
    own = [made.answer("a", "Ana", ("base", "lora"), "left"), made.answer("a", "Ben", ("lora", "base"), "right"),
           made.answer("b", "Ana", ("base", "lora"), "right"), made.answer("b", "Ben", ("lora", "base"), "right"),
           made.answer("c", "Ana", ("base", "lora"), "tie"), made.answer("c", "Ben", ("lora", "base"), "both_bad"),
           made.answer("d", "Ana", ("base", "lora"), "right"), made.answer("d", "Ben", ("lora", "base"), "left")]  # fmt: skip
    (row,) = agreement_rows(made.rated(items, own), SETTINGS)
    assert row.raw.value == 0.5 and row.n_units == 4 and [one.level for one in row.alphas] == ["nominal"]
    table = np.zeros((4, 4))
    for one, other in ((0, 0), (2, 0), (1, 3), (2, 2)):
        table[one, other] += 1
    (two,) = row.pairs
    assert (two.first, two.second, two.weighted) == ("Ana", "Ben", False)
    assert two.kappa.value == pytest.approx(cohen_kappa(table).value) and two.kappa.n == 4
    counts = table.sum(axis=0), table.sum(axis=1)
    by_unit = np.array([[2, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 2, 0]])
    assert sum(counts).sum() == by_unit.sum() and row.fleiss.value == pytest.approx(fleiss_kappa(by_unit).value)


def test_grades_and_ranks_have_an_order():
    own = [made.answer(f"e{at}", rater, ("lora", "base") if rater == "Ben" else ("base", "lora"), value * (-1 if rater == "Ben" else 1))
           for at, value in enumerate((-3, -1, 0, 2, 3)) for rater in ("Ana", "Ben")]  # fmt: skip
    (row,) = agreement_rows(made.rated([made.item(f"e{at}") for at in range(5)], own, graded=True), SETTINGS)
    assert (
        row.alpha.level == "ordinal"
        and row.alpha.alpha.value == 1
        and row.pairs[0].weighted
        and row.pairs[0].kappa.value == 1
    )
    names = ("base", "lora", "full")
    own = [made.answer(f"e{at}", rater, names if rater == "Ana" else names[::-1], [1, 2, 3] if rater == "Ana" else [3, 2, 1])
           for at in range(4) for rater in ("Ana", "Ben")]  # fmt: skip
    rated = made.rated([made.item(f"e{at}", names) for at in range(4)], own, variants=names, mode="rank")
    (row,) = agreement_rows(rated, SETTINGS)
    assert (row.n_units, row.alpha.alpha.value, row.raw.value) == (12, 1, 1) and rating_table(
        rated, "preference"
    ).shape == (12, 2)


def test_units_of_one_example_are_resampled_together():
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(10), 6)
    alike = np.repeat(rng.random(10) < 0.5, 6)
    first = rng.integers(0, 3, 60)
    ratings = np.stack([first, np.where(alike, first, (first + 1) % 3)]).astype(float)
    single = krippendorff_alpha(ratings, "nominal", interval=0.95)
    together = krippendorff_alpha(ratings, "nominal", interval=0.95, groups=groups)
    assert together.value == single.value
    assert together.interval.high - together.interval.low > 1.5 * (single.interval.high - single.interval.low)
    assert "10 clusters" in together.interval.method
    counts = np.stack([(ratings == value).sum(axis=0) for value in range(3)], axis=1)
    for measure in (partial(fleiss_kappa, counts, interval=0.95), partial(raw_agreement, ratings)):
        single, together = measure(), measure(groups=groups)
        assert together.value == single.value
        assert together.interval.high - together.interval.low > 1.5 * (single.interval.high - single.interval.low)


@pytest.mark.parametrize("value", ["tie", "right"])
def test_no_variation_is_said_and_is_neither_0_nor_1(value: str):
    own = [made.answer(f"e{at}", rater, ("base", "lora"), value) for at in range(6) for rater in ("Ana", "Ben")]
    (row,) = agreement_rows(made.rated([made.item(f"e{at}") for at in range(6)], own), SETTINGS)
    for one in (row.alpha.alpha, row.fleiss, row.pairs[0].kappa):
        assert one.value is None and one.reason == "undefined: no variation"
    assert row.raw.value == 1 and row.raw.low < 1


def test_one_rater_and_nobody():
    items = [made.item("a"), made.item("b")]
    (row,) = agreement_rows(made.rated(items, [made.answer("a", "Ana", ("base", "lora"), "left")]), SETTINGS)
    assert row.raw.value is None and row.alpha.alpha.reason == "undefined: no unit has two ratings" and row.pairs == ()
    (row,) = agreement_rows(made.rated(items, []), SETTINGS)
    assert row.n_units == 0 and row.fleiss.reason == "undefined: no item has two ratings"
